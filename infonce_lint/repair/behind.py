"""Behind a fix: whether reads of the same size stay in the file that no fix rewrites, and which."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from itertools import accumulate

from infonce_lint.finding import Fix
from infonce_lint.repair.place import span_of
from infonce_lint.repair.places import Handle, Places
from infonce_lint.repair.remains import Remains
from infonce_lint.semantic.graph.paths import key, path_text
from infonce_lint.semantic.graph.values import Class, Function, Op, Value
from infonce_lint.semantic.graph.walk import walk
from infonce_lint.semantic.losses.model import ContrastiveLoss
from infonce_lint.sources.source import SourceFile


class Sizes:
    """The configured sizes of a file: which handles are one and the same number, passed on under other names."""

    def __init__(self, places: Places) -> None:
        self.places = places
        self._parent: dict[Handle, Handle] = {handle: handle for handle in places.handles}
        origins = places.model.origins
        slots: dict[object, list[Handle]] = {}
        for handle in places.handles:
            if handle[0] == "slot":
                slots.setdefault(handle[2], []).append(handle)
        for handle, reads in places.handles.items():
            if handle[0] == "attribute":
                for other in slots.get(handle[1], ()):
                    self._join(handle, other)
                continue
            for part in {each for read in reads for each in _behind(read)}:
                for source in origins.sources(part):
                    for other in places.handles_of(source):
                        self._join(handle, other)
        self.groups: dict[Handle, list[Handle]] = {}
        for handle in places.handles:
            self.groups.setdefault(self._root(handle), []).append(handle)

    def _root(self, handle: Handle) -> Handle:
        while self._parent[handle] != handle:
            self._parent[handle] = self._parent[self._parent[handle]]
            handle = self._parent[handle]
        return handle

    def _join(self, one: Handle, other: Handle) -> None:
        if other in self._parent:
            self._parent[self._root(one)] = self._root(other)

    def of(self, loss: ContrastiveLoss) -> set[Handle]:
        """The sizes that a loss reads."""
        handles = (handle for use in loss.size_uses for handle in self.places.handles_of(use.read))
        return {self._root(handle) for handle in handles if handle in self._parent}


def _behind(read: Value) -> list[Value]:
    """What a read stands for: the stores of an attribute, what a parameter is given."""
    if read.op is Op.NAME:
        param = read.inputs[0]
        default = param.function.defaults.get(param.name)
        return [*param.inputs, *([default] if default is not None else [])]
    return [*read.inputs, *read.stored] if read.op in (Op.SELF, Op.GLOBAL) else read.stored


def left_behind(
    planned: Mapping[ContrastiveLoss, object], sizes: Sizes, source: SourceFile
) -> dict[ContrastiveLoss, str]:
    """The losses of which a fix would leave something behind, each with the reason."""
    fixed = [loss for loss, plan in planned.items() if isinstance(plan, Fix)]
    if not fixed:
        return {}
    model = fixed[0].model
    spans = _Spans([plan for plan in planned.values() if isinstance(plan, Fix)], source)
    wanted: dict[Handle, list[ContrastiveLoss]] = {}
    for loss in fixed:
        for group in sizes.of(loss):
            wanted.setdefault(group, []).append(loss)
    found: dict[ContrastiveLoss, str] = {}
    skipped = _Skipped(planned, fixed)
    remains = Remains(model, sizes.places, spans.hold, skipped.built)
    for group, losses in wanted.items():
        names = frozenset(str(handle[-1]) for handle in sizes.groups[group] if handle[0] != "param")
        names |= {each[1].name for each in sizes.groups[group] if each[0] == "param" and isinstance(each[1], Value)}
        handles = [handle for handle in sizes.groups[group] if not _is_filled(handle)]
        reads = [read for handle in handles for read in sizes.places.handles[handle] if not skipped.skips(read, spans)]
        reads = [read for read in reads if not remains.is_passed(read)]
        reads += _dynamic(sizes, group, names)
        danger = remains.danger(reads, names, skipped.stops)
        why = _told(danger, source) if danger is not None else _unseen(sizes, names, source)
        if why:
            found.update(dict.fromkeys(losses, why))
    return found


def _is_filled(handle: Handle) -> bool:
    """Whether a handle is a parameter that calls in the file fill: what they give is followed there."""
    param = handle[1]
    return isinstance(param, Value) and not param.function.is_constructor and bool(param.function.callers)


def _told(read: Value, source: SourceFile) -> str:
    row = source.spoken(span_of(source, read).start)
    return f"`{path_text(read)}` on {row} may also reach the loss and is not rewritten; repair both by hand"


def _unseen(sizes: Sizes, names: frozenset[str], source: SourceFile) -> str:
    """Reads in code that the graph does not hold: arguments of decorators, and texts that are run."""
    for name, node in sizes.places.decorating:
        if name in names:
            row = source.spoken(source.span(node).start)
            return f"`{name}` on {row} also goes into a decorator and is not rewritten; repair both by hand"
    for call in sizes.places.codes:
        texts = [str(each.literal) for _, each in call.arguments() if each.op is Op.STR]
        if call.node is not None and any(name in text for text in texts for name in names):
            row = source.spoken(span_of(source, call).start)
            return f"the text that `{call.name}` runs on {row} also reads the size; repair both by hand"
    return ""


def _dynamic(sizes: Sizes, group: Handle, names: frozenset[str]) -> list[Value]:
    """What gives the size without naming it: all entries of a configuration, an attribute of a computed name."""
    found = []
    kinds = {handle[0] for handle in sizes.groups[group]}
    roots = {handle[1] for handle in sizes.groups[group] if handle[0] == "slot"}
    for value in sizes.places.holders:
        base = value.inputs[0] if value.op is Op.ATTR else value.argument(0)
        owner = value.function.enclosing_class
        if base is not None and (base.op is Op.SELFPARAM or (base.op is Op.NAME and base.name == "self")):
            if owner is not None and list(owner.lineage())[-1] in roots:
                found.append(value)
        elif "entry" in kinds:
            found.append(value)
    return found


class _Skipped:
    """The reads that need no look: those of other losses, guarded ones; and what is built anew, where walks stop."""

    def __init__(self, planned: Mapping[ContrastiveLoss, object], fixed: list[ContrastiveLoss]) -> None:
        self.frozen: set[int] = set()
        self.reported: set[int] = set()
        stops: set[Value] = set()
        ours = {function for loss in fixed for function in loss.functions}
        apart = [loss for loss in planned if loss not in fixed and not _is_beside(loss, ours)]
        self.others = {function for loss in apart for function in loss.functions} - ours
        for loss in (*fixed, *apart):
            for use in loss.size_uses:
                self.reported.add(id(use.read.node))
                if use.frozen and loss in fixed:
                    self.frozen.add(id(use.read.node))
                for reach in use.engagements:
                    if reach.frozen is not None or reach.store is not None:
                        stops.add(reach.sink.value)
                        stops.update(each for each in (reach.frozen, reach.store) if each is not None)
        self.stops = frozenset(stops)
        stored = [each for each in stops if each.op is Op.STORE]
        self.built = frozenset(walk(stored, lambda each: () if each.op is Op.SELF else each.inputs))
        self.guards = fixed[0].model.guards

    def skips(self, read: Value, spans: _Spans) -> bool:
        """Whether a read is rewritten, reported for itself, another loss's or guarded."""
        if id(read.node) in self.frozen:
            return False
        if id(read.node) in self.reported or spans.hold(read) or read.function in self.others:
            return True
        return self.guards.protects(read, frozenset({key(read)}))


def _is_beside(loss: ContrastiveLoss, ours: set[Function]) -> bool:
    """Whether a loss without a fix shares a family with one that has a fix, builds it, or is built where it is."""
    classes = {each.enclosing_class for each in ours} - {None}
    family = {relative for each in classes if each is not None for relative in each.family()}
    own = {each.enclosing_class for each in loss.functions} - {None}
    if not own.isdisjoint(family):
        return True
    return any(_builders(each) & _builders(other) for each in own if each for other in family)


def _builders(built: Class) -> set[Class]:
    """A class, and those whose methods build one of it."""
    owners = (call.function.enclosing_class for call in built.constructions)
    return {built, *(each for each in owners if each is not None)}


class _Spans:
    """What the edits of all fixes write anew."""

    def __init__(self, fixes: list[Fix], source: SourceFile) -> None:
        self.source = source
        written = {(each.span.start, each.span.end) for fix in fixes for each in fix.edits}
        spans = sorted(each for each in written if each[0] != each[1])
        self.starts = [start for start, _ in spans]
        self.ends = [end for _, end in spans]
        self.rows = [start.row for start in self.starts]
        self.until = list(accumulate((end.row for end in self.ends), max))  # the last row of those up to here
        self._known: dict[int, bool] = {}

    def hold(self, value: Value) -> bool:
        """Whether an expression is replaced."""
        if value.node is None:
            return False
        known = self._known.get(id(value.node))
        if known is None:
            known = self._known[id(value.node)] = self._is_near(value) and self._holds(value)
        return known

    def _is_near(self, value: Value) -> bool:
        """Whether something is written anew in the rows of the statement, as far as these are known."""
        statement = value.statement
        rows = self.source.rows_of(statement) if statement is not None and value.op is not Op.PARAM else None
        if rows is None:
            return True
        behind = bisect_right(self.rows, rows[1])
        return behind > 0 and self.until[behind - 1] >= rows[0]

    def _holds(self, value: Value) -> bool:
        try:
            span = span_of(self.source, value)
        except KeyError:
            return False
        place = bisect_right(self.starts, span.start)
        return any(self.ends[each] >= span.end for each in range(max(0, place - 4), place))
