"""One line a finding: ``path:row:column: CODE [*] message``; the star marks what ``--fix`` repairs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from infonce_lint.engine.checked import FileReport, is_fixable
from infonce_lint.report import each, place
from infonce_lint.report.text import one_line


def report(files: Sequence[FileReport], *, unsafe_fixes: bool) -> Iterator[str]:
    """The findings as lines."""
    for file, finding in each(files):
        star = "[*] " if is_fixable(finding, unsafe_fixes=unsafe_fixes) else ""
        yield f"{place(file.path, finding)}: {finding.code} {star}{one_line(finding.text)}\n"
