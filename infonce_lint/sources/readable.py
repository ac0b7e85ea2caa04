"""What is left of a cell that does not parse: the statements that bind names and can be read by themselves.

A constant that stands above the error counts for the cells below, as it did when the cell was run the last time. More
is not read: a function or a loop beside code that nobody can read may be half of something.
"""

from __future__ import annotations

import ast
from itertools import pairwise

from infonce_lint.sources.ipython import beginnings
from infonce_lint.sources.prompts import rows_of

_BINDING = (ast.Assign, ast.AnnAssign, ast.Import, ast.ImportFrom)


def bindings_alone(python: str) -> str | None:
    """``python`` with everything as comments, row by row, but the assignments and imports; None if it has none.

    A cell's own comments are lost, so that no suppression in it counts.
    """
    rows = rows_of(python)
    starts = [0, *beginnings(rows), len(rows)]
    left: list[str] = []
    found = False
    for start, end in pairwise(starts):
        binds = _binds("".join(rows[start:end]))
        found = found or binds
        left += rows[start:end] if binds else [_comment(row, start + more) for more, row in enumerate(rows[start:end])]
    return "".join(left) if found else None


def _binds(text: str) -> bool:
    try:
        body = ast.parse(text).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return bool(body) and all(isinstance(each, _BINDING) for each in body)


def _comment(row: str, number: int) -> str:
    text = row.rstrip("\r\n")
    return f"# unread {number + 1}{row[len(text) :]}" if text else row
