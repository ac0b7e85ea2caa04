"""Walks over the graph: every value that some others lead to, each once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")


def walk(starts: Iterable[T], through: Callable[[T], Iterable[T]]) -> Iterator[T]:
    """The starts and all that they lead to, nearest first and each once; ``through`` gives the next steps of one."""
    found = dict.fromkeys(starts)
    pending = list(found)
    for each in pending:
        yield each
        for step in through(each):
            if step not in found:
                found[step] = None
                pending.append(step)
