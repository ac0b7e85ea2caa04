"""SARIF 2.1.0, for GitHub's code scanning and other viewers of static analysis."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import quote

from infonce_lint import __version__
from infonce_lint.engine.checked import FileReport
from infonce_lint.engine.marks import fingerprinted
from infonce_lint.finding import Finding, Fix, Span
from infonce_lint.report import level
from infonce_lint.rules.catalogue import Entry, catalogue

_ROOT = "SRCROOT"


def report(files: Sequence[FileReport], *, unsafe_fixes: bool) -> Iterator[str]:
    """One run with all rules and a result a finding; paths are relative to the current folder.

    Findings that comments silence or a baseline holds are results with a suppression, but not in GitHub Actions:
    GitHub's code scanning does not read suppressions and would open an alert for each.
    """
    entries = catalogue()
    index = {entry.code: number for number, entry in enumerate(entries)}
    listed = os.environ.get("GITHUB_ACTIONS") != "true"
    files = [file._replace(silenced=(*file.silenced, *file.known) if listed else ()) for file in files]
    results = [_result(file, finding, mark, index) for file, finding, mark in fingerprinted(files)]
    run = {
        "tool": {
            "driver": {
                "name": "infonce-lint",
                "version": __version__,
                "semanticVersion": __version__,
                "rules": [_rule(entry) for entry in entries],
            }
        },
        "columnKind": "unicodeCodePoints",
        "newlineSequences": ["\r\n", "\n", "\r"],
        "originalUriBaseIds": {_ROOT: {"uri": f"file://{_quoted(os.getcwd()).rstrip('/')}/"}},
        "results": results,
    }
    schema = "https://json.schemastore.org/sarif-2.1.0.json"
    yield json.dumps({"$schema": schema, "version": "2.1.0", "runs": [run]}, indent=2) + "\n"


def _rule(entry: Entry) -> dict[str, Any]:
    return {
        "id": entry.code,
        "name": "".join(word.capitalize() for word in entry.name.split("-")),
        "shortDescription": {"text": entry.summary},
        "fullDescription": {"text": entry.summary},
        "help": {"text": entry.doc, "markdown": entry.doc},
        "defaultConfiguration": {"level": "warning" if entry.code == "NCE901" else "error"},
        "properties": {"tags": ["contrastive-learning", "correctness"], "precision": "high"},
    }


def _result(file: FileReport, finding: Finding, mark: str, index: dict[str, int]) -> dict[str, Any]:
    artifact = _artifact(file.path)
    result: dict[str, Any] = {
        "ruleId": finding.code,
        "level": level(finding),
        "message": {"text": finding.text},
        "locations": [_location(file, artifact, finding.span)],
        "partialFingerprints": {"infonceLint/v1": mark},
    }
    if finding.code in index:
        result["ruleIndex"] = index[finding.code]
    if finding in file.silenced:
        kind = "external" if finding in file.known else "inSource"
        result["suppressions"] = [{"kind": kind, "status": "accepted"}]
    if finding.related:
        result["relatedLocations"] = [
            {"id": number, **_location(file, artifact, place.span), "message": {"text": place.message}}
            for number, place in enumerate(finding.related, 1)
        ]
    if finding.fix is not None:
        with contextlib.suppress(ValueError, LookupError, TypeError):  # no place for it in the file: no fix there
            result["fixes"] = [_fix(file, artifact, finding.fix)]
        result["properties"] = {"applicability": finding.fix.applicability.value}
    return result


def _fix(file: FileReport, artifact: dict[str, str], fix: Fix) -> dict[str, Any]:
    replacements = [
        {"deletedRegion": _region(edit.span), "insertedContent": {"text": edit.content}}
        for edit in map(file.edit_in_file, fix.edits)
    ]
    change = {"artifactLocation": artifact, "replacements": replacements}
    return {"description": {"text": fix.message}, "artifactChanges": [change]}


def _location(file: FileReport, artifact: dict[str, str], span: Span) -> dict[str, Any]:
    region = _region(file.in_file(span))
    location: dict[str, Any] = {"physicalLocation": {"artifactLocation": artifact, "region": region}}
    if span.cell is not None:  # SARIF has no cells: the region is that of the file, and this the place that people see
        location["logicalLocations"] = [{"name": f"cell {span.cell}", "kind": "cell"}]
    return location


def _region(span: Span) -> dict[str, int]:
    return {
        "startLine": span.start.row,
        "startColumn": span.start.column,
        "endLine": span.end.row,
        "endColumn": span.end.column,
    }


def _artifact(path: str) -> dict[str, str]:
    """Where a file lies: relative to the current folder if it is below it."""
    if os.path.isabs(path) or path.split(os.sep)[0] == os.pardir:
        return {"uri": f"file://{_quoted(os.path.abspath(path))}"}
    return {"uri": _quoted(path), "uriBaseId": _ROOT}


def _quoted(path: str) -> str:
    posix = path.replace(os.sep, "/")
    posix = f"/{posix}" if os.path.isabs(path) and not posix.startswith("/") else posix  # C:/x on Windows
    return quote(posix, errors="surrogateescape")
