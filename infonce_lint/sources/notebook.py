"""A Jupyter notebook as one Python file: its code cells joined in order, and the way back to cells and to JSON.

Cells count from 1 over all cells. Each code cell is one block of the joined file, under a marker row ``# %% cell 3``;
IPython's own syntax is written as Python in it (`ipython.py`). A cell that does not parse is reported alone, and of it
only what binds names is left (`readable.py`).
"""

from __future__ import annotations

import codecs
import contextlib
import difflib
import json
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from infonce_lint.finding import Edit, Finding, Position, Related, Span
from infonce_lint.sources import nesting, notebook_json
from infonce_lint.sources.edits import apply_edits, with_row_breaks
from infonce_lint.sources.ipython import CellCode, as_python
from infonce_lint.sources.prompts import has_prompt, is_blank, rows_of
from infonce_lint.sources.readable import bindings_alone
from infonce_lint.sources.source import SourceError, SourceFile

#: Where metadata name the language of a cell.
_LANGUAGE_PATHS = (
    ("vscode", "languageId"),
    ("dotnet_interactive", "language"),
    ("polyglot_notebook", "kernelName"),
    ("kernel",),
    ("deepnote_cell_type",),
)


@dataclass(frozen=True, slots=True)
class _Cell:
    """A code cell that takes part: its number, its marker's row in the joined file, its own text and that as Python."""

    number: int
    marker_row: int
    text: str
    code: CellCode

    def prefix(self, row: int) -> str:
        """What stands before the Python on a row, counted from 1."""
        prefixes = self.code.prefixes
        return prefixes[row - 1] if 0 < row <= len(prefixes) else ""

    def prefix_of_new(self, row: int) -> str:
        """What has to stand before the Python of rows that are put above ``row``, or in its place."""
        rows = rows_of(self.text)
        order = [*range(row, len(rows) + 1), *range(min(row, len(rows) + 1) - 1, 0, -1)]
        return self.prefix(next((each for each in order if not is_blank(rows[each - 1])), 0))


class _JoinedCells(SourceFile):
    """The code of a notebook as one file, which knows from its marker rows the cell of each row."""

    def __init__(self, text: str, path: str, marker: str) -> None:
        super().__init__(text, path)
        self._marker = marker

    def with_text(self, text: str) -> SourceFile:
        return _JoinedCells(text, self.path, self._marker)

    def cell_row(self, row: int) -> tuple[int | None, int]:
        for above in range(row, 0, -1):
            marker, _, number = self.rows[above - 1].rstrip("\n").rpartition(" ")
            if marker == self._marker:
                return int(number), max(row - above, 1)
        return super().cell_row(row)


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
            code = self._code(number, text)
            if code is not None:
                self._cells.append(_Cell(number, row, text, code))
                blocks.append(f"{self._marker} {number}\n{_ended(code.python)}")
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

    def _code(self, number: int, text: str) -> CellCode | None:
        """A cell as Python that parses; an error is noted if it is not, and None means that nothing of it is left."""
        if not has_prompt(text):
            with contextlib.suppress(SourceError):
                return CellCode(self._parsed(text), ())
        code = as_python(text)
        try:
            self._parsed(code.python)
            return code
        except SourceError as error:
            with contextlib.suppress(SourceError):
                return CellCode(self._parsed(text), ())
            start = error.position
            prefix = code.prefixes[start.row - 1] if start.row <= len(code.prefixes) else ""
            start = Position(start.row, start.column + len(prefix))
            self.errors.append(replace(error.finding, span=Span(start, start, number)))
        left = bindings_alone(code.python)
        return None if left is None else code._replace(python=left)

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
            return Position(row, position.column + len(cell.prefix(row))) if row > 0 else Position(1, 1)

        return Span(inside(span.start), inside(span.end), cell.number)

    def _locate_edit(self, edit: Edit) -> Edit:
        """An edit of ``source`` in its cell: what stands before the Python there stands on its new rows too."""
        span = self.locate(edit.span)
        cell = next((each for each in self._cells if each.number == span.cell), None)
        prefix = cell.prefix_of_new(span.end.row) if cell is not None and cell.code.prefixes else ""
        return Edit(span, with_row_breaks(edit.content, f"\n{prefix}") if prefix else edit.content)

    def place(self, finding: Finding) -> Finding:
        """``finding`` of ``source`` with every place given by cell: its related ones and its edits too."""
        related = tuple(Related(self.locate(each.span), each.message) for each in finding.related)
        fix = finding.fix
        if fix is not None:
            fix = replace(fix, edits=tuple(map(self._locate_edit, fix.edits)))
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
            if block == _ended(cell.code.python):
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
    """The cell's text after its Python changed into ``block``, with its own rows instead of those put for them."""
    python = cell.code.python
    if _ended(python) != python:
        block = block.removesuffix("\n")
    own, before, after = rows_of(cell.text), rows_of(python), rows_of(block)
    rows: list[str] = []
    for change, start, end, new_start, new_end in difflib.SequenceMatcher(None, before, after, False).get_opcodes():
        if change == "equal":
            rows += own[start:end]
        elif any(own[each] != cell.prefix(each + 1) + before[each] for each in range(start, end)):
            raise ValueError(f"cell {cell.number}: the edits change a row that only IPython understands")
        else:
            prefix = cell.prefix_of_new(start + 1) if cell.code.prefixes else ""
            rows += [prefix + row if row else row for row in after[new_start:new_end]]
    return "".join(rows)


def _code_cells(root: Any) -> list[tuple[int, str]]:
    """Number and text of each Python cell in a notebook's JSON."""
    cells = root.get("cells") if isinstance(root, dict) else None
    if isinstance(root, dict) and isinstance(root.get("worksheets"), list):
        raise SourceError("a notebook of the old format 3; open and save it in Jupyter to bring it to format 4")
    if not isinstance(cells, list):
        raise SourceError("not a notebook of format 4: it has no list of cells")
    found = []
    language = _language(root)
    for number, cell in enumerate(cells, start=1):
        if not isinstance(cell, dict):
            raise SourceError(f"not a notebook: cell {number} is no JSON object")
        if cell.get("cell_type") != "code" or not _is_python(_language_of(cell) or language):
            continue
        source = cell.get("source", "")
        rows = [source] if isinstance(source, str) else source
        if not isinstance(rows, list) or not all(isinstance(row, str) for row in rows):
            raise SourceError(f"not a notebook: the source of cell {number} is neither a string nor a list of strings")
        found.append((number, "".join(rows)))
    return found


def _is_python(language: str) -> bool:
    return language.startswith(("python", "ipython", "sage"))


def _language_of(cell: dict[str, Any]) -> str:
    """The language that a cell's metadata name, in small letters; empty if they leave it to the notebook.

    VS Code, SoS, Polyglot Notebooks and Deepnote mix languages in one notebook; each has a place of its own for it.
    """
    metadata = cell.get("metadata")
    for path in _LANGUAGE_PATHS:
        value = metadata
        for key in path:
            value = value.get(key) if isinstance(value, dict) else None
        if isinstance(value, str) and value and value.lower() not in ("code", "sos"):
            return value.lower()
    return ""


def _language(root: dict[str, Any]) -> str:
    """The notebook's language in small letters; Python if it does not say, or has a kernel for several languages."""
    metadata = root.get("metadata")
    for key, name in (("language_info", "name"), ("kernelspec", "language")):
        part = metadata.get(key) if isinstance(metadata, dict) else None
        if isinstance(part, dict) and isinstance(part.get(name), str) and part[name]:
            return str(part[name]).lower()
    return "python"


def joined(text: str, path: str) -> SourceFile:
    """The ``source`` of a notebook from its text alone, whose first row is the marker of a cell."""
    return _JoinedCells(text, path, text.partition("\n")[0].rpartition(" ")[0])


def cell_text(data: bytes, number: int) -> str:
    """The text of one code cell, whether it parses or not; empty if there is none of that number.

    Raises:
        SourceError: as `Notebook.from_bytes`.
    """
    return dict(code_cells(data)).get(number, "")


def code_cells(data: bytes) -> list[tuple[int, str]]:
    """Number and text of each Python cell of a notebook, whether it parses or not.

    Raises:
        SourceError: as `Notebook.from_bytes`.
    """
    try:
        root = json.loads(data.decode("utf-8-sig"))
    except (RecursionError, ValueError) as error:
        raise SourceError(f"not a notebook: {error}") from None
    return _code_cells(root)
