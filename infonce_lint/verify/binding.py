"""Which names a statement binds or changes in its own scope, ``self.x`` among them."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

_IN_PLACE = frozenset({"append", "extend", "insert", "update", "add"})


def binders(statements: Sequence[ast.stmt]) -> dict[str, list[int]]:
    """For each name (``self.x`` too), the statements that bind or change it."""
    found: dict[str, list[int]] = {}
    for number, statement in enumerate(statements):
        for name in dict.fromkeys(bound_names(statement)):
            found.setdefault(name, []).append(number)
    return found


def bound_names(statement: ast.stmt) -> Iterator[str]:
    """The names that a statement binds or changes in its own scope."""
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        yield statement.name
        return
    if isinstance(statement, ast.Import | ast.ImportFrom):
        for alias in statement.names:
            yield alias.asname or (alias.name.partition(".")[0] if isinstance(statement, ast.Import) else alias.name)
        return
    for node in ast.iter_child_nodes(statement):
        if isinstance(node, ast.stmt):
            yield from bound_names(node)
        elif isinstance(node, ast.ExceptHandler):
            for inner in node.body:
                yield from bound_names(inner)
        elif isinstance(node, ast.withitem) and node.optional_vars is not None:
            yield from target_names(node.optional_vars)
    if isinstance(statement, ast.Assign):
        for target in statement.targets:
            yield from target_names(target)
    elif isinstance(statement, ast.AnnAssign | ast.AugAssign | ast.For):
        yield from target_names(statement.target)
    elif isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call):
        yield from _changed_names(statement.value)


def target_names(target: ast.expr) -> Iterator[str]:
    """The names that a target of an assignment binds or changes."""
    if isinstance(target, ast.Name):
        yield target.id
    elif isinstance(target, ast.Tuple | ast.List):
        for element in target.elts:
            yield from target_names(element)
    elif isinstance(target, ast.Attribute) and isinstance(target.value, ast.Name) and target.value.id == "self":
        yield f"self.{target.attr}"
    elif isinstance(target, ast.Subscript | ast.Attribute | ast.Starred):
        yield from target_names(target.value)


def _changed_names(call: ast.Call) -> Iterator[str]:
    """``mask.fill_diagonal_(0)``, ``self.register_buffer("mask", mask)``."""
    function = call.func
    if not isinstance(function, ast.Attribute):
        return
    if function.attr in ("register_buffer", "register_parameter", "add_module") and call.args:
        name = call.args[0]
        if isinstance(name, ast.Constant) and isinstance(name.value, str):
            yield f"self.{name.value}"
    elif (function.attr.endswith("_") and not function.attr.endswith("__")) or function.attr in _IN_PLACE:
        yield from target_names(function.value)
