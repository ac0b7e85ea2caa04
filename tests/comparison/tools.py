"""The tools that are compared, and what each reports: rows of files."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from infonce_lint.engine.linter import lint_bytes
from infonce_lint.settings import Settings

HERE = Path(__file__).parent
Place: TypeAlias = tuple[Path, int]
"""A file and a row; rows count from 1."""


@dataclass(frozen=True)
class Tool:
    """A way of looking for configured sizes, and the command that it needs (empty: none)."""

    name: str
    report: Callable[[Sequence[Path]], set[Place]]
    command: str = ""

    @property
    def installed(self) -> bool:
        """Whether it can run here."""
        return not self.command or shutil.which(self.command) is not None


def ours(files: Sequence[Path]) -> set[Place]:
    """The rows on which our findings start."""
    return {
        (file, finding.span.start.row)
        for file in files
        for finding in lint_bytes(file.read_bytes(), file.as_posix(), Settings())
    }


def text_search(files: Sequence[Path]) -> set[Place]:
    """Every row that speaks of a batch size, comments apart: what a careful person would grep for."""
    name = re.compile(r"batch_?size|\b(?:bs|bsz)\b", re.IGNORECASE)
    return {
        (file, row)
        for file in files
        for row, line in enumerate(file.read_text(encoding="utf-8").splitlines(), start=1)
        if name.search(line.partition("#")[0])
    }


def _semgrep(rules: str) -> Callable[[Sequence[Path]], set[Place]]:
    def report(files: Sequence[Path]) -> set[Place]:
        options = ["--metrics", "off", "--disable-version-check", "--no-git-ignore", "--quiet", "--json"]
        found = _json_of(["semgrep", "scan", "--config", str(HERE / rules), *options, *map(str, files)])
        return set(_places((each["path"], each["start"]["line"], each["end"]["line"]) for each in found["results"]))

    return report


def _ast_grep(files: Sequence[Path]) -> set[Place]:
    found = _json_of(["ast-grep", "scan", "-r", str(HERE / "ast_grep.yml"), "--json=compact", *map(str, files)])
    ranges = ((each["file"], each["range"]) for each in found)
    return set(_places((file, place["start"]["line"] + 1, place["end"]["line"] + 1) for file, place in ranges))


def _places(ranges: Iterable[tuple[str, int, int]]) -> Iterable[Place]:
    """All rows of each range: a report over several rows counts for each of them."""
    return ((Path(file), row) for file, first, last in ranges for row in range(first, last + 1))


def _json_of(command: Sequence[str]) -> Any:
    finished = subprocess.run(command, capture_output=True, text=True, check=False, timeout=900)
    if finished.returncode not in (0, 1):
        raise RuntimeError(f"{command[0]} failed with {finished.returncode}: {finished.stderr.strip()[-300:]}")
    return json.loads(finished.stdout)


TOOLS = (
    Tool("infonce-lint", ours),
    Tool("semgrep, patterns", _semgrep("semgrep_patterns.yml"), "semgrep"),
    Tool("semgrep, taint mode", _semgrep("semgrep_taint.yml"), "semgrep"),
    Tool("ast-grep", _ast_grep, "ast-grep"),
    Tool("text search", text_search),
)
