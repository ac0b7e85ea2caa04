"""The configured batch, a ragged one and twice the batch: each is to have the value of a loss made for it."""

from __future__ import annotations

from infonce_lint.verify.checks.base import Table, attempt, batch_of, near, rows_for, size_for
from infonce_lint.verify.knobs import CONFIGURED, Role
from infonce_lint.verify.matching import Match, tolerance
from infonce_lint.verify.rows import Row
from infonce_lint.verify.subject import Subject

FAMILY = "sizes"


def check(subject: Subject, found: Match | None) -> list[Row]:
    """Three rows."""
    table = Table(FAMILY)
    configured = rows_for(subject, found)
    ragged = configured - 3
    for name, samples in (
        (f"configured batch of {configured}", configured),
        (f"ragged batch of {ragged}", ragged),
        (f"twice the batch, {2 * configured}", 2 * configured),
    ):
        if found is not None and samples % found.blocks:
            table.inapplicable(name, f"its rows come in {found.blocks} equal blocks")
            continue
        size = size_for(subject, found, configured)
        value, problem = attempt(subject.value, batch_of(subject, samples), configured=size)
        if value is None:
            table.add(name, False, problem)
            continue
        shown = f"{float(value.detach()):.5g}"
        if not value.isfinite():
            table.add(name, False, shown)
            continue
        wanted, whose = _wanted(subject, found, samples)
        if wanted is None:
            table.add(name, True, f"{shown}; nothing to compare it with")
        elif near(float(value.detach()), wanted, tolerance(subject)):
            table.add(name, True, f"{shown}, as {whose}")
        else:
            table.add(name, False, f"{shown}, where {whose} gives {wanted:.5g}")
    return table.rows


def _wanted(subject: Subject, found: Match | None, samples: int) -> tuple[float | None, str]:
    """The right value for a batch, and who says so."""
    if subject.plan.asks(Role.SIZE) and subject.plan.configured == CONFIGURED and (found is None or found.blocks == 1):
        value, _ = attempt(subject.value, batch_of(subject, samples), configured=samples)
        if value is not None:
            return float(value.detach()), f"a loss configured for {samples}"
    if found is not None:
        return float(found.expected(batch_of(subject, samples)).detach()), "the reference"
    return None, ""
