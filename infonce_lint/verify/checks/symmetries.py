"""What cannot change a contrastive loss: the order of samples and views, the length of rows; and its value at rest."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from infonce_lint.verify.checks.base import Table, attempt, batch_of, has_queue, near, rows_for, size_for
from infonce_lint.verify.matching import ONE_WAY, TOWERS, Match, tolerance
from infonce_lint.verify.rows import Row, Status
from infonce_lint.verify.subject import Subject

FAMILY = "symmetries"


def check(subject: Subject, found: Match | None, *, unit_rows: bool = False, aside: str = "") -> list[Row]:
    """Four rows; ``unit_rows`` says that callers bring rows to length 1, as the loss expects."""
    table = Table(FAMILY, aside)
    views = [each.detach() for each in batch_of(subject, rows_for(subject, found))]
    size = size_for(subject, found, len(views[0]))
    before, problem = attempt(subject.value, views, configured=size)
    if before is None:
        table.add("sample permutation", False, problem)
        return table.rows
    value = float(before.detach())

    def unchanged(name: str, others: Sequence[Tensor], what: str) -> None:
        after, problem = attempt(subject.value, others, configured=size)
        if after is None:
            table.add(name, False, f"{what} raise {problem}")
            return
        changed = float(after.detach())
        same = near(changed, value, tolerance(subject))
        table.add(name, same, f"{value:.5g} stays" if same else f"{what} change {value:.5g} to {changed:.5g}")

    order = _order(len(views[0]), found.blocks if found is not None else 1)
    unchanged("sample permutation", [each[order] for each in views], "samples in another order")

    if unit_rows:
        table.inapplicable("scale of rows", "its callers bring rows to length 1")
    else:
        lengths = torch.rand(len(views[0]), 1, generator=torch.Generator().manual_seed(4), dtype=views[0].dtype) + 0.5
        scaled = [each * lengths for each in views]
        unchanged("scale of rows", scaled, "rows of other lengths (bring them to length 1, or --unit-rows)")

    if found is not None and found.form in ONE_WAY:
        table.inapplicable("view rotation", f"`{found.form}` tells its two sides apart")
    elif subject.plan.views < 2:
        table.inapplicable("view rotation", "the loss takes one view")
    elif found is None and has_queue(subject):
        table.inapplicable("view rotation", "queries and the keys of a queue are two sides")
    else:
        unchanged("view rotation", [*views[1:], views[0]], "views in another order")

    _at_rest(table, subject, found, views, size)
    return table.rows


def _order(samples: int, blocks: int) -> Tensor:
    """The samples in another order, each within its block."""
    random = torch.Generator().manual_seed(3)
    within = samples // blocks
    return torch.cat([torch.randperm(within, generator=random) + block * within for block in range(blocks)])


def _at_rest(table: Table, subject: Subject, found: Match | None, views: Sequence[Tensor], size: int) -> None:
    """All rows equal: every candidate is as likely as another, and the loss is the logarithm of their number."""
    name = "all rows equal"
    if found is None and has_queue(subject):
        table.inapplicable(name, "the rows of its queue are not those of the batch")
        return
    equal = [views[0][:1].expand_as(each).contiguous() for each in views]
    count = len(views) * len(views[0])
    value, problem = attempt(subject.value, equal, configured=size)
    if value is None:
        table.add(name, False, problem)
        return
    got = float(value.detach())
    counts_itself = near(got, math.log(count), 1e-4)
    hint = "; log M: each row counts itself"
    if found is None:
        told = f"{got:.5g}, and no form is known that says what it should be"
        table.add(name, False if counts_itself else Status.INAPPLICABLE, f"{got:.5g}{hint}" if counts_itself else told)
        return
    wanted = float(found.expected(equal))
    right = near(got, wanted, max(tolerance(subject), 1e-4))
    table.add(name, right, f"{got:.5g}, {_symbol(found)} is {wanted:.5g}{hint if counts_itself and not right else ''}")


def _symbol(found: Match) -> str:
    if found.blocks > 1:
        return f"the `{found.form}` form within a block"
    return "log B" if found.form in TOWERS else "log(M - 1)" if found.form == "out" else f"the `{found.form}` form"
