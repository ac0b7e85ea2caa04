"""Facts of the syntax alone: which names a suite binds, whether it leaves its block, how dotted names are written."""

from __future__ import annotations

import libcst as cst

from infonce_lint.semantic.graph.nodes import children_of, held_by, statements_in

_CHANGING_METHODS = frozenset({"append", "extend", "insert", "add", "update"})

_ORDERING = frozenset({"pop", "remove", "reverse", "sort", "clear", "popleft"})


def changes_receiver(method: str) -> bool:
    """Whether a method changes its object: torch's trailing underscore, list and set methods."""
    return (method.endswith("_") and not method.endswith("__")) or method in _CHANGING_METHODS


def last_statement(suite: cst.BaseSuite) -> cst.CSTNode | None:
    """The statement with which a suite ends, of its last row the last one; None of an empty suite."""
    last: cst.CSTNode | None = suite.body[-1] if suite.body else None
    return last.body[-1] if isinstance(last, cst.SimpleStatementLine) else last


def leaves(suite: cst.BaseSuite) -> bool:
    """Whether control never reaches the end of a suite."""
    last = last_statement(suite)
    if isinstance(last, cst.If):
        return leaves_if(last)
    return isinstance(last, cst.Return | cst.Raise | cst.Continue | cst.Break)


def leaves_if(statement: cst.If) -> bool:
    """Whether every branch of an ``if`` leaves."""
    if not leaves(statement.body) or statement.orelse is None:
        return False
    if isinstance(statement.orelse, cst.If):
        return leaves_if(statement.orelse)
    return leaves(statement.orelse.body)


def may_leave(node: cst.CSTNode, *, in_loop: bool) -> bool:
    """Whether a statement may return from its function or, where ``in_loop`` is false, leave its loop's round."""
    kind = type(node)
    if kind is cst.Return:
        return True
    if kind is cst.Break or kind is cst.Continue:
        return not in_loop
    if kind is cst.FunctionDef or kind is cst.ClassDef:
        return False
    inner = in_loop or kind is cst.For or kind is cst.While
    return any(may_leave(each, in_loop=inner) for each in held_by(node))


def assigned_names(suite: cst.BaseSuite) -> list[str]:
    """The names that a suite may bind or change in place, in order of appearance."""
    found: dict[str, None] = {}
    _collect_suite(suite, found)
    return list(found)


def _collect_suite(suite: cst.BaseSuite, found: dict[str, None]) -> None:
    for statement in suite.body:
        if isinstance(statement, cst.SimpleStatementLine):
            for small in statement.body:
                _collect_small(small, found)
        elif isinstance(statement, cst.BaseSmallStatement):
            _collect_small(statement, found)
        else:
            _collect_compound(statement, found)


def _collect_small(small: cst.BaseSmallStatement, found: dict[str, None]) -> None:
    if isinstance(small, cst.Assign):
        for target in small.targets:
            _collect_target(target.target, found)
    elif isinstance(small, cst.AnnAssign | cst.AugAssign):
        _collect_target(small.target, found)
    elif isinstance(small, cst.Expr) and isinstance(small.value, cst.Call):
        called = small.value.func
        if isinstance(called, cst.Attribute) and (
            changes_receiver(called.attr.value) or called.attr.value in _ORDERING
        ):
            _collect_target(called.value, found)


def _collect_compound(statement: cst.CSTNode, found: dict[str, None]) -> None:
    if isinstance(statement, cst.For):
        _collect_target(statement.target, found)
    for part in ("body", "orelse", "finalbody"):
        inner = getattr(statement, part, None)
        if isinstance(inner, cst.BaseSuite) and not isinstance(statement, cst.FunctionDef | cst.ClassDef):
            _collect_suite(inner, found)
        elif isinstance(inner, cst.Else | cst.Finally):
            _collect_suite(inner.body, found)
        elif isinstance(inner, cst.If):
            _collect_compound(inner, found)
    for part in (*getattr(statement, "handlers", ()), *getattr(statement, "cases", ())):
        _collect_suite(part.body, found)
    for item in statement.items if isinstance(statement, cst.With) else ():
        if item.asname is not None:
            _collect_target(item.asname.name, found)


def _collect_target(node: cst.BaseExpression, found: dict[str, None]) -> None:
    if isinstance(node, cst.Name):
        found.setdefault(node.value)
    elif isinstance(node, cst.Tuple | cst.List):
        for element in node.elements:
            _collect_target(element.value, found)
    elif isinstance(node, cst.Subscript | cst.StarredElement):
        _collect_target(node.value, found)


def assigned_name(alias: cst.AsName | None) -> str:
    """The name behind ``as``; empty where there is none."""
    return alias.name.value if alias is not None and isinstance(alias.name, cst.Name) else ""


def captured_names(pattern: cst.CSTNode) -> list[str]:
    """The names that a ``case`` binds."""
    own = [getattr(pattern, "name", None), getattr(pattern, "rest", None)]
    is_capture = isinstance(pattern, cst.MatchAs | cst.MatchStar | cst.MatchMapping)
    found = [each.value for each in own if is_capture and isinstance(each, cst.Name)]
    if isinstance(pattern, cst.MatchValue):
        return found
    return [*found, *(name for child in children_of(pattern) for name in captured_names(child))]


def dotted(node: cst.CSTNode) -> str:
    """The text of a dotted name; empty for anything else."""
    if isinstance(node, cst.Name):
        return node.value
    if isinstance(node, cst.Attribute):
        return f"{dotted(node.value)}.{node.attr.value}"
    return ""


def access_path(node: cst.CSTNode) -> str:
    """The steps to an entry of an object, with dots throughout: ``cfg["train"].bs`` -> ``cfg.train.bs``; else empty."""
    if isinstance(node, cst.Name):
        return node.value
    if isinstance(node, cst.Attribute):
        outer, step = access_path(node.value), node.attr.value
    elif isinstance(node, cst.Subscript) and len(node.slice) == 1 and isinstance(node.slice[0].slice, cst.Index):
        key = node.slice[0].slice.value
        outer = access_path(node.value)
        step = key.raw_value if isinstance(key, cst.SimpleString) else ""
    else:
        return ""
    return f"{outer}.{step}" if outer and step.isidentifier() else ""


def decorator_name(node: cst.BaseExpression) -> str:
    """The dotted name of a decorator, called or not."""
    return dotted(node.func if isinstance(node, cst.Call) else node)


def nonlocal_names(node: cst.CSTNode) -> set[str]:
    """The names that a suite, or a function in it, declares to be an enclosing function's."""
    return {item.name.value for each in statements_in(node) if isinstance(each, cst.Nonlocal) for item in each.names}


def returns_value(statement: cst.CSTNode) -> bool:
    """Whether something is returned in the suites of a statement, or in a suite."""
    return any(isinstance(each, cst.Return) and each.value is not None for each in statements_in(statement))
