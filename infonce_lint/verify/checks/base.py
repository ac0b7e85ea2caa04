"""What checks share: the number of views that a loss can be given, rows, and running it when it may fail."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from infonce_lint.semantic.names import words
from infonce_lint.verify.knobs import Role
from infonce_lint.verify.outcome import NoLoss, short
from infonce_lint.verify.rows import Row, Status
from infonce_lint.verify.stacking import QUEUE_WORDS, Layout, views_of
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


def has_queue(subject: Subject) -> bool:
    """Whether a loss takes negatives from beside the batch: a queue or a memory bank, its own or an argument."""
    if any(kind != "none" and QUEUE_WORDS & set(words(name)) for name, kind in subject.plan.extras):
        return True
    last = subject.site.name.rpartition(".")[2]
    tree = ast.parse(subject.text)
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name == last]
    return any(_is_queue(node) for function in functions for part in function.body for node in ast.walk(part))


_NO_ROWS = frozenset("use has with size len length ptr pointer".split())


def _is_queue(node: ast.AST) -> bool:
    """``self.queue`` or ``memory_bank``, but neither ``queue_size`` nor an argument, which may well be None."""
    name = node.attr if isinstance(node, ast.Attribute) else ""
    found = set(words(name))
    return not found.isdisjoint({"queue", "bank"}) and found.isdisjoint(_NO_ROWS)


def near(left: float, right: float, close: float) -> bool:
    """Whether two values agree within ``close``, relative above 1 and absolute below."""
    return abs(left - right) <= close * max(1.0, abs(right))
