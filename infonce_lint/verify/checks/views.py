"""Rows that do not make whole views: the loss must raise, and where no code can notice, the user is told."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from infonce_lint.verify.checks.base import Table, attempt, batch_of
from infonce_lint.verify.knobs import Role
from infonce_lint.verify.matching import Match
from infonce_lint.verify.rows import Row
from infonce_lint.verify.stacking import Layout
from infonce_lint.verify.subject import Subject

FAMILY = "views"


def check(subject: Subject, found: Match | None = None, aside: str = "") -> list[Row]:
    """One row for rows that do not divide, one for a view count that divides and is wrong."""
    table = Table(FAMILY, aside)
    configured, layout, count = subject.plan.configured, subject.plan.layout, subject.plan.views
    views = [each.detach() for each in batch_of(subject, configured)]
    name = "rows that are no whole views"
    if found is not None and found.blocks > 1:
        table.inapplicable(name, f"its rows come in {found.blocks} equal blocks")
    elif count < 2:
        table.inapplicable(name, "the loss takes one view")
    elif layout.is_rows:
        (rows,) = layout.arrange(views)
        _raises(table, name, f"{len(rows) - 1} rows of {count} views", lambda: subject.raw((rows[:-1],), configured))
    elif layout is Layout.SEPARATE:
        uneven = (views[0], *(each[:-1] for each in views[1:]))
        told = f"{configured} and {configured - 1} rows"
        _raises(table, name, told, lambda: subject.raw(uneven, configured), tell="compare the views' lengths")
    elif layout is Layout.LISTED:
        ragged = [views[0], *(each[:-1] for each in views[1:])]
        told = f"{configured} and {configured - 1} rows"
        _raises(table, name, told, lambda: subject.raw((ragged,), configured), tell="compare the views' lengths")
    else:
        table.inapplicable(name, f"{layout.value} always are")
    if layout is Layout.STACKED and subject.plan.asks(Role.VIEWS) and configured % 2 == 0:
        _wrong_count(table, subject, views)
    return table.rows


def _raises(table: Table, name: str, what: str, run: Callable[[], Tensor], *, tell: str = "") -> None:
    """Whether a call raises; with ``tell`` a loss may leave that to its callers, and the advice is given instead."""
    value, problem = attempt(run)
    if value is None:
        table.add(name, True, f"{what} raise {problem}")
    elif value.isfinite():
        silent = f"{what} give {float(value.detach()):.4g} without a word"
        table.add(name, bool(tell), f"told: {silent}; {tell}" if tell else silent)
    else:
        table.add(name, True, f"{what} give {float(value.detach())}")


def _wrong_count(table: Table, subject: Subject, views: list[Tensor]) -> None:
    """Two views stacked under n_views=4: the division works out, and every row is paired with a stranger."""
    rows = torch.cat(views)
    right, _ = attempt(subject.value, views)
    value, problem = attempt(subject.raw, (rows,), len(views[0]), views=4, configured=len(rows) // 4)
    told = f"{len(rows)} rows of 2 views under n_views=4"
    if value is None:
        table.add("wrong view count", True, f"{told} raise {problem}")
        return
    shown = f"{float(value.detach()):.4g}" + (f" instead of {float(right.detach()):.4g}" if right is not None else "")
    table.add("wrong view count", True, f"told: {told} divide evenly and give {shown}; let the loader say n_views")
