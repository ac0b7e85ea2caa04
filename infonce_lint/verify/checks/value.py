"""Value and gradient against the reference loss, for every number of views that the loss takes."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from infonce_lint.verify.checks.base import Table, attempt, batch_of, has_queue, view_counts
from infonce_lint.verify.matching import (
    SAMPLES,
    Match,
    fixed_denominator,
    forms_for,
    match,
    mistake,
    temperatures,
    tolerance,
)
from infonce_lint.verify.rows import Row
from infonce_lint.verify.subject import Subject

FAMILY = "value"


def check(subject: Subject) -> tuple[list[Row], Match | None]:
    """Rows for 2, 3 and 4 views, and what the loss computes on the fewest that it takes."""
    table = Table(FAMILY)
    if not subject.plan.layout.is_plain:
        table.inapplicable("value", f"the reference takes no {subject.plan.layout.value}")
        return table.rows, None
    if subject.plan.views < 2:
        table.inapplicable("value", "the loss takes one view, and nothing is its positive")
        return table.rows, None
    if has_queue(subject):
        table.inapplicable("value", "it compares with a queue of rows besides the batch, which the reference has not")
        return table.rows, None
    first: Match | None = None
    counts = view_counts(subject)
    for count in (2, 3, 4):
        if count not in counts:
            table.inapplicable(f"value, {count} views", f"it takes {counts[0]} views")
            continue
        batch = batch_of(subject, SAMPLES[0], count)
        value, problem = attempt(subject.value, batch, configured=SAMPLES[0])
        if value is None:
            table.add(f"value, {count} views", False, problem)
            continue
        if count > 2 and _reads_only_two(subject, batch, value):
            table.inapplicable(f"value, {count} views", "it reads the first 2 views and leaves the others out")
            continue
        found = match(subject, count)
        first = first or found
        if found is None:
            table.add(f"value, {count} views", False, _no_match(subject, count))
            continue
        table.add(f"value, {count} views", True, f"{found.told} at temperature {found.temperature:g}")
        _gradient(table, subject, found, count)
    return table.rows, first


def _reads_only_two(subject: Subject, batch: Sequence[Tensor], value: Tensor) -> bool:
    pair, _ = attempt(subject.value, batch[:2], configured=len(batch[0]))
    return pair is not None and torch.equal(pair, value)


def _gradient(table: Table, subject: Subject, found: Match, count: int) -> None:
    name = f"gradient, {count} views"
    if subject.plan.arrays:
        table.inapplicable(name, "it takes numpy arrays")
        return
    if not subject.plan.differentiable:
        table.add(name, False, "it has no gradient at its features")
        return
    mine, wanted = batch_of(subject, SAMPLES[1], count), batch_of(subject, SAMPLES[1], count)
    ours = _along(_gradients(subject.value(mine, configured=SAMPLES[1]), mine), mine)
    theirs = _along(_gradients(found.expected(wanted), wanted), wanted)
    distance = float((ours - theirs).norm() / theirs.norm())
    if distance <= 10 * tolerance(subject):
        table.add(name, True, f"that of {found.told}")
        return
    ratio = float(ours.norm() / theirs.norm())
    cosine = float(torch.cosine_similarity(ours, theirs, dim=0))
    table.add(
        name,
        False,
        f"the value is that of {found.told}, the gradient is not (length x {ratio:.3g}, cosine {cosine:.3g}): "
        "part of the loss is detached",
    )


def _gradients(value: Tensor, views: Sequence[Tensor]) -> list[Tensor]:
    found = torch.autograd.grad(value, list(views), allow_unused=True)
    return [torch.zeros_like(view) if each is None else each for view, each in zip(views, found)]


def _along(gradients: Sequence[Tensor], views: Sequence[Tensor]) -> Tensor:
    """Gradients without their part along each row: whether rows are brought to length 1 is another check's concern."""
    flat = []
    for gradient, view in zip(gradients, views):
        row = view.detach()
        flat.append(gradient - (gradient * row).sum(dim=1, keepdim=True) * row)
    return torch.cat([each.flatten() for each in flat])


def _no_match(subject: Subject, count: int) -> str:
    fixed = fixed_denominator(subject, count)
    if fixed is not None:
        return f"its sum is divided by {fixed:.4g} whatever the batch: a fixed denominator"
    batch = batch_of(subject, SAMPLES[1], count)
    value = float(subject.value(batch, configured=SAMPLES[1]).detach())
    temperature = temperatures(subject)[0]
    forms = {name: float(form(batch, temperature)) for name, form in forms_for(subject, count).items()}
    shown = ", ".join(f"{name} {wanted:.4g}" for name, wanted in forms.items() if "," not in name)
    told = mistake(subject, count)
    return f"{value:.4g} is no form of the loss ({shown})" + (f"; it is the value {told}" if told else "")
