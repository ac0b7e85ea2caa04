"""Reporters: one a file, each a function from files with findings to text. They know findings, not how they arose."""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from infonce_lint.engine.checked import FileReport
    from infonce_lint.finding import Finding

#: Formats of ``--output-format``; each is a module of this package with a function `lines`.
FORMATS = ("full", "concise", "json", "sarif", "github", "gitlab", "junit")


class Reporter(Protocol):
    """Yields the report in pieces to be written one after the other, line ends included."""

    def __call__(self, files: Sequence[FileReport], *, unsafe_fixes: bool) -> Iterator[str]: ...


def reporter(name: str) -> Reporter:
    """The reporter of one of `FORMATS`, imported now."""
    found: Reporter = importlib.import_module(f"infonce_lint.report.{name}").report
    return found


def place(path: str, finding: Finding) -> str:
    """``path:row:column``, in a notebook ``path:cell 2:row:column``, on one line whatever the path holds."""
    start = finding.span.start
    cell = "" if finding.span.cell is None else f"cell {finding.span.cell}:"
    from infonce_lint.report.text import one_line

    return f"{one_line(path)}:{cell}{start.row}:{start.column}"


def level(finding: Finding) -> str:
    """``error``, or ``warning`` for what breaks no loss."""
    return "warning" if finding.code == "NCE901" else "error"


def each(files: Iterable[FileReport]) -> Iterator[tuple[FileReport, Finding]]:
    """Every finding with its file."""
    for file in files:
        for finding in file.findings:
            yield file, finding
