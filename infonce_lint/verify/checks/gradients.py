"""The gradient against differences of the value, and whether every view gets one."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.autograd.gradcheck import GradcheckError, gradcheck

from infonce_lint.verify.checks.base import (
    Table,
    attempt,
    batch_of,
    has_queue,
    held_on_purpose,
    rows_for,
    size_for,
)
from infonce_lint.verify.knobs import CONFIGURED
from infonce_lint.verify.matching import Match
from infonce_lint.verify.nature import still_views
from infonce_lint.verify.outcome import short
from infonce_lint.verify.rows import Row
from infonce_lint.verify.subject import Subject

FAMILY = "gradients"


def check(subject: Subject, found: Match | None = None, aside: str = "") -> list[Row]:
    """Two rows."""
    table = Table(FAMILY, aside)
    if subject.plan.arrays:
        table.inapplicable("gradcheck", "it takes numpy arrays")
        return table.rows
    if not subject.plan.differentiable:
        table.add("gradcheck", False, "no gradient reaches the features")
        return table.rows
    samples = 3 if subject.plan.configured == CONFIGURED else subject.plan.configured
    samples = samples if found is None or found.blocks == 1 else rows_for(subject, found)
    size = size_for(subject, found, samples)
    views = batch_of(subject, samples)
    value, problem = attempt(subject.value, views, configured=size)
    if value is None:
        table.add("gradcheck", False, problem)
        return table.rows
    without = still_views(value, views)
    shown = ", ".join(str(number + 1) for number in without)
    held = held_on_purpose(subject, found, aside)
    if without and not held and found is None and has_queue(subject):
        for name in ("gradcheck", "every view learns"):
            table.inapplicable(name, f"view {shown} is the keys, which learn nothing beside a queue")
        return table.rows
    _numerical(table, subject, views, value, without if held else (), size)
    if held:
        table.add("every view learns", True, f"told: {held}")
    elif without:
        table.add("every view learns", False, f"view {shown} of {len(views)} gets no gradient: keys detached")
    else:
        table.add("every view learns", True, "all do")
    return table.rows


def _numerical(
    table: Table, subject: Subject, views: list[Tensor], value: Tensor, held: Sequence[int], size: int
) -> None:
    """Against differences of the value; along the views that the code holds still there is nothing to compare."""
    if value.dtype != torch.float64:
        table.inapplicable("gradcheck", f"it computes in {str(value.dtype).removeprefix('torch.')}")
        return
    learning = [number for number in range(len(views)) if number not in held]

    def run(*moved: Tensor) -> Tensor:
        given = [each.detach() for each in views]
        for number, each in zip(learning, moved):
            given[number] = each
        return subject.value(given, configured=size)

    try:
        gradcheck(run, [views[number] for number in learning], fast_mode=True)
    except GradcheckError as error:
        first = " ".join(str(error).split())
        table.add("gradcheck", False, f"the gradient is not that of the value: {first[:160]}")
    except Exception as error:
        table.add("gradcheck", False, short(error))
    else:
        table.add("gradcheck", True, "the gradient is that of the value")
