"""The rows of the table of operations, a file a family; importing this enters them all and fills their columns."""

from infonce_lint.semantic.shapes.columns import Column, has, named
from infonce_lint.semantic.shapes.operations import (
    creation,
    diagonals,
    joining,
    losses,
    meeting,
    outside,
    pairing,
    python,
    reducing,
    reshaping,
    similarity,
    taking,
)
from infonce_lint.semantic.shapes.table import Operation, find

__all__ = [
    "Column",
    "Operation",
    "creation",
    "diagonals",
    "find",
    "has",
    "joining",
    "losses",
    "meeting",
    "named",
    "outside",
    "pairing",
    "python",
    "reducing",
    "reshaping",
    "similarity",
    "taking",
]
