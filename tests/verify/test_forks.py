"""Forks under a time limit: what hangs is told and ended, whatever this process has done before."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("torch")
if not hasattr(os, "fork"):
    pytest.skip("needs processes that fork", allow_module_level=True)

import torch
from torch import Tensor

from infonce_lint.reference import info_nce_loss
from infonce_lint.testing import check_loss
from infonce_lint.verify import forks
from infonce_lint.verify.callables import CallableSubject
from infonce_lint.verify.checks import distributed
from infonce_lint.verify.rows import Row, Status
from infonce_lint.verify.search import find_plan
from tests.verify.samples import comes_true, is_running

HANGING = """
import os, pathlib, sys, time
import torch
from infonce_lint.reference import info_nce_loss
from infonce_lint.testing import check_loss

def loss(features: torch.Tensor) -> torch.Tensor:
    if torch.distributed.is_initialized() and torch.distributed.get_rank() == 1:
        pathlib.Path(sys.argv[1]).write_text(str(os.getpid()))
        time.sleep(600)
    return info_nce_loss(features)

check_loss(loss, checks=["distributed"])
"""


def rows_of(loss: object) -> list[Row]:
    """What the ranks of a loss come to."""
    subject = CallableSubject(loss, "loss", {})  # type: ignore[arg-type]
    subject.plan = find_plan(subject)
    return distributed.check(subject)


@pytest.fixture
def threads() -> Iterator[None]:
    """A pool of threads in this process, which forks do not inherit."""
    before = torch.get_num_threads()
    torch.set_num_threads(4)
    matrix = torch.rand(600, 600, requires_grad=True)
    (matrix @ matrix).softmax(dim=1).sum().backward()
    yield
    torch.set_num_threads(before)


@pytest.mark.slow
@pytest.mark.filterwarnings("error")
def test_ranks_need_no_thread_of_this_process(threads: None) -> None:
    check_loss(info_nce_loss, checks=["distributed"])
    assert torch.get_num_threads() == 4


@pytest.mark.slow
@pytest.mark.parametrize("how", ["sleeps", "loops"])
def test_a_rank_that_hangs_is_told_and_ended(how: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(distributed, "_LIMIT", 15.0)
    told = tmp_path / "pids"

    def loss(features: Tensor) -> Tensor:
        if torch.distributed.is_initialized():
            with told.open("a", encoding="ascii") as file:
                file.write(f"{os.getpid()}\n")
            while torch.distributed.get_rank() == 1:
                time.sleep(600 if how == "sleeps" else 0)
        return info_nce_loss(features)

    started = time.monotonic()
    first, *others = rows_of(loss)
    assert time.monotonic() - started < 60
    assert (first.status, first.detail) == (Status.SKIPPED, "stopped after 15 s without an answer of rank 0 and 1")
    assert {(row.status, row.detail) for row in others} == {(Status.SKIPPED, "not tried after 2 ranks on gloo")}
    ranks = told.read_text(encoding="ascii").split()
    assert len(ranks) == 2
    assert comes_true(lambda: not any(is_running(int(rank)) for rank in ranks))


def test_ranks_that_were_asked_for_and_stopped_are_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    row = Row("distributed", "2 ranks on gloo", Status.SKIPPED, "stopped")
    monkeypatch.setattr(distributed, "check", lambda *_: [row])
    with pytest.warns(UserWarning, match="info_nce_loss: 2 ranks on gloo: stopped"):
        check_loss(info_nce_loss, checks=["distributed"])


@pytest.mark.slow
def test_forks_that_torch_refuses_are_no_verdict() -> None:
    def loss(features: Tensor) -> Tensor:
        if torch.distributed.is_initialized():
            raise RuntimeError("Unable to handle autograd's threading in combination with fork-based multiprocessing.")
        return info_nce_loss(features)

    rows = rows_of(loss)
    assert {row.status for row in rows} == {Status.INAPPLICABLE}
    assert "used autograd with a GPU, and its forks cannot, and the loss cannot be taken to another" in rows[0].detail


SPOILED = False


def refused_in_forks_of_this_process(features: Tensor) -> Tensor:
    """What torch does to a process that has used autograd with a GPU; a clean one imports this module anew."""
    if SPOILED and torch.distributed.is_initialized():
        raise RuntimeError("Unable to handle autograd's threading in combination with fork-based multiprocessing.")
    return info_nce_loss(features)


@pytest.mark.slow
def test_ranks_of_a_process_that_cannot_fork_run_in_a_clean_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules[__name__], "SPOILED", True)
    rows = rows_of(refused_in_forks_of_this_process)
    assert [row.status for row in rows] == [Status.PASS] * 3
    assert "the mean of the ranks' own batches" in rows[0].detail


@pytest.mark.slow
@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_no_rank_outlives_its_caller(end: signal.Signals, tmp_path: Path) -> None:
    told = tmp_path / "pid"
    command = [sys.executable, "-c", HANGING, str(told)]
    caller = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        assert comes_true(lambda: told.exists() and told.read_text() != "")
        caller.send_signal(end)
        caller.wait(30)
        assert comes_true(lambda: not is_running(int(told.read_text())))
    finally:
        caller.kill()


def test_answers_crashes_and_what_is_late() -> None:
    def crash() -> None:
        os._exit(3)

    def fail() -> None:
        raise ValueError

    def sleep() -> None:
        time.sleep(600)

    answered, crashed, failed, late = forks.run([lambda: {"a": [1] * 99_999}, crash, fail, sleep], 2.0)
    assert answered.answer == {"a": [1] * 99_999}
    assert (crashed.answer, crashed.late, crashed.code) == (None, False, 3)
    assert (failed.answer, failed.late, failed.code) == (None, False, 1)
    assert (late.answer, late.late, late.code) == (None, True, -signal.SIGKILL)


def test_what_a_leader_started_ends_with_it() -> None:
    def start() -> int:
        return subprocess.Popen(["sleep", "600"]).pid

    (ended,) = forks.run([start], 30.0, leads=True)
    assert comes_true(lambda: not is_running(ended.answer))


def test_nothing_goes_on_that_nobody_wants() -> None:
    started = time.monotonic()
    (ended,) = forks.run([lambda: time.sleep(600)], 60.0, wanted=lambda: False)
    assert ended.late
    assert time.monotonic() - started < 30


def test_a_fork_ends_itself_where_nobody_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forks, "_MARGIN", -59.0)
    (ended,) = forks.run([lambda: time.sleep(600)], 60.0)
    assert (ended.late, ended.code) == (False, -signal.SIGALRM)
