"""What checks share: the number of views that a loss can be given, rows, and running it when it may fail."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from infonce_lint.semantic.names import words
from infonce_lint.sources.document import spoken_row
from infonce_lint.verify.knobs import Role
from infonce_lint.verify.matching import ONE_WAY, Match
from infonce_lint.verify.nature import SOFTMAX, detaching_rows
from infonce_lint.verify.outcome import NoLoss, short
from infonce_lint.verify.rows import Row, Status
from infonce_lint.verify.stacking import OTHER_ROWS, QUEUE_WORDS, Layout, views_of
from infonce_lint.verify.stub import CannotRun
from infonce_lint.verify.subject import Subject


class Table:
    """The rows of one family of checks, in order.

    ``aside`` says why the loss is none that these checks judge: what would fail then does not apply.
    """

    def __init__(self, family: str, aside: str = "") -> None:
        self.family = family
        self.aside = aside
        self.rows: list[Row] = []

    def add(self, name: str, status: Status | bool, detail: str) -> None:
        """Add a row; a bool says whether the check passed."""
        judged = (Status.PASS if status else Status.FAIL) if isinstance(status, bool) else status
        if judged is Status.FAIL and self.aside:
            judged, detail = Status.INAPPLICABLE, self.aside
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
    if plan.layout.takes_any_views or (plan.layout.is_rows and plan.asks(Role.VIEWS)):
        return (2, 3, 4)
    return (plan.views,)


#: Names of losses that have a softmax: without one, they are no other loss but a wrong one.
_SOFTMAX_WORDS = frozenset("nce infonce xent ntxent simclr supcon".split())


def aside_of(subject: Subject) -> str:
    """Why a loss is none that can be held against the reference, as far as its plan tells; empty if it may be one."""
    plan = subject.plan
    if plan.random and not has_queue(subject):  # whose rows may be drawn when they are first read
        return "it draws random numbers, and another draw has another value"
    misnamed = plan.nature == "a loss without a softmax" and _SOFTMAX_WORDS & set(words(subject.site.name))
    if plan.nature not in ("", SOFTMAX) and not misnamed:
        return f"{plan.nature} is no InfoNCE, whose reference is a softmax: this row does not apply"
    if plan.layout is Layout.SHARES:
        return "its rows are shares of clusters, and it compares the clusters"
    others = [name for name, kind in plan.extras if kind == OTHER_ROWS]
    if others and not QUEUE_WORDS & {word for name in others for word in words(name)}:
        return f"it takes another model's rows besides (`{', '.join(others)}`)"
    return ""


def rows_for(subject: Subject, found: Match | None) -> int:
    """How many samples a loss is run on by default: those it is configured for, or whole blocks of rows."""
    return subject.plan.configured if found is None or found.blocks == 1 else 2 * found.blocks


def size_for(subject: Subject, found: Match | None, samples: int) -> int:
    """What a loss that is run on ``samples`` is configured for; a number of blocks stays what it is."""
    return samples if found is None or found.blocks == 1 else subject.plan.configured


def held_on_purpose(subject: Subject, found: Match | None, aside: str = "") -> str:
    """Which view the code itself holds still, and where; empty if none, or if the loss is one that must not.

    A form that tells queries from keys may hold its keys still; in a symmetric one each view is the others' key.
    """
    rows = detaching_rows(subject.text, subject.site.name) if subject.plan.still else []
    may = bool(aside) or (found is not None and found.form in ONE_WAY)
    if not rows or not may:
        return ""
    views = ", ".join(str(number + 1) for number in subject.plan.still)
    places = ", ".join(spoken_row(subject.text, subject.site.path, row) for row in rows)
    return f"view {views} stands still, as the code says on row {places} (`.detach()` or `no_grad`)"


def has_queue(subject: Subject) -> bool:
    """Whether the text of a loss speaks of negatives from beside the batch: a queue or a memory bank, or an argument.

    Whether there is one in a run, only its value can tell: a bank may be empty.
    """
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
