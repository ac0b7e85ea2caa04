"""Places and edits of a notebook's cells in terms of the rows of the file itself, for readers that know no cells."""

from __future__ import annotations

from functools import lru_cache

from infonce_lint.finding import Edit, Position, Span
from infonce_lint.sources.notebook_json import WrittenSource
from infonce_lint.sources.source import SourceFile

START = Span(Position(1, 1), Position(1, 1))


def in_file(json_text: str, cell_text: str, span: Span) -> Span:
    """A place in a cell as the place in the notebook's JSON that writes it.

    Args:
        json_text: the notebook, without a byte order mark.
        cell_text: the text of the cell that ``span`` counts in.

    Raises:
        ValueError: the cell has no such place.
    """
    file, cell, written = _opened(json_text, cell_text, span.cell or 1)
    start, end = cell.offset(span.start), cell.offset(span.end)
    first = written.start(start)
    return Span(file.position(first), file.position(written.end(end) if end > start else first))


def edit_in_file(json_text: str, cell_text: str, edit: Edit) -> Edit:
    """An edit of a cell as one of the notebook's JSON: what it inserts is escaped, and a row is a string of its own.

    Raises:
        ValueError: as `in_file`.
    """
    file, cell, written = _opened(json_text, cell_text, edit.span.cell or 1)
    start, end = cell.offset(edit.span.start), cell.offset(edit.span.end)
    first, last = written.start(start), written.start(end)
    return Edit(Span(file.position(first), file.position(last)), written.written(edit.content, last))


@lru_cache(maxsize=2)
def _opened(json_text: str, cell_text: str, cell: int) -> tuple[SourceFile, SourceFile, WrittenSource]:
    return SourceFile(json_text, ""), SourceFile(cell_text, ""), WrittenSource(json_text, cell)
