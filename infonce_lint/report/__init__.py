"""Reporters: one a file, each a function from files with findings to text. They know findings, not how they arose."""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from infonce_lint.finding import Finding

#: Formats of ``--output-format``; each is a module of this package with a function `lines`.
FORMATS = ("full", "concise", "json", "sarif", "github", "gitlab", "junit")


class FileReport(NamedTuple):
    """The findings of one file. ``text(cell)`` gives the text that positions count in (cell None: the whole file).

    ``silenced`` are findings that comments in the file silence; only formats that ask for them get any. ``known`` are
    those that the baseline holds.
    """

    path: str
    findings: tuple[Finding, ...]
    text: Callable[[int | None], str]
    silenced: tuple[Finding, ...] = ()
    known: tuple[Finding, ...] = ()

    @property
    def absolute_path(self) -> str:
        """The file's absolute path; standard input stays ``-``."""
        return self.path if self.path == "-" else os.path.abspath(self.path)

    def line(self, finding: Finding) -> str:
        """The line on which the finding starts, without its ending; empty if the file has no such line."""
        lines = split_rows(self.text(finding.span.cell))
        return lines[finding.span.start.row - 1] if finding.span.start.row <= len(lines) else ""


class Reporter(Protocol):
    """Yields the report in pieces to be written one after the other, line ends included."""

    def __call__(self, files: Sequence[FileReport], *, unsafe_fixes: bool) -> Iterator[str]: ...


def reporter(name: str) -> Reporter:
    """The reporter of one of `FORMATS`, imported now."""
    found: Reporter = importlib.import_module(f"infonce_lint.report.{name}").report
    return found


def split_rows(text: str) -> list[str]:
    r"""The rows of a text without their ends; only ``\n``, ``\r\n`` and ``\r`` end one (a form feed does not)."""
    return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")


def is_fixable(finding: Finding, *, unsafe_fixes: bool) -> bool:
    """Whether ``--fix`` (with ``--unsafe-fixes`` where given) would apply the finding's fix."""
    from infonce_lint.finding import Applicability  # here, so that a run without findings does not load it

    return finding.fix is not None and (unsafe_fixes or finding.fix.applicability is Applicability.SAFE)


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
