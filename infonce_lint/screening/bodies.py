"""Bodies: what the functions of a file bind, call and hand on, by names alone, for `ties.py`; from CPython's tree."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from functools import cached_property

from infonce_lint.screening.makers import Makers, all_names, children, given, own_name, targets_of
from infonce_lint.semantic.graph.callables import WRAPPERS
from infonce_lint.semantic.graph.values import CALL_METHODS
from infonce_lint.semantic.names import CONSTRUCTORS, may_count_rows
from infonce_lint.semantic.sizes.scalars import SCALAR_CALLS

INSTANCE = "<instance>"  # what objects of this file's classes give when they are called
LAMBDA = "<lambda>"
_Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda


@dataclass(slots=True)
class Call:
    """A call that is given names; ``name`` is the last one of what is called, empty for an expression."""

    node: ast.Call
    name: str
    given: list[ast.expr]

    @property
    def called(self) -> set[str]:
        """The names in what is called."""
        called = self.node.func
        return {f".{called.attr}"} if isinstance(called, ast.Attribute) else all_names(called)

    @property
    def keys(self) -> set[str]:
        """Strings among the arguments: ``register_buffer("mask", mask)``."""
        return {f".{own_name(each)}" for each in self.given if isinstance(each, ast.Constant)}


@dataclass(slots=True)
class Body:
    """What a function with all inside it, or the code outside of functions, does with its names.

    Attributes, and strings that may be keys, are written with a dot.
    """

    is_module: bool = False
    candidates: set[str] = field(default_factory=set)  # parameters of constructors that may be sizes
    makers: set[str] = field(default_factory=set)
    held: set[str] = field(default_factory=set)  # functions and classes of the file that get another name
    globals: set[str] = field(default_factory=set)
    bindings: list[tuple[set[str], ast.AST]] = field(default_factory=list)
    attributes: list[str] = field(default_factory=list)  # bound in class bodies
    calls: list[Call] = field(default_factory=list)


_TAKEN = frozenset(
    {
        ast.Assign,
        ast.AnnAssign,
        ast.AugAssign,
        ast.NamedExpr,
        ast.For,
        ast.AsyncFor,
        ast.comprehension,
        ast.withitem,
        ast.Return,
        ast.Yield,
        ast.YieldFrom,
        ast.Global,
        ast.ClassDef,
        ast.Call,
    }
)


class Names:
    """The names of a file, by body."""

    def __init__(self, tree: ast.Module, makers: Makers) -> None:
        self.bodies = [Body(is_module=True)]
        self.parameters: dict[str, list[tuple[Body, set[str]]]] = {}  # of functions
        self.classes = {each.name for each in makers.nodes if isinstance(each, ast.ClassDef)}
        self._functions = {
            each.name for each in makers.nodes if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef)
        }
        self._mentioned = self.classes | self._functions
        self._called = {id(each.func) for each in makers.calls}
        self._makers = makers
        self._add(tree, self.bodies[0])

    @cached_property
    def _passing(self) -> set[str]:
        """The calls whose result holds what they are given: numbers, functions."""
        return self._with_other_names(SCALAR_CALLS | WRAPPERS)

    @cached_property
    def running(self) -> set[str]:
        """What may run a function that is held somewhere, or one that it is given."""
        return {"", *self._with_other_names(WRAPPERS)}

    @cached_property
    def variables(self) -> set[str]:
        """What may be bound to a lambda: all but functions, classes and what is imported or Python's own."""
        bound = (name.lstrip(".") for node, _ in self._makers.bindings for name in targets_of(node))
        return {*bound, *(name for each in self.parameters.values() for _, own in each for name in own)}

    @cached_property
    def _renamings(self) -> list[tuple[ast.AST, set[str]]]:
        return [
            (node, names)
            for node, value in self._makers.bindings
            if isinstance(node, ast.Assign | ast.AnnAssign | ast.NamedExpr | ast.withitem)
            and (names := _renamed(value))
        ]

    def _with_other_names(self, calls: frozenset[str]) -> set[str]:
        """Some calls with the names that they get beside their own."""
        found = set(calls)
        count = 0
        while count != (count := len(found)):
            for each in self._makers.imports:
                if each.asname and each.name.rpartition(".")[2] in found:
                    found.add(each.asname)
            for node, names in self._renamings:
                if not found.isdisjoint(names):
                    found |= {name for name in targets_of(node) if name[0] != "."}
        return found

    @cached_property
    def _has_own_len(self) -> bool:
        return "len" in self._makers.others

    def _add(self, root: ast.AST, body: Body, function: str = "") -> None:
        """Take the names below a node; ``function`` is what gives back the values that are returned there."""
        pending = [root]
        while pending:
            node = pending.pop()
            if isinstance(node, _Definition):
                self._add_function(node, body)
                continue
            kind = type(node)
            if kind in _TAKEN:
                self._add_node(node, body, function)
            self._add_mention(node, body)
            pending += children(node)

    def _add_function(self, node: _Definition, body: Body) -> None:
        name = LAMBDA if isinstance(node, ast.Lambda) else node.name
        ordinary, keyword_only = [*node.args.posonlyargs, *node.args.args], node.args.kwonlyargs
        defaults = [None] * (len(ordinary) - len(node.args.defaults)) + [*node.args.defaults, *node.args.kw_defaults]
        pairs = list(zip([*ordinary, *keyword_only], defaults, strict=True))
        for each in (*defaults, *getattr(node, "decorator_list", ())):
            if each is not None:
                self._add(each, body)
        outer = body
        if body.is_module and not isinstance(node, ast.Lambda):
            body = Body()
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

    def _add_node(self, node: ast.AST, body: Body, function: str) -> None:
        value = getattr(node, "value", None)
        if isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign | ast.NamedExpr):
            if value is not None:
                self._bind(targets_of(node), value, body)
        elif isinstance(node, ast.For | ast.AsyncFor | ast.comprehension):
            self._bind(targets_of(node), node.iter, body)
        elif isinstance(node, ast.withitem):
            self._bind(targets_of(node), node.context_expr, body)
        elif isinstance(node, ast.Return | ast.Yield | ast.YieldFrom):
            if value is not None:
                results = {function, f".{function}"} | ({INSTANCE} if function in CALL_METHODS else set())
                self._bind(results, value, body)
        elif isinstance(node, ast.Global):
            body.globals.update(node.names)
        elif isinstance(node, ast.ClassDef):
            self._add_class(node, body)
        elif isinstance(node, ast.Call):
            self._add_call(node, body)

    def _add_mention(self, node: ast.AST, body: Body) -> None:
        name = own_name(node)
        if name not in self._mentioned and name.rpartition(".")[2] not in self._makers.names:
            return
        dot = "" if isinstance(node, ast.Name | ast.alias) else "."
        if name.rpartition(".")[2] in self._makers.names and not (name.rpartition(".")[2] == "range" and dot == ""):
            body.makers.add(f"{dot}{(node.asname if isinstance(node, ast.alias) else '') or name}")
        if name in self.classes or (name in self._functions and id(node) not in self._called):
            body.held.add(f"{dot}{name}")

    def _add_class(self, node: ast.ClassDef, body: Body) -> None:
        for statement in node.body:
            if not isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                body.attributes += {name for each in ast.walk(statement) for name in targets_of(each) if name[0] != "."}

    def _add_call(self, node: ast.Call, body: Body) -> None:
        arguments = given(node)
        if any(not isinstance(each, ast.Constant) or own_name(each) for each in arguments):
            body.calls.append(Call(node, own_name(node.func), arguments))

    def _bind(self, targets: set[str], value: ast.expr, body: Body) -> None:
        if targets:
            body.bindings.append((targets, value))

    def sizes(self, *nodes: ast.AST) -> set[str]:
        """The names in expressions that may be the number, or the helper, that one gives."""
        found: set[str] = set()
        pending = [*nodes]
        while pending:
            each = pending.pop()
            if isinstance(each, ast.Attribute):
                found.add(f".{each.attr}")  # whatever object it is asked of
            elif isinstance(each, ast.Subscript):
                found |= {name for name in all_names(each.slice) if name[0] == "."}
                pending.append(each.value)
            elif isinstance(each, ast.Call):
                name = own_name(each.func)
                found.add(f"(){name}")
                if name == "len" and not self._has_own_len:
                    continue
                pending.append(each.func)
                if name in self._passing or not name:
                    pending += [*each.args, *(keyword.value for keyword in each.keywords)]
            elif isinstance(each, ast.Name):
                found.add(each.id)
            elif not isinstance(each, ast.Compare):
                pending.extend(children(each))
        return found


def _renamed(value: ast.AST) -> set[str]:
    """The names in an expression that are not called there, so that what is bound to it may be one of them."""
    found = set()
    pending = [value]
    while pending:
        each = pending.pop()
        if isinstance(each, ast.Name | ast.Attribute):
            found.add(own_name(each))
        elif not isinstance(each, ast.Call):
            pending.extend(children(each))
    return found


def _may_be_number(default: ast.expr | None) -> bool:
    """Whether a parameter may be a number by its default."""
    return not isinstance(default, ast.Constant) or type(default.value) is int
