"""Nodes of libcst's tree without its visitors, which copy whatever they pass: what stands in a node, or in a suite."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import libcst as cst

#: Blanks, brackets, punctuation and operators; ``start`` and ``end`` are the quotes of an f-string.
_MARKS = frozenset(
    "asynchronous colon comma comment conversion default_indent default_newline dot empty_lines encoding end equal "
    "first_colon first_line footer header indent last_line lbrace lbracket leading_lines lines_after_decorators lpar "
    "newline operator posonly_ind rbrace rbracket relative rpar second_colon semicolon separator star start "
    "trailing_comma".split()
)
#: Those that are written in another order than libcst names their parts in.
_AS_WRITTEN: dict[type[cst.CSTNode], tuple[str, ...]] = {
    cst.Arg: ("keyword", "value"),
    cst.ClassDef: ("decorators", "name", "bases", "keywords", "body"),
    cst.ExceptHandler: ("type", "name", "body"),
    cst.ExceptStarHandler: ("type", "name", "body"),
    cst.FunctionDef: ("decorators", "name", "params", "returns", "body"),
    cst.IfExp: ("body", "test", "orelse"),
    cst.MatchCase: ("pattern", "guard", "body"),
}
_SEQUENCES = (tuple, list)
_NO_NODES = (str, int, type(None), cst.MaybeSentinel)
_SUITES = ("body", "handlers", "cases", "orelse", "finalbody")
_fields: dict[type[cst.CSTNode], tuple[str, ...]] = {}  # filled as kinds are met
_suites: dict[type[cst.CSTNode], tuple[str, ...]] = {}


def children_of(node: cst.CSTNode) -> list[cst.CSTNode]:
    """What a node is made of, in the order of the text; without blanks, brackets, operators and punctuation."""
    kind = type(node)
    fields = _fields.get(kind)
    if fields is None:
        fields = _fields[kind] = _AS_WRITTEN.get(kind) or _fields_of(kind)
    return _held(node, fields)


def _held(node: cst.CSTNode, fields: tuple[str, ...]) -> list[cst.CSTNode]:
    found: list[cst.CSTNode] = []
    for name in fields:
        value = getattr(node, name)
        if isinstance(value, _SEQUENCES):
            found += value
        elif not isinstance(value, _NO_NODES):
            found.append(value)
    return found


def _fields_of(kind: type[cst.CSTNode]) -> tuple[str, ...]:
    names = (each.name for each in dataclasses.fields(kind))
    return tuple(name for name in names if name not in _MARKS and "whitespace" not in name)


def nodes_in(node: cst.CSTNode) -> Iterator[cst.CSTNode]:
    """A node and all that stands inside of it, in the order of the text."""
    stack = [node]
    while stack:
        current = stack.pop()
        yield current
        stack += reversed(children_of(current))


def statements_in(node: cst.CSTNode) -> Iterator[cst.CSTNode]:
    """The statements in the suites of a node and of its statements, in the order of the text."""
    stack = held_by(node)[::-1]
    while stack:
        current = stack.pop()
        if type(current) not in _HOLDERS:
            yield current
        stack += reversed(held_by(current))


_HOLDERS = {
    cst.IndentedBlock,
    cst.SimpleStatementSuite,
    cst.SimpleStatementLine,
    cst.Else,
    cst.Finally,
    cst.ExceptHandler,
    cst.ExceptStarHandler,
    cst.MatchCase,
}


def held_by(node: cst.CSTNode) -> list[cst.CSTNode]:
    """The suites of a statement, or the statements of a suite; none where a node is neither."""
    kind = type(node)
    fields = _suites.get(kind)
    if fields is None:
        names = {each.name for each in dataclasses.fields(kind)}
        fields = _suites[kind] = tuple(name for name in _SUITES if name in names)
    return _held(node, fields) if fields else []
