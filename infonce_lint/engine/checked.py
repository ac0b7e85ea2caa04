"""What became of one file, and its findings as reporters take them. Light: a run without findings loads no more."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cache, partial
from typing import TYPE_CHECKING, NamedTuple

from infonce_lint.sources.document import text_of

if TYPE_CHECKING:
    from infonce_lint.finding import Edit, Finding, Span


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

    def in_file(self, span: Span) -> Span:
        """A place in the rows of the file itself, for readers that know no cells; its start where that is not known."""
        if span.cell is None:
            return span
        from infonce_lint.sources.notebook_rows import START, in_file

        try:
            return in_file(self.text(None), self.text(span.cell), span)
        except (ValueError, LookupError, TypeError):  # the text is no notebook, or another one by now
            return START

    def edit_in_file(self, edit: Edit) -> Edit:
        """An edit as the rows of the file itself take it.

        Raises:
            ValueError, LookupError, TypeError: the file has no such place.
        """
        cell = edit.span.cell
        if cell is None:
            return edit
        from infonce_lint.sources.notebook_rows import edit_in_file

        return edit_in_file(self.text(None), self.text(cell), edit)


class Outcome(NamedTuple):
    """What became of one file.

    Attributes:
        findings: those that remain; their positions count in ``data``.
        silenced: those that comments silence, where `with_silenced` looked for them.
        known: those that the baseline holds.
        after: the fixed bytes where a fix changed (or would change) the file, else None.
        fixed: how many findings the fix repaired or would repair; how many comments silence findings from now on.
        withheld: why fixes that were on offer were not made, on one line.
        error: one line about an error that is ours or the disk's; the run's exit code is then 2.
    """

    path: str
    data: bytes = b""
    findings: tuple[Finding, ...] = ()
    after: bytes | None = None
    fixed: int = 0
    withheld: str = ""
    error: str = ""
    silenced: tuple[Finding, ...] = ()
    known: tuple[Finding, ...] = ()

    @property
    def is_clean(self) -> bool:
        """Whether there is nothing to report, to change or to say about the file, whatever a baseline holds."""
        found = self.findings or self.silenced or self.known
        return not found and self.after is None and not self.withheld and not self.error

    @property
    def report(self) -> FileReport:
        """The findings as reporters take them."""
        text = cache(partial(text_of, self.data, self.path))
        return FileReport(self.path, self.findings, text, self.silenced, self.known)


def split_rows(text: str) -> list[str]:
    r"""The rows of a text without their ends; only ``\n``, ``\r\n`` and ``\r`` end one (a form feed does not)."""
    return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")


def is_fixable(finding: Finding, *, unsafe_fixes: bool) -> bool:
    """Whether ``--fix`` (with ``--unsafe-fixes`` where given) would apply the finding's fix."""
    from infonce_lint.finding import Applicability  # here, so that a run without findings does not load it

    return finding.fix is not None and (unsafe_fixes or finding.fix.applicability is Applicability.SAFE)
