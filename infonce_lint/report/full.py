"""Code frames for people: the expression, where its size comes from, what it flows into, and its fix as a diff."""

from __future__ import annotations

import difflib
import itertools
from collections.abc import Iterator, Sequence

from infonce_lint.finding import Applicability, Edit, Finding, Fix, Position
from infonce_lint.report import FileReport, is_fixable, place, split_rows
from infonce_lint.report.frame import Mark, Paint, frame, gutter_width, visible

_CONTEXT = 1  # rows of the preview around a change


def _plain(style: str, text: str) -> str:
    return text


def report(
    files: Sequence[FileReport], *, unsafe_fixes: bool, paint: Paint = _plain, width: int = 200
) -> Iterator[str]:
    """The findings as frames, a blank line after each.

    Args:
        paint: gives a text its colour; without it the report is plain text.
        width: columns of the screen; longer rows of code are cut around what they show.
    """
    for file in files:
        shown_fixes: dict[Fix, Finding] = {}
        for finding in file.findings:
            yield from _header(file, finding, unsafe_fixes, paint)
            yield from _frames(file, finding, paint, width)
            yield from _origin(finding, paint)
            if finding.fix is not None:
                first = shown_fixes.setdefault(finding.fix, finding)
                yield from _fix(file, finding, finding.fix, first, paint)
            yield "\n"


def _header(file: FileReport, finding: Finding, unsafe_fixes: bool, paint: Paint) -> Iterator[str]:
    star = paint("star", "[*]") + " " if is_fixable(finding, unsafe_fixes=unsafe_fixes) else ""
    yield f"{paint('code', finding.code)} {star}{paint('message', visible(finding.text))}\n"
    gutter = gutter_width(_marked_rows(finding))
    yield f"{paint('gutter', ' ' * gutter + '-->')} {paint('path', place(file.path, finding))}\n"


def _frames(file: FileReport, finding: Finding, paint: Paint, width: int) -> Iterator[str]:
    """The frame of the expression with the places related to it, then one for each other cell."""
    gutter = gutter_width(_marked_rows(finding))
    marks = [Mark(finding.span, primary=True)]
    marks += [Mark(other.span, visible(other.message)) for other in finding.related]
    cells = dict.fromkeys(mark.span.cell for mark in marks)
    for cell in cells:
        if cell != finding.span.cell:
            yield f"{paint('gutter', ' ' * gutter + ':::')} {paint('path', f'cell {cell}')}\n"
        rows = split_rows(file.text(cell))
        if any(rows):
            of_cell = [mark for mark in marks if mark.span.cell == cell]
            yield from frame(rows, of_cell, gutter=gutter, paint=paint, width=width)


def _marked_rows(finding: Finding) -> Iterator[int]:
    yield finding.span.start.row + 2  # the frame shows two rows more
    yield from (other.span.start.row for other in finding.related)


def _origin(finding: Finding, paint: Paint) -> Iterator[str]:
    if finding.origin:
        indent = " " * gutter_width(_marked_rows(finding))
        steps = " -> ".join(visible(step) for step in finding.origin)
        yield f"{indent} {paint('gutter', '=')} {paint('note', 'size from:')} {steps}\n"


def _fix(file: FileReport, finding: Finding, fix: Fix, first: Finding, paint: Paint) -> Iterator[str]:
    yield f"{paint('help', 'help:')} {visible(fix.message)}\n"
    if first is not finding:
        start = first.span.start
        where = f"{first.code} at {start.row}:{start.column}"
        yield f"{paint('note', 'note:')} repaired together with {where}, shown there\n"
        return
    for cell, edits in itertools.groupby(sorted(fix.edits, key=lambda e: e.span.cell or 0), lambda e: e.span.cell):
        if cell != finding.span.cell:
            yield f"{paint('gutter', ' :::')} {paint('path', f'cell {cell}')}\n"
        yield from _preview(file.text(cell), list(edits), paint)
    safe = fix.applicability is Applicability.SAFE
    how = "safe fix" if safe else "unsafe fix, applied with --unsafe-fixes only"
    yield f"{paint('note', 'note:')} {how}{f': {visible(fix.why)}' if fix.why else ''}\n"


def _preview(text: str, edits: Sequence[Edit], paint: Paint) -> Iterator[str]:
    """The edits as a small diff; added rows bear the numbers that they will have."""
    rows = split_rows(text)
    above = max(min(edit.span.start.row for edit in edits) - 1 - _CONTEXT, 0)
    before = rows[above : max(edit.span.end.row for edit in edits) + _CONTEXT]
    after = split_rows(_edited(before, edits, above))
    matcher = difflib.SequenceMatcher(None, before, after, autojunk=False)
    gutter = gutter_width([above + len(after)])
    bar = paint("gutter", f"{'':{gutter}} |")
    yield f"{bar}\n"
    for number, group in enumerate(matcher.get_grouped_opcodes(_CONTEXT)):
        if number:
            yield paint("gutter", f"{'':{gutter}} :") + "\n"
        for tag, old_from, old_to, new_from, new_to in group:
            if tag == "equal":
                for row in range(new_from, new_to):
                    yield f"{paint('gutter', f'{above + row + 1:>{gutter}} |')} {visible(after[row])}".rstrip() + "\n"
                continue
            for row in range(old_from, old_to):
                yield paint("removed", f"{'':{gutter}} - {visible(before[row])}".rstrip()) + "\n"
            for row in range(new_from, new_to):
                yield paint("added", f"{above + row + 1:>{gutter}} + {visible(after[row])}".rstrip()) + "\n"
    yield f"{bar}\n"


def _edited(rows: Sequence[str], edits: Sequence[Edit], above: int) -> str:
    """``rows``, which stand below ``above`` other rows of the file, after the edits."""
    text = "\n".join(rows)
    starts = [0, *itertools.accumulate(len(row) + 1 for row in rows)]

    def offset(position: Position) -> int:
        return starts[position.row - above - 1] + position.column - 1

    for edit in sorted(edits, key=lambda e: e.span, reverse=True):
        text = text[: offset(edit.span.start)] + edit.content + text[offset(edit.span.end) :]
    return text
