"""The child process as its parent sees it: one warm process with torch in it, questions in, answers out."""

from __future__ import annotations

import contextlib
import json
import os
import select
import subprocess
import sys
import tempfile
import threading
import time
from types import TracebackType
from typing import IO, Any

from infonce_lint.verify.forks import late

#: The parent waits this much longer than the child, which ends a question itself where the system can fork; on a busy
#: machine the child may import for a while before its clock starts.
_GRACE = 60.0
_START_SECONDS = 180.0
#: What the child is given to end its question and itself.
_LEAVE_SECONDS = 5.0


class WorkerError(Exception):
    """The child process cannot be used at all; the text says why."""


class Worker:
    """Answers questions about losses in a child process that imports torch once. Use it in a ``with`` statement.

    Args:
        seconds: the time limit of one question.
        in_place: the child answers in its own process and not in forks of it, one question after the other.
    """

    def __init__(self, seconds: float = 60.0, *, in_place: bool = False) -> None:
        self.seconds = seconds
        self.has_cuda = False
        self._in_place = in_place
        self._on_device: Worker | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._buffer = b""
        self._scratch: tempfile.TemporaryDirectory[str] | None = None

    def __enter__(self) -> Worker:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def ask(self, question: str, **details: Any) -> dict[str, Any]:
        """The answer, or ``{"error": why}`` where the code under test crashed or took too long.

        Raises:
            WorkerError: torch is not installed, or the child does not start.
        """
        request = {"question": question, "seconds": self.seconds, **details}
        process = self.start()
        try:
            line = self._line(process, self.seconds + _GRACE, json.dumps(request).encode() + b"\n")
        except OSError:
            line = b""
        if line is None:
            self.close()
            return late(self.seconds)
        if not line:
            self.close()
            return {"error": "it ended the process that ran it"}
        answer: dict[str, Any] = json.loads(line)
        return answer

    def ask_on_device(self, question: str, **details: Any) -> dict[str, Any]:
        """The answer of a second child that initialises CUDA once for all questions; this one stays clean for forks.

        Raises:
            WorkerError: see `ask`.
        """
        if self._on_device is None:
            self._on_device = Worker(self.seconds, in_place=True)
        answer = self._on_device.ask(question, **details)
        if "CUDA error" in json.dumps(answer):  # nothing works in a process after one
            self._on_device.close()
        return answer

    def close(self) -> None:
        """End the child, which ends what it runs when its questions end."""
        if self._on_device is not None:
            self._on_device.close()
        process, self._process, self._buffer = self._process, None, b""
        if process is not None:
            assert process.stdin is not None and process.stdout is not None
            with contextlib.suppress(OSError):
                process.stdin.close()
            try:
                process.wait(_LEAVE_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()  # what it runs ends itself, by the time limit of its question
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(_LEAVE_SECONDS)
            process.stdout.close()
        if self._scratch is not None:
            self._scratch.cleanup()
            self._scratch = None

    def start(self) -> subprocess.Popen[bytes]:
        """The child, started if it does not run.

        Raises:
            WorkerError: torch is not installed, or the child does not start.
        """
        if self._process is not None and self._process.poll() is None:
            return self._process
        self.close()
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(path or os.getcwd() for path in sys.path)}
        if sys.platform == "linux":
            environment.setdefault("GLOO_SOCKET_IFNAME", "lo")
        # What the losses write lands in a scratch folder, and no file of the current one hides a module of Python's.
        self._scratch = tempfile.TemporaryDirectory(prefix="infonce-lint-", ignore_cleanup_errors=True)
        self._process = subprocess.Popen(
            [sys.executable, "-m", "infonce_lint.verify.child", *(["--in-place"] if self._in_place else [])],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
            cwd=self._scratch.name,
            start_new_session=True,  # Ctrl-C is for the parent, which then ends the child
        )
        hello = self._line(self._process, _START_SECONDS)
        if not hello:
            self.close()
            raise WorkerError("the child process does not start")
        told = json.loads(hello)
        problem = told.get("error")
        self.has_cuda = bool(told.get("cuda"))
        if problem:
            self.close()
            raise WorkerError(problem)
        return self._process

    def _line(self, process: subprocess.Popen[bytes], seconds: float, question: bytes = b"") -> bytes | None:
        """The child's next line, after a question; empty when it ended, None when that took longer than ``seconds``."""
        assert process.stdin is not None and process.stdout is not None
        if os.name == "nt":
            return _in_thread(process.stdin, process.stdout, seconds, question)
        deadline = time.monotonic() + seconds
        os.set_blocking(process.stdin.fileno(), False)
        while question or b"\n" not in self._buffer:
            asking = [process.stdin] if question else []
            left = max(0.0, deadline - time.monotonic())
            ready, taking, _ = select.select([process.stdout], asking, [], left)
            if not ready and not taking:
                return None
            if taking:
                question = question[os.write(process.stdin.fileno(), question[: select.PIPE_BUF]) :]
            if ready:
                piece = os.read(process.stdout.fileno(), 1 << 16)
                if not piece:
                    return b""
                self._buffer += piece
        line, _, self._buffer = self._buffer.partition(b"\n")
        return line


def _in_thread(stdin: IO[bytes], stdout: IO[bytes], seconds: float, question: bytes) -> bytes | None:
    """A question and its answer where pipes cannot be waited for: a thread waits, until the child is killed."""
    lines: list[bytes] = []

    def converse() -> None:
        with contextlib.suppress(OSError, ValueError):
            stdin.write(question)
            stdin.flush()
            lines.append(stdout.readline())

    thread = threading.Thread(target=converse, daemon=True)
    thread.start()
    thread.join(seconds)
    if thread.is_alive():
        return None
    return lines[0] if lines else b""
