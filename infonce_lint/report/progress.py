"""A progress bar for runs that last, on terminals only."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from typing import TextIO, TypeVar

Item = TypeVar("Item")

PATIENCE = 1.0
"""Seconds after which a run is long; a quick one shows, and imports, nothing."""


def with_progress(items: Iterable[Item], total: int, stream: TextIO) -> Iterator[Item]:
    """The items as they come, of which there will be ``total``; the bar vanishes with the last one."""
    if not stream.isatty():
        yield from items
        return
    iterator, done, end = iter(items), 0, time.monotonic() + PATIENCE
    for item in iterator:
        done += 1
        yield item
        if time.monotonic() > end:
            break
    else:
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(file=stream), transient=True) as bar:
        task = bar.add_task("linting", total=total, completed=done)
        for item in iterator:
            bar.advance(task)
            yield item
