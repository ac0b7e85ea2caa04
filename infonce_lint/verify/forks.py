"""Forks of this process, each at work under a time limit: what takes longer is killed, and nothing is left behind."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

_TICK = 0.2  # seconds between two looks at whether the work is still wanted
#: A fork ends itself so long after its limit: whoever should have ended it is gone then.
_MARGIN = 5.0
#: The system is given this long to let go of a process that was killed.
_LEAVE_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Ended:
    """What became of a fork: its ``answer`` (None without one), whether it was ``late``, its exit code if known."""

    answer: Any
    late: bool
    code: int | None


def late(seconds: float) -> dict[str, Any]:
    """The answer to a question that took too long: no verdict on the loss, which a faster machine may have run."""
    return {"error": f"it took more than {seconds:g} s and was stopped", "late": True}


def run(
    works: Sequence[Callable[[], Any]],
    seconds: float,
    *,
    leads: bool = False,
    wanted: Callable[[], bool] = lambda: True,
) -> list[Ended]:
    """Do each of ``works`` in a fork of its own, all at once, and return when all have ended or their time is over.

    Args:
        works: what the forks do; they give plain data.
        seconds: the time for all of them together.
        leads: each fork leads a process group, and whatever it starts ends with it.
        wanted: asked now and then; once it is false, the forks end at once.

    Raises:
        OSError: the system lets this process have no more pipes or forks.
    """
    deadline = time.monotonic() + seconds
    started: list[_Fork] = []
    try:
        for work in works:
            started.append(_Fork(work, seconds, leads))
        _listen(started, deadline, wanted)
    finally:  # also when this process is interrupted
        for fork in started:
            fork.end()
    return [fork.ended() for fork in started]


class _Fork:
    """One process, and the pipe that it answers through: one line of JSON."""

    def __init__(self, work: Callable[[], Any], seconds: float, leads: bool) -> None:
        self.data = b""
        self.is_open = True
        self._leads = leads
        self._code: int | None = None
        self.reader, writer = os.pipe()
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)  # threads are what the forks take care of
                self._process = os.fork()
        except OSError:
            os.close(self.reader)
            os.close(writer)
            raise
        if self._process == 0:
            _work(work, writer, seconds, leads)
        os.close(writer)

    def read(self) -> None:
        """Take what there is to read; with a whole line the fork has said what it had to say."""
        piece = os.read(self.reader, 1 << 16)
        self.data += piece
        self.is_open = bool(piece) and not piece.endswith(b"\n")

    def end(self) -> None:
        """Kill what is left of it."""
        for kill in (os.killpg, os.kill) if self._leads else (os.kill,):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                kill(self._process, signal.SIGKILL)
        deadline = time.monotonic() + _LEAVE_SECONDS
        with contextlib.suppress(ChildProcessError):  # somebody else in this process has waited for it
            while True:
                process, status = os.waitpid(self._process, os.WNOHANG)
                if process:
                    self._code = os.waitstatus_to_exitcode(status)
                if process or time.monotonic() > deadline:
                    break
                time.sleep(0.002)
        os.close(self.reader)

    def ended(self) -> Ended:
        """What became of it."""
        return Ended(json.loads(self.data) if self.data.endswith(b"\n") else None, self.is_open, self._code)


def _listen(forks: Sequence[_Fork], deadline: float, wanted: Callable[[], bool]) -> None:
    while True:
        readers = {fork.reader: fork for fork in forks if fork.is_open}
        left = deadline - time.monotonic()
        if not readers or left <= 0 or not wanted():
            return
        ready, _, _ = select.select(list(readers), [], [], min(left, _TICK))
        for reader in ready:
            readers[reader].read()


def _work(work: Callable[[], Any], writer: int, seconds: float, leads: bool) -> NoReturn:
    """The life of a fork; nothing that was under way in the process that it was forked from goes on here."""
    code = 1
    try:
        if leads:
            os.setsid()
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.setitimer(signal.ITIMER_REAL, seconds + _MARGIN)  # no thread, no lock: it holds whatever hangs
        data = json.dumps(work()).encode() + b"\n"
        with os.fdopen(writer, "wb") as pipe:
            pipe.write(data)
        code = 0
        if leads:
            os.killpg(0, signal.SIGKILL)
    finally:
        os._exit(code)
