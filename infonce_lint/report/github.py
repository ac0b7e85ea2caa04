"""Workflow commands that GitHub Actions shows as annotations on the changed lines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from infonce_lint.engine.checked import FileReport
from infonce_lint.report import each, level, place


def report(files: Sequence[FileReport], *, unsafe_fixes: bool) -> Iterator[str]:
    """One command a finding, ``::error`` or ``::warning``."""
    for file, finding in each(files):
        span = file.in_file(finding.span)
        start, end = span.start, span.end
        where = {"title": f"infonce-lint ({finding.code})", "file": file.path, "line": start.row, "col": start.column}
        if end.row == start.row:  # GitHub refuses columns on a range of lines
            where |= {"endLine": end.row, "endColumn": end.column}
        else:
            where |= {"endLine": end.row}
            del where["col"]
        properties = ",".join(f"{name}={_property(str(value))}" for name, value in where.items())
        message = _data(f"{place(file.path, finding)}: {finding.code} {finding.text}")
        yield f"::{level(finding)} {properties}::{message}\n"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
