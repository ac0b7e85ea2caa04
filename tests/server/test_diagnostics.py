"""Diagnostics, as an editor gets them: the findings of the command, of the newest text, and nothing stale."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from lsprotocol import types

from infonce_lint import lint_source
from tests.fixture_cases import FIXTURES
from tests.server.editor import Editor, capabilities, editing
from tests.surfaces.samples import BAD, CLEAN

pytestmark = pytest.mark.asyncio(loop_scope="module")

SIZE = "self.args.batch_size"
ROW_ENDS = {"lf": "\n", "crlf": "\r\n", "cr": "\r"}
FILES = sorted(FIXTURES.glob("rules/*/*.py"))[::6] + sorted(FIXTURES.glob("hostile/*.py"))


async def test_a_finding_is_a_diagnostic(editor: Editor) -> None:
    uri = editor.open("finding.py", BAD)
    (diagnostic,) = await editor.diagnostics(uri)
    (finding,) = lint_source(BAD)
    assert (diagnostic.code, diagnostic.message) == (finding.code, finding.text)
    assert diagnostic.severity is types.DiagnosticSeverity.Warning
    assert diagnostic.source == "infonce-lint"
    assert diagnostic.tags is None
    assert editor.covered(uri, diagnostic.range) == SIZE


async def test_the_related_places_tell_what_the_size_flows_into(editor: Editor) -> None:
    uri = editor.open("related.py", BAD)
    (diagnostic,) = await editor.diagnostics(uri)
    places = [
        (each.message, editor.covered(each.location.uri, each.location.range))
        for each in diagnostic.related_information or ()
    ]
    assert places[0] == ("sizes labels here", f"torch.arange({SIZE})")
    assert [each.message for each in lint_source(BAD)[0].related] == [message for message, _ in places]


@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.parent.name}/{file.stem}")
async def test_server_and_command_agree(editor: Editor, file: Path) -> None:
    try:
        text = file.read_bytes().decode()
    except UnicodeDecodeError:
        text = file.read_bytes().decode("latin-1")
    uri = editor.open(f"{file.parent.name}-{file.name}", text)
    diagnostics = await editor.diagnostics(uri)
    # An editor's text is decoded already: a declared encoding no longer says anything about it.
    declares = file.stem in ("declared_latin_1", "invalid_utf_8", "unknown_encoding")
    told = text.replace("coding", "coming") if declares else text
    expected = [(each.code, each.text, each.span.start.row - 1) for each in lint_source(told, file.name)]
    assert [(each.code, each.message, each.range.start.line) for each in diagnostics] == expected
    await editor.alive()


async def test_typing_the_fix_removes_the_finding(editor: Editor) -> None:
    uri = editor.open("typing.py", BAD)
    assert await editor.diagnostics(uri)
    version = editor.replace(uri, SIZE, "features.shape[0] // self.args.n_views")
    assert await editor.diagnostics(uri, version) == []


async def test_quick_typing_is_linted_once(editor: Editor) -> None:
    uri = editor.open("quick.py", BAD)
    await editor.diagnostics(uri)
    for letter in "abcdefgh":
        version = editor.replace(uri, "import torch\n", f"import torch\n{letter} = 1\n")
    (diagnostic,) = await editor.diagnostics(uri, version)
    assert editor.covered(uri, diagnostic.range) == SIZE
    versions = [each.version for each in editor.published if each.uri == uri]
    assert versions == [1, version]


async def test_a_stale_result_is_never_published(editor: Editor) -> None:
    many = BAD + "".join(BAD[BAD.index("class") :].replace("Trainer", f"Trainer{n}") for n in range(30))
    uri = editor.open("stale.py", many)
    await asyncio.sleep(0.05)  # the worker has begun
    version = editor.replace(uri, many, CLEAN)
    assert await editor.diagnostics(uri, version) == []
    assert [each.version for each in editor.published if each.uri == uri] == [version]


async def test_broken_syntax_is_an_error_and_goes_away(editor: Editor) -> None:
    uri = editor.open("broken.py", BAD)
    await editor.diagnostics(uri)
    version = editor.replace(uri, "def info_nce_loss(self, features):", "def info_nce_loss(self, features:")
    (diagnostic,) = await editor.diagnostics(uri, version)
    assert (diagnostic.code, diagnostic.severity) == ("NCE900", types.DiagnosticSeverity.Error)
    assert diagnostic.range.start != diagnostic.range.end, "an empty range cannot be seen"
    version = editor.replace(uri, "features:", "features):")
    (diagnostic,) = await editor.diagnostics(uri, version)
    assert diagnostic.code == "NCE001"


@pytest.mark.parametrize("text", ["", "\n", "(" * 3000, "x = '\\ud800'\n", "\ud800", "\0", "+".join(["x"] * 9000)])
async def test_hostile_texts_do_not_end_the_service(editor: Editor, text: str) -> None:
    uri = editor.open(f"hostile{abs(hash(text))}.py", text)
    await editor.diagnostics(uri)
    await editor.alive()


async def test_closing_clears(editor: Editor) -> None:
    uri = editor.open("closing.py", BAD)
    assert await editor.diagnostics(uri)
    editor.close(uri)
    assert await editor.diagnostics(uri, None) == []


async def test_other_languages_and_excluded_files_are_passed_over(editor: Editor) -> None:
    other = editor.open("notes.md", BAD, "markdown")
    cell = "vscode-notebook-cell:/x.ipynb#W0"
    item = types.TextDocumentItem(cell, "python", 1, BAD)
    editor.client.text_document_did_open(types.DidOpenTextDocumentParams(item))
    excluded = editor.open("build/generated.py", BAD)
    assert await editor.diagnostics(excluded) == []
    assert not [each for each in editor.published if each.uri in (other, cell)]


async def test_a_text_that_was_never_saved(editor: Editor) -> None:
    uri = "untitled:Untitled-1"
    item = types.TextDocumentItem(uri, "python", 1, BAD)
    editor.client.text_document_did_open(types.DidOpenTextDocumentParams(item))
    (diagnostic,) = await editor.diagnostics(uri)
    assert diagnostic.code == "NCE001"


@pytest.mark.parametrize("encodings", [("utf-8",), ("utf-16",), ("utf-32",), ("utf-32", "utf-16"), ()], ids="-".join)
async def test_columns_count_in_the_agreed_units(tmp_path: Path, encodings: tuple[str, ...]) -> None:
    lines = BAD.replace("torch.cat([", "torch.cat(['𝒩é漢🎉'.strip() and ")
    async with editing(tmp_path, capabilities(*encodings)) as editor:
        assert editor.encoding == (encodings or ("utf-16",))[0]
        for name, row_end in ROW_ENDS.items():
            uri = editor.open(f"{name}.py", lines.replace("\n", row_end))
            (diagnostic,) = await editor.diagnostics(uri)
            assert editor.covered(uri, diagnostic.range) == SIZE
            version = editor.replace(uri, "🎉", "🎉🎉")
            (diagnostic,) = await editor.diagnostics(uri, version)
            assert editor.covered(uri, diagnostic.range) == SIZE
            version = editor.replace(uri, SIZE, "3")
            assert await editor.diagnostics(uri, version) == []


async def test_what_others_take_for_row_ends(editor: Editor) -> None:
    """Form feeds and Unicode's separators end no line of the protocol, and changes behind them hit the right place."""
    uri = editor.open("feeds.py", "a = 'x\u2028y\x85z\x1c'\n\x0c\n" + BAD)
    (diagnostic,) = await editor.diagnostics(uri)
    assert editor.covered(uri, diagnostic.range) == SIZE
    version = editor.replace(uri, SIZE, "self.batch_size")
    (diagnostic,) = await editor.diagnostics(uri, version)
    assert editor.covered(uri, diagnostic.range) == "self.batch_size"


async def test_a_byte_order_mark_that_the_editor_kept(editor: Editor) -> None:
    uri = editor.open("mark.py", "\ufeffx = 1  # noqa: NCE001\n")
    (diagnostic,) = await editor.diagnostics(uri)
    assert editor.covered(uri, diagnostic.range) == "# noqa: NCE001"


async def test_an_editor_that_asks_is_not_told(tmp_path: Path) -> None:
    async with editing(tmp_path, capabilities(asks=True)) as editor:
        uri = editor.open("a.py", BAD)

        async def asked() -> list[types.Diagnostic]:
            params = types.DocumentDiagnosticParams(types.TextDocumentIdentifier(uri))
            report = await editor.client.text_document_diagnostic_async(params)
            assert isinstance(report, types.RelatedFullDocumentDiagnosticReport)
            return list(report.items)

        (diagnostic,) = await asked()
        assert editor.covered(uri, diagnostic.range) == SIZE
        editor.replace(uri, SIZE, "3")
        assert await asked() == []
        editor.client.workspace_did_change_watched_files(types.DidChangeWatchedFilesParams([]))
        await editor.alive()
        assert editor.client.diagnostic_refresh_count == 1
        editor.close(uri)
        assert await asked() == []
        assert editor.published == []


async def test_an_editor_that_could_not_be_told_to_ask_again_is_told(tmp_path: Path) -> None:
    can = capabilities(asks=True)
    assert can.workspace is not None
    can.workspace.diagnostics = None
    async with editing(tmp_path, can) as editor:
        assert (await editor.diagnostics(editor.open("a.py", BAD)))[0].code == "NCE001"


async def test_related_places_only_for_editors_that_show_them(tmp_path: Path) -> None:
    async with editing(tmp_path, types.ClientCapabilities()) as editor:
        (diagnostic,) = await editor.diagnostics(editor.open("a.py", BAD))
        assert diagnostic.related_information is None
