"""Code frames for people: the expression, where its size comes from, what it flows into, and its fix as a diff."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

from infonce_lint.engine.checked import FileReport, is_fixable, split_rows
from infonce_lint.finding import Applicability, Finding, Fix
from infonce_lint.report import place
from infonce_lint.report.frame import Mark, Paint, frame, gutter_width
from infonce_lint.report.preview import preview
from infonce_lint.report.text import columns, visible, wrapped

_CODE_WIDTH = 200  # columns of code that are shown where there is no screen
_NARROWEST = 20  # columns; nothing can be read on less


def _plain(style: str, text: str) -> str:
    return text


def report(
    files: Sequence[FileReport], *, unsafe_fixes: bool, paint: Paint = _plain, width: int | None = None
) -> Iterator[str]:
    """The findings as frames, a blank line after each.

    Args:
        paint: gives a text its colour; without it the report is plain text.
        width: columns of the screen: sentences are wrapped, and rows of code are cut around what they show. Without
            a screen (None) a sentence is one line.
    """
    page = _Page(paint, width)
    for file in files:
        shown_fixes: dict[Fix, Finding] = {}
        for finding in file.findings:
            yield from page.header(file, finding, fixable=is_fixable(finding, unsafe_fixes=unsafe_fixes))
            yield from page.frames(file, finding)
            yield from page.origin(finding)
            if finding.fix is not None:
                first = shown_fixes.setdefault(finding.fix, finding)
                yield from page.fix(file, finding, finding.fix, first)
            elif finding.withheld:
                yield from page.sentence([("note", "note:")], f"no automatic fix: {finding.reason}")
            yield "\n"


class _Page:
    """The parts of a frame, set in the colours and the width of the screen."""

    def __init__(self, paint: Paint, width: int | None) -> None:
        self._paint = paint
        self._width = None if width is None else max(width, _NARROWEST)
        self._code_width = self._width or _CODE_WIDTH

    def sentence(self, lead: Sequence[tuple[str, str]], text: str, style: str = "", indent: int = 2) -> Iterator[str]:
        """``text`` behind the words of ``lead`` (style and word each), on as many lines as it needs."""
        lines = [visible(text)]
        if self._width is not None:
            taken = sum(columns(word) + 1 for _, word in lead)
            lines = wrapped(lines[0], self._width - indent, taken - indent)
        start = "".join(f"{self._paint(shade, word) if shade else word} " for shade, word in lead)
        for line in lines:
            yield (start + (self._paint(style, line) if style and line else line)).rstrip() + "\n"
            start = " " * indent

    def header(self, file: FileReport, finding: Finding, *, fixable: bool) -> Iterator[str]:
        """Code and message, and the place on a line of its own."""
        star = [("star", "[*]")] if fixable else []
        yield from self.sentence([("code", finding.code), *star], finding.message, "message", indent=7)
        yield self._heading(gutter_width(_marked_rows(finding)), "-->", place(file.path, finding))

    def _heading(self, gutter: int, arrow: str, text: str) -> str:
        return f"{self._paint('gutter', ' ' * gutter + arrow)} {self._paint('path', text)}\n"

    def frames(self, file: FileReport, finding: Finding) -> Iterator[str]:
        """The frame of the expression with the places related to it, then one for each other cell."""
        gutter = gutter_width(_marked_rows(finding))
        marks = [Mark(finding.span, primary=True)]
        marks += [Mark(other.span, visible(other.message)) for other in finding.related]
        for cell in dict.fromkeys(mark.span.cell for mark in marks):
            if cell != finding.span.cell:
                yield self._heading(gutter, ":::", f"cell {cell}")
            rows = split_rows(file.text(cell))
            if any(rows):
                of_cell = [mark for mark in marks if mark.span.cell == cell]
                yield from frame(rows, of_cell, gutter=gutter, paint=self._paint, width=self._code_width)

    def origin(self, finding: Finding) -> Iterator[str]:
        """Where the size comes from, step by step."""
        if finding.origin:
            indent = gutter_width(_marked_rows(finding))
            lead = [("gutter", " " * indent + " ="), ("note", "size from:")]
            yield from self.sentence(lead, " -> ".join(finding.origin), indent=indent + 3)

    def fix(self, file: FileReport, finding: Finding, fix: Fix, first: Finding) -> Iterator[str]:
        """What the fix does and how safe it is; its diff with the ``first`` finding of the unit only."""
        yield from self.sentence([("help", "help:")], fix.message)
        if first is not finding:
            start = first.span.start
            where = f"{first.code} at {start.row}:{start.column}"
            yield from self.sentence([("note", "note:")], f"repaired together with {where}, shown there")
            return
        for cell, edits in itertools.groupby(sorted(fix.edits, key=lambda e: e.span.cell or 0), lambda e: e.span.cell):
            if cell != finding.span.cell:
                yield self._heading(1, ":::", f"cell {cell}")
            yield from preview(file.text(cell), list(edits), paint=self._paint, width=self._code_width)
        safe = fix.applicability is Applicability.SAFE
        how = "safe fix" if safe else "unsafe fix, applied with --unsafe-fixes only"
        yield from self.sentence([("note", "note:")], f"{how}: {fix.why}" if fix.why else how)


def _marked_rows(finding: Finding) -> Iterator[int]:
    yield finding.span.start.row + 2  # the frame shows two rows more
    yield from (other.span.start.row for other in finding.related)
