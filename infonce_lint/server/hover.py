"""What the editor shows under the pointer: the page of a rule, as ``infonce-lint explain`` prints it."""

from __future__ import annotations

import re

from lsprotocol import types

from infonce_lint.finding import Applicability, Finding
from infonce_lint.rules.catalogue import Entry, catalogue
from infonce_lint.server.analysis import Analysis
from infonce_lint.server.diagnostics import Diagnoses
from infonce_lint.server.positions import TextPositions

_NOQA = re.compile(r"# noqa:(?P<codes>(?:[,\s]*[A-Z]+[0-9]+)+)", re.IGNORECASE)
_CODE = re.compile(r"NCE[0-9]+", re.IGNORECASE)


def suppressed_code(text: str, position: types.Position, encoding: types.PositionEncodingKind) -> str | None:
    """The page of a code of ours that a ``# noqa`` names at this place; None if there is none."""
    positions = TextPositions(text, encoding)
    line, column = positions.line(position)
    for comment in _NOQA.finditer(line):
        for code in _CODE.finditer(line, comment.start("codes"), comment.end()):
            if code.start() <= column <= code.end():
                return _pages(code[0].upper())
    return None


def found(analysis: Analysis, diagnoses: Diagnoses, uri: str, position: types.Position) -> types.Hover | None:
    """What is to be said about the findings at this place; None if there are none."""
    here = [
        (each.placed, place)
        for each in analysis.of_part(uri)
        if (place := diagnoses.location(each.placed.span).range).start <= position <= place.end
    ]
    if not here:
        return None
    told = [_about(finding) for finding, _ in here]
    pages = [_pages(code) for code in dict.fromkeys(finding.code for finding, _ in here)]
    text = "\n\n---\n\n".join([*filter(None, told), *filter(None, pages)])
    return types.Hover(contents=types.MarkupContent(kind=types.MarkupKind.Markdown, value=text), range=here[0][1])


def _about(finding: Finding) -> str:
    """What belongs to this finding alone: where its size comes from, and how far its fix may be trusted."""
    lines = []
    if finding.origin:
        lines.append(f"**Size from:** {' → '.join(finding.origin)}")
    if finding.fix is not None:
        safe = finding.fix.applicability is Applicability.SAFE
        why = f" ({finding.fix.why})" if finding.fix.why else ""
        lines.append(f"**{'Safe' if safe else 'Unsafe'} fix:** {finding.fix.message}{why}")
    elif finding.withheld:
        lines.append(f"**No automatic fix:** {finding.withheld}")
    return "\n\n".join(lines)


def _pages(prefix: str) -> str | None:
    """The page of a code, or the list of the codes that a prefix stands for."""
    entries: list[Entry] = [entry for entry in catalogue() if entry.code.startswith(prefix)]
    if len(entries) == 1:
        return entries[0].page
    return "\n".join(f"- **{entry.code}** `{entry.name}`: {entry.summary}" for entry in entries) or None
