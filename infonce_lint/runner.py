"""Many files: read each, lint or fix it, write it back. What goes wrong with one file does not reach the others."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache, partial
from typing import TYPE_CHECKING

from infonce_lint.files import Target
from infonce_lint.finding import Finding, Position, Span
from infonce_lint.report import FileReport, is_fixable
from infonce_lint.settings import Settings

if TYPE_CHECKING:
    from infonce_lint.linter import Linted


class Mode(enum.Enum):
    """What is done with a file: only look, write the fixes, or only show them."""

    LINT = "lint"
    FIX = "fix"
    DIFF = "diff"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one file.

    Attributes:
        findings: those that remain; their positions count in ``data``.
        after: the fixed bytes where a fix changed (or would change) the file, else None.
        fixed: how many findings the fix repaired or would repair.
        note: why fixes that were on offer were not applied.
        error: one line about an error that is ours or the disk's; the run's exit code is then 2.
    """

    path: str
    data: bytes = b""
    findings: tuple[Finding, ...] = ()
    after: bytes | None = None
    fixed: int = 0
    note: str = ""
    error: str = ""

    @property
    def report(self) -> FileReport:
        """The findings as reporters take them."""
        return FileReport(self.path, self.findings, cache(partial(_text, self.data, self.path)))


def run(targets: Iterable[Target], mode: Mode, *, unsafe: bool, linted: Linted | None = None) -> Iterator[Outcome]:
    """The outcomes in the order of the targets; `process` needs nothing but its arguments, in any process."""
    for target in targets:
        yield process(target, mode, unsafe=unsafe, linted=linted)


def process(target: Target, mode: Mode, *, unsafe: bool, linted: Linted | None = None) -> Outcome:
    """Read, lint or fix, and in the mode FIX write one file; ``linted`` is for `linter.fix_bytes`."""
    try:
        with open(target.path, "rb") as file:
            data = file.read()
    except OSError as error:
        start = Position(1, 1)
        unreadable = Finding("NCE900", f"The file cannot be read: {error.strerror or error}", Span(start, start))
        return Outcome(target.path, findings=(unreadable,))
    outcome = process_bytes(data, target.path, target.settings, mode, unsafe=unsafe, linted=linted)
    if mode is Mode.FIX and outcome.after is not None:
        from infonce_lint.writing import write_atomically

        try:
            write_atomically(target.path, outcome.after)
        except OSError as error:
            unfixed = process_bytes(data, target.path, target.settings, Mode.LINT, unsafe=unsafe)
            failed = f"{target.path}: not fixed, it cannot be written: {error.strerror or error}"
            return Outcome(target.path, data, unfixed.findings, error=failed)
    return outcome


def process_bytes(
    data: bytes, path: str, settings: Settings, mode: Mode, *, unsafe: bool, linted: Linted | None = None
) -> Outcome:
    """Lint or fix one file's bytes; an exception of our own becomes the outcome's error."""
    from infonce_lint.linter import fix_bytes, lint, lint_bytes

    try:
        if mode is Mode.LINT:
            return Outcome(path, data, tuple(lint_bytes(data, path, settings)))
        fixed = fix_bytes(data, path, settings, unsafe=unsafe, linted=linted or lint)
        after = fixed.data if fixed.changed else None
        note = f"{path}: {fixed.reason}" if fixed.reason else ""
        if mode is Mode.FIX:
            return Outcome(path, fixed.data, tuple(fixed.remaining), after, fixed.fixed, note)
        remaining = tuple(fixed.remaining)
        if fixed.changed and remaining:  # the file keeps its old rows, so the positions must be theirs
            before = lint_bytes(data, path, settings)
            remaining = tuple(f for f in before if not is_fixable(f, unsafe_fixes=unsafe))
        return Outcome(path, data, remaining, after, fixed.fixed, note)
    except Exception as error:  # one bad file must not stop the run
        said = " ".join(f"{type(error).__name__}: {error}".split())
        return Outcome(path, data, error=f"{path}: internal error, please report it: {said}")


def _text(data: bytes, path: str, cell: int | None) -> str:
    """The text that the positions of a finding count in; for a file that cannot be decoded, something near it."""
    from infonce_lint.source import SourceError, SourceFile

    try:
        if cell is not None:
            from infonce_lint.notebook import cell_text

            return cell_text(data, cell)
        return SourceFile.from_bytes(data, path).text
    except SourceError:
        return data.decode("utf-8", "replace")
