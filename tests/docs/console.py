"""Console blocks of a page: each ``$ command`` in them is really run, and the page shows what it printed.

All commands of a page run one after the other in one new folder that holds a copy of ``docs/examples``.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
BLOCK = re.compile(r"^```console\n(.*?)^```$", re.DOTALL | re.MULTILINE)
NUMBER = re.compile(r"-?\d+\.\d+(?:e[+-]?\d+)?")
MARK = re.compile(r"^\s*[~^]+\s*$")  # the marks below a traceback's lines differ between Python versions


def with_fresh_output(page: str) -> str:
    """The page with every command's output as it is now."""
    if not BLOCK.search(page):
        return page
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch).resolve() / "project"
        shutil.copytree(DOCS / "examples", folder, ignore=shutil.ignore_patterns("__pycache__", ".*"))
        session = _Session(folder)
        return BLOCK.sub(lambda block: f"```console\n{session.play(block[1])}```", page)


def differences(page: str, fresh: str) -> list[str]:
    """The first lines in which two versions of a page disagree.

    Numbers with a decimal point may differ by 2 in the second place, and those with an exponent by a factor of 4, since
    processors and library versions round differently.
    """
    lines = zip_longest(_lines(page), _lines(fresh), fillvalue="(no such line)")
    return [f"page: {old}\nnow:  {new}" for old, new in lines if not _alike(old, new)][:3]


class _Session:
    """A folder, and the exit code of the command before."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.status = 0
        scripts = Path(sys.executable).parent  # where `python` and `infonce-lint` are, also in an inactive environment
        dropped = ("FORCE_COLOR", "PYTHONHASHSEED", "CLICOLOR_FORCE")
        self.environment = {name: value for name, value in os.environ.items() if name not in dropped} | {
            "PATH": f"{scripts}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONWARNINGS": "ignore",
            "NO_COLOR": "1",
            "COLUMNS": "100",
            "CUDA_VISIBLE_DEVICES": "",
            "OMP_NUM_THREADS": "1",
        }

    def play(self, block: str) -> str:
        """The commands of a block with what they print."""
        commands = [line for line in block.splitlines() if line.startswith("$ ")]
        return "".join(f"{command}\n{self.run(command.removeprefix('$ '))}" for command in commands)

    def run(self, command: str) -> str:
        """What a command prints to both streams, with this machine's folders left out."""
        finished = subprocess.run(
            ["bash", "-c", f"(exit {self.status}); {command}"],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=120,
            check=False,
        )
        self.status = finished.returncode
        text = finished.stdout.replace(f"{self.folder}{os.sep}", "")
        lines = (line.rstrip() for line in re.sub(r'(?<=File ")[^"]*site-packages/', "", text).splitlines())
        return "".join(f"{line}\n" for line in lines)


def _lines(page: str) -> Iterator[str]:
    return (line for line in page.splitlines() if not MARK.match(line))


def _alike(old: str, new: str) -> bool:
    if NUMBER.sub("#", old) != NUMBER.sub("#", new):
        return False
    return all(_close(one, other) for one, other in zip(NUMBER.findall(old), NUMBER.findall(new)))


def _close(one: str, other: str) -> bool:
    if "e" in one and "e" in other:
        return float(one) <= 4 * float(other) and float(other) <= 4 * float(one)
    return abs(float(one) - float(other)) <= 0.02
