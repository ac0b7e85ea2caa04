"""Code frames: numbered source rows with marks below the expressions that a finding speaks of."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from infonce_lint.finding import Span
from infonce_lint.report.text import columns, cut, visible, wrapped

#: Gives a text the look of one of `terminal.STYLES`; the plain one returns the text as it is.
Paint = Callable[[str, str], str]

NARROWEST = 10  # columns of code; less cannot be read
_CONTEXT = 2  # rows shown around the reported expression


@dataclass(frozen=True, slots=True)
class Mark:
    """An underlined place of a frame; the primary one is the reported expression."""

    span: Span
    label: str = ""
    primary: bool = False


def gutter_width(rows: Iterable[int]) -> int:
    """How many columns the row numbers take."""
    return len(str(max(rows, default=1)))


def frame(rows: Sequence[str], marks: Sequence[Mark], *, gutter: int, paint: Paint, width: int) -> Iterator[str]:
    """The rows that bear marks, and some around the primary one, each line with its end."""
    bar = paint("gutter", f"{'':{gutter}} |")
    room = max(width - gutter - 3, NARROWEST)
    yield f"{bar}\n"
    last = 0
    for row in _shown_rows(rows, marks):
        if last and row > last + 1:
            yield paint("gutter", f"{'':{gutter}} :") + "\n"
        last = row
        of_row = [mark for mark in marks if mark.span.start.row == row]
        view = _View(rows[row - 1], of_row, room)
        yield f"{paint('gutter', f'{row:>{gutter}} |')} {view.text}".rstrip() + "\n"
        for line in view.underlines(paint):
            yield f"{bar} {line}\n"
    yield f"{bar}\n"


def _shown_rows(rows: Sequence[str], marks: Sequence[Mark]) -> list[int]:
    """The numbers of the marked rows and of those around the primary mark, without blank ones at the ends."""
    marked = {mark.span.start.row for mark in marks if mark.span.start.row <= len(rows)}
    shown = set(marked)
    for mark in marks:
        if mark.primary and mark.span.start.row in marked:
            around = mark.span.start.row
            shown |= set(range(max(1, around - _CONTEXT), min(len(rows), around + _CONTEXT) + 1))
    shown |= {row + 1 for row in shown if row + 2 in shown}  # one row is no gap worth a sign
    ordered = sorted(shown)
    for end in (0, -1):
        while ordered and ordered[end] not in marked and not rows[ordered[end] - 1].strip():
            del ordered[end]
    return ordered


class _View:
    """One row as the screen shows it: tabs expanded, cut to ``room`` columns around its first mark."""

    def __init__(self, row: str, marks: Sequence[Mark], room: int) -> None:
        self._row = row
        self._room = room
        self._marks = sorted(marks, key=lambda mark: (not mark.primary, mark.span))
        whole = visible(row)
        self._start = window(columns(whole), self._columns(self._marks[0])[0] if marks else 0, room)
        self.text = cut(whole, self._start, room)

    def underlines(self, paint: Paint) -> Iterator[str]:
        """Lines for the marks; the primary one shares its line with a mark that reaches beyond it to the right."""
        marks = list(self._marks)
        while marks:
            mark = marks.pop(0)
            left, right = self._place(mark)
            if not mark.primary:
                yield from self._labelled(paint, " " * left, "-" * (right - left), right, mark.label)
                continue
            beyond = next((other for other in marks if self._place(other)[1] > right), None)
            carets = paint("primary", "^" * (right - left))
            if beyond is None:
                yield " " * left + carets
                continue
            marks.remove(beyond)
            first, last = self._place(beyond)
            before = " " * min(first, left) + paint("secondary", "-" * (left - first))
            between = " " * max(first - right, 0)
            after = "-" * (last - max(right, first))
            yield from self._labelled(paint, before + carets + between, after, last, beyond.label)

    def _labelled(self, paint: Paint, before: str, dashes: str, end: int, label: str) -> Iterator[str]:
        """``before`` and ``dashes``, which end in the column ``end``, and the label: behind them if there is room."""
        if end + 1 + columns(label) <= self._room or not label:
            yield before + paint("secondary", f"{dashes} {label}".rstrip())
            return
        yield before + paint("secondary", dashes)
        for line in wrapped(label, self._room):
            yield " " * max(0, min(end, self._room) - columns(line)) + paint("secondary", line)

    def _place(self, mark: Mark) -> tuple[int, int]:
        """The mark's first column on the screen and the one behind it; never an empty range."""
        left, right = (column - self._start for column in self._columns(mark))
        left = min(max(left, 0), self._room - 1)
        return left, max(min(right, self._room), left + 1)

    def _columns(self, mark: Mark) -> tuple[int, int]:
        start = mark.span.start.column - 1
        end = mark.span.end.column - 1 if mark.span.end.row == mark.span.start.row else len(self._row)
        return _column(self._row, start), _column(self._row, max(end, start))


def window(length: int, focus: int, room: int) -> int:
    """The first column to show of a row of ``length`` columns, so that the one at ``focus`` is seen."""
    return min(focus - room // 3, length - room) if length > room and focus >= room * 2 // 3 else 0


def _column(text: str, index: int) -> int:
    """The screen column of the character at ``index``: tabs are wide, and so are Chinese characters."""
    return columns(visible(text[:index]))
