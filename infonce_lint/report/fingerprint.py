"""A name for a finding that stays the same when lines above it come or go."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence

from infonce_lint.finding import Finding
from infonce_lint.report import FileReport, each


def fingerprinted(files: Sequence[FileReport]) -> Iterator[tuple[FileReport, Finding, str]]:
    """Every finding with its file and its fingerprint: path, code and the line's text; equal ones are counted."""
    seen: Counter[str] = Counter()
    for file, finding in each(files):
        key = "\0".join((file.path.replace("\\", "/"), finding.code, " ".join(file.line(finding).split())))
        seen[key] += 1
        digest = hashlib.sha256(f"{key}\0{seen[key]}".encode("utf-8", "surrogatepass"))
        yield file, finding, digest.hexdigest()[:32]
