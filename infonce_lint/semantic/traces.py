"""Traces: the names that every finding leaves in a file, looked for in CPython's tree; libcst is not needed for that.

Flow plays no part, so a trace proves nothing; but where there is none, the semantic model finds nothing. Whoever
teaches the model a new way to read a size or to compare rows looks here too; `tests/test_screen.py` holds the two
together.
"""

from __future__ import annotations

import ast
from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from infonce_lint.nesting import CHILD_FIELDS
from infonce_lint.semantic.cone import PRODUCTS
from infonce_lint.semantic.names import (
    READERS,
    is_config_name,
    is_config_size_name,
    is_constant_size_name,
    is_contrastive_loss_name,
    is_contrastive_name,
    is_loss_name,
    is_similarity_name,
    is_temperature_name,
    words,
)
from infonce_lint.semantic.similarity import (
    MARGIN_WORDS,
    MATRIX_WORDS,
    ROW_NUMBERS,
    ROW_SUMS,
    SELF,
    STORED,
    TOWERS,
    evidence_of_name,
    is_contrastive,
    is_metric_name,
)
from infonce_lint.semantic.values import CALL_METHODS, CONSTRUCTORS


def has_traces(tree: ast.Module) -> bool:
    """Whether the names of a file, and where they stand, allow for a finding; False is always right.

    Names of the user's own (settings), and those that Python folds into ASCII (NFKC), are not considered.
    """
    names = _Names()
    names.add_whole(tree)
    return names.are_foreign() or (names.may_read_size() and names.may_hold_loss())


def may_read_size(parts: Iterable[tuple[ast.Module, Sequence[int]]]) -> bool:
    """Whether a configured size may be read in some of a file's statements; False is always right.

    Args:
        parts: the top-level statements around every name that reads as a size, each with the rows on which such names
            stand, in ascending order; statements without one are passed over.
    """
    names = _Names()
    for part, rows in parts:
        names.add_part(part, rows)
        if names.may_read_size():
            return True
    return False


# What is around a node: any of these, added up.
_FUNCTION, _LOOP, _OPERAND = 1, 2, 4
_DONE = -1


class _Names:
    """The names of one file by what is done with them."""

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
        self._function = ""
        self._own: set[str] = set()  # the parameters of the function that is being read
        self._is_whole = False
        self._rows: Sequence[int] | None = None

    def add_whole(self, tree: ast.Module) -> None:
        """Take the names of a whole file."""
        self._is_whole = True
        self._collect(tree, 0)
        self.called.update(*[paths for name, paths in self.imported.items() if name in self.called])

    def add_part(self, tree: ast.Module, rows: Sequence[int]) -> None:
        """Take the names of the statements that stand on ``rows``; what the rest of the file says is not known then."""
        self._rows = rows
        self._collect(tree, 0)

    def are_foreign(self) -> bool:
        """Whether some have letters beyond ASCII: the model may see them otherwise than CPython does."""
        plain = (self.loaded, self.attributes, self.imported, self.constants, self.called, self.defined, self.bound)
        return not all(name.isascii() for names in plain for name in names)

    # -- what the names allow for ------------------------------------------------------------------------------------

    def may_read_size(self) -> bool:
        """Whether one of the reads in `configured.py` is possible that all the others follow from."""
        entries = {name for name, owners in self.attributes.items() if self._may_be_configuration(owners)}
        asked_by = {*READERS, *self.bound, *(name for name, paths in self.imported.items() if paths & READERS)}
        entries.update(*(keys for asked, keys in self.keys.items() if asked in asked_by or not self._is_whole))
        if any(map(is_config_size_name, entries)):
            return True
        sizes = set(filter(is_constant_size_name, self.loaded))
        if self.has_star_import and sizes:
            return True
        if not sizes.isdisjoint(self.constants) or not sizes.isdisjoint(self.constructors):
            return True
        return any(
            name in sizes and self._may_be_run(function) and self._may_be_own(callee)
            for name, function, callee in self.passed
        )

    def _may_be_configuration(self, owners: list[ast.expr]) -> bool:
        """Whether some owner of an attribute can be more than a module (``torch.backends``) or a builtin."""
        for owner in owners:
            root, path = _path(owner)
            if self._may_be_own(root) or any(map(is_config_name, (*path, root, *self.imported.get(root, ())))):
                return True
        return False

    def _may_be_own(self, root: str) -> bool:
        """Whether a name, or an expression without one, can stand for something made in this file."""
        return root in ("", "self") or root in self.bound or root in self.defined or not self._is_whole

    def _may_be_run(self, function: str) -> bool:
        """Whether a function is called here, by its name, as an object or through a wrapper (``torch.compile``)."""
        if not self._is_whole or function in CALL_METHODS:
            return True
        return function in self.called or function in self.loaded or function in self.attributes

    def may_hold_loss(self) -> bool:
        """Whether a loss of another file may be called here, or rows be compared with rows in one (`similarity.py`)."""
        if any(map(is_contrastive_loss_name, self.called)):
            return True
        evidence = self._evidence()  # what speaks against a loss does so only where it flows
        return any(
            is_contrastive(strength, each)
            for strength in self._strengths()
            for each in (evidence - {"regression"}, evidence - {"regression", "softmax"})
        )

    def _strengths(self) -> Iterable[int]:
        if self.has_product or any(
            name in PRODUCTS or is_similarity_name(name) or is_metric_name(name) for name in self.called
        ):
            yield SELF
        if not ROW_NUMBERS.isdisjoint(self.called) and any(map(is_loss_name, self.called)):
            yield TOWERS
        if not ROW_SUMS.isdisjoint(self.called) or any(not MATRIX_WORDS.isdisjoint(words(name)) for name in self.bound):
            yield STORED

    def _evidence(self) -> set[str]:
        found = set(map(evidence_of_name, self.called))
        if any(map(is_contrastive_name, self.called | self.defined)):
            found.add("name")
        if any(map(is_similarity_name, self.called | self.bound)):
            found.add("similarity name")
        if any(map(is_temperature_name, self.called | self.factors)):
            found.add("temperature")
        if any(
            not MARGIN_WORDS.isdisjoint(words(name))
            for name in self.called | self.bound | self.loaded | set(self.attributes)
        ):
            found.add("margin name")
        return found

    # -- collecting them ---------------------------------------------------------------------------------------------

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
                if scope & _LOOP and node.id in self._own:  # by another name it may be handed on
                    self.passed.add((node.id, self._function, ""))
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
        text = _text(node.slice)
        self.keys["get"] |= text
        self.called |= text  # ``losses["nt_xent"](z)``
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
            self.passed.update((name, self._function, _path(node.func)[0]) for name in own)
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
        self._keep_text(node.value)
        return scope

    def _take_annotated(self, node: ast.AnnAssign, scope: int) -> int:
        self._keep_text(node.value)
        return scope

    def _take_display(self, node: ast.Tuple | ast.List | ast.Set, scope: int) -> int:
        for each in node.elts:
            self._keep_text(each)
        return scope

    def _keep_text(self, node: ast.expr | None) -> None:
        """``key = "batch_size"``: something may be asked for it later."""
        if isinstance(node, ast.Constant):
            text = _text(node)
            self.keys["get"] |= text
            self.called |= text

    def _take_walrus(self, node: ast.NamedExpr, scope: int) -> int:
        self._keep_text(node.value)
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
        return scope | _LOOP


_TAKERS: dict[type[ast.AST], Callable[[_Names, Any, int], int]] = {
    ast.Name: _Names._take_name,
    ast.Attribute: _Names._take_attribute,
    ast.Subscript: _Names._take_subscript,
    ast.Call: _Names._take_call,
    ast.BinOp: _Names._take_operator,
    ast.AugAssign: _Names._take_augmented,
    ast.Compare: _Names._take_comparison,
    ast.Assign: _Names._take_assignment,
    ast.AnnAssign: _Names._take_annotated,
    ast.Tuple: _Names._take_display,
    ast.List: _Names._take_display,
    ast.Set: _Names._take_display,
    ast.NamedExpr: _Names._take_walrus,
    ast.Global: _Names._take_global,
    ast.Import: _Names._take_import,
    ast.ImportFrom: _Names._take_import,
    ast.FunctionDef: _Names._take_function,
    ast.AsyncFunctionDef: _Names._take_function,
    ast.Lambda: _Names._take_lambda,
    ast.ClassDef: _Names._take_class,
    ast.For: _Names._take_loop,
    ast.AsyncFor: _Names._take_loop,
    ast.While: _Names._take_loop,
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


def _path(node: ast.expr) -> tuple[str, list[str]]:
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
