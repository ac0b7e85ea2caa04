"""The experiment behind a proof: the loss before and after its fix, at the configured size and at others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from infonce_lint.verify.checks.base import view_counts
from infonce_lint.verify.knobs import CONFIGURED, RAGGED, TWICE, Knobs
from infonce_lint.verify.outcome import NoLoss, short
from infonce_lint.verify.search import find_subject
from infonce_lint.verify.site import Site
from infonce_lint.verify.stacking import views_of
from infonce_lint.verify.stub import CannotRun
from infonce_lint.verify.subject import Subject

_TOLERANCE = 1e-6


@dataclass(frozen=True, slots=True)
class _Run:
    """What one run gave: everything that it returned and the gradient at its features, or what it raised."""

    tensors: tuple[Tensor, ...] = ()
    value: float = float("nan")
    error: str = ""

    def same_as(self, other: _Run) -> bool:
        """Whether two runs gave the same, but for the order in which floating-point numbers were added."""
        if self.error or other.error or len(self.tensors) != len(other.tensors):
            return False
        return all(_equal(a, b) for a, b in zip(self.tensors, other.tensors))

    @property
    def shown(self) -> str:
        """The value or the error, in one line."""
        return self.error or f"{self.value:.6g}"


def experiment(site: Site, original: str, fixed: str, knobs: Knobs) -> dict[str, Any]:
    """Run the loss before and after its fix.

    Returns:
        ``reproduced``: what goes wrong before, or an empty text. ``proven``: whether the fixed loss has the old value
        at the configured size, for every number of views that the old one takes, and the value of a loss configured for
        them at 5 and at 16. ``message``: in words.

    Raises:
        CannotRun: the loss before its fix cannot be run even at the size that it is configured for.
    """
    before = find_subject(site, original, knobs)
    after = Subject(site, fixed, knobs, before.plan)
    wanted = {size: _run(before, size, size) for size in (CONFIGURED, RAGGED, TWICE)}
    if wanted[RAGGED].error:
        raise CannotRun(f"even configured for {RAGGED} it fails on {RAGGED}: {wanted[RAGGED].error}")
    seen = {size: _run(before, CONFIGURED, size) for size in (RAGGED, TWICE)}
    reproduced = ""
    for size in (RAGGED, TWICE):
        if not seen[size].same_as(wanted[size]):
            reproduced = f"configured {CONFIGURED}, given {size}: {seen[size].shown}"
            if not seen[size].error:
                reproduced += f", where a loss configured for {size} gives {wanted[size].shown}"
            break
    problems = []
    for size in (CONFIGURED, RAGGED, TWICE):
        got = _run(after, CONFIGURED, size, repaired=True)
        if not got.same_as(wanted[size]):
            problems.append(f"fixed, it gives {got.shown} at {size}, where {wanted[size].shown} was to be expected")
    problems += _other_views(before, after)
    return {
        "reproduced": reproduced,
        "proven": not problems,
        "message": problems[0]
        if problems
        else f"same value at {CONFIGURED}, value of a configured {RAGGED} at {RAGGED}",
        "plan": before.plan.as_json(),
    }


def _other_views(before: Subject, after: Subject) -> list[str]:
    """What a fix changes at the configured size with other numbers of views, where the original took them."""
    problems = []
    for count in view_counts(before):
        wanted = _run(before, CONFIGURED, CONFIGURED, views=count)
        got = _run(after, CONFIGURED, CONFIGURED, repaired=True, views=count)
        if not wanted.error and not got.same_as(wanted):
            problems.append(f"fixed, it gives {got.shown} at {count} views, where {wanted.shown} was to be expected")
    return problems


def _run(subject: Subject, configured: int, given: int, *, repaired: bool = False, views: int = 0) -> _Run:
    rows = views_of(given, views or subject.plan.views, dtype=torch.float32)
    rows = [each.requires_grad_(not subject.plan.arrays) for each in rows]
    try:
        outcome = subject.outcome(rows, configured=configured, repaired=repaired)
        gradients: tuple[Tensor, ...] = ()
        if outcome.value.requires_grad:
            found = torch.autograd.grad(outcome.value, rows, allow_unused=True)
            gradients = tuple(torch.zeros(()) if each is None else each for each in found)
    except CannotRun as error:
        raise CannotRun(f"{error}") from None
    except (Exception, NoLoss, SystemExit) as error:
        return _Run(error=short(error))
    tensors = tuple(each.detach() for each in outcome.tensors) + gradients
    return _Run(tensors, outcome.value.item())


def _equal(left: Tensor, right: Tensor) -> bool:
    if left.shape != right.shape or left.dtype != right.dtype:
        return False
    if torch.equal(left, right):
        return True
    if not left.is_floating_point():
        return False
    return torch.allclose(left.double(), right.double(), rtol=_TOLERANCE, atol=_TOLERANCE, equal_nan=True)
