"""A low temperature: similarities over 0.01 reach 100, whose exponential float32 does not hold."""

from __future__ import annotations

import torch
from torch import Tensor

from infonce_lint.verify.checks.base import Table, attempt, near, rows_for, size_for
from infonce_lint.verify.matching import Match
from infonce_lint.verify.rows import Row
from infonce_lint.verify.stacking import views_of
from infonce_lint.verify.subject import Subject

FAMILY = "temperature"
LOW = 0.01
_CLOSE_BY, _APART = 0.1, 1.5  # how far the views of a sample lie apart


def check(subject: Subject, found: Match | None) -> list[Row]:
    """One row."""
    table = Table(FAMILY)
    name = f"temperature {LOW:g}"
    if not subject.plan.takes_temperature:
        table.inapplicable(name, "its temperature is written into its code")
        return table.rows
    samples = rows_for(subject, found)
    value: Tensor | None = None
    for spread in (_CLOSE_BY, _APART):  # positives that are almost equal have the largest similarity there is
        value, problem = _finite(subject, found, samples, spread)
        if value is None:
            table.add(name, False, problem)
            return table.rows
    assert value is not None
    got = float(value)
    if found is None:
        table.add(name, True, f"{got:.5g}, finite")
        return table.rows
    exact = views_of(samples, subject.plan.views)
    wanted = float(found.expected(exact, LOW))
    close = max(20 * torch.finfo(torch.float32).eps / LOW, 1e-4)
    by_design = wanted * LOW / found.temperature  # MoCo v3 multiplies the loss with its temperature
    right = near(got, wanted, close) or near(got, by_design, close)
    table.add(name, right, f"{got:.5g}, the reference in float64 {wanted:.5g}")
    return table.rows


def _finite(subject: Subject, found: Match | None, samples: int, spread: float) -> tuple[Tensor | None, str]:
    """The value at the low temperature, if it and its gradient are finite in float32; else why there is none."""
    views = views_of(samples, subject.plan.views, dtype=torch.float32, spread=spread)
    views = [each.requires_grad_(subject.plan.differentiable) for each in views]
    value, problem = attempt(subject.value, views, configured=size_for(subject, found, samples), temperature=LOW)
    if value is None:
        return None, problem
    finite = bool(value.isfinite())
    if finite and value.requires_grad:
        gradients = torch.autograd.grad(value, views, allow_unused=True)
        finite = all(bool(each.isfinite().all()) for each in gradients if each is not None)
    if finite:
        return value.detach(), ""
    return None, (
        f"value {float(value.detach()):.4g} or its gradient is not finite in float32: `.exp()` of similarities / T "
        "without a shift overflows; take logsumexp, or shift by the maximum"
    )
