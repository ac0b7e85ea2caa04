"""The table of operations: one row for each, with its spellings and what it makes of shapes.

A call is resolved to its row once. A new operation is one decorated function in a file of `operations/`, with what
else the package needs of it as columns of its row.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from infonce_lint.semantic.shapes.call import Call
from infonce_lint.semantic.shapes.columns import enter
from infonce_lint.semantic.shapes.domain import Abstract

Transfer: TypeAlias = Callable[[Call], Abstract | None]


@dataclass(frozen=True, slots=True)
class Operation:
    """One row: the canonical name, and the transfer function from the shapes of the arguments to that of the result."""

    name: str
    transfer: Transfer


_ROWS: dict[tuple[str, str], Operation] = {}
ANY = ""


def operation(*spellings: str, **columns: str) -> Callable[[Transfer], Transfer]:
    """Enter a transfer function into the table under its spellings.

    A spelling is the last name of a function, method or module (``"arange"``), which all libraries share, or one that
    counts for some libraries only (``"numpy:repeat"``); that one is asked first. A text may hold several of them. The
    receiver of a method is its first argument, so that ``x.repeat(2)`` and ``tf.tile(x, 2)`` read alike.

    A keyword fills a column (`Column`, in small letters) for ``ALL`` spellings or for those that it is given:
    ``operation("view", "reshape", reshapes=ALL, folds="view")``. Spellings that differ in their columns and not in the
    shape of their result are rows that share a function.
    """
    each_of_them = " ".join(spellings).split()
    enter(each_of_them, columns)

    def add(transfer: Transfer) -> Transfer:
        row = Operation(transfer.__name__, transfer)
        for spelling in each_of_them:
            library, _, name = spelling.rpartition(":")
            assert (library, name) not in _ROWS, spelling
            _ROWS[library, name] = row
        return transfer

    return add


def without_shape(*names: str, **columns: str) -> None:
    """Enter a row for names whose result has no shape, or none that is known: it has columns only."""
    enter(" ".join(names).split(), columns)


def spellings() -> list[tuple[str, str]]:
    """Every spelling of the table: the library that it counts for (empty for all), and the name."""
    return list(_ROWS)


def find(name: str, library: str) -> Operation | None:
    """The row of a call by its last name and the library that it runs, if that is known."""
    return _ROWS.get((library, name)) or _ROWS.get((ANY, name))
