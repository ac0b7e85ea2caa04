"""What cannot change a contrastive loss: the order of samples and views, the length of rows; and its value at rest."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from infonce_lint.verify.checks.base import Table, attempt, batch_of, has_queue, near
from infonce_lint.verify.matching import ONE_WAY, TOWERS, Match, tolerance
from infonce_lint.verify.rows import Row
from infonce_lint.verify.subject import Subject

FAMILY = "symmetries"


def check(subject: Subject, found: Match | None, *, unit_rows: bool = False) -> list[Row]:
    """Four rows; ``unit_rows`` says that callers bring rows to length 1, as the loss expects."""
    table = Table(FAMILY)
    views = [each.detach() for each in batch_of(subject, subject.plan.configured)]
    before, problem = attempt(subject.value, views, configured=len(views[0]))
    if before is None:
        table.add("sample permutation", False, problem)
        return table.rows
    value = float(before.detach())

    order = torch.randperm(len(views[0]), generator=torch.Generator().manual_seed(3))
    _unchanged(table, subject, "sample permutation", value, [each[order] for each in views], "samples in another order")

    if unit_rows:
        table.inapplicable("scale of rows", "its callers bring rows to length 1")
    else:
        lengths = torch.rand(len(views[0]), 1, generator=torch.Generator().manual_seed(4), dtype=views[0].dtype) + 0.5
        scaled = [each * lengths for each in views]
        _unchanged(
            table,
            subject,
            "scale of rows",
            value,
            scaled,
            "rows of other lengths (bring them to length 1, or --unit-rows)",
        )

    if found is not None and found.form in ONE_WAY:
        table.inapplicable("view rotation", f"`{found.form}` tells its two sides apart")
    elif subject.plan.views < 2:
        table.inapplicable("view rotation", "the loss takes one view")
    elif has_queue(subject):
        table.inapplicable("view rotation", "queries and the keys of a queue are two sides")
    else:
        _unchanged(table, subject, "view rotation", value, [*views[1:], views[0]], "views in another order")

    _at_rest(table, subject, found, views)
    return table.rows


def _unchanged(table: Table, subject: Subject, name: str, value: float, views: Sequence[Tensor], what: str) -> None:
    after, problem = attempt(subject.value, views, configured=len(views[0]))
    if after is None:
        table.add(name, False, f"{what} raise {problem}")
        return
    changed = float(after.detach())
    same = near(changed, value, tolerance(subject))
    table.add(name, same, f"{value:.5g} stays" if same else f"{what} change {value:.5g} to {changed:.5g}")


def _at_rest(table: Table, subject: Subject, found: Match | None, views: Sequence[Tensor]) -> None:
    """All rows equal: every candidate is as likely as another, and the loss is the logarithm of their number."""
    if has_queue(subject):
        table.inapplicable("all rows equal", "the rows of its queue are not those of the batch")
        return
    equal = [views[0][:1].expand_as(each).contiguous() for each in views]
    count = len(views) * len(views[0])
    name = "all rows equal"
    value, problem = attempt(subject.value, equal, configured=len(views[0]))
    if value is None:
        table.add(name, False, problem)
        return
    got = float(value.detach())
    if found is not None:
        wanted = float(found.expected(equal))
        symbol = (
            "log B" if found.form in TOWERS else "log(M - 1)" if found.form == "out" else f"the `{found.form}` form"
        )
    else:
        wanted, symbol = math.log(count - 1), "log(M - 1)"
    right = near(got, wanted, max(tolerance(subject), 1e-4))
    hint = "; log M: each row counts itself" if near(got, math.log(count), 1e-4) and not right else ""
    table.add(name, right, f"{got:.5g}, {symbol} is {wanted:.5g}{hint}")
