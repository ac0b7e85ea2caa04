"""What a file's code does with its names, taken from CPython's tree: what it reads, calls, binds and asks for."""

from __future__ import annotations

import ast
from bisect import bisect_left
from collections.abc import Callable, Sequence
from typing import Any

from infonce_lint.semantic.names import CONSTRUCTORS
from infonce_lint.sources.nesting import CHILD_FIELDS

# What is around a node: any of these, added up.
_FUNCTION, _LOOP, _OPERAND = 1, 2, 4
_DONE = -1


class UsedNames:
    """The names of one file, or of some of its statements, by what is done with them."""

    def __init__(self) -> None:
        self.loaded: set[str] = set()  # plain names that are read
        self.attributes: dict[str, list[ast.expr]] = {}  # those that are read, not called, with their owners
        self.keys: dict[str, set[str]] = {"get": set()}  # strings by the function that is asked for such an entry
        self.imported: dict[str, set[str]] = {}  # names bound by imports, with the last names of their paths
        self.constants: set[str] = set()  # names bound outside of functions, or by an import
        self.constructors: set[str] = set()  # parameters of constructors
        self.passed: set[tuple[str, str, str]] = set()  # parameter, its function, what it is handed to inside a loop
        self.called = {"<lambda>"}  # what is called, by these names or after it was given another
        self.defined: set[str] = set()  # functions and classes
        self.bound: set[str] = set()  # variables and parameters
        self.factors: set[str] = set()  # what something is multiplied by or divided by
        self._run: set[ast.expr] = set()  # what stands before the parentheses of a call
        self.has_star_import = False
        self.has_product = False  # the operator @
        self.has_new_axis = False  # x[:, None]
        self.has_rounds = False  # a loop or a comprehension
        self.fills_rows = False  # x[i] = row
        self._function = ""
        self._own: set[str] = set()  # the parameters of the function that is being read
        self.is_whole = False
        self._rows: Sequence[int] | None = None

    def add_whole(self, tree: ast.Module) -> None:
        """Take the names of a whole file."""
        self.is_whole = True
        self._collect(tree, 0)
        self.called.update(*[paths for name, paths in self.imported.items() if name in self.called])

    def add_part(self, tree: ast.Module, rows: Sequence[int]) -> None:
        """Take the names of the statements that stand on ``rows``; what the rest of the file says is not known then."""
        self._rows = rows
        self._collect(tree, 0)

    def _collect(self, root: ast.AST, scope: int) -> None:
        """Take the names of everything below ``root``; of functions and lambdas, each by a call of its own."""
        stack = [(root, scope)]
        rows = self._rows
        while stack:
            node, around = stack.pop()
            kind = type(node)
            if node is not root:
                if rows is not None and isinstance(node, ast.stmt) and not _spans_one(node, rows):
                    continue
                take = _TAKERS.get(kind)
                if take is not None:
                    around = take(self, node, around)
                    if around < 0:
                        continue
            for name in CHILD_FIELDS[kind]:  # not __dict__: pyflakes hangs whole trees on the nodes it visited
                value = getattr(node, name, None)
                if type(value) is list:
                    for child in value:
                        if isinstance(child, ast.AST):
                            stack.append((child, around))
                elif isinstance(value, ast.AST):
                    stack.append((value, around))

    def _take_name(self, node: ast.Name, scope: int) -> int:
        if isinstance(node.ctx, ast.Load):
            self.loaded.add(node.id)
            if not scope & _OPERAND:
                self.called.add(node.id)
        else:
            self.bound.add(node.id)
            if not scope & _FUNCTION:
                self.constants.add(node.id)
        return _DONE

    def _take_attribute(self, node: ast.Attribute, scope: int) -> int:
        if isinstance(node.ctx, ast.Load):
            if node not in self._run:
                self.attributes.setdefault(node.attr, []).append(node.value)
            if not scope & _OPERAND:
                self.called.add(node.attr)
        return scope | _OPERAND

    def _take_subscript(self, node: ast.Subscript, scope: int) -> int:
        self.fills_rows = self.fills_rows or isinstance(node.ctx, ast.Store)
        text = _text(node.slice)
        self.keys["get"] |= text
        self.called |= text  # ``losses["nt_xent"](z)``
        steps = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        if any(
            (isinstance(each, ast.Constant) and each.value is None) or _last_name(each) == "newaxis" for each in steps
        ):
            self.has_new_axis = True
        return scope & ~_OPERAND if isinstance(node.value, ast.Tuple | ast.List) else scope | _OPERAND

    def _take_call(self, node: ast.Call, scope: int) -> int:
        self.called.add(_last_name(node.func))
        self._run.add(node.func)
        arguments = [*node.args, *(each.value for each in node.keywords)]
        asked = _last_name(node.func) if isinstance(node.func, ast.Name | ast.Attribute) else "get"
        for each in arguments:
            if isinstance(each, ast.Constant):
                self.keys.setdefault(asked, set()).update(_text(each))
        if scope & _LOOP:
            own = self._own.intersection(map(_bare_name, arguments))
            self.passed.update((name, self._function, dotted_path(node.func)[0]) for name in own)
        return scope | _OPERAND

    def _take_operator(self, node: ast.BinOp, scope: int) -> int:
        self._multiply(node.op, node.left, node.right)
        return scope | _OPERAND

    def _take_augmented(self, node: ast.AugAssign, scope: int) -> int:
        self._multiply(node.op, node.target, node.value)
        if isinstance(node.target, ast.Attribute):
            self.attributes.setdefault(node.target.attr, []).append(node.target.value)
        self.loaded.add(_last_name(node.target))
        return scope

    def _multiply(self, operator: ast.operator, *operands: ast.expr) -> None:
        if isinstance(operator, ast.MatMult):
            self.has_product = True
        elif isinstance(operator, ast.Mult | ast.Div):
            self.factors.update(map(_last_name, operands))

    def _take_comparison(self, _: ast.Compare, scope: int) -> int:
        return scope | _OPERAND

    def _take_assignment(self, node: ast.Assign, scope: int) -> int:
        if len(node.targets) > 1:  # ``temperature = t = 0.1``: the value keeps its first name
            self.factors.update(map(_last_name, node.targets))
        self._rename(node.value, scope)
        return scope

    def _take_annotated(self, node: ast.AnnAssign, scope: int) -> int:
        self._rename(node.value, scope)
        return scope

    def _take_display(self, node: ast.Tuple | ast.List | ast.Set, scope: int) -> int:
        for each in node.elts:
            self._rename(each, scope)
        return scope

    def _rename(self, node: ast.expr | None, scope: int) -> None:
        """Take what gets another name: a text that something is asked for then, a parameter that is handed on."""
        if isinstance(node, ast.Constant):
            text = _text(node)
            self.keys["get"] |= text
            self.called |= text
        elif scope & _LOOP and isinstance(node, ast.Name) and node.id in self._own:
            self.passed.add((node.id, self._function, ""))

    def _take_walrus(self, node: ast.NamedExpr, scope: int) -> int:
        self._rename(node.value, scope)
        self.constants.add(node.target.id)  # even in a function: a default may hold it
        return scope & ~_OPERAND

    def _take_global(self, node: ast.Global, scope: int) -> int:
        self.constants.update(node.names)
        return scope

    def _take_import(self, node: ast.Import | ast.ImportFrom, scope: int) -> int:
        for alias in node.names:
            bound = alias.asname or alias.name
            path = alias.name.rpartition(".")[2] if alias.asname else bound
            self.imported.setdefault(bound.partition(".")[0], set()).add(path)
            self.constants.add(bound)
            self.has_star_import = self.has_star_import or bound == "*"
        return scope

    def _take_function(self, node: ast.FunctionDef | ast.AsyncFunctionDef, scope: int) -> int:
        self.defined.add(node.name)
        if node.name in CONSTRUCTORS:
            self.constructors |= _parameters(node.args)
        return self._enter(node, node.name, scope | _FUNCTION)

    def _take_lambda(self, node: ast.Lambda, scope: int) -> int:
        return self._enter(node, "<lambda>", (scope | _FUNCTION) & ~_OPERAND)

    def _enter(self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda, name: str, scope: int) -> int:
        outer = self._function, self._own
        self._function, self._own = name, _parameters(node.args)
        self.bound |= self._own
        self._collect(node, scope)
        self._function, self._own = outer
        return _DONE

    def _take_class(self, node: ast.ClassDef, scope: int) -> int:
        self.defined.add(node.name)
        return scope

    def _take_loop(self, _: ast.For | ast.AsyncFor | ast.While, scope: int) -> int:
        self.has_rounds = True
        return scope | _LOOP

    def _take_comprehension(self, _: ast.comprehension, scope: int) -> int:
        self.has_rounds = True
        return scope


_TAKERS: dict[type[ast.AST], Callable[[UsedNames, Any, int], int]] = {
    ast.Name: UsedNames._take_name,
    ast.Attribute: UsedNames._take_attribute,
    ast.Subscript: UsedNames._take_subscript,
    ast.Call: UsedNames._take_call,
    ast.BinOp: UsedNames._take_operator,
    ast.AugAssign: UsedNames._take_augmented,
    ast.Compare: UsedNames._take_comparison,
    ast.Assign: UsedNames._take_assignment,
    ast.AnnAssign: UsedNames._take_annotated,
    ast.Tuple: UsedNames._take_display,
    ast.List: UsedNames._take_display,
    ast.Set: UsedNames._take_display,
    ast.NamedExpr: UsedNames._take_walrus,
    ast.Global: UsedNames._take_global,
    ast.Import: UsedNames._take_import,
    ast.ImportFrom: UsedNames._take_import,
    ast.FunctionDef: UsedNames._take_function,
    ast.AsyncFunctionDef: UsedNames._take_function,
    ast.Lambda: UsedNames._take_lambda,
    ast.ClassDef: UsedNames._take_class,
    ast.For: UsedNames._take_loop,
    ast.AsyncFor: UsedNames._take_loop,
    ast.While: UsedNames._take_loop,
    ast.comprehension: UsedNames._take_comprehension,
}


def _spans_one(statement: ast.stmt, rows: Sequence[int]) -> bool:
    """Whether a statement with its decorators stands on one of ``rows``."""
    decorators: list[ast.expr] = getattr(statement, "decorator_list", [])
    first = min((statement.lineno, *(each.lineno for each in decorators)))
    place = bisect_left(rows, first)
    return place < len(rows) and rows[place] <= (statement.end_lineno or statement.lineno)


def _parameters(arguments: ast.arguments) -> set[str]:
    stars = [each for each in (arguments.vararg, arguments.kwarg) if each is not None]
    return {each.arg for each in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, *stars)}


def _last_name(node: ast.expr) -> str:
    """The name that the model gives to what an expression computes; empty where it has none."""
    while isinstance(node, ast.Call):
        node = node.func
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def dotted_path(node: ast.expr) -> tuple[str, list[str]]:
    """The name that a dotted path begins with, empty if it is none, and the attributes behind it, last first."""
    attributes = []
    while isinstance(node, ast.Attribute):
        attributes.append(node.attr)
        node = node.value
    return (node.id if isinstance(node, ast.Name) else ""), attributes


def _bare_name(node: ast.expr) -> str:
    """The plain name that an argument is; empty for anything else."""
    while isinstance(node, ast.Starred | ast.NamedExpr | ast.Await):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


def _text(node: ast.expr) -> set[str]:
    """The text of a string literal; nothing for any other node."""
    value = node.value if isinstance(node, ast.Constant) else None
    if isinstance(value, bytes):
        value = value.decode("latin-1")
    return {value} if isinstance(value, str) else set()
