"""A loss written inside a training loop, cut out as a function of the features: its statements, and only those.

The cut goes backwards from the loss: a statement stays if something that stays needs what it binds. It stops where the
features are made (``out = net(images)``): they become parameters, and so do the other local names that are left over.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from infonce_lint.finding import Span
from infonce_lint.semantic.graph.values import Function, Value
from infonce_lint.semantic.losses.features import feature_inputs
from infonce_lint.semantic.losses.model import SemanticModel
from infonce_lint.settings import Settings
from infonce_lint.sources.source import SourceFile
from infonce_lint.verify.binding import bound_names
from infonce_lint.verify.site import Site, path_of
from infonce_lint.verify.swaps import OffSelf, Swap

_ENDS = frozenset({"backward", "zero_grad", "manual_backward"})


class CannotCut(Exception):
    """The loss cannot be taken out of its surroundings; the text says why."""


@dataclass(frozen=True, slots=True)
class End:
    """Where a cut ends, told so that it is found again after a fix: the n-th binding of a name, return or call."""

    kind: str  # "name", "return" or "call"
    name: str
    number: int


@dataclass(frozen=True, slots=True)
class Piece:
    """A loss as a function of its own, and the text of its file with that function added."""

    site: Site
    text: str
    end: End


def cut(site: Site, source: SourceFile, settings: Settings, end: End | None = None) -> Piece:
    """Cut the loss of ``site`` out; with ``end``, the one that ended there in another version of the file.

    Raises:
        CannotCut: its features or its end are not plain from the code.
        SourceError: the file does not parse.
    """
    model = SemanticModel(source.module, settings)
    for function in model.module.functions:
        if _name_of(function) == site.name:
            return _Cut(function, model, source).made(site, end)
    raise CannotCut(f"there is no {site.title} in this version of the file")


def _name_of(function: Function) -> str:
    return "" if function.is_module else path_of(function)


class _Cut:
    def __init__(self, function: Function, model: SemanticModel, source: SourceFile) -> None:
        self.function = function
        self.model = model
        self.source = source
        self.tree = ast.parse(source.text)
        self.seeds = self._seeds()
        self.holder, self.body = self._holder()

    def made(self, site: Site, end: End | None) -> Piece:
        """The function, added to its class or module."""
        statements = self._up_to(end) if end is not None else self._first_loss(site.row)
        last = statements.pop()
        end = end or self._told(last)
        given = ast.fix_missing_locations(ast.copy_location(self._given(last), last))
        makers = self._replace_makers([*statements, given])
        kept, needed = self._slice(statements, given, makers)
        local = set() if self.function.is_module else _bound_in(self.body) | set(self.function.parameters)
        features = tuple(name for name in makers if name in needed)
        if not features:
            raise CannotCut("its features are not bound to names")
        others = sorted(name for name in needed & local - set(features) - {"self"} if not name.startswith("self."))
        features = self._as_parameters(features, [*kept, given], others)
        name = f"loss_of_{self.function.name.strip('<>')}"
        is_method = isinstance(self.holder, ast.ClassDef) and "self" in _read_in([*kept, given])
        parameters = [*(["self"] if is_method else []), *features, *others]
        made = ast.FunctionDef(
            name=name,
            args=ast.arguments([], [ast.arg(each) for each in parameters], None, [], [], None, []),
            body=[*kept, given],
            decorator_list=[],
        )
        (self.holder if is_method else self.tree).body.append(made)
        text = ast.unparse(ast.fix_missing_locations(self.tree))
        try:
            compile(text, site.path, "exec", dont_inherit=True)
        except SyntaxError as error:
            raise CannotCut(f"its statements do not stand alone ({error.msg})") from None
        path = f"{self.holder.name}.{name}" if is_method and isinstance(self.holder, ast.ClassDef) else name
        foreign = end.name if end.kind == "call" else ""
        made_of = replace(
            site, name=path, features=features, problem="", inlined=False, foreign=foreign, cut_from=site.title
        )
        return Piece(made_of, text, end)

    def _as_parameters(
        self, features: Sequence[str], body: Sequence[ast.stmt], others: Sequence[str]
    ) -> tuple[str, ...]:
        """Features that the code keeps on its object (``self.rows``) under names that a parameter may have."""
        names: dict[str, str] = {}
        for feature in features:
            name = feature.removeprefix("self.")
            while name != feature and name in {*names.values(), *others, *features, *_bound_in(body)}:
                name += "_"
            names[feature] = name
        for statement in body:
            OffSelf(names).visit(statement)
        return tuple(names.values())

    # -- where the loss is -------------------------------------------------------------------------------------------

    def _seeds(self) -> list[Value]:
        """The similarities and the calls of losses that the function holds, in order."""
        roles = self.model.roles
        found = [each.seed for each in roles.similarities if each.seed.function is self.function]
        for call in self.function.calls:
            given = [argument for _, argument in call.arguments() if argument in roles.features]
            foreign = call in roles.loss_calls and not roles.constructs_loss(call)
            if given and (foreign or (call.callee is not None and call in roles.cone)):
                found.append(call)
        if not found:
            raise CannotCut("no similarity is computed in it and no loss is called")
        return sorted(found, key=self._row)

    def _row(self, value: Value) -> int:
        return self.source.span(value.node).start.row if value.node is not None else 0

    def _holder(self) -> tuple[ast.Module | ast.ClassDef, list[ast.stmt]]:
        """What holds the function (a class or the module), and the function's body."""
        if self.function.is_module:
            return self.tree, self.tree.body
        row = self._row(self.seeds[0])
        holders = [each for each in ast.walk(self.tree) if isinstance(each, ast.Module | ast.ClassDef)]
        for holder in holders:
            functions = [each for each in holder.body if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef)]
            for node in functions:
                if node.name == self.function.name and row in _rows(node):
                    return holder, node.body
        raise CannotCut("it stands in a function inside another one")

    def _flat(self, body: Sequence[ast.stmt], row: int) -> list[ast.stmt]:
        """The statements that run one after the other up to and around ``row``, out of the loops that hold it."""
        found: list[ast.stmt] = []
        for statement in body:
            inside = _block_around(statement, row)
            if inside is None:
                found.append(statement)
                continue
            found += self._flat(inside, row)
            if not isinstance(statement, ast.With | ast.AsyncWith):
                break
        return found

    def _first_loss(self, row: int) -> list[ast.stmt]:
        """The statements up to the first loss that all sizes of the unit with a read on ``row`` have gone into."""
        cone = {self._row(value) for value in self.model.roles.cone if value.function is self.function}
        losses = {self._row(value) for value in self.model.roles.reduced if value.function is self.function}
        anchor = self._anchor(row)
        foreign = {self._row(each) for each in self.seeds if each in self.model.roles.loss_calls}
        flat = self._flat(self.body, min((each for each in losses | foreign if each >= anchor), default=anchor))
        found, names = 0, set[str]()
        for number, statement in enumerate(flat, start=1):
            rows = _rows(statement)
            if rows.stop <= anchor:
                continue
            is_last = isinstance(statement, ast.Return) and not cone.isdisjoint(rows)
            if is_last or self._foreign_call(statement) is not None:
                return flat[: found or number]
            if _calls(statement, _ENDS):
                break
            targets = _plain_targets(statement)
            if not targets or cone.isdisjoint(rows):
                continue
            if not losses.isdisjoint(rows):
                if not names or _read_in([statement]) & _bound_in(flat) <= names:
                    found = number
                names |= set(targets)
        if not found:
            raise CannotCut("the loss is bound to no name")
        return flat[:found]

    def _anchor(self, row: int) -> int:
        """The row of the last place where the sizes of a unit meet the loss; without one, of the first similarity."""
        for loss in self.model.losses:
            reads = [use.read for use in loss.size_uses if use.read.function is self.function]
            if row in {self._row(read) for read in reads}:
                met = [each for use in loss.size_uses for each in use.engagements]
                places = [*reads, *(each.consumer for each in met), *(each.sink.value for each in met)]
                return max(self._row(each) for each in places if each.function is self.function)
        return self._row(self.seeds[0])

    def _foreign_call(self, statement: ast.stmt) -> ast.Call | None:
        """The call of a loss that stands in another file: what it is given is all that can be looked at."""
        calls = [each for each in self.seeds if each in self.model.roles.loss_calls and each.node is not None]
        spans = {self.source.span(call.node) for call in calls if call.node is not None}
        for node in ast.walk(statement):
            if isinstance(node, ast.Call) and self.source.ast_span(node) in spans:
                return node
        return None

    def _given(self, last: ast.stmt) -> ast.Return:
        """What the cut function returns, for the statement that it ends with."""
        call = self._foreign_call(last)
        if call is not None:
            return ast.Return(ast.Tuple([*call.args, *(each.value for each in call.keywords)], ast.Load()))
        if isinstance(last, ast.Return):
            return last
        value = last.value if isinstance(last, ast.Assign) and len(_plain_targets(last)) == 1 else None
        if value is None:
            raise CannotCut("the loss is bound together with other things")
        return ast.Return(value)

    def _told(self, last: ast.stmt) -> End:
        call = self._foreign_call(last)
        kind = "call" if call is not None else "return" if isinstance(last, ast.Return) else "name"
        name = ast.unparse(call.func) if call is not None else "".join(_plain_targets(last)[-1:])
        alike = [each for each in ast.walk(ast.Module(self.body, [])) if isinstance(each, ast.stmt)]
        alike = [each for each in alike if _ends_alike(each, kind, name)]
        return End(kind, name, alike.index(last))

    def _up_to(self, end: End) -> list[ast.stmt]:
        alike = [each for each in ast.walk(ast.Module(self.body, [])) if isinstance(each, ast.stmt)]
        alike = [each for each in alike if _ends_alike(each, end.kind, end.name)]
        if end.number >= len(alike):
            raise CannotCut(f"`{end.name}` is not bound as before")
        flat = self._flat(self.body, alike[end.number].lineno)
        return flat[: flat.index(alike[end.number]) + 1]

    # -- where the features come from --------------------------------------------------------------------------------

    def _replace_makers(self, statements: Sequence[ast.stmt]) -> dict[str, int]:
        """Names for the features, with the row that binds them (0 for a call that gives way to a name of its own)."""
        makers: dict[str, int] = {}
        calls: dict[Span, str] = {}
        for root in self._roots():
            if root.op == "item" and root.bound and root.node is not None:
                makers[root.bound] = self._row(root)
            elif root.op in ("call", "attr", "sub") and root.node is not None:
                calls.setdefault(self.source.span(root.node), f"features_{len(calls) + 1}")
            elif root.op == "param":
                makers[root.name] = 0
        swap = Swap(calls, self.source)
        for statement in statements:
            swap.visit(statement)
        makers.update(dict.fromkeys(swap.used, 0))
        return makers

    def _roots(self) -> Iterator[Value]:
        operands: list[Value] = []
        for each in self.model.roles.similarities:
            if each.seed in self.seeds:
                operands += each.operands
        for call in self.seeds:
            if call.op == "call":
                operands += [each for _, each in call.arguments() if each in self.model.roles.features]
        seen: set[Value] = set()
        for operand in operands:
            for root in sorted(leaves(operand), key=self._row):
                if root not in seen and root.function is self.function and not self._is_size(root):
                    seen.add(root)
                    yield root

    def _is_size(self, value: Value) -> bool:
        return bool(self.model.origins.sources(value)) or self.model.origins.is_shape(value)

    def _slice(
        self, statements: Sequence[ast.stmt], end: ast.stmt, makers: dict[str, int]
    ) -> tuple[list[ast.stmt], set[str]]:
        """The statements that the loss needs, and the names that are left for them to be given."""
        needed = _read_in([end])
        kept: list[ast.stmt] = []
        for statement in reversed(statements):
            names = set(bound_names(statement))
            if not names & needed:
                continue
            if any(makers.get(name) in range(statement.lineno, (statement.end_lineno or 0) + 1) for name in names):
                continue
            needed -= set(_plain_targets(statement))
            needed |= _read_in([statement])
            kept.insert(0, statement)
        return kept, needed


def leaves(operand: Value) -> set[Value]:
    """Where the rows of an operand begin; one part of what a model returns (``net(x)[1]``) begins there too."""
    found: set[Value] = set()
    seen: set[Value] = set()
    stack = [operand]
    while stack:
        value = stack.pop()
        if value in seen:
            continue
        seen.add(value)
        behind = feature_inputs(value)
        part = value.op == "item" or (value.op == "sub" and len(value.inputs) == 2 and value.inputs[1].op == "const")
        if not behind or (part and behind[0].op == "call" and not feature_inputs(behind[0])):
            found.add(value)
        else:
            stack.extend(behind)
    return found


def _rows(node: ast.stmt) -> range:
    return range(node.lineno, (node.end_lineno or node.lineno) + 1)


def _ends_alike(statement: ast.stmt, kind: str, name: str) -> bool:
    """Whether a statement could be the one that an `End` tells of."""
    if kind == "return":
        return isinstance(statement, ast.Return)
    if kind == "name":
        return _plain_targets(statement)[-1:] == [name]
    if isinstance(statement, ast.For | ast.While | ast.If | ast.With | ast.Try | ast.FunctionDef | ast.ClassDef):
        return False
    return any(isinstance(node, ast.Call) and ast.unparse(node.func) == name for node in ast.walk(statement))


def _block_around(statement: ast.stmt, row: int) -> list[ast.stmt] | None:
    """The suite of a compound statement that holds ``row``; None for a row elsewhere, and for its own header."""
    if not statement.lineno <= row <= (statement.end_lineno or 0):
        return None
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return None
    suites: list[list[ast.stmt]] = [getattr(statement, part, []) for part in ("body", "orelse", "finalbody")]
    suites += [handler.body for handler in getattr(statement, "handlers", ())]
    for suite in suites:
        if suite and suite[0].lineno <= row <= (suite[-1].end_lineno or 0):
            return suite
    return None


def _plain_targets(statement: ast.stmt) -> list[str]:
    """The names that an assignment binds anew, whatever they held before."""
    targets = statement.targets if isinstance(statement, ast.Assign) else []
    if isinstance(statement, ast.AnnAssign) and statement.value is not None:
        targets = [statement.target]
    flat = [each for target in targets for each in (target.elts if isinstance(target, ast.Tuple) else [target])]
    names = [each.id for each in flat if isinstance(each, ast.Name)]
    if isinstance(statement, ast.AugAssign) and isinstance(statement.target, ast.Name):
        names.append(statement.target.id)
    return names


def _read_in(statements: Iterable[ast.AST]) -> set[str]:
    names = set()
    for statement in statements:
        for node in ast.walk(statement):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
                names.add(node.id)
            elif isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
                names.add(node.target.id)
            elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "self":
                names.add(f"self.{node.attr}")
    return names


def _bound_in(body: Sequence[ast.stmt]) -> set[str]:
    return {name for statement in body for name in bound_names(statement)}


def _calls(statement: ast.stmt, names: frozenset[str]) -> bool:
    return any(
        isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in names
        for node in ast.walk(statement)
    )
