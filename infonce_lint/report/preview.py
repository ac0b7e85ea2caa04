"""A fix as a small diff of the rows that it changes."""

from __future__ import annotations

import difflib
import itertools
from collections.abc import Iterator, Sequence

from infonce_lint.engine.checked import split_rows
from infonce_lint.finding import Edit, Position
from infonce_lint.report.frame import NARROWEST, Paint, gutter_width, window
from infonce_lint.report.text import columns, cut, visible

_CONTEXT = 1  # rows shown around a change


def preview(text: str, edits: Sequence[Edit], *, paint: Paint, width: int) -> Iterator[str]:
    """The rows of ``text`` around the edits, before and after; added rows bear the numbers that they will have."""
    rows = split_rows(text)
    above = max(min(edit.span.start.row for edit in edits) - 1 - _CONTEXT, 0)
    before = rows[above : max(edit.span.end.row for edit in edits) + _CONTEXT]
    after = split_rows(_edited(before, edits, above))
    ends_with_break = above + len(before) == len(rows) and after[-1] == ""  # then the last of them is no row
    matcher = difflib.SequenceMatcher(None, before, after, autojunk=False)
    gutter = gutter_width([above + len(after)])
    room = max(width - gutter - 3, NARROWEST)
    bar = paint("gutter", f"{'':{gutter}} |")
    yield f"{bar}\n"
    for number, group in enumerate(matcher.get_grouped_opcodes(_CONTEXT)):
        if number:
            yield paint("gutter", f"{'':{gutter}} :") + "\n"
        for tag, old_from, old_to, new_from, new_to in group:
            if tag == "equal":
                for row in range(new_from, min(new_to, len(after) - ends_with_break)):
                    shown = cut(visible(after[row]), 0, room)
                    yield f"{paint('gutter', f'{above + row + 1:>{gutter}} |')} {shown}".rstrip() + "\n"
                continue
            removed, added = _cut_alike(before[old_from:old_to], after[new_from:new_to], room)
            for shown in removed:
                yield paint("removed", f"{'':{gutter}} - {shown}".rstrip()) + "\n"
            for row, shown in enumerate(added, start=above + new_from + 1):
                yield paint("added", f"{row:>{gutter}} + {shown}".rstrip()) + "\n"
    yield f"{bar}\n"


def _cut_alike(removed: Sequence[str], added: Sequence[str], room: int) -> tuple[list[str], list[str]]:
    """The rows of a change cut to ``room`` columns: a row that replaces another in the same place as that one."""
    old, new = [visible(row) for row in removed], [visible(row) for row in added]
    starts = {}
    for row in old:
        near = max(new, key=lambda other: _shared(row, other), default=row)
        same = columns(row[: _shared(row, near)])
        starts[row] = starts[near] = window(max(columns(row), columns(near)), same, room)
    return [cut(row, starts[row], room) for row in old], [cut(row, starts.get(row, 0), room) for row in new]


def _shared(first: str, second: str) -> int:
    """How many characters two rows begin with together."""
    return next((index for index, (a, b) in enumerate(zip(first, second)) if a != b), min(len(first), len(second)))


def _edited(rows: Sequence[str], edits: Sequence[Edit], above: int) -> str:
    """``rows``, which stand below ``above`` other rows of the file, after the edits."""
    text = "\n".join(rows)
    starts = [0, *itertools.accumulate(len(row) + 1 for row in rows)]

    def offset(position: Position) -> int:
        return starts[position.row - above - 1] + position.column - 1

    for edit in sorted(edits, key=lambda e: e.span, reverse=True):
        text = text[: offset(edit.span.start)] + edit.content + text[offset(edit.span.end) :]
    return text
