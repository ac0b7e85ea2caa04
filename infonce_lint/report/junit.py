"""JUnit's XML, which most CI servers show as a table of failed tests."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from xml.sax.saxutils import escape, quoteattr

from infonce_lint.engine.checked import FileReport
from infonce_lint.report import place

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def report(files: Sequence[FileReport], *, unsafe_fixes: bool) -> Iterator[str]:
    """One test suite a file and one failed test a finding; a clean run is one passed test."""
    found = [file for file in files if file.findings]
    total = sum(len(file.findings) for file in found)
    yield '<?xml version="1.0" encoding="UTF-8"?>\n'
    yield f'<testsuites name="infonce-lint" tests="{max(total, 1)}" failures="{total}" errors="0">\n'
    for file in found:
        count = len(file.findings)
        yield f'  <testsuite name={_quoted(file.path)} tests="{count}" failures="{count}" errors="0">\n'
        for finding in file.findings:
            start = finding.span.start
            message = f"{place(file.path, finding)}: {finding.code} {finding.text}"
            yield (
                f"    <testcase name={_quoted(finding.code)} classname={_quoted(file.path)}"
                f' line="{start.row}" column="{start.column}">\n'
                f"      <failure message={_quoted(message)}>{escape(_clean(message))}</failure>\n"
                "    </testcase>\n"
            )
        yield "  </testsuite>\n"
    if not found:
        yield '  <testsuite name="infonce-lint" tests="1" failures="0" errors="0">\n'
        yield '    <testcase name="no findings" classname="infonce-lint"/>\n  </testsuite>\n'
    yield "</testsuites>\n"


def _quoted(text: str) -> str:
    return quoteattr(_clean(text))


def _clean(text: str) -> str:
    """``text`` with ``?`` for what XML cannot hold: control characters and lone surrogates."""
    return _NOT_XML.sub("?", text)
