"""A JSON list with one object a finding: ruff's field names, and ``related`` places."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any

from infonce_lint.engine.checked import FileReport
from infonce_lint.finding import Finding, Fix, Position, Span
from infonce_lint.report import each, level
from infonce_lint.rules.catalogue import find
from infonce_lint.sources.document import python_of
from infonce_lint.sources.source import SourceFile
from infonce_lint.sources.suppression import Suppressions


def report(files: Sequence[FileReport], *, unsafe_fixes: bool) -> Iterator[str]:
    """The list, indented by two spaces as ruff's is."""
    yield json.dumps([as_json(file, finding) for file, finding in each(files)], indent=2) + "\n"


def as_json(file: FileReport, finding: Finding) -> dict[str, Any]:
    """One finding; rows, columns and cells count from 1, and ``cell`` is null outside notebooks."""
    entry = find(finding.code)
    return {
        "cell": finding.span.cell,
        "code": finding.code,
        **_range(finding.span),
        "filename": file.absolute_path,
        "fix": _fix(finding.fix) if finding.fix else None,
        "message": finding.text,
        "name": entry.name if entry else None,
        "noqa_row": _suppressions(file.text(finding.span.cell), finding.span.cell).comment_row(finding.span.start.row),
        "related": [
            {"cell": place.span.cell, **_range(place.span), "message": place.message} for place in finding.related
        ],
        "severity": level(finding),
        "url": None,
    }


@lru_cache(maxsize=1)
def _suppressions(text: str, cell: int | None) -> Suppressions:
    return Suppressions(SourceFile.from_text(python_of(text, cell), ""))


def _fix(fix: Fix) -> dict[str, Any]:
    return {
        "applicability": fix.applicability.value,
        "edits": [{"content": edit.content, **_range(edit.span)} for edit in fix.edits],
        "message": fix.message,
    }


def _range(span: Span) -> dict[str, dict[str, int]]:
    return {"location": _position(span.start), "end_location": _position(span.end)}


def _position(position: Position) -> dict[str, int]:
    return {"row": position.row, "column": position.column}
