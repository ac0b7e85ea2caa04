"""Our positions and the client's: rows from 1 and code points from 1, against lines from 0 and code units from 0."""

from __future__ import annotations

from collections.abc import Callable

from lsprotocol import types

from infonce_lint.finding import Position, Span
from infonce_lint.sources.source import SourceFile

_BOM = "\N{ZERO WIDTH NO-BREAK SPACE}"


def _width_in_utf8(letter: str) -> int:
    point = ord(letter)
    return 1 if point < 0x80 else 2 if point < 0x800 else 3 if point < 0x10000 else 4


_WIDTHS: dict[types.PositionEncodingKind, Callable[[str], int]] = {
    types.PositionEncodingKind.Utf8: _width_in_utf8,
    types.PositionEncodingKind.Utf16: lambda letter: 2 if ord(letter) > 0xFFFF else 1,
    types.PositionEncodingKind.Utf32: lambda letter: 1,
}


class TextPositions:
    r"""The places of one text in the client's units.

    Lines end at ``\n``, ``\r\n`` and ``\r`` only, as the protocol has it and as our rows do. A byte order mark that the
    client left in its text takes part in the client's columns, never in ours.
    """

    def __init__(self, text: str, encoding: types.PositionEncodingKind) -> None:
        self._source = SourceFile(text, "")
        self._width = _WIDTHS[encoding]

    def to_client(self, position: Position) -> types.Position:
        """The client's name for a place; one beyond the text becomes the nearest that there is."""
        row = min(position.row, len(self._source.rows))
        hidden = row == 1 and self._source.text.startswith(_BOM)
        before = self._line(row)[: position.column - 1 + hidden]
        return types.Position(row - 1, self._units(before))

    def to_range(self, span: Span) -> types.Range:
        """The client's name for a span; an empty one reaches to the end of its row, so that it can be seen."""
        end = span.end
        if span.start == span.end:
            end = Position(end.row, len(self._line(min(end.row, len(self._source.rows)))) + 1)
        return types.Range(self.to_client(span.start), self.to_client(end))

    def offset(self, position: types.Position) -> int:
        """How many code points of the text stand before a place that the client named.

        A column beyond its line means the end of the line, a line beyond the text the end of the text.
        """
        if position.line >= len(self._source.rows):
            return len(self._source.text)
        line, units, column = self._line(position.line + 1), 0, 0
        while column < len(line) and units < position.character:
            units += self._width(line[column])
            column += 1
        return self._source.offset(Position(position.line + 1, 1)) + column

    def rows(self, first: int, last: int) -> types.Range:
        """From the start of one row to the start of another, counted from 0; beyond the last row the text's end."""
        rows = self._source.rows
        if last < len(rows):
            return types.Range(types.Position(first, 0), types.Position(last, 0))
        return types.Range(types.Position(first, 0), types.Position(len(rows) - 1, self._units(rows[-1])))

    def line(self, position: types.Position) -> tuple[str, int]:
        """The line of a place without its end, and the code points in it before the place."""
        line = min(position.line, len(self._source.rows) - 1)
        return self._line(line + 1), self.offset(position) - self._source.offset(Position(line + 1, 1))

    def _line(self, row: int) -> str:
        return self._source.rows[row - 1].rstrip("\r\n")

    def _units(self, text: str) -> int:
        return len(text) if text.isascii() else sum(map(self._width, text))
