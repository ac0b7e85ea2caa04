"""The gradient against differences of the value, and whether every view gets one."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.autograd.gradcheck import GradcheckError, gradcheck

from infonce_lint.verify.checks.base import Table, attempt, batch_of, has_queue
from infonce_lint.verify.knobs import CONFIGURED
from infonce_lint.verify.outcome import short
from infonce_lint.verify.rows import Row
from infonce_lint.verify.subject import Subject

FAMILY = "gradients"


def check(subject: Subject) -> list[Row]:
    """Two rows."""
    table = Table(FAMILY)
    if subject.plan.arrays:
        table.inapplicable("gradcheck", "it takes numpy arrays")
        return table.rows
    if not subject.plan.differentiable:
        table.add("gradcheck", False, "no gradient reaches the features")
        return table.rows
    samples = 3 if subject.plan.configured == CONFIGURED else subject.plan.configured
    views = batch_of(subject, samples)
    value, problem = attempt(subject.value, views, configured=samples)
    if value is None:
        table.add("gradcheck", False, problem)
        return table.rows
    gradients = torch.autograd.grad(value, views, allow_unused=True)
    without = [
        str(number) for number, each in enumerate(gradients, start=1) if each is None or not each.abs().max() > 0
    ]
    if without and has_queue(subject):
        for name in ("gradcheck", "every view learns"):
            table.inapplicable(name, f"view {', '.join(without)} is the keys, which learn nothing beside a queue")
        return table.rows
    _numerical(table, subject, views, value)
    table.add(
        "every view learns",
        not without,
        f"view {', '.join(without)} of {len(views)} gets no gradient: it is detached" if without else "all do",
    )
    return table.rows


def _numerical(table: Table, subject: Subject, views: list[Tensor], value: Tensor) -> None:
    samples = len(views[0])
    if value.dtype != torch.float64:
        table.inapplicable("gradcheck", f"it computes in {str(value.dtype).removeprefix('torch.')}")
        return
    try:
        gradcheck(lambda *each: subject.value(each, configured=samples), views, fast_mode=True)
    except GradcheckError as error:
        first = " ".join(str(error).split())
        table.add("gradcheck", False, f"the gradient is not that of the value: {first[:160]}")
    except Exception as error:
        table.add("gradcheck", False, short(error))
    else:
        table.add("gradcheck", True, "the gradient is that of the value")
