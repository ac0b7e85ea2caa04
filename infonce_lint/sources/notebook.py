"""A Jupyter notebook as one Python file: its code cells joined in order, and the way back to cells and to JSON.

Cells count from 1 over all cells. Each code cell is one block of the joined file, under a marker row ``# %% cell 3``;
IPython's own syntax is neutralised in it (`magics.py`). A cell that does not parse is left out and reported alone.
"""

from __future__ import annotations

import codecs
import difflib
import json
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from infonce_lint.finding import Edit, Finding, Position, Related, Span
from infonce_lint.sources import nesting, notebook_json
from infonce_lint.sources.edits import apply_edits
from infonce_lint.sources.magics import neutralised
from infonce_lint.sources.source import SourceError, SourceFile


@dataclass(frozen=True, slots=True)
class _Cell:
    """A code cell that takes part: its number, its marker's row in the joined file, its own text and that as Python."""

    number: int
    marker_row: int
    text: str
    python: str


class _JoinedCells(SourceFile):
    """The code of a notebook as one file, which knows from its marker rows the cell of each row."""

    def __init__(self, text: str, path: str, marker: str) -> None:
        super().__init__(text, path)
        self._marker = marker

    def with_text(self, text: str) -> SourceFile:
        return _JoinedCells(text, self.path, self._marker)

    def spoken(self, position: Position) -> str:
        """Cell and row, as every place of a notebook is given."""
        for row in range(position.row, 0, -1):
            marker, _, number = self.rows[row - 1].rstrip("\n").rpartition(" ")
            if marker == self._marker:
                return f"row {max(position.row - row, 1)} of cell {number}"
        return super().spoken(position)


class Notebook:
    """A notebook's code as one `SourceFile`, and the places and edits of that file in terms of cells."""

    def __init__(self, json_text: str, cells: list[tuple[int, str]], path: str, bom: bool = False) -> None:
        self._json_text = json_text
        self._bom = bom
        self.path = path
        self.errors: list[Finding] = []
        self._texts = cells
        self._cells: list[_Cell] = []
        self._marker = "# %% cell"
        while any(self._marker in text for _, text in cells):
            self._marker += "_"
        blocks: list[str] = []
        row = 1
        for number, text in cells:
            python = self._python(number, text)
            if python is not None:
                self._cells.append(_Cell(number, row, text, python))
                blocks.append(f"{self._marker} {number}\n{_ended(python)}")
                row += len(SourceFile(blocks[-1], path).rows) - 1
        self.source: SourceFile = _JoinedCells("".join(blocks), path, self._marker)

    @classmethod
    def from_bytes(cls, data: bytes, path: str) -> Notebook:
        """Read a notebook of format 4; one whose language is not Python has no code cells.

        Raises:
            SourceError: not UTF-8, not JSON, or JSON that is no notebook.
        """
        bom = data.startswith(codecs.BOM_UTF8)
        try:
            text = data[len(codecs.BOM_UTF8) :].decode() if bom else data.decode()
            root = json.loads(text)
        except UnicodeDecodeError as error:
            raise SourceError(f"not a notebook: cannot be decoded as utf-8 ({error.reason})") from None
        except json.JSONDecodeError as error:
            raise SourceError(f"not a notebook: bad JSON ({error.msg})", Position(error.lineno, error.colno)) from None
        except (RecursionError, ValueError) as error:
            raise SourceError(f"not a notebook: bad JSON ({error})") from None
        return cls(text, _code_cells(root), path, bom)

    @classmethod
    def from_cells(cls, cells: Sequence[tuple[str, bool]], path: str) -> Notebook:
        """The notebook of some cells, each a text and whether it is Python."""
        written = [{"cell_type": "code" if is_python else "markdown", "source": text} for text, is_python in cells]
        return cls.from_bytes(json.dumps({"cells": written}).encode(), path)

    def _python(self, number: int, text: str) -> str | None:
        """A cell as Python that parses; None, and an error noted, if it is not."""
        try:
            try:
                return self._parsed(text)
            except SourceError:
                return self._parsed(neutralised(text))
        except SourceError as error:
            place = replace(error.finding.span, cell=number)
            self.errors.append(replace(error.finding, span=place))
            return None

    def _parsed(self, text: str) -> str:
        source = SourceFile(text, self.path)
        deep = nesting.too_deep(source.tree, source.rows)
        if deep is not None:
            raise SourceError("too deeply nested to be analysed", source.ast_span(deep).start)
        return text

    # ---- from the joined file to cells

    def locate(self, span: Span) -> Span:
        """A place in ``source`` as a place in its cell; it counts for the cell in which it starts."""
        if not self._cells:
            return span
        markers = [cell.marker_row for cell in self._cells]
        cell = self._cells[max(0, bisect_right(markers, span.start.row) - 1)]

        def inside(position: Position) -> Position:
            row = position.row - cell.marker_row
            return Position(row, position.column) if row > 0 else Position(1, 1)

        return Span(inside(span.start), inside(span.end), cell.number)

    def place(self, finding: Finding) -> Finding:
        """``finding`` of ``source`` with every place given by cell: its related ones and its edits too."""
        related = tuple(Related(self.locate(each.span), each.message) for each in finding.related)
        fix = finding.fix
        if fix is not None:
            fix = replace(fix, edits=tuple(Edit(self.locate(each.span), each.content) for each in fix.edits))
        return replace(finding, span=self.locate(finding.span), related=related, fix=fix)

    # ---- back to JSON

    def apply(self, edits: Iterable[Edit]) -> bytes:
        """The notebook's bytes with edits of ``source`` made in its cells.

        Raises:
            ValueError: as `apply_edits`, or as ``rewrite``.
        """
        return self.rewrite(apply_edits(self.source, edits))

    def rewrite(self, text: str) -> bytes:
        """The notebook's bytes with ``source`` changed into ``text``; nothing but the changed rows is written anew.

        Raises:
            ValueError: ``text`` changes the markers between cells or a row that IPython alone understands, or what is
                written does not read as ``text`` (a row above a cell's magic, which must come first).
        """
        places = notebook_json.source_places(self._json_text)
        ascii_only = self._json_text.isascii()
        pieces, done = [], 0
        for cell, block in zip(self._cells, self._blocks(text)):
            if block == _ended(cell.python):
                continue
            start, end = places[cell.number - 1]
            value, wanted = self._json_text[start:end], _restored(cell, block)
            value = notebook_json.rewritten(value, cell.text, wanted, ascii_only=ascii_only)
            pieces += [self._json_text[done:start], value]
            done = end
        json_text = "".join(pieces) + self._json_text[done:]
        data = (codecs.BOM_UTF8 if self._bom else b"") + json_text.encode()
        if Notebook.from_bytes(data, self.path).source.text != text:
            raise ValueError(f"{self.path}: the edits cannot be written into the notebook's cells")
        return data

    def texts(self, text: str) -> list[str]:
        """The text of every cell with ``source`` changed into ``text``.

        Raises:
            ValueError: as ``rewrite``.
        """
        cells = json.loads(self.rewrite(text).decode("utf-8-sig"))["cells"]
        return ["".join(cell.get("source", "")) for cell in cells]

    def _blocks(self, text: str) -> list[str]:
        """What stands under each marker in ``text``."""
        blocks, rest = [], text
        for cell, following in zip(self._cells, [*self._cells[1:], None]):
            marker = f"{self._marker} {cell.number}\n"
            if not rest.startswith(marker):
                raise ValueError(f"{self.path}: the edits change the marker of cell {cell.number}")
            end = rest.find(f"\n{self._marker} {following.number}\n") + 1 if following else len(rest)
            blocks.append(rest[len(marker) : end])
            rest = rest[end:]
        return blocks


def _ended(text: str) -> str:
    return text if text.endswith("\n") else text + "\n"


def _restored(cell: _Cell, block: str) -> str:
    """The cell's text after its Python changed into ``block``, with its own rows instead of the neutralised ones."""
    if _ended(cell.python) != cell.python:
        block = block.removesuffix("\n")
    own, before, after = cell.text.split("\n"), cell.python.split("\n"), block.split("\n")
    rows: list[str] = []
    for change, start, end, new_start, new_end in difflib.SequenceMatcher(None, before, after, False).get_opcodes():
        if change == "equal":
            rows += own[start:end]
        elif own[start:end] != before[start:end]:
            raise ValueError(f"cell {cell.number}: the edits change a row that only IPython understands")
        else:
            rows += after[new_start:new_end]
    return "\n".join(rows)


def _code_cells(root: Any) -> list[tuple[int, str]]:
    """Number and text of each Python cell in a notebook's JSON."""
    cells = root.get("cells") if isinstance(root, dict) else None
    if isinstance(root, dict) and isinstance(root.get("worksheets"), list):
        raise SourceError("a notebook of the old format 3; open and save it in Jupyter to bring it to format 4")
    if not isinstance(cells, list):
        raise SourceError("not a notebook of format 4: it has no list of cells")
    found = []
    for number, cell in enumerate(cells, start=1):
        if not isinstance(cell, dict):
            raise SourceError(f"not a notebook: cell {number} is no JSON object")
        if cell.get("cell_type") != "code":
            continue
        source = cell.get("source", "")
        rows = [source] if isinstance(source, str) else source
        if not isinstance(rows, list) or not all(isinstance(row, str) for row in rows):
            raise SourceError(f"not a notebook: the source of cell {number} is neither a string nor a list of strings")
        found.append((number, "".join(rows)))
    return found if _language(root).startswith(("python", "ipython", "sage")) else []


def _language(root: dict[str, Any]) -> str:
    """The notebook's language in small letters; Python if it does not say."""
    metadata = root.get("metadata")
    for key, name in (("language_info", "name"), ("kernelspec", "language")):
        part = metadata.get(key) if isinstance(metadata, dict) else None
        if isinstance(part, dict) and isinstance(part.get(name), str) and part[name]:
            return str(part[name]).lower()
    return "python"


def cell_text(data: bytes, number: int) -> str:
    """The text of one code cell, whether it parses or not; empty if there is none of that number.

    Raises:
        SourceError: as `Notebook.from_bytes`.
    """
    try:
        root = json.loads(data.decode("utf-8-sig"))
    except (RecursionError, ValueError) as error:
        raise SourceError(f"not a notebook: {error}") from None
    return dict(_code_cells(root)).get(number, "")
