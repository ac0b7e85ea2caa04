"""Remains: uses of a batch size that no fix of the file rewrites, and that may take part in what a loss becomes.

A loss that is repaired raises no more at a batch of another size. Whatever else counts the configured rows then goes on
silently. So a use is a danger unless it is seen to be harmless (`harmless.py`).
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable, Iterator

import libcst as cst

from infonce_lint.repair.harmless import (
    counts_steps,
    detaches,
    gives_idle,
    is_idle_call,
    is_idle_function,
    is_idle_keyword,
    is_learning_rate,
    is_plain,
    is_record,
    module_of,
)
from infonce_lint.repair.places import Places
from infonce_lint.semantic.graph.managers import raises
from infonce_lint.semantic.graph.syntax import last_statement, leaves, returns_value
from infonce_lint.semantic.graph.values import Block, Function, Op, Value
from infonce_lint.semantic.graph.walk import walk
from infonce_lint.semantic.losses.model import SemanticModel
from infonce_lint.semantic.shapes.operations import Column, has
from infonce_lint.semantic.shapes.running import library_of


class _Kind(enum.IntEnum):
    """What a value is to the size that it is computed from, gravest first."""

    SIZE = 0
    HOLDER = 1  # all entries of a configuration: ``vars(args)``
    COUNT = 2  # how many batches there are
    RECORD = 3  # a measured number, without gradients


_CARRYING = frozenset(
    {Op.NAME, Op.CLOSURE, Op.GLOBAL, Op.SELF, Op.PHI, Op.UNARY, Op.BOOL, Op.TUPLE, Op.DICT, Op.COMP, Op.ITEM, Op.OTHER}
)
_CONVERTING = frozenset({"float", "int", "eval", "exec", "literal_eval", "Fraction", "Decimal", "getattr"})
_COMPUTED = frozenset({Op.CALL, Op.TUPLE, Op.ITEM, Op.NAME, Op.BINOP, Op.UNARY, Op.COMPARE, Op.ATTR, Op.SUB})
_COMPARED = frozenset({Op.COMPARE, Op.BOOL, Op.BINOP, Op.UNARY, Op.NAME, Op.PHI})
_QUIET = frozenset({"staticmethod", "classmethod", "property", "cached_property", "no_grad", "override"})
Step = tuple[Value, _Kind]


class _Danger(Exception):
    """A use that may take part in a loss."""


class Remains:
    """Follows reads that stay behind to what becomes of them."""

    def __init__(
        self,
        model: SemanticModel,
        places: Places,
        is_rewritten: Callable[[Value], bool],
        rebuilt: frozenset[Value] = frozenset(),
    ) -> None:
        """``is_rewritten`` tells which reads the fixes write anew, ``rebuilt`` makes a tensor that they build anew."""
        self.rebuilt = rebuilt
        self.model = model
        self.places = places
        self.is_rewritten = is_rewritten
        self.keys: set[str] = set()  # under which dictionaries of the file keep the size
        self.rows = model.roles.rows
        self.own = {function for loss in model.losses for function in loss.functions}
        self._idle: dict[Function, bool] = {}

    def danger(self, reads: Iterable[Value], names: frozenset[str], stops: frozenset[Value]) -> Value | None:
        """The first of some reads from which something reaches a loss, or what nobody sees; None where none does.

        ``names`` are those of the size, ``stops`` what is built anew elsewhere.
        """
        known: dict[Value, _Kind] = dict.fromkeys(stops, _Kind(0))
        for read in reads:
            stack: list[Step] = [(read, _Kind.HOLDER if self.places.is_holder(read) else _Kind.SIZE)]
            while stack:
                value, kind = stack.pop()
                if value in known and known[value] <= kind:
                    continue
                known[value] = kind
                try:
                    stack += self._steps(value, kind, names)
                except _Danger:
                    return read
        return None

    def _steps(self, value: Value, kind: _Kind, names: frozenset[str]) -> Iterator[Step]:
        """What a value flows into."""
        if id(value.node) in self.places.texts:
            for text in self.places.texts[id(value.node)]:
                self._check_text(text)
                yield text, max(kind, _Kind.COUNT)
        statement = self.places.tests.get(id(value.node))
        if statement is not None and kind < _Kind.COUNT:
            yield from self._steered(statement, value)
        for chosen in self.places.chosen.get(value, ()):
            if kind < _Kind.COUNT:
                yield chosen, _Kind.SIZE
        if value.op is Op.STORE:
            for read in self.places.reads_of(value):
                if not self.is_passed(read):
                    yield read, kind
        for user in value.users:
            if user.op in (Op.GUARD, Op.FUNC, Op.CLASS) or self.is_passed(user):
                continue
            yield from self._used(value, user, kind, names)
        if value.op is Op.RETURN:
            yield from self._returned(value, kind)

    def is_passed(self, user: Value) -> bool:
        """Whether a use is rewritten, or stands in code that only draws batches, averages or shows."""
        return self.is_rewritten(user) or self._is_idle_place(user.function)

    def _is_idle_place(self, function: Function) -> bool:
        """Whether a function draws batches, averages or shows, by its class, and has nothing to do with a loss."""
        if function not in self._idle:
            is_apart = function not in self.own and not any(call.function in self.own for call in function.callers)
            values = self.model.values_by_function.get(function, ())
            self._idle[function] = is_apart and is_idle_function(function) and self.rows.isdisjoint(values)
        return self._idle[function]

    def _used(self, value: Value, user: Value, kind: _Kind, names: frozenset[str]) -> Iterator[Step]:
        op = user.op
        if user in self.rebuilt:
            yield user, kind
        elif op is Op.CALL:
            yield from self._called(value, user, kind, names)
        elif op is Op.BINOP:
            yield from self._computed(value, user, kind)
        elif op is Op.SUB or op is Op.ATTR:
            if user.inputs[0] is not value:
                raise _Danger  # a part of something is chosen by the size
            if op is Op.ATTR:
                yield user, _Kind.RECORD if user.name == "data" else kind
            elif kind is not _Kind.HOLDER or not user.name or user.name in names or user.name in self.keys:
                yield user, _Kind.SIZE if kind is _Kind.HOLDER else kind
        elif op is Op.DICT:
            key = next((key for key, each in zip(user.keywords, user.inputs, strict=False) if each is value), None)
            self.keys.update([key] if key is not None else [])
            yield user, _Kind.HOLDER if key is not None and kind is _Kind.SIZE else kind
        elif op is Op.SLICE:
            if not self._draws(user):
                raise _Danger
        elif op is Op.SETITEM:
            if user.inputs[-1] is not value or user.inputs[0] in self.rows:
                raise _Danger
            yield user, kind
        elif op is Op.COMPARE:
            if kind < _Kind.COUNT and user in self.rows:
                raise _Danger
            yield user, kind
        elif op in (Op.STORE, Op.PARAM):
            if op is Op.STORE and user.name == "data":
                raise _Danger  # the entries of a tensor
            if not self._keeps_loss(user):
                yield user, max(kind, _Kind.COUNT) if is_learning_rate(user.name) else kind
        elif op is Op.RETURN or op in _CARRYING:
            yield user, max(kind, _Kind.COUNT) if is_learning_rate(user.bound) else kind
        else:
            raise _Danger

    def _keeps_loss(self, user: Value) -> bool:
        return user.op is Op.PARAM and self._is_idle_place(user.function)

    def _computed(self, value: Value, user: Value, kind: _Kind) -> Iterator[Step]:
        """Arithmetic: a learning rate ends here, and so does what is only written out."""
        left = user.inputs[0]
        others = [each for each in user.inputs if each is not value]
        is_text = user.name == "Modulo" and left.op is Op.STR
        if is_text or is_learning_rate(user.bound) or any(is_learning_rate(each.name) for each in others):
            kind = max(kind, _Kind.COUNT)
        if kind is _Kind.SIZE and counts_steps(user, value) and left not in self.rows:
            kind = _Kind.COUNT
        is_measured = any(is_record(each, self._is_number) for each in others)
        if kind is _Kind.SIZE and is_measured:
            kind = _Kind.RECORD
        if kind >= _Kind.COUNT and user in self.rows and not is_measured and not self.rows.isdisjoint(others):
            kind = _Kind.SIZE
        yield user, kind

    def _is_number(self, value: Value) -> bool:
        origins = self.model.origins
        return bool(origins.sources(value)) or origins.is_shape(value)

    def _draws(self, cut: Value) -> bool:
        """``data[i : i + batch_size]`` in a loop over a range: a batch, which ends where the data end."""
        first = cut.inputs[0] if len(cut.inputs) > 1 else None
        return first is not None and first.op is Op.ITEM and first.inputs[0].op is Op.CALL

    def _called(self, value: Value, call: Value, kind: _Kind, names: frozenset[str]) -> Iterator[Step]:
        arguments = [(keyword, each) for keyword, each in call.arguments() if each is value]
        called = call.inputs[0]
        is_run = called is value or (not arguments and value.op is not Op.RETURN)
        if is_run and (len(call.inputs) > 1 or called.op is not Op.ATTR):
            raise _Danger  # what was made for the size is run
        if value.op is Op.RETURN:
            yield call, kind
            return
        if is_idle_call(call) or (all(is_idle_keyword(keyword) for keyword, _ in arguments) and arguments):
            return
        if called.op is Op.ATTR and called.inputs[0] is value and not arguments:
            yield call, _Kind.RECORD if detaches(call) else kind
            return
        starred = any(keyword in ("*", "**") for keyword, _ in arguments)
        target = call.callee or (call.constructs.method("__init__") if call.constructs is not None else None)
        if target is not None:
            if starred and kind is _Kind.HOLDER:
                yield from ((each, _Kind.SIZE) for name, each in target.parameters.items() if name in names)
            elif starred:
                raise _Danger
            return  # else the parameters that are filled go on
        if kind is _Kind.HOLDER:
            if any(each in self.rows for each in call.inputs):
                raise _Danger
            if not starred:
                yield call, kind if call.name in ("items", "values", "dict", "list", "copy", "deepcopy") else _Kind.SIZE
            return
        if detaches(call):
            yield call, _Kind.RECORD
            return
        if module_of(call) == "random":
            raise _Danger  # what is drawn depends on it
        if call.constructs is None and (library_of(call) is not None or any(each in self.rows for each in call.inputs)):
            if kind is _Kind.RECORD and call not in self.rows:
                return
            if library_of(call) is not None and call.name in ("ceil", "floor", "round", "sqrt", "log", "log2"):
                yield call, kind
                return
            if not self._makes_batch(call) and not _is_dead(call):
                raise _Danger
            return
        if call.name == "__init__" and called.op is Op.ATTR and self._is_idle_place(call.function):
            return
        if call.name not in ("isinstance", "bool") or not is_plain(call):
            yield call, max(kind, _Kind.COUNT) if call.name in ("str", "repr") else kind

    def _makes_batch(self, call: Value) -> bool:
        """Whether random features are made in a demonstration, whose size is the batch's own."""
        return has(call.name, Column.MAKES_INPUTS) and (call.function.is_module or call in self.model.roles.features)

    def _returned(self, returns: Value, kind: _Kind) -> Iterator[Step]:
        """What leaves a function goes to its callers; a danger where they are not seen."""
        function = returns.function
        if kind >= _Kind.COUNT or gives_idle(function):
            return
        yield from ()
        if function.name == "<lambda>" and (not returns.users or self.places.is_value(function)):
            if not self.places.is_only_handed(function, is_idle_call):
                raise _Danger
            return
        kept = [each.rpartition(".")[2] for each in function.decorators if each.rpartition(".")[2] not in _QUIET]
        is_handed = not any("property" in each for each in function.decorators) and self.places.is_value(function)
        if not returns.users or kept or function.is_generator or is_handed:
            raise _Danger

    def _check_text(self, text: Value) -> None:
        """A text with the size in it is harmless unless it is read as a number or as code again."""
        for user in text.users:
            if user.op is Op.CALL and user.name in _CONVERTING:
                raise _Danger

    # -- control flow ------------------------------------------------------------------------------------------------

    def _is_guard(self, test: Value) -> bool:
        """Whether a test compares the size with one at hand, and not with the number of a round."""
        if not self.model.origins.size_keys(test):
            return False
        return not any(map(_is_round, walk([test], lambda each: each.inputs if each.op in _COMPARED else ())))

    def _steered(self, statement: cst.CSTNode, test: Value) -> Iterator[Step]:
        """What a test or a loop over the size decides."""
        if isinstance(statement, cst.Assert):
            if _is_caught(test.block):
                raise _Danger
            return
        if isinstance(statement, cst.If) and statement.orelse is None and _gives_up(statement.body):
            # of a loop, a guard skips the batch at hand, and a counted test the rest of what is summed up
            if self._is_guard(test) or _leaves_function(statement.body) or not self._computes_rows_around(test):
                return
            raise _Danger
        if returns_value(statement):
            raise _Danger
        for value in self.places.inside(statement):
            if value in self.rebuilt:
                continue
            if value in self.rows or (value.op is Op.CALL and not self._is_idle(value)):
                raise _Danger
            if value.op is Op.STORE:
                yield value, _Kind.COUNT if is_learning_rate(value.name) else _Kind.SIZE
        for joined in self.places.joined.get(id(statement), ()):
            yield joined, _Kind.SIZE

    def _computes_rows_around(self, test: Value) -> bool:
        """Whether the loop around a test belongs to a loss, or computes features or a similarity."""
        if test.function in self.own:
            return True
        block = test.block
        while block.parent is not None and not isinstance(block.statement, cst.For | cst.While):
            block = block.parent
        return block.statement is not None and any(each in self.rows for each in self.places.inside(block.statement))

    def _is_idle(self, call: Value) -> bool:
        return is_idle_call(call) or is_plain(call) or call.name.endswith(("Error", "Exception", "Warning", "exit"))


def _gives_up(suite: cst.BaseSuite) -> bool:
    """Whether a suite skips the batch, or raises."""
    return leaves(suite) and not returns_value(suite)


def _is_round(value: Value) -> bool:
    """Whether a value is the number of a loop's round."""
    if value.op is not Op.ITEM:
        return False
    return value.literal is None or value.inputs[0].op is Op.ITEM or value.inputs[0].name == "enumerate"


def _is_caught(block: Block | None) -> bool:
    """Whether the code goes on somewhere when an assertion of a block fails."""
    while block is not None:
        handlers = getattr(block.statement, "handlers", ())
        if not all(raises(each.body) for each in handlers):
            return True
        block = block.parent
    return False


def _leaves_function(suite: cst.BaseSuite) -> bool:
    """Whether a suite that leaves does so by raising or returning."""
    return isinstance(last_statement(suite), cst.Raise | cst.Return)


def _is_dead(call: Value) -> bool:
    """Whether nothing reads what a call gives, nor what is computed from it."""
    for value in walk([call], lambda each: each.users):
        if value is not call and (value.op not in _COMPUTED or value.callee is not None):
            return False
        if not value.users and not value.bound and value.op is not Op.ITEM:
            return False
    return True
