"""Ranks in a clean process, for a loss whose own process has used autograd with a GPU and cannot fork any more."""

from __future__ import annotations

import base64
import pickle
from collections.abc import Iterable

from infonce_lint.verify.matching import Match
from infonce_lint.verify.outcome import short
from infonce_lint.verify.rows import Row, Status
from infonce_lint.verify.subject import Subject
from infonce_lint.verify.worker import Worker, WorkerError

_SPOILED = "this process has used autograd with a GPU, and its forks cannot"


def rows_elsewhere(
    family: str, subject: Subject, found: Match | None, aside: str, names: Iterable[str], seconds: float
) -> list[Row]:
    """The rows of `checks.distributed`, from a process that never used autograd; n/a if the loss cannot get there.

    A loss gets there by its name: a function or class of a module, or an object of one.
    """
    try:
        packed = base64.b64encode(pickle.dumps((subject, found, aside))).decode("ascii")
    except Exception as error:  # a local function, a lambda, an open file
        return _none(family, names, f"{_SPOILED}, and the loss cannot be taken to another: {short(error)}")
    try:
        with Worker(seconds) as worker:
            answer = worker.ask("ranks", packed=packed)
    except WorkerError as error:
        return _none(family, names, f"{_SPOILED}, and there is no other: {error}")
    if "rows" in answer:
        return [Row.from_json(row) for row in answer["rows"]]
    return _none(family, names, f"{_SPOILED}, and another one says: {answer.get('error') or answer.get('cannot')}")


def _none(family: str, names: Iterable[str], why: str) -> list[Row]:
    return [Row(family, name, Status.INAPPLICABLE, why) for name in names]
