"""GitLab's code quality report, shown in merge requests."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence

from infonce_lint.engine.checked import FileReport
from infonce_lint.engine.marks import fingerprinted
from infonce_lint.report import level


def report(files: Sequence[FileReport], *, unsafe_fixes: bool) -> Iterator[str]:
    """One list with an entry a finding."""
    entries = []
    for file, finding, fingerprint in fingerprinted(files):
        span = file.in_file(finding.span)
        entries.append(
            {
                "check_name": finding.code,
                "description": f"{finding.code}: {finding.text}",
                "fingerprint": fingerprint,
                "severity": "major" if level(finding) == "error" else "minor",
                "location": {
                    "path": _in_project(file),
                    "positions": {
                        "begin": {"line": span.start.row, "column": span.start.column},
                        "end": {"line": span.end.row, "column": span.end.column},
                    },
                },
            }
        )
    yield json.dumps(entries, indent=2) + "\n"


def _in_project(file: FileReport) -> str:
    """The path as GitLab wants it: relative to the project, from whatever folder of it a job runs."""
    project = os.environ.get("CI_PROJECT_DIR")
    if project and file.absolute_path.startswith(os.path.join(project, "")):
        return os.path.relpath(file.absolute_path, project).replace(os.sep, "/")
    return file.path.replace(os.sep, "/")
