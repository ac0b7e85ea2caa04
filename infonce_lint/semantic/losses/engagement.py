"""Engagement: whether what a sink makes is really read by a contrastive loss, and whether it was frozen on the way."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from infonce_lint.semantic.graph.calls import called_class, called_name, is_library_call, receiver_of
from infonce_lint.semantic.graph.values import Function, Op, Value
from infonce_lint.semantic.graph.walk import walk
from infonce_lint.semantic.losses.cone import keeps_values
from infonce_lint.semantic.losses.evidence import is_handed_out
from infonce_lint.semantic.losses.prefix import is_fitting_cut
from infonce_lint.semantic.losses.roles import Roles
from infonce_lint.semantic.losses.sinks import Kind, Sink, counters, is_made, is_mask_helper, is_size_helper
from infonce_lint.semantic.names import is_loss_name, words
from infonce_lint.semantic.shapes.operations import Column, has
from infonce_lint.semantic.shapes.table import find
from infonce_lint.semantic.sizes.guards import Guards
from infonce_lint.semantic.sizes.origin import Origins

#: What a made tensor lives on in, whichever of the inputs it is.
_CARRYING_OPS = frozenset(
    {
        Op.UNARY,
        Op.COMPARE,
        Op.NAME,
        Op.CLOSURE,
        Op.STORE,
        Op.SELF,
        Op.GLOBAL,
        Op.TUPLE,
        Op.COMP,
        Op.ITEM,
        Op.DICT,
        Op.RETURN,
        Op.PARAM,
        Op.BOOL,
        Op.SETITEM,
        Op.BINOP,
    }
)
_DEEPEST_CALLS = 6


@dataclass(frozen=True, slots=True, eq=False)
class Engagement:
    """``sink`` reaches the loss at ``consumer``.

    An object built before the loss runs has ``frozen``, its read in the loss, and ``store``, what keeps it.
    """

    sink: Sink
    kind: Kind
    consumer: Value
    frozen: Value | None
    store: Value | None = None


class Engagements:
    """Finds how the sinks of a module reach its losses."""

    def __init__(self, origins: Origins, roles: Roles, guards: Guards) -> None:
        self.origins = origins
        self.roles = roles
        self.guards = guards
        self._made: dict[tuple[Value, Value], list[tuple[Value, Value | None, Value | None]]] = {}

    def of(self, sink: Sink, read: Value) -> list[Engagement]:
        """All ways in which a sink sized by ``read`` takes part in a loss (none when it does not)."""
        if sink.kind in (Kind.NORMALISER, Kind.OFFSET):
            return [Engagement(sink, sink.kind, sink.value, None)] if self.reaches_gradient(sink.value) else []
        if sink.base is not None:
            if self._cuts_the_loss(sink, sink.base):
                return [Engagement(sink, sink.kind, sink.value, None)]
            if not is_made(sink.base):
                return []  # cuts and reshapes of anything else: data, queues, images
        is_unknown = (
            sink.value.op is Op.CALL and is_size_helper(sink.value, sink.sizes) and not is_mask_helper(sink.value)
        )
        if is_unknown and _acts_as_object(sink.value):
            return []
        return [
            Engagement(sink, self._kind(sink, consumer), consumer, frozen, store)
            for made in self._made_by(sink)
            for consumer, frozen, store in self._flow(made, read)
            if not is_unknown or selects(consumer)
        ]

    def _made_by(self, sink: Sink) -> list[Value]:
        """What goes from a sink into the loss: a tensor, or the variable that a loop counts with."""
        if sink.value.op is not Op.WHILE:
            return [sink.value]
        tests = walk(sink.value.inputs, lambda each: each.inputs if each.op is Op.BOOL else ())
        return [each for test in tests if test.op is Op.COMPARE for each in counters(test, self.origins)]

    def _cuts_the_loss(self, sink: Sink, base: Value) -> bool:
        """Whether a sink reshapes, cuts or indexes the similarity or the features themselves."""
        if (base in self.roles.cone or sink.value in self.roles.seeds) and sink.kind is not Kind.LABELS:
            return True
        return sink.value in self.roles.features or (base in self.roles.features and sink.kind is Kind.INDEX)

    def _kind(self, sink: Sink, consumer: Value) -> Kind:
        """What a made tensor serves as, told by where it meets the loss."""
        if sink.kind not in (Kind.LABELS, Kind.MASK):
            return sink.kind
        name = called_name(sink.value) if sink.value.op is Op.CALL else ""
        if has(name, Column.MAKES_SHAPED) or has(name, Column.MAKES_OF_SIZES):
            meets_loss = consumer.op is Op.CALL and (
                is_loss_name(called_name(consumer)) or self.roles.calls_loss(consumer)
            )
            return Kind.LABELS if meets_loss or consumer.name in ("gather", "take_along_axis") else Kind.MASK
        if consumer.op is Op.SUB and sink.kind is Kind.LABELS and not self._is_compared(sink.value):
            return Kind.INDEX
        if consumer.op in (Op.BINOP, Op.SUB, Op.CALL) and self._fills_a_mask(sink.value) and sink.kind is Kind.LABELS:
            return Kind.MASK
        return sink.kind

    def _is_compared(self, made: Value) -> bool:
        """Whether a label vector is turned into a matrix of equal labels, or selects otherwise than by number."""
        return self._passes(
            made,
            lambda user, _: (
                user.op in (Op.COMPARE, Op.BOOL, Op.SETITEM) or user.name in ("eq", "equal", "one_hot", "bool", "type")
            ),
        )

    def _fills_a_mask(self, made: Value) -> bool:
        """Whether numbers only say which entries of a mask are set: ``mask[i, n + i] = 0``, a scatter."""
        return self._passes(
            made,
            lambda user, value: (
                (user.op is Op.CALL and user.name.startswith("scatter"))
                or (user.op is Op.SETITEM and any(value is each or value in each.inputs for each in user.inputs[1:-1]))
            ),
        )

    def _passes(self, made: Value, wanted: Callable[[Value, Value], bool]) -> bool:
        versions = walk([made], lambda value: [user for user in value.users if self._carries(user, value)])
        return any(wanted(user, value) for value in versions for user in value.users)

    def reaches_gradient(self, value: Value) -> bool:
        """Whether a scaled loss is returned or differentiated, and not merely logged."""
        seen: set[Value] = set()
        stack = [value]
        returned = False
        trained = any(call.name in ("backward", "gradient", "grad") for call in value.function.calls)
        while stack:
            each = stack.pop()
            if each in seen:
                continue
            seen.add(each)
            for user in each.users:
                if user.op is Op.ATTR and user.name == "backward":
                    return True
                if user.op is Op.CALL and has(user.name, Column.DIFFERENTIATES):
                    return True
                if user.op is Op.RETURN:
                    if not (trained and user.function is value.function):
                        returned = True
                    stack.append(user)
                elif keeps_values(user, each):
                    stack.append(user)
        if value.function.is_module:
            return any(each.function.is_module for each in seen)
        return returned

    def _flow(self, made: Value, read: Value) -> list[tuple[Value, Value | None, Value | None]]:
        """Where a tensor made by a sink meets the loss: (consumer, frozen read, its store)."""
        known = self._made.get((made, read))
        if known is not None:
            return known
        found: list[tuple[Value, Value | None, Value | None]] = []
        seen: set[tuple[Value, bool, tuple[Value, ...]]] = set()
        stack: list[tuple[Value, Value | None, Value | None, tuple[Value, ...]]] = [(made, None, None, ())]
        while stack:
            value, frozen, store, entered = stack.pop()
            if (value, frozen is not None, entered) in seen:
                continue
            seen.add((value, frozen is not None, entered))
            for user in value.users:
                if _feeds_generator(user, value):
                    self._made[made, read] = []
                    return []  # noise or codes from which the batch is generated: its rows are theirs
                if self._meets_loss(user, value):
                    found.append((user, frozen, store))
                elif is_fitting_cut(user, made, read, self.origins):
                    continue  # made larger, and cut to the rows at hand
                elif self._carries(user, value):
                    now_frozen, now_store = self._freezes(user, value, frozen, store)
                    for calls in self._calls_entered(user, value, read, entered, frozen is not None):
                        stack.append((user, now_frozen, now_store, calls))
        self._made[made, read] = found
        return found

    def _calls_entered(
        self, user: Value, value: Value, read: Value, entered: tuple[Value, ...], frozen: bool
    ) -> Iterator[tuple[Value, ...]]:
        """The calls of helpers that a made tensor is inside of after one more step; none where it cannot go there.

        What is handed to a helper comes back where that call stands and nowhere else.
        """
        if user.op is Op.PARAM and user.function.defaults.get(user.name) is not value:
            function = user.function
            calls = [call for call in function.callers if call.argument_for(function, user.name) is value]
            if not calls:  # a constructor, which brings nothing back
                yield entered
            elif len(entered) < _DEEPEST_CALLS:
                yield from ((*entered, call) for call in calls if call not in entered)
        elif value.op is Op.RETURN and user.op is Op.CALL and entered and entered[-1].callee is value.function:
            if user is entered[-1]:
                yield entered[:-1]
        elif self._comes_from(user, value, read, frozen):
            yield entered

    def _comes_from(self, user: Value, value: Value, read: Value, frozen: bool) -> bool:
        """Whether a helper's result, at this call of it, is sized by ``read`` and not by another caller's argument."""
        if frozen or value.op is not Op.RETURN or user.op is not Op.CALL or user.callee is None:
            return True
        if any(read in self.origins.sources(argument) for _, argument in user.arguments()):
            return True
        if value.function is read.function and self._is_default(user, read):
            return False
        return any(runs(each, read.function) for each in enclosing(value.function))

    def _is_default(self, call: Value, read: Value) -> bool:
        """Whether a helper reads the size only for a parameter (``if n is None: n = ...``) that this call fills."""
        tests = [guard for guard in read.block.guards if guard.op is Op.COMPARE and guard.name == "Is"]
        tested = {each.name for test in tests for each in test.inputs if each.op is Op.NAME}
        bindings = read.function.bindings
        tested = {name for name in tested if any(read in self.origins.sources(each) for each in bindings.get(name, ()))}
        if not tested:
            return False
        function = read.function
        filled = {keyword for keyword, _ in call.arguments() if keyword}
        filled |= set(function.positional[: sum(1 for keyword, _ in call.arguments() if keyword is None)])
        return bool(tested & filled)

    def _freezes(
        self, user: Value, value: Value, frozen: Value | None, store: Value | None
    ) -> tuple[Value | None, Value | None]:
        if frozen is not None:
            return frozen, store
        if user.op is Op.SELF and value.op is Op.STORE and not shares_run(value.function, user.function):
            return user, value
        if user.op is Op.SELF and value.op is not Op.STORE and (value.op is not Op.RETURN or is_cached(value.function)):
            return user, value  # set in the class body, or a property that is computed once
        if user.op is Op.GLOBAL and value.function.is_module and not user.function.is_module:
            return user, value
        if user.op is Op.PARAM and user.function.defaults.get(user.name) is value:
            return user, value
        if user.op is Op.CALL and value.op is Op.RETURN and is_cached(value.function):
            return user, value
        return None, None

    def _meets_loss(self, user: Value, value: Value) -> bool:
        """Whether ``user`` brings the made tensor together with a similarity."""
        cone = self.roles.cone
        if user.op is Op.SETITEM and user in self.roles.seeds and value is user.inputs[0]:
            return True  # what the loops fill pair by pair
        if user.op is Op.BINOP and user.name in ("Add", "Subtract"):
            return any(each in cone and each not in self.roles.reduced and each is not value for each in user.inputs)
        if user.op in (Op.BINOP, Op.SUB, Op.SETITEM, Op.COMPARE):
            return any(each in cone and each is not value for each in user.inputs) or (
                user.op is Op.SUB and value is not user.inputs[0] and user.inputs[0] in self.roles.features
            )
        if user.op in (Op.TUPLE, Op.DICT) and is_handed_out(user):
            return any(each in cone and each not in self.roles.reduced for each in user.inputs if each is not value)
        return user.op is Op.CALL and self._call_meets_loss(user, value)

    def _call_meets_loss(self, call: Value, value: Value) -> bool:
        if call.callee is not None:
            return False
        if self.roles.calls_loss(call):
            # the first argument of a loss is its features, whatever made them
            first = None if self.roles.constructs_loss(call) else call.argument(0)
            return value is not call.inputs[0] and value is not first and not self.origins.sources(value)
        if has(call.name, Column.ACCUMULATES) or has(call.name, Column.STOPS):
            return False
        cone = self.roles.cone
        called = call.inputs[0]
        others = [each for each in call.inputs if each is not value]
        receiver = receiver_of(call)
        if called is value and value.op is Op.ATTR:
            others = call.inputs[1:]
        elif receiver is not None and called is not value:
            others.append(receiver)
        return any(each in cone or (each.op is Op.TUPLE and any(e in cone for e in each.inputs)) for each in others)

    def _carries(self, user: Value, value: Value) -> bool:
        """Whether a made tensor lives on in ``user``."""
        op = user.op
        if op is Op.PHI:
            return not (isinstance(user.literal, Value) and self.origins.size_keys(user.literal))
        if op is Op.SUB:
            return value is user.inputs[0] or is_made(user.inputs[0])
        if op is Op.SLICE:
            return not self.origins.sources(value)  # ``x[i : i + 1]``; a chunk has the stride for its length
        if op is Op.ATTR:
            return not has(user.name, Column.ASKS_ABOUT)
        if op is Op.CALL:
            return _call_carries(user, value)
        return op in _CARRYING_OPS


def _call_carries(call: Value, value: Value) -> bool:
    if value is call.inputs[0]:
        return value.op is Op.ATTR
    if call.callee is not None:
        return value.op is Op.RETURN
    if call.constructs is not None or has(call.name, Column.STOPS):
        return False
    constructed = called_class(call)
    if constructed is not None:
        return has(constructed, Column.OPERATOR)
    receiver = receiver_of(call)
    if receiver is not None:
        return receiver.op is not Op.SELF or has(call.name, Column.ACCUMULATES) or call.name.endswith("_")
    return is_library_call(call) or has(call.name, Column.CARRIES) or is_mask_helper(call)


def _acts_as_object(made: Value) -> bool:
    """Whether what a function of another file gave has methods that no tensor has: a model, ``mixture.fit(x)``."""
    versions = walk([made], lambda each: [user for user in each.users if user.op in _HELD])
    asked = (user for each in versions for user in each.users if user.op is Op.ATTR)
    return any(
        call.op is Op.CALL and call.inputs[0] is method and find(method.name, "") is None
        for method in asked
        for call in method.users
    )


_HELD = frozenset({Op.NAME, Op.CLOSURE, Op.STORE, Op.SELF, Op.GLOBAL, Op.PHI})


def selects(consumer: Value) -> bool:
    """Whether entries of a similarity are picked or filled: a number, a weight or a temperature cannot do that."""
    return consumer.op in (Op.SUB, Op.SETITEM) or (consumer.op is Op.CALL and has(consumer.name, Column.SELECTS))


def shares_run(store: Function, read: Function) -> bool:
    """Whether an attribute is stored in the same run that reads it: in the function itself or one that it calls."""
    if store.is_constructor:
        return False
    return runs(read, store)


def runs(function: Function, wanted: Function) -> bool:
    """Whether running ``function`` runs ``wanted``: it is that function, or calls it in this file."""
    called = walk([function], lambda each: [call.callee for call in each.calls if call.callee is not None])
    return wanted in called


def enclosing(function: Function) -> Iterator[Function]:
    """A function and those that it is defined inside of, whose variables it reads."""
    yield function
    scope = function.parent
    while scope is not None and not scope.is_module:
        yield scope
        scope = scope.parent


def is_cached(function: Function) -> bool:
    """Whether a helper's result is kept between calls (``functools.lru_cache``, ``cached_property``)."""
    return any("cache" in each for each in function.decorators)


def _feeds_generator(user: Value, value: Value) -> bool:
    """Whether a made tensor is the input of a generator, as a GAN's noise is."""
    if user.op is not Op.CALL or user.callee is not None or user.constructs is not None or value is user.inputs[0]:
        return False
    found = words(user.name)
    return found in (("net", "g"), ("gen",)) or not {"generator", "netg", "decoder"}.isdisjoint(found)
