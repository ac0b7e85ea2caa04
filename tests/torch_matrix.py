"""The reference and ``verify`` on every torch that is claimed: ``python -m tests.torch_matrix [VERSION ...]``.

Makes a virtual environment for each version (in a temporary folder, or under ``--into``, where one that is there
already is taken as it is), runs ``tests/reference`` and ``tests/verify`` in it, and prints the counts. Needs a package
index; versions for CUDA bring gigabytes along.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
#: The lowest version that pyproject.toml claims, two between, the last but one, and the newest that was tried.
VERSIONS = ("2.1.0", "2.4.0", "2.9.0", "2.11.0", "2.13.0")
TESTS = ("tests/reference", "tests/verify")
_NUMPY_1 = (2, 3)  # torch before this version was built against numpy 1
_INSTALL_SECONDS, _TEST_SECONDS = 1800, 2400


@dataclass(frozen=True)
class Result:
    """What became of one version: counts of pytest by their words, or why there are none."""

    version: str
    counts: dict[str, int]
    seconds: float = 0.0
    problem: str = ""

    @property
    def is_green(self) -> bool:
        """Whether tests ran and none failed."""
        return bool(self.counts.get("passed")) and not self.counts.get("failed") and not self.counts.get("error")

    @property
    def row(self) -> str:
        """One row of the table."""
        told = self.problem or ", ".join(f"{number} {word}" for word, number in self.counts.items())
        return f"| {self.version} | {told} | {self.seconds:.0f} s |"


def counts_of(output: str) -> dict[str, int]:
    """The numbers of pytest's last line: ``3 failed, 200 passed, 2 skipped in 61.20s``."""
    last = next((line for line in reversed(output.splitlines()) if re.search(r"\d+ (passed|failed|error)", line)), "")
    return {
        word.removesuffix("s"): int(number) for number, word in re.findall(r"(\d+) ([a-z]+)", last.split(" in ")[0])
    }


def packages_for(version: str) -> list[str]:
    """What an environment needs besides torch to run the two folders of tests."""
    numpy = "numpy<2" if tuple(map(int, version.split(".")[:2])) < _NUMPY_1 else "numpy"
    return [numpy, "pytest", "pytest-timeout", "hypothesis"]


def environment(version: str, folder: Path) -> Path:
    """The interpreter of an environment with that torch, made if it is not there."""
    home = folder / f"torch-{version}"
    interpreter = home / ("Scripts" if os.name == "nt" else "bin") / "python"
    if not interpreter.exists():
        _run([sys.executable, "-m", "venv", str(home)], _INSTALL_SECONDS)
        wanted = [f"torch=={version}", *packages_for(version), f"{ROOT}"]
        _run([str(interpreter), "-m", "pip", "install", "--quiet", *wanted], _INSTALL_SECONDS)
    return interpreter


def tested(version: str, folder: Path, more: Sequence[str]) -> Result:
    """The tests on one version."""
    started = time.monotonic()
    try:
        interpreter = environment(version, folder)
        options = ["-q", "-p", "no:cacheprovider", "-o", "addopts=", "-m", "not benchmark"]
        command = [str(interpreter), "-m", "pytest", *options, *TESTS, *more]
        surroundings = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
        done = subprocess.run(
            command, cwd=ROOT, env=surroundings, capture_output=True, text=True, timeout=_TEST_SECONDS, check=False
        )
    except subprocess.CalledProcessError as error:
        lines = error.stderr.strip().splitlines() or ["no reason given"]
        return Result(version, {}, time.monotonic() - started, f"not installed: {lines[-1][:120]}")
    except subprocess.TimeoutExpired as error:
        return Result(version, {}, time.monotonic() - started, f"stopped after {error.timeout:g} s")
    (folder / f"torch-{version}.log").write_text(done.stdout + done.stderr, encoding="utf-8")
    return Result(version, counts_of(done.stdout), time.monotonic() - started)


def _run(command: Sequence[str], seconds: float) -> None:
    subprocess.run(command, capture_output=True, text=True, timeout=seconds, check=True)


def main(arguments: Sequence[str]) -> int:
    """Run the matrix; the result is the exit code."""
    made = argparse.ArgumentParser(prog="python -m tests.torch_matrix", description=__doc__)
    made.add_argument("versions", nargs="*", default=list(VERSIONS), metavar="VERSION")
    made.add_argument("--into", type=Path, help="keep the environments and the logs here")
    made.add_argument("--pytest", action="append", default=[], metavar="OPTION", help="one more option for pytest")
    given = made.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="torch-matrix-") as scratch:
        folder = given.into or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        print("| torch | tests | time |\n|---|---|---|", flush=True)
        results = []
        for version in given.versions:
            results.append(tested(version, folder, given.pytest))
            print(results[-1].row, flush=True)
    return 0 if all(each.is_green for each in results) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
