"""Places of a file: tests, loops, texts and names by what stands there, found once for all its losses."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import libcst as cst

from infonce_lint.semantic.graph.nodes import nodes_in, statements_in
from infonce_lint.semantic.graph.paths import path_text
from infonce_lint.semantic.graph.values import Class, Function, Op, Value
from infonce_lint.semantic.losses.model import SemanticModel
from infonce_lint.semantic.names import READERS

_HOLDING = frozenset({"vars", "asdict", "to_dict", "to_container", "_asdict", "model_dump"})
Handle = tuple[object, ...]


_DECORATED = (cst.FunctionDef, cst.ClassDef)
#: What a statement asks before its suites run.
_ASKED = {cst.If: "test", cst.While: "test", cst.Assert: "test", cst.Match: "subject", cst.For: "iter"}


class Places:
    """What the graph does not say of a value by itself: which test, text, attribute or branch it belongs to."""

    def __init__(self, model: SemanticModel) -> None:
        self.model = model
        self.tests: dict[int, cst.CSTNode] = {}
        self.decorating: list[tuple[str, cst.CSTNode]] = []
        for statement in statements_in(model.module.main.node):
            asked = _ASKED.get(type(statement))
            if asked is not None:
                self.tests[id(getattr(statement, asked))] = statement
            elif isinstance(statement, _DECORATED):
                self.decorating += [named for each in statement.decorators for named in _names_in(each)]
        self.chosen: dict[Value, list[Value]] = {}
        self.joined: dict[int, list[Value]] = {}
        self.texts: dict[int, list[Value]] = {}
        self.handles: dict[Handle, list[Value]] = {}
        self.holders: list[Value] = []
        self.codes: list[Value] = []
        self._by_statement: dict[int, list[Value]] | None = None
        self._attributes: dict[str, list[Value]] = {}
        self._sources: dict[Function | Class, list[Value]] = {}
        shaped = (each for each in model.module.entries if each.is_store and model.origins.is_shape(each.value))
        self._shaped = {(each.root, each.name) for each in shaped}
        for value in model.module.values:
            self._enter(value)

    def _enter(self, value: Value) -> None:
        if value.op is Op.PHI:
            if isinstance(value.literal, Value):
                self.chosen.setdefault(value.literal, []).append(value)
            self.joined.setdefault(id(value.node), []).append(value)
        elif value.op is Op.STR and isinstance(value.node, cst.FormattedString):
            for part in value.node.parts:
                if isinstance(part, cst.FormattedStringExpression):
                    self.texts.setdefault(id(part.expression), []).append(value)
        if value.op in (Op.ATTR, Op.SUB) and value.name and not self._keeps_shape(value):
            self._attributes.setdefault(value.name, []).append(value)
        if value.source is not None:
            self._sources.setdefault(value.source, []).append(value)
        if value.op is Op.CALL and value.name in ("eval", "exec"):
            self.codes.append(value)
        if _holds_all(value):
            self.holders.append(value)
        for handle in self.handles_of(value):
            self.handles.setdefault(handle, []).append(value)

    def handles_of(self, read: Value) -> list[Handle]:
        """Under what a read of a configured size is known in the file."""
        is_read = read.op in (Op.ATTR, Op.SUB, Op.CALL, Op.SELF, Op.GLOBAL, Op.NAME)
        if not is_read or read.node is None:
            return []
        configured = self.model.origins.configured(read) is not None
        if read.op is Op.SELF:
            owner = read.function.enclosing_class
            return [("slot", list(owner.lineage())[-1], read.name)] if owner is not None and configured else []
        if read.op is Op.NAME and read.inputs[0].op is Op.PARAM:
            return [("param", read.inputs[0])] if configured or self.model.origins.sources(read.inputs[0]) else []
        if read.op in (Op.NAME, Op.GLOBAL):
            return [("global", read.name)] if configured else []
        if read.op is Op.CALL:
            keys = [str(each.literal) for _, each in read.arguments() if each.op is Op.STR]
            return [("entry", keys[0])] if configured and read.name in READERS and keys else []
        if configured:
            return [("entry", read.name)]
        is_called = any(user.op is Op.CALL and user.inputs[0] is read for user in read.users)
        return [] if is_called or not read.name or self._keeps_shape(read) else [("attribute", read.name)]

    def _keeps_shape(self, read: Value) -> bool:
        """``ctx.batch_size``, where the file stores a tensor's own size under that name: another number."""
        return bool(self._shaped) and (path_text(read.inputs[0]).partition(".")[0], read.name) in self._shaped

    def is_holder(self, value: Value) -> bool:
        """Whether a value gives all entries of a configuration."""
        return _holds_all(value)

    def reads_of(self, store: Value) -> Iterable[Value]:
        """The reads of an attribute by its name, on whatever object, that is no configuration of its own."""
        configured = self.model.origins.configured
        return [
            each for each in self._attributes.get(store.name, ()) if configured(each) is None or store in each.stored
        ]

    def inside(self, statement: cst.CSTNode) -> list[Value]:
        """The values that are computed in the suites of a statement."""
        if self._by_statement is None:
            self._by_statement = {}
            for value in self.model.module.values:
                block = value.block
                while block.parent is not None:
                    self._by_statement.setdefault(id(block.statement), []).append(value)
                    block = block.parent
        return self._by_statement.get(id(statement), [])

    def is_value(self, function: Function) -> bool:
        """Whether a function is handed on, or kept, so that it may run where no call of it is seen."""
        if function.owner is not None:
            owner = function.owner
            reads = [read for each in owner.family() for read in each.reads.get(function.name, ())]
        else:
            defined = self._sources.get(function, [])
            reads = [user for value in defined for user in value.users]
            reads = [inner for each in reads for inner in (each.users if each.op in (Op.NAME, Op.GLOBAL) else [each])]
            return any(each.op is not Op.CALL or each.inputs[0] not in _readers(defined) for each in reads)
        return any(user.op is not Op.CALL or user.inputs[0] is not read for read in reads for user in read.users)

    def is_only_handed(self, function: Function, accepts: Callable[[Value], bool]) -> bool:
        """Whether a lambda goes nowhere, or only into calls of some kind."""
        users = [user for value in self._sources.get(function, ()) for user in value.users]
        return all(user.op is Op.CALL and accepts(user) for user in users)


def _names_in(decorator: cst.Decorator) -> Iterator[tuple[str, cst.CSTNode]]:
    """The names and attributes that a decorator reads; a keyword is no read."""
    keywords = set()
    for node in nodes_in(decorator):
        if isinstance(node, cst.Arg) and node.keyword is not None:
            keywords.add(id(node.keyword))
        elif isinstance(node, cst.Attribute):
            yield node.attr.value, node
        elif isinstance(node, cst.Name) and id(node) not in keywords:
            yield node.value, node


def _readers(defined: list[Value]) -> set[Value]:
    return {*defined, *(user for value in defined for user in value.users)}


def _holds_all(value: Value) -> bool:
    """``vars(args)``, ``args.__dict__``, or an entry whose name is computed."""
    if value.op is Op.ATTR:
        return value.name == "__dict__"
    if value.op is not Op.CALL:
        return False
    if value.name == "getattr":
        key = value.argument(1)
        return key is not None and key.op is not Op.STR
    return value.name in _HOLDING
