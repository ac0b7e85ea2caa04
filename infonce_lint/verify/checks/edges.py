"""Where losses end: the smallest batches, a row that has no positive, the gradient of a learned temperature."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from infonce_lint.semantic.names import words
from infonce_lint.verify.checks.base import Table, attempt, batch_of
from infonce_lint.verify.knobs import CONFIGURED, Role, role_of
from infonce_lint.verify.matching import Match
from infonce_lint.verify.rows import Row
from infonce_lint.verify.stub import Record
from infonce_lint.verify.subject import Subject

FAMILY = "edges"
_IDS = frozenset("id ids idx index indices indexes".split())  # of samples: each of their rows has its other view


def check(subject: Subject, found: Match | None, aside: str = "") -> list[Row]:
    """Two rows for the smallest batches, and one each for labels and for learned temperatures, where there are any."""
    table = Table(FAMILY, "" if subject.plan.random else aside)
    for samples in (2, 1):
        _smallest(table, subject, found, samples)
    if any(kind.startswith("row ids") and not _IDS & set(words(name)) for name, kind in subject.plan.extras):
        _without_positive(table, subject)
    if not subject.plan.arrays:
        _temperature(table, subject)
    return table.rows


def _smallest(table: Table, subject: Subject, found: Match | None, samples: int) -> None:
    """The last batch of an epoch may hold this few; one sample alone has no negative, and may be refused aloud."""
    name = f"batch of {samples} sample{'s' if samples > 1 else ''}"
    if subject.plan.configured != CONFIGURED:
        table.inapplicable(name, "its size is written into its code")
        return
    if found is not None and found.blocks > 1:
        table.inapplicable(name, f"its rows come in {found.blocks} equal blocks")
        return
    batch = batch_of(subject, samples)
    value, problem = attempt(subject.value, batch, configured=samples)
    if value is None:
        table.add(name, samples == 1, f"told: it raises {problem}" if samples == 1 else problem)
    elif value.isfinite():
        table.add(name, True, f"{float(value.detach()):.5g}")
    elif samples == 1 and (found is None or not found.expected([each.detach() for each in batch]).isfinite()):
        table.add(name, True, f"told: {float(value.detach())}: one sample has no negative; drop such a batch")
    else:
        table.add(name, False, f"{float(value.detach())}, silently: it reaches the weights with the next step")


def _without_positive(table: Table, subject: Subject) -> None:
    """Every row with an id of its own, as the last batch or a rare class brings it."""
    name = "an anchor without a positive"
    value, problem = attempt(subject.value, batch_of(subject, subject.plan.configured), alone=True)
    if value is None:
        table.add(name, True, f"told: it raises {problem}")
    elif value.isfinite():
        table.add(name, True, f"{float(value.detach()):.5g}, finite")
    else:
        table.add(
            name,
            False,
            f"{float(value.detach())}: NaN for an anchor without positive, a mean over nothing; leave it out, or clamp "
            "the count",
        )


def _temperature(table: Table, subject: Subject) -> None:
    """Whether each learned number of the loss's own module has a gradient that is finite."""
    learned: dict[str, Tensor] = {}
    views = batch_of(subject, subject.plan.configured)

    def run() -> Tensor:
        knobs = replace(subject.knobs, views=len(views), given=len(views[0]), configured=subject.plan.configured)
        return subject.run(subject.plan, knobs, views, Record(), learned=learned).value

    value, _ = attempt(run)
    numbers = {name: each for name, each in learned.items() if each.numel() == 1 and each.requires_grad}
    numbers = {name: each for name, each in numbers.items() if _is_temperature(name)}
    if value is None or not value.requires_grad or not value.isfinite() or not numbers:
        return
    gradients = torch.autograd.grad(value, list(numbers.values()), allow_unused=True)
    for name, gradient in zip(numbers, gradients):
        title = "gradient of the temperature"
        if gradient is None:
            table.add(title, True, f"told: none reaches `{name}`, which never learns")
        elif gradient.isfinite().all():
            table.add(title, True, f"{float(gradient):.5g} at `{name}`")
        else:
            table.add(
                title,
                False,
                f"{float(gradient)} at `{name}`, though the value is finite: -inf is divided by it (mask afterwards)",
            )


def _is_temperature(name: str) -> bool:
    return role_of(name.rpartition(".")[2]) in (Role.TEMPERATURE, Role.SCALE)
