"""The interpreter: what is known of each value of a module, and the facts that its operations need.

It walks the value graph by demand. A function of the file is run anew for each call with what the call gives, so that
two callers do not mix; run by itself, its parameters are symbols of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence, Set

import libcst as cst

from infonce_lint.semantic.graph.calls import is_gather
from infonce_lint.semantic.graph.dispatch import rivals_of
from infonce_lint.semantic.graph.literals import is_none
from infonce_lint.semantic.graph.values import Class, Function, Value
from infonce_lint.semantic.names import is_world_size
from infonce_lint.semantic.shapes import arithmetic, indexing, reads, rounds
from infonce_lint.semantic.shapes.changes import changes_of
from infonce_lint.semantic.shapes.columns import Column, has
from infonce_lint.semantic.shapes.context import Context
from infonce_lint.semantic.shapes.dims import WORLD, Origin, number, symbol
from infonce_lint.semantic.shapes.domain import (
    NOTHING,
    Abstract,
    Extents,
    Frame,
    Kind,
    Listing,
    Nothing,
    Number,
    Opaque,
    Parts,
    Site,
    Tensor,
    Text,
    has_size,
)
from infonce_lint.semantic.shapes.products import last_turned, turned
from infonce_lint.semantic.shapes.running import Resolved, inner_frame, resolved
from infonce_lint.semantic.sizes.origin import Origins

_FIELDS = {"values": 0, "indices": 1}  # of what ``x.max(dim)``, ``topk`` and ``sort`` return
_PASSES = 4  # how often ranks that an operation demands are put in anew


class Interpreter(Context):
    """Shapes, numbers and facts of one module.

    ``facts`` holds what the functions given to `run` and all that they call need, in the order of evaluation.
    """

    def __init__(
        self,
        origins: Origins,
        rows: Set[Value],
        values_of: Callable[[Function], Sequence[Value]],
        compared: Mapping[Function | Class, Sequence[tuple[int, Value]]] | None = None,
    ) -> None:
        super().__init__(origins, rows)
        self.compared = compared or {}  # the operands of similarities, numbered, by their functions and classes
        self.values_of = values_of
        self.reads: dict[Site, list[Value]] = {}  # how what comes from elsewhere is read
        self.world_reads: list[Value] = []
        self._roots: dict[Function, Frame] = {}
        self._known: dict[tuple[Value, Frame], Abstract] = {}
        self._trail: list[tuple[Value, Frame]] = []
        self._pending: set[tuple[Value, Frame]] = set()
        self._paths: dict[object, Site] = {}
        self.changes = changes_of(origins.module)
        self._resolved: dict[Value, Resolved | None] = {}  # by call, the same in every run

    # -- entry points ------------------------------------------------------------------------------------------------

    def run(self, functions: Iterable[Function]) -> None:
        """Interpret functions, each by itself, until no operation tells more of a tensor's rank."""
        wanted = list(functions)
        for _ in range(_PASSES):
            self.learned = False
            self._known.clear()
            self._trail.clear()
            self.facts.clear()
            for function in wanted:
                self.run_body(self.root(function))
            if not self.guessed:
                self.unguessed = {(fact.relation, fact.left, fact.right) for fact in self.facts}
            if not self.learned and not self._take_likely():
                break

    def run_body(self, frame: Frame) -> None:
        """Interpret every value of a function in one run of it."""
        for value in self.values_of(frame.function):
            if value.op in _ACTIVE:
                self.evaluate(value, frame)

    def _take_likely(self) -> bool:
        """Put in the ranks that are only likely, where nothing else decides; whether there are any."""
        if not self.likely_ranks.keys() - self.ranks.keys():
            self._take_operands()
        more = {site: rank for site, rank in self.likely_ranks.items() if site not in self.ranks}
        self.ranks.update(more)
        self.guessed.update(more)
        return bool(more)

    def _take_operands(self) -> None:
        """What is compared row by row is most likely a matrix, or one spread over a new axis."""
        met = {value.function for value, _ in self._known}
        classes = {each.enclosing_class for each in met}
        found = {number: value for each in (*met, *classes) if each for number, value in self.compared.get(each, ())}
        for _, value in sorted(found.items()):  # none of another loss in the file
            tensor = self.tensor(value, self.root(value.function))
            if tensor is not None and tensor.rest is not None:
                spread = any(each.number == 1 for each in tensor.dims)
                self.with_rank(tensor, 3 if spread else 2, likely=True)

    def root(self, function: Function) -> Frame:
        """The run of a function by itself."""
        if function not in self._roots:
            outer = self.root(function.parent) if function.parent is not None else None
            self._roots[function] = Frame(function, {}, outer)
        return self._roots[function]

    def frame_of(self, value: Value, frame: Frame) -> Frame:
        """The frame in which a value is computed, seen from another one."""
        if value.function is frame.function:
            return frame
        return frame.holding(value.function) or self.root(value.function)

    # -- what is known of a value ------------------------------------------------------------------------------------

    def evaluate(self, value: Value, frame: Frame) -> Abstract:
        """What is known of a value in one run."""
        if value.function is not frame.function:
            frame = self.frame_of(value, frame)
        while frame.around is not None and value not in frame.inside:
            frame = frame.around
        place = (value, frame)
        known = self._known.get(place)
        if known is not None:
            return known
        if place in self._pending:
            return Opaque(Site(value, frame))
        self._pending.add(place)
        try:
            found = self._find(value, frame)
        finally:
            self._pending.discard(place)
        self._known[place] = found
        self._trail.append(place)
        return found

    def _find(self, value: Value, frame: Frame) -> Abstract:
        if value.op in reads.READING:
            size = reads.configured(self, value, frame)
            if size is not None:
                return size
        handler = _HANDLERS.get(value.op)
        found = handler(self, value, frame) if handler is not None else None
        return found if found is not None else Opaque(Site(value, frame))

    # -- values of each kind -----------------------------------------------------------------------------------------

    def _constant(self, value: Value, frame: Frame) -> Abstract:
        literal = value.literal
        return Number(number(literal)) if type(literal) is int else Tensor((), None, Kind.FLOAT)

    def _text(self, value: Value, frame: Frame) -> Abstract:
        return Text(str(value.literal or ""))

    def _param(self, value: Value, frame: Frame) -> Abstract:
        return frame.given.get(value) or Opaque(Site(value, frame))

    def _passed(self, value: Value, frame: Frame) -> Abstract:
        """A name, a store, a closure: what it stands for."""
        if is_none(value):
            return NOTHING
        if value.name in ("True", "False") and not value.inputs:
            return Tensor((), None, Kind.BOOL)
        if not value.inputs:
            return self.read_at_path(value, frame)
        if value.op in ("name", "global", "self") and value.inputs[0].op in ("import", "func", "class"):
            return Opaque(Site(value, frame))
        if is_world_size(value.name) and value.op != "return":
            return self._world(value)
        found = [self.evaluate(each, self._home(each, frame)) for each in value.inputs]
        result = found[0]
        for other in found[1:]:
            result = self.joined(result, other, Site(value, frame))
        if isinstance(result, Opaque) and value.op in ("self", "global") and result.site.value is value:
            return self.read_at_path(value, frame)
        is_shared = value.op in ("self", "global", "closure") and isinstance(result, Tensor | Opaque | Parts | Listing)
        if is_shared and not has_size(result) and self.changes.changes_variable(value):
            return self.renewed(result, Site(value, frame))
        return result

    def _home(self, value: Value, frame: Frame) -> Frame:
        return self.frame_of(value, frame)

    def _world(self, value: Value) -> Number:
        self.world_reads.append(value)
        return Number(symbol(Origin.WORLD, WORLD))

    def read_at_path(self, value: Value, frame: Frame) -> Abstract:
        """A read that nothing in the file fills: the same thing wherever it is read in the same way."""
        if is_world_size(value.name):
            return self._world(value)
        place = reads.place_of(self, value, frame)
        if place is not None and self.changes.changes_path(value, place):
            place = None
        site = self._paths.setdefault(place, Site(value, frame)) if place is not None else Site(value, frame)
        self.reads.setdefault(site, []).append(value)
        return Opaque(site)

    def _attribute(self, value: Value, frame: Frame) -> Abstract:
        base = self.evaluate(value.inputs[0], frame) if value.inputs else None
        known = self.as_tensor(base) if isinstance(base, Tensor | Opaque) else None
        if isinstance(base, Opaque) and value.name in ("shape", "T", "mT"):
            self.prove(base)
        if known is not None and value.name in ("shape", "T", "mT", "H", "data", "real", "ndim"):
            if value.name == "shape":
                return Extents(known)
            if value.name in ("data", "real"):
                return known
            if value.name == "ndim":
                return Number(number(len(known.dims))) if known.rest is None else Opaque(Site(value, frame))
            turn = last_turned if value.name == "mT" else turned
            return turn(self, known) or Opaque(Site(value, frame))
        if isinstance(base, Parts) and value.name in _FIELDS and len(base.items) == 2:
            return base.items[_FIELDS[value.name]]
        return self.read_at_path(value, frame)

    def _phi(self, value: Value, frame: Frame) -> Abstract:
        branch = reads.decided_branch(self, value, frame)
        if branch is not None:
            return self.evaluate(branch, frame)
        site = Site(value, frame)
        first = self.evaluate(value.inputs[0], frame)
        if not isinstance(value.node, cst.For | cst.While):
            return self._alternatives(value, first, site)
        facts, mark = len(self.facts), len(self._trail)
        self._known[value, frame] = first  # while a loop's round is looked at
        result = first
        # a round may be entered in its middle: what waits for this value can be found anew, now that it is known
        waiting, self._pending = self._pending, set()
        for each in value.inputs[1:]:
            result = self.joined(result, self.evaluate(each, frame), site)
        self._pending = waiting
        if result != first:
            for place in self._trail[mark:]:
                self._known.pop(place, None)
            del self._trail[mark:], self.facts[facts:]
            self._known[value, frame] = result
            for each in value.inputs[1:]:
                self.evaluate(each, frame)
        return result

    def _alternatives(self, value: Value, first: Abstract, site: Site) -> Abstract:
        """Where branches meet: the one that a configured size decides, whose facts hold whenever it is taken."""
        found = [first, *(self.evaluate(each, site.frame) for each in value.inputs[1:])]
        sized = list(dict.fromkeys(each for each in found if has_size(each)))
        if len(sized) == 1 and all(not isinstance(each, Parts | Listing) for each in found):
            is_default = all(each == sized[0] or isinstance(each, Nothing) for each in found)
            return sized[0] if is_default else _of_branch(sized[0], value)
        result = first
        for other in found[1:]:
            result = self.joined(result, other, site)
        return result

    def _tuple(self, value: Value, frame: Frame) -> Abstract | None:
        known = [self.evaluate(each, frame) for each in value.inputs]
        starred = [isinstance(each, cst.StarredElement) for each in getattr(value.node, "elements", ())]
        if True not in starred:
            return Parts(tuple(known))
        if len(starred) != len(known):
            return None
        if len(known) == 1 and isinstance(known[0], Parts | Listing):
            return known[0]
        items: list[Abstract] = []
        for each, is_starred in zip(known, starred, strict=True):
            if is_starred and not isinstance(each, Parts):
                return None
            items += each.items if is_starred and isinstance(each, Parts) else [each]
        return Parts(tuple(items))

    def _item(self, value: Value, frame: Frame) -> Abstract:
        container = value.inputs[0]
        given = frame.given.get(value)
        if given is not None:
            return given  # of this round of a comprehension
        known = self.evaluate(container, frame)
        position = value.literal if isinstance(value.literal, int) else None
        if isinstance(known, Extents) and position is not None:
            places = [user.literal for user in container.users if user.op == "item"]
            count = max((each for each in places if isinstance(each, int)), default=0) + 1
            self.with_rank(known.tensor, count)
        return self.element(known, self.element_site(container, position, Site(value, frame)), position)

    def _returned(self, value: Value, frame: Frame) -> Abstract | None:
        if value.function.is_generator:
            return None
        return self._passed(value, frame) if value.inputs else NOTHING

    def _call(self, value: Value, frame: Frame) -> Abstract | None:
        if value.callee is not None:
            return self._run(value, value.callee, frame)
        if value.constructs is not None:
            return None
        if is_world_size(value.name):
            return self._world(value)
        if is_gather(value) and len(value.keywords) == 1:
            return self._gathered(value, frame)
        if value not in self._resolved:
            self._resolved[value] = resolved(value)
        found = self._resolved[value]
        return found.run(self, value, frame) if found is not None else None

    def _run(self, value: Value, callee: Function, frame: Frame) -> Abstract | None:
        """What a function of the file gives; where one of several may run, what all of them do."""
        found: Abstract = NOTHING
        for order, each in enumerate((callee, *rivals_of(value))):
            inner = inner_frame(self, value, each, frame) if not each.is_replaced else None
            if inner is None:
                return None
            inner = self.kept_frame(value, inner, order)
            self.run_body(inner)
            found = self.joined(found, self.evaluate(each.returns, inner), Site(value, frame))
        return found

    def _gathered(self, value: Value, frame: Frame) -> Abstract | None:
        """The rows of all ranks: in one tensor, or a tensor for each rank where they are put together next."""
        first = value.argument(0)
        known = self.evaluate(first, frame) if first is not None else None
        self.prove(known)
        tensor = self.as_tensor(known) if known is not None else None
        if tensor is None or (not tensor.dims and tensor.rest is None):
            return tensor
        world = symbol(Origin.WORLD, WORLD)
        if any(user.op == "call" and has(user.name, Column.JOINS) for user in value.users):
            return Listing(world, tensor)
        tensor = tensor.opened(1)
        return Tensor((tensor.dims[0] * world, *tensor.dims[1:]), tensor.rest, tensor.kind)

    def _boolean(self, value: Value, frame: Frame) -> Abstract:
        found = [self.evaluate(each, frame) for each in value.inputs]
        result = found[0]
        for other in found[1:]:
            result = self.joined(result, other, Site(value, frame))
        return result

    def _nothing(self, value: Value, frame: Frame) -> Abstract:
        return NOTHING


def _of_branch(known: Abstract, branch: Value) -> Abstract:
    """What a branch gives, its configured sizes marked as those of a run that takes this branch."""
    dims = known.dims if isinstance(known, Tensor) else (known.dim,) if isinstance(known, Number) else ()
    sizes = {each for dim in dims for each in dim.of(Origin.SIZE)}
    marked = {each: symbol(Origin.SIZE, ("branch", branch, each.owner)) for each in sizes}
    if isinstance(known, Number):
        return Number(known.dim.put(marked))
    if isinstance(known, Tensor):
        return Tensor(tuple(dim.put(marked) for dim in known.dims), known.rest, known.kind)
    return known


_ACTIVE = frozenset({"call", "binop", "compare", "sub", "setitem", "item", "comp", "unary", "phi", "store"})
_HANDLERS: dict[str, Callable[[Interpreter, Value, Frame], Abstract | None]] = {
    "const": Interpreter._constant,
    "str": Interpreter._text,
    "none": Interpreter._nothing,
    "singleton": Interpreter._passed,
    "param": Interpreter._param,
    "name": Interpreter._passed,
    "global": Interpreter._passed,
    "closure": Interpreter._passed,
    "store": Interpreter._passed,
    "self": Interpreter._passed,
    "return": Interpreter._returned,
    "attr": Interpreter._attribute,
    "phi": Interpreter._phi,
    "tuple": Interpreter._tuple,
    "comp": rounds.comprehension,
    "item": Interpreter._item,
    "bool": Interpreter._boolean,
    "binop": arithmetic.binary,
    "unary": arithmetic.unary,
    "compare": arithmetic.comparison,
    "sub": indexing.subscript,
    "setitem": indexing.assignment,
    "call": Interpreter._call,
}
