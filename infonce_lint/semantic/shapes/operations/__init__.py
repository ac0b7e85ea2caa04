"""The rows of the table of operations, a file a family; importing this enters them all."""

from infonce_lint.semantic.shapes.operations import (
    creation,
    joining,
    losses,
    meeting,
    python,
    reducing,
    reshaping,
    similarity,
    taking,
)
from infonce_lint.semantic.shapes.table import Operation, find

__all__ = [
    "Operation",
    "creation",
    "find",
    "joining",
    "losses",
    "meeting",
    "python",
    "reducing",
    "reshaping",
    "similarity",
    "taking",
]
