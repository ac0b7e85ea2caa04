"""The texts and notebooks that are open in the editor, kept as it reports its changes.

pygls keeps such texts too, but its lines also end at form feeds and the like, so that later changes go astray.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from lsprotocol import types
from pygls.uris import to_fs_path

from infonce_lint.server.positions import TextPositions

_PYTHON_SUFFIXES = (".py", ".pyi", ".pyw")
_CELL_SCHEME = "vscode-notebook-cell:"


@dataclass(frozen=True, slots=True)
class Part:
    """One text: a file, or a cell of a notebook (with no text if it holds no Python)."""

    uri: str
    text: str = ""
    version: int | None = None
    is_python: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class OpenDocument:
    """What is linted together: one text, or all cells of a notebook in their order.

    A document never changes: each change of a part makes another document, so ``is`` tells what is out of date.
    """

    uri: str
    path: str
    parts: tuple[Part, ...]
    is_notebook: bool = False


class Documents:
    """All that is open. The client's position encoding is to be set before the first change comes."""

    def __init__(self) -> None:
        self.encoding = types.PositionEncodingKind.Utf16
        self._open: dict[str, OpenDocument] = {}
        self._notebooks: dict[str, str] = {}  # by the cells in them

    def __iter__(self) -> Iterator[OpenDocument]:
        return iter(tuple(self._open.values()))

    def document(self, uri: str) -> OpenDocument | None:
        """The document that a text, a notebook or a cell belongs to, as it is now; None if it is none of ours."""
        return self._open.get(self._notebooks.get(uri, uri))

    def part(self, uri: str) -> Part | None:
        """A text or a cell as it is now."""
        document = self.document(uri)
        return next((each for each in document.parts if each.uri == uri), None) if document is not None else None

    # ---- texts

    def open(self, item: types.TextDocumentItem) -> None:
        """A text was opened; one that is not Python is passed over, and so is a cell without its notebook."""
        path = _path(item.uri)
        is_python = item.language_id == "python" or path.endswith(_PYTHON_SUFFIXES)
        if is_python and not item.uri.startswith(_CELL_SCHEME):
            self._open[item.uri] = OpenDocument(item.uri, path, (Part(item.uri, item.text, item.version, True),))

    def change(
        self,
        identifier: types.VersionedTextDocumentIdentifier,
        changes: Sequence[types.TextDocumentContentChangeEvent],
    ) -> None:
        """A text or a cell was changed; the changes apply one after the other."""
        document, part = self.document(identifier.uri), self.part(identifier.uri)
        if document is None or part is None:
            return
        text = part.text
        for change in changes:
            text = self._changed(text, change)
        changed = replace(part, text=text, version=identifier.version)
        parts = tuple(changed if each is part else each for each in document.parts)
        self._open[document.uri] = replace(document, parts=parts)

    def _changed(self, text: str, change: types.TextDocumentContentChangeEvent) -> str:
        if isinstance(change, types.TextDocumentContentChangeWholeDocument):
            return change.text
        positions = TextPositions(text, self.encoding)
        start, end = positions.offset(change.range.start), positions.offset(change.range.end)
        return text[:start] + change.text + text[end:]

    def close(self, uri: str) -> OpenDocument | None:
        """A text or a notebook was closed; what it was."""
        document = self._open.pop(uri, None)
        for part in document.parts if document is not None else ():
            self._notebooks.pop(part.uri, None)
        return document

    # ---- notebooks

    def open_notebook(self, notebook: types.NotebookDocument, texts: Sequence[types.TextDocumentItem]) -> None:
        """A notebook was opened with the texts of its cells."""
        items = {item.uri: item for item in texts}
        self._keep(notebook.uri, [_cell(cell, items, {}) for cell in notebook.cells])

    def change_notebook(
        self, notebook: types.VersionedNotebookDocumentIdentifier, change: types.NotebookDocumentChangeEvent
    ) -> None:
        """Cells of a notebook were added, removed, moved or changed."""
        document = self._open.get(notebook.uri)
        if document is None or change.cells is None:
            return
        structure = change.cells.structure
        if structure is not None:
            items = {item.uri: item for item in structure.did_open or ()}
            known = {each.uri: each for each in document.parts}
            start, end = structure.array.start, structure.array.start + structure.array.delete_count
            added = [_cell(cell, items, known) for cell in structure.array.cells or ()]
            self._keep(document.uri, [*document.parts[:start], *added, *document.parts[end:]])
        for content in change.cells.text_content or ():
            self.change(content.document, content.changes)

    def _keep(self, uri: str, cells: Sequence[Part]) -> None:
        self.close(uri)
        self._open[uri] = OpenDocument(uri, _path(uri), tuple(cells), is_notebook=True)
        self._notebooks.update({cell.uri: uri for cell in cells})


def _cell(cell: types.NotebookCell, items: Mapping[str, types.TextDocumentItem], known: Mapping[str, Part]) -> Part:
    """A cell of a notebook: opened just now, known before, or without a text that concerns us."""
    item = items.get(cell.document)
    if item is None:
        return known.get(cell.document, Part(cell.document))
    is_python = cell.kind is types.NotebookCellKind.Code and item.language_id == "python"
    return Part(item.uri, item.text, item.version, is_python)


def _path(uri: str) -> str:
    """The path of a file; for a text that was never saved one in the current folder."""
    return to_fs_path(uri) or os.path.abspath("untitled.py")
