"""Whole processes measured: seconds, highest memory, and instructions, which a busy machine does not change."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import threading
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
_LIMIT = 3600.0  # seconds for one process
_COUNTERS = (
    (["perf", "stat", "-x,", "-e", "instructions:u"], re.compile(r"^(\d+),,instructions", re.MULTILINE)),
    (
        ["valgrind", "--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null"],
        re.compile(r"I\s+refs:\s+([\d,]+)"),
    ),
)


@dataclass(frozen=True)
class Run:
    """One run: wall seconds, and the peak of the largest of its processes in MiB."""

    seconds: float
    mebibytes: float


def timed(command: list[str], folder: Path) -> Run:
    """Run a command in ``folder``, its output thrown away; linters may end with the exit code 1.

    Raises:
        RuntimeError: it failed otherwise.
    """
    started = time.perf_counter()
    child = subprocess.Popen(
        command, cwd=folder, env=_environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    watch = threading.Timer(_LIMIT, child.kill)  # `wait4` itself knows no limit
    watch.start()
    _, status, usage = os.wait4(child.pid, 0)
    seconds = time.perf_counter() - started
    watch.cancel()
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode not in (0, 1):
        raise RuntimeError(f"exit code {child.returncode}: {' '.join(command)[:200]}")
    return Run(seconds, usage.ru_maxrss / 1024)


def instructions(command: list[str], folder: Path) -> float | None:
    """Millions of instructions of a command's first process; None where neither perf nor valgrind can count them."""
    for counter, pattern in _COUNTERS:
        if shutil.which(counter[0]) is None:
            continue
        counted = subprocess.run(
            [*counter, *command],
            cwd=folder,
            env=_environment(),
            capture_output=True,
            text=True,
            check=False,
            timeout=_LIMIT,
        )
        found = pattern.search(counted.stderr)
        if found:
            return int(found[1].replace(",", "")) / 1e6
    return None


def _environment() -> dict[str, str]:
    """Bytecode is written and used, as where packages are installed; dictionaries have one order in all runs."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return kept | {"PYTHONPATH": str(ROOT), "PYTHONHASHSEED": "0"}
