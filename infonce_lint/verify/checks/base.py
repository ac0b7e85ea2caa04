"""What checks share: the number of views that a loss can be given, rows, and running it when it may fail."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from infonce_lint.verify.knobs import Role
from infonce_lint.verify.outcome import NoLoss, short
from infonce_lint.verify.rows import Row, Status
from infonce_lint.verify.stacking import Layout, views_of
from infonce_lint.verify.stub import CannotRun
from infonce_lint.verify.subject import Subject


class Table:
    """The rows of one family of checks, in order."""

    def __init__(self, family: str) -> None:
        self.family = family
        self.rows: list[Row] = []

    def add(self, name: str, status: Status | bool, detail: str) -> None:
        """Add a row; a bool says whether the check passed."""
        judged = (Status.PASS if status else Status.FAIL) if isinstance(status, bool) else status
        self.rows.append(Row(self.family, name, judged, detail))

    def inapplicable(self, name: str, why: str) -> None:
        """Add a row for a check that this loss gives nothing to look at."""
        self.add(name, Status.INAPPLICABLE, why)


def attempt(run: Callable[..., Tensor], *arguments: Any, **keywords: Any) -> tuple[Tensor | None, str]:
    """The value of a run, or None and one line about what it raised."""
    try:
        return run(*arguments, **keywords), ""
    except (CannotRun, NoLoss) as error:
        return None, str(error)
    except (Exception, SystemExit) as error:
        return None, short(error)


def batch_of(subject: Subject, samples: int, count: int | None = None, *, seed: int = 7) -> list[Tensor]:
    """Views for a loss, in the widest precision that it works in, with gradients if it has any."""
    dtype = torch.float64 if subject.plan.double else torch.float32
    views = views_of(samples, count or subject.plan.views, seed=seed, dtype=dtype)
    return [each.requires_grad_(subject.plan.differentiable) for each in views]


def view_counts(subject: Subject) -> tuple[int, ...]:
    """The numbers of views that a loss can be given."""
    plan = subject.plan
    if plan.layout.takes_any_views or (plan.layout is Layout.STACKED and plan.asks(Role.VIEWS)):
        return (2, 3, 4)
    return (plan.views,)


def near(left: float, right: float, close: float) -> bool:
    """Whether two values agree within ``close``, relative above 1 and absolute below."""
    return abs(left - right) <= close * max(1.0, abs(right))
