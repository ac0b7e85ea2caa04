"""Ties: whether labels or masks may be as large as some constructor was told under a neutral name (`losses/tied.py`).

Names are followed without the order of statements, and any object may have any attribute, so more is let through than
the model will find, and nothing less.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import dataclass, field

from infonce_lint.semantic.graph.callables import WRAPPERS
from infonce_lint.semantic.graph.values import CALL_METHODS, CONSTRUCTORS
from infonce_lint.semantic.names import may_count_rows
from infonce_lint.semantic.shapes.operations import Column, named
from infonce_lint.semantic.sizes.scalars import SCALAR_CALLS

#: Keywords of a maker that are no extents.
_NO_EXTENTS = frozenset({"dtype", "device"})
#: Calls whose result holds what they are given: numbers, functions.
_PASSING = SCALAR_CALLS | WRAPPERS
_INSTANCE = "<instance>"  # what objects of this file's classes give when they are called
_LAMBDA = "<lambda>"
_Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda


def may_tie_size(tree: ast.Module) -> bool:
    """Whether some label or mask of a file may be sized by a constructor's parameter; False is always right."""
    names = _Names(tree)
    if not any(body.makers for body in names.bodies) or not any(body.candidates for body in names.bodies):
        return False
    holders = _Spread(names, [body.held for body in names.bodies], deep=True).everything()
    sizes = _Spread(names, [body.candidates for body in names.bodies], holders)
    makers = _Spread(names, [body.makers for body in names.bodies], holders, deep=True)
    return any(
        sizes.has(body, call.sizes) and makers.has(body, call.called) for body in names.bodies for call in body.calls
    )


@dataclass(slots=True)
class _Call:
    called: set[str]  # the names in what is called
    name: str  # the last one of them, empty where what is called is made on the spot
    sizes: set[str]  # the names in its arguments that may be numbers
    mentioned: set[str]  # all names in its arguments
    keys: set[str]  # strings among them: ``register_buffer("mask", mask)``


@dataclass(slots=True)
class _Body:
    """What a function with all inside it, or the code outside of functions, does with its names.

    Attributes, and strings that may be keys, are written with a dot.
    """

    is_module: bool = False
    candidates: set[str] = field(default_factory=set)  # parameters of constructors that may be sizes
    makers: set[str] = field(default_factory=set)
    held: set[str] = field(default_factory=set)  # functions and classes of the file that get another name
    globals: set[str] = field(default_factory=set)
    bindings: list[tuple[set[str], set[str], set[str]]] = field(default_factory=list)  # to sizes, and to all names
    calls: list[_Call] = field(default_factory=list)


class _Names:
    """The names of a file, by body."""

    def __init__(self, tree: ast.Module) -> None:
        self.bodies = [_Body(is_module=True)]
        self.parameters: dict[str, list[tuple[_Body, set[str]]]] = {}  # of functions
        self._nodes = list(ast.walk(tree))
        self.classes = {each.name for each in self._nodes if isinstance(each, ast.ClassDef)}
        self._functions = {
            each.name for each in self._nodes if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef)
        }
        self._called = {id(each.func) for each in self._nodes if isinstance(each, ast.Call)}
        self._makers = self._find_makers()
        self._passing = self._find_passing()
        self._has_own_len = self._is_rebound("len")
        self._add(tree, self.bodies[0])

    def _find_makers(self) -> frozenset[str]:
        """What makes row numbers and masks; vectors are none, unless some square's diagonal is filled afterwards."""
        fills = any("fill_diagonal" in _own_name(each) for each in self._nodes)
        tying = named(Column.NUMBERS_ROWS) | named(Column.IDENTITY)
        return frozenset(tying | named(Column.FILLS) if fills else tying)

    def _find_passing(self) -> set[str]:
        """The calls that hand on what they are given, with the other names that they get."""
        found = set(_PASSING)
        count = 0
        while count != (count := len(found)):
            for each in self._nodes:
                if isinstance(each, ast.alias) and each.asname and each.name.rpartition(".")[2] in found:
                    found.add(each.asname)
                elif isinstance(each, ast.Assign | ast.AnnAssign | ast.NamedExpr | ast.withitem):
                    value = each.context_expr if isinstance(each, ast.withitem) else each.value
                    if value is not None and not found.isdisjoint(_renamed(value)):
                        found |= {name for name in _targets(each) if name[0] != "."}
        return found

    def _is_rebound(self, name: str) -> bool:
        return any(
            _own_name(each) == name or (isinstance(each, ast.alias) and each.asname == name)
            for each in self._nodes
            if not (isinstance(each, ast.Name) and isinstance(each.ctx, ast.Load))
        )

    def _add(self, root: ast.AST, body: _Body, function: str = "") -> None:
        """Take the names below a node; ``function`` is what gives back the values that are returned there."""
        pending = [root]
        while pending:
            node = pending.pop()
            if isinstance(node, _Definition):
                self._add_function(node, body)
                continue
            self._add_node(node, body, function)
            pending.extend(ast.iter_child_nodes(node))

    def _add_function(self, node: _Definition, body: _Body) -> None:
        name = _LAMBDA if isinstance(node, ast.Lambda) else node.name
        ordinary, keyword_only = [*node.args.posonlyargs, *node.args.args], node.args.kwonlyargs
        defaults = [None] * (len(ordinary) - len(node.args.defaults)) + [*node.args.defaults, *node.args.kw_defaults]
        pairs = list(zip([*ordinary, *keyword_only], defaults, strict=True))
        for each in (*defaults, *getattr(node, "decorator_list", ())):
            if each is not None:
                self._add(each, body)
        outer = body
        if body.is_module and not isinstance(node, ast.Lambda):
            body = _Body()
            self.bodies.append(body)
        for param, default in pairs:
            if default is not None:
                for scope in (outer, body):
                    self._bind({param.arg}, default, scope)
        stars = [each for each in (node.args.vararg, node.args.kwarg) if each is not None]
        own = {each.arg for each in (*ordinary, *keyword_only, *stars)}
        self.parameters.setdefault(name, []).append((body, own))
        if name in CONSTRUCTORS:
            counted = {param.arg for param, default in pairs if may_count_rows(param.arg) and _may_be_number(default)}
            body.candidates |= counted - {"self", "cls"}
        if isinstance(node, ast.Lambda):
            self._add(node.body, body)
            return
        for statement in node.body:
            self._add(statement, body, name)

    def _add_node(self, node: ast.AST, body: _Body, function: str) -> None:
        value = getattr(node, "value", None)
        if isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign | ast.NamedExpr):
            if value is not None:
                self._bind(_targets(node), value, body)
        elif isinstance(node, ast.For | ast.AsyncFor | ast.comprehension):
            self._bind(_targets(node), node.iter, body)
        elif isinstance(node, ast.withitem):
            self._bind(_targets(node), node.context_expr, body)
        elif isinstance(node, ast.Return | ast.Yield | ast.YieldFrom):
            if value is not None:
                results = {function, f".{function}"} | ({_INSTANCE} if function in CALL_METHODS else set())
                self._bind(results, value, body)
        elif isinstance(node, ast.Global):
            body.globals.update(node.names)
        elif isinstance(node, ast.ClassDef):
            self._add_class(node, body)
        elif isinstance(node, ast.Call):
            self._add_call(node, body)
        self._add_mention(node, body)

    def _add_mention(self, node: ast.AST, body: _Body) -> None:
        name = _own_name(node)
        dot = "" if isinstance(node, ast.Name | ast.alias) else "."
        if name.rpartition(".")[2] in self._makers and not (name.rpartition(".")[2] == "range" and dot == ""):
            body.makers.add(f"{dot}{(node.asname if isinstance(node, ast.alias) else '') or name}")
        if name in self.classes or (name in self._functions and id(node) not in self._called):
            body.held.add(f"{dot}{name}")

    def _add_class(self, node: ast.ClassDef, body: _Body) -> None:
        for statement in node.body:
            if not isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                names = {name for each in ast.walk(statement) for name in _targets(each) if name[0] != "."}
                body.bindings += [({f".{name}"}, {name}, {name}) for name in names]

    def _add_call(self, node: ast.Call, body: _Body) -> None:
        given = [*node.args, *(each.value for each in node.keywords if each.arg not in _NO_EXTENTS)]
        sizes, mentioned = set[str]().union(*map(self._sizes, given)), set[str]().union(*map(_all_names, given))
        if sizes or mentioned:
            called = {f".{node.func.attr}"} if isinstance(node.func, ast.Attribute) else _all_names(node.func)
            keys = {f".{_own_name(each)}" for each in given if isinstance(each, ast.Constant)}
            body.calls.append(_Call(called, _own_name(node.func), sizes, mentioned, keys))

    def _bind(self, targets: set[str], value: ast.expr, body: _Body) -> None:
        if targets:
            body.bindings.append((targets, self._sizes(value), _all_names(value)))

    def _sizes(self, node: ast.AST) -> set[str]:
        """The names in an expression that may be the number, or the helper, that it gives."""
        found: set[str] = set()
        pending = [node]
        while pending:
            each = pending.pop()
            if isinstance(each, ast.Attribute):
                found.add(f".{each.attr}")  # whatever object it is asked of
            elif isinstance(each, ast.Subscript):
                found |= {name for name in _all_names(each.slice) if name[0] == "."}
                pending.append(each.value)
            elif isinstance(each, ast.Call):
                name = _own_name(each.func)
                found.add(f"(){name}")
                if name == "len" and not self._has_own_len:
                    continue
                pending.append(each.func)
                if name in self._passing or not name:
                    pending += [*each.args, *(keyword.value for keyword in each.keywords)]
            elif isinstance(each, ast.Name):
                found.add(each.id)
            elif not isinstance(each, ast.Compare):
                pending.extend(ast.iter_child_nodes(each))
        return found


class _Spread:
    """How far some names of each body bring what they stand for, by assignments, attributes, arguments and results.

    ``holders`` are the names that may hold a function or an object of this file; ``deep`` follows everything that is
    computed, otherwise numbers only.
    """

    def __init__(
        self, names: _Names, seeds: list[set[str]], holders: frozenset[str] = frozenset(), *, deep: bool = False
    ) -> None:
        self._names = names
        self._deep = deep
        self._holders = holders
        self._found = {id(body): set(seed) for body, seed in zip(names.bodies, seeds, strict=True)}
        self._shared = {
            name for body in names.bodies for name in self._found[id(body)] if name[0] == "." or body.is_module
        }
        self._indirect = {*CALL_METHODS, *set[str]().union(*(body.held for body in names.bodies))}
        self._indirect = {name.lstrip(".") for name in self._indirect}
        count = -1
        while count != (count := len(self._shared) + sum(map(len, self._found.values()))):
            for body in names.bodies:
                self._run(body)

    def has(self, body: _Body, names: set[str]) -> bool:
        """Whether one of some names of a body is among what was found."""
        return not (self._found[id(body)].isdisjoint(names) and self._shared.isdisjoint(names))

    def everything(self) -> frozenset[str]:
        """All that was found anywhere, attributes without their dots."""
        return frozenset(name.lstrip(".") for name in self._shared.union(*self._found.values()))

    def _run(self, body: _Body) -> None:
        for targets, sizes, mentioned in body.bindings:
            if self.has(body, mentioned if self._deep else sizes):
                self._take(body, targets)
        for call in body.calls:
            if self.has(body, call.mentioned if self._deep else call.sizes):
                self._shared |= call.keys
                for name in self._run_by(call):
                    for other, parameters in self._names.parameters.get(name, ()):
                        self._found[id(other)] |= parameters

    def _take(self, body: _Body, targets: set[str]) -> None:
        self._found[id(body)] |= targets
        results = self._names.parameters
        self._shared |= {
            each for each in targets if each[0] == "." or body.is_module or each in body.globals or each in results
        }
        if _INSTANCE in targets:
            self._shared |= {"()", *(f"(){name}" for name in self._holders)}

    def _run_by(self, call: _Call) -> Iterable[str]:
        """The functions that a call may run, by their names."""
        yield call.name
        yield _LAMBDA
        if call.name in self._names.classes:
            yield from CONSTRUCTORS
        if not call.name or call.name in self._holders or call.name in _PASSING:
            yield from self._indirect
            if not self._indirect.isdisjoint(self._names.classes):
                yield from CONSTRUCTORS


def _own_name(node: ast.AST) -> str:
    """The name that a node itself mentions; empty where it is none."""
    if isinstance(node, ast.Attribute):
        return node.attr
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else ""
    if isinstance(node, ast.arg):
        return node.arg
    return node.name if isinstance(node, ast.alias | ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) else ""


def _all_names(node: ast.AST) -> set[str]:
    found = set()
    for each in ast.walk(node):
        if isinstance(each, ast.Name):
            found.add(each.id)
        elif isinstance(each, ast.Attribute | ast.Constant) and (name := _own_name(each)):
            found.add(f".{name}")
    return found


def _renamed(value: ast.AST) -> set[str]:
    """The names in an expression that are not called there, so that what is bound to it may be one of them."""
    found = set()
    pending = [value]
    while pending:
        each = pending.pop()
        if isinstance(each, ast.Name | ast.Attribute):
            found.add(_own_name(each))
        elif not isinstance(each, ast.Call):
            pending.extend(ast.iter_child_nodes(each))
    return found


def _targets(node: ast.AST) -> set[str]:
    """The names, attributes and keys that a statement or a clause binds."""
    targets = getattr(node, "targets", None) or [getattr(node, "target", None) or getattr(node, "optional_vars", None)]
    found: set[str] = set()
    pending = [each for each in targets if isinstance(each, ast.AST)]
    while pending:
        each = pending.pop()
        if isinstance(each, ast.Name):
            found.add(each.id)
        elif isinstance(each, ast.Attribute):
            found.add(f".{each.attr}")
        elif isinstance(each, ast.Subscript):
            found |= {name for name in _all_names(each.slice) if name[0] == "."}
            pending.append(each.value)
        else:
            pending.extend(ast.iter_child_nodes(each))
    return found


def _may_be_number(default: ast.expr | None) -> bool:
    """Whether a parameter may be a number by its default."""
    return not isinstance(default, ast.Constant) or type(default.value) is int
