"""Notebooks: cells are linted together as they change, and fixed as the command fixes the file."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from lsprotocol import types

from infonce_lint import fix_source, lint_source
from tests.server.editor import Editor, capabilities, editing
from tests.surfaces.samples import BAD, notebook

pytestmark = pytest.mark.asyncio

SIZE = "BATCH_SIZE"
SETUP = "%matplotlib inline\nimport torch\nimport torch.nn.functional as F\n\nBATCH_SIZE = 256"
LOSS = (
    "def info_nce(z1, z2):\n"
    "    logits = z1 @ z2.T / 0.07  # 🎉\n"
    "    return F.cross_entropy(logits, torch.arange(BATCH_SIZE))\n"
)
BROKEN = "print 'Python 2'"


class Notebook:
    """A notebook in the editor; its first cell is text, as in `samples.notebook`."""

    def __init__(self, editor: Editor, *cells: str) -> None:
        self.editor = editor
        self.uri = (editor.root / "a.ipynb").as_uri()
        self.version = 1
        self.cells = [self.cell(f"{number}", text) for number, text in enumerate(cells)]
        text_cell = types.NotebookCell(types.NotebookCellKind.Markup, f"{self.uri}#text")
        document = types.NotebookDocument(self.uri, "jupyter-notebook", 1, [text_cell, *map(_code, self.cells)])
        params = types.DidOpenNotebookDocumentParams(document, self.cells)
        editor.client.notebook_document_did_open(params)

    def cell(self, name: str, text: str) -> types.TextDocumentItem:
        uri = f"vscode-notebook-cell:{self.uri.removeprefix('file://')}#{name}"
        self.editor.text[uri] = text
        self.editor._versions[uri] = 1
        return types.TextDocumentItem(uri, "python", 1, text)

    def change(self, cells: types.NotebookDocumentCellChanges) -> None:
        self.version += 1
        identifier = types.VersionedNotebookDocumentIdentifier(version=self.version, uri=self.uri)
        change = types.NotebookDocumentChangeEvent(cells=cells)
        self.editor.client.notebook_document_did_change(types.DidChangeNotebookDocumentParams(identifier, change))

    def type(self, cell: str, old: str, new: str) -> int:
        """Type over the first ``old`` of a cell; the cell's new version."""
        text = self.editor.text[cell]
        start = text.index(old)
        place = types.Range(self.editor.place(cell, start), self.editor.place(cell, start + len(old)))
        self.editor.text[cell] = text[:start] + new + text[start + len(old) :]
        self.editor._versions[cell] += 1
        identifier = types.VersionedTextDocumentIdentifier(uri=cell, version=self.editor._versions[cell])
        content = types.NotebookDocumentCellContentChanges(
            identifier, [types.TextDocumentContentChangePartial(place, new)]
        )
        self.change(types.NotebookDocumentCellChanges(text_content=[content]))
        return self.editor._versions[cell]

    def restructure(self, start: int, delete: int, *added: types.TextDocumentItem, moved: Sequence[str] = ()) -> None:
        """Take out ``delete`` cells at ``start`` and put in others, new or known ones."""
        cells = [*map(_code, added), *(types.NotebookCell(types.NotebookCellKind.Code, uri) for uri in moved)]
        array = types.NotebookCellArrayChange(start=start, delete_count=delete, cells=cells)
        structure = types.NotebookDocumentCellChangeStructure(array, did_open=list(added))
        self.change(types.NotebookDocumentCellChanges(structure=structure))


def _code(item: types.TextDocumentItem) -> types.NotebookCell:
    return types.NotebookCell(types.NotebookCellKind.Code, item.uri)


@asynccontextmanager
async def opened(root: Path, *cells: str) -> AsyncIterator[tuple[Editor, Notebook]]:
    async with editing(root, capabilities("utf-16")) as editor:
        yield editor, Notebook(editor, *cells)


async def test_cells_are_linted_together(tmp_path: Path) -> None:
    async with opened(tmp_path, SETUP, BROKEN, LOSS) as (editor, book):
        setup, broken, loss = (item.uri for item in book.cells)
        (finding,) = await editor.diagnostics(loss)
        (error,) = await editor.diagnostics(broken)
        assert await editor.diagnostics(setup) == []
        assert editor.covered(loss, finding.range) == SIZE
        assert (error.code, error.severity) == ("NCE900", types.DiagnosticSeverity.Error)
        expected = [(each.code, each.text) for each in lint_source(notebook(SETUP, BROKEN, LOSS), "a.ipynb")]
        assert [(each.code, each.message) for each in (error, finding)] == expected
        related = finding.related_information or ()
        assert {each.location.uri for each in related} == {loss}


async def test_a_change_in_one_cell_counts_in_another(tmp_path: Path) -> None:
    async with opened(tmp_path, SETUP, LOSS) as (editor, book):
        setup, loss = (item.uri for item in book.cells)
        assert len(await editor.diagnostics(loss)) == 1
        editor.published.clear()
        version = book.type(setup, "BATCH_SIZE = 256", "BATCH_SIZE = torch.zeros(3).shape[0]")
        assert await editor.diagnostics(loss) == []
        editor.published.clear()
        book.type(loss, "# 🎉\n    return F.cross_entropy(logits, torch.arange(BATCH_SIZE", "#\n    return (logits, (3")
        assert await editor.diagnostics(setup, version) == []


async def test_cells_come_go_and_move(tmp_path: Path) -> None:
    async with opened(tmp_path, SETUP) as (editor, book):
        setup = book.cells[0].uri
        assert await editor.diagnostics(setup) == []
        new = book.cell("new", LOSS)
        book.restructure(2, 0, new)
        assert len(await editor.diagnostics(new.uri)) == 1

        editor.published.clear()
        book.restructure(1, 2, moved=[new.uri, setup])  # now the loss stands before the size
        await editor.diagnostics(new.uri)
        expected = lint_source(notebook(LOSS, SETUP), "a.ipynb")
        assert len(editor._of_version(new.uri, 1).diagnostics) == len(expected)  # type: ignore[union-attr]

        book.restructure(1, 1)
        assert await editor.diagnostics(new.uri, None) == []


@pytest.mark.parametrize("title", ["infonce-lint: fix all (safe fixes)", "safe fix"])
async def test_fixes_in_cells_equal_those_of_the_command(tmp_path: Path, title: str) -> None:
    async with opened(tmp_path, SETUP, BROKEN, LOSS, BAD) as (editor, book):
        *_, loss, bad = (item.uri for item in book.cells)
        fixed = json.loads(fix_source(notebook(SETUP, BROKEN, LOSS, BAD), "a.ipynb").data)
        expected = ["".join(cell["source"]) for cell in fixed["cells"][1:]]
        assert expected[:2] == [SETUP, BROKEN] and expected[2] != LOSS and expected[3] != BAD
        if title.startswith("infonce-lint"):
            actions = await editor.actions(loss, "", ["notebook.source.fixAll"])
            editor.apply(actions[title].edit)
        else:
            for cell, word in ((loss, "BATCH_SIZE"), (bad, "self.args.batch_size")):
                actions = await editor.actions(cell, word, ["quickfix"])
                editor.apply(next(action for name, action in actions.items() if title in name).edit)
        assert [editor.text[item.uri] for item in book.cells] == expected


async def test_cells_are_not_fixed_one_by_one(tmp_path: Path) -> None:
    """Editors ask every cell for `source.fixAll` at once; the answers together would fix the notebook many times."""
    async with opened(tmp_path, SETUP, LOSS) as (editor, book):
        assert await editor.actions(book.cells[0].uri, "", ["source.fixAll"]) == {}


async def test_suppression_hover_and_command_in_cells(tmp_path: Path) -> None:
    async with opened(tmp_path, SETUP, LOSS) as (editor, book):
        loss = book.cells[1].uri
        assert "configured-labels" in await editor.hover(loss, SIZE)
        actions = await editor.actions(loss, SIZE, ["quickfix"])
        suppressed = LOSS.replace("BATCH_SIZE))\n", "BATCH_SIZE))  # noqa: NCE001\n")
        edit = actions["Suppress with # noqa: NCE001"].edit
        await editor.client.workspace_execute_command_async(
            types.ExecuteCommandParams("infonce-lint.fixAll", [book.uri])
        )
        fixed = json.loads(fix_source(notebook(SETUP, LOSS), "a.ipynb").data)
        assert editor.text[loss] == "".join(fixed["cells"][2]["source"])
        editor.text[loss] = LOSS
        editor.apply(edit)
        assert editor.text[loss] == suppressed


async def test_closing_a_notebook_clears_its_cells(tmp_path: Path) -> None:
    async with opened(tmp_path, SETUP, LOSS) as (editor, book):
        loss = book.cells[1].uri
        assert await editor.diagnostics(loss)
        cells = [types.TextDocumentIdentifier(item.uri) for item in book.cells]
        identifier = types.NotebookDocumentIdentifier(book.uri)
        editor.client.notebook_document_did_close(types.DidCloseNotebookDocumentParams(identifier, cells))
        assert await editor.diagnostics(loss, None) == []
        assert await editor.hover(loss, SIZE) == ""


async def test_saving_a_notebook_reads_the_configuration_again(tmp_path: Path) -> None:
    async with opened(tmp_path, SETUP, LOSS) as (editor, book):
        assert await editor.diagnostics(book.cells[1].uri)
        editor.published.clear()
        (tmp_path / "infonce-lint.toml").write_text('ignore = ["NCE001"]\n', encoding="utf-8")
        identifier = types.NotebookDocumentIdentifier(book.uri)
        editor.client.notebook_document_did_save(types.DidSaveNotebookDocumentParams(identifier))
        assert await editor.diagnostics(book.cells[1].uri) == []


async def test_cells_are_told_even_to_editors_that_ask(tmp_path: Path) -> None:
    """A change in one cell counts in others, for which the editor would not ask again."""
    async with editing(tmp_path, capabilities(asks=True)) as editor:
        book = Notebook(editor, SETUP, LOSS)
        loss = book.cells[1].uri
        assert len(await editor.diagnostics(loss)) == 1
        asked = types.DocumentDiagnosticParams(types.TextDocumentIdentifier(loss))
        report = await editor.client.text_document_diagnostic_async(asked)
        assert isinstance(report, types.RelatedFullDocumentDiagnosticReport)
        assert list(report.items) == []
