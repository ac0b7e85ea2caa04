"""How deeply a file nests for libcst, so that libcst is never handed what kills it.

CPython's parser refuses more than 200 brackets and 100 indentations, and its tree reaches some thousand levels at most.
libcst 1.9 segfaults or hangs on part of what is left, and its visitors need about seven Python frames a level, where
Python allows a thousand frames. What CPython keeps flat but libcst nests (``a and b and c``, adjacent strings, dotted
imports, the ``for`` clauses of a comprehension) is counted here too.
"""

from __future__ import annotations

import ast
import io
import tokenize
from collections.abc import Callable, Sequence

MAX_NESTING = 100
"""Levels of libcst nodes: 145 nested calls overflow its visitor at Python's default recursion limit."""

MAX_PATTERN_BRACKETS = 7
"""Brackets in a ``case`` pattern: libcst's time grows fourfold with each (9 take 0.2 s, 12 take 14 s)."""


def too_deep(tree: ast.Module, lines: Sequence[str]) -> ast.AST | None:
    """The first node found beyond what libcst survives; None if the file is safe for it.

    Iterative, so it cannot overflow itself. ``lines`` are the rows from which CPython parsed ``tree``.
    """
    pending: list[tuple[ast.AST, int]] = [(tree, 0)]
    while pending:
        node, depth = pending.pop()
        depth += 1
        extra = _FLATTENED.get(type(node))
        if extra is not None:
            depth += extra(node, lines)
        if depth > MAX_NESTING:
            return node
        for name in CHILD_FIELDS[type(node)]:  # not __dict__: pyflakes hangs whole trees on the nodes it visited
            value = getattr(node, name, None)
            if type(value) is list:
                for child in value:
                    if isinstance(child, ast.AST):
                        pending.append((child, depth))
            elif isinstance(value, ast.AST):
                pending.append((value, depth))
    return None


_PLAIN_FIELDS = frozenset("ctx op ops id attr level kind type_comment lineno tag".split())
#: Where a node holds others; an operator or a context holds none, nor does a constant.
CHILD_FIELDS: dict[type[ast.AST], tuple[str, ...]] = {
    kind: () if kind is ast.Constant else tuple(name for name in kind._fields if name not in _PLAIN_FIELDS)
    for kind in vars(ast).values()
    if isinstance(kind, type) and issubclass(kind, ast.AST)
}


def _operands(node: ast.BoolOp, _: Sequence[str]) -> int:
    return len(node.values)


def _clauses(node: ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp, _: Sequence[str]) -> int:
    return len(node.generators)


def _dots(node: ast.Import | ast.ImportFrom, _: Sequence[str]) -> int:
    names = [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        names.append(node.module or "")
    return max(name.count(".") for name in names)


def _parts(node: ast.Constant | ast.JoinedStr, lines: Sequence[str]) -> int:
    """How many adjacent literals make up this string."""
    if isinstance(node, ast.Constant) and not isinstance(node.value, (str, bytes)):
        return 0
    last, end = node.end_lineno or node.lineno, node.end_col_offset or 0
    if last == node.lineno and end - node.col_offset < MAX_NESTING:
        return 0
    rows = lines[node.lineno - 1 : last]
    if sum(row.count('"') + row.count("'") for row in rows) < MAX_NESTING:
        return 0  # a long string, but few literals: each has at least two quotes
    behind = len(rows[-1].encode()) - end
    text = "".join(rows).encode()[node.col_offset : -behind or None].decode(errors="ignore")
    try:
        tokens = tokenize.generate_tokens(io.StringIO(f"({text})", newline=None).readline)
        return sum(tokenize.tok_name[token.type] in _STRING_STARTS for token in tokens)
    except (tokenize.TokenError, SyntaxError):
        return MAX_NESTING  # cannot be counted, so libcst does not get it


_STRING_STARTS = {"STRING", "FSTRING_START", "TSTRING_START"}


def _pattern(node: ast.Match, lines: Sequence[str]) -> int:
    """More than any limit if a ``case`` of this statement nests too many brackets, parentheses included."""
    row = node.subject.end_lineno or node.subject.lineno
    for case in node.cases:
        stop: ast.expr | ast.stmt = case.guard or case.body[0]
        open_brackets = deepest = 0
        for character in "".join(lines[row - 1 : stop.lineno]):
            if character in "([{":
                open_brackets += 1
                deepest = max(deepest, open_brackets)
            elif character in ")]}":
                open_brackets = max(0, open_brackets - 1)
        if deepest > MAX_PATTERN_BRACKETS:
            return MAX_NESTING
        row = case.body[-1].end_lineno or row
    return 0


_FLATTENED: dict[type[ast.AST], Callable[..., int]] = {
    ast.BoolOp: _operands,
    ast.ListComp: _clauses,
    ast.SetComp: _clauses,
    ast.DictComp: _clauses,
    ast.GeneratorExp: _clauses,
    ast.Import: _dots,
    ast.ImportFrom: _dots,
    ast.Constant: _parts,
    ast.JoinedStr: _parts,
    ast.Match: _pattern,
}
