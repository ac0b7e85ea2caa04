"""One line a finding: ``path:row:column: CODE [*] message``; the star marks what ``--fix`` repairs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from infonce_lint.report import FileReport, each, is_fixable, place


def report(files: Sequence[FileReport], *, unsafe_fixes: bool) -> Iterator[str]:
    """The findings as lines."""
    for file, finding in each(files):
        star = "[*] " if is_fixable(finding, unsafe_fixes=unsafe_fixes) else ""
        yield f"{place(file.path, finding)}: {finding.code} {star}{finding.text}\n"
