"""An editor for the tests: pytest-lsp's client talking to a real ``infonce-lint server``, and texts that take edits."""

from __future__ import annotations

import asyncio
import re
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from lsprotocol import types
from pygls.protocol import default_converter
from pytest_lsp import ClientServerConfig, LanguageClient
from pytest_lsp.client import DEFAULT_CLIENT_FEATURES, register_lsp_features

PATIENCE = 60.0  # seconds; the machine may be busy
Done = TypeVar("Done")


def capabilities(
    *encodings: str, versioned: bool = True, asks: bool = False, notebooks: bool = True, watches: bool = True
) -> types.ClientCapabilities:
    """What an editor can do; ``asks`` for one that asks for diagnostics rather than being told."""
    synchronises = types.NotebookDocumentSyncClientCapabilities(execution_summary_support=False)
    watcher = types.DidChangeWatchedFilesClientCapabilities(dynamic_registration=True)
    return types.ClientCapabilities(
        general=types.GeneralClientCapabilities(position_encodings=list(encodings)) if encodings else None,
        text_document=types.TextDocumentClientCapabilities(
            publish_diagnostics=types.PublishDiagnosticsClientCapabilities(
                related_information=True, version_support=True
            ),
            diagnostic=types.DiagnosticClientCapabilities() if asks else None,
        ),
        notebook_document=types.NotebookDocumentClientCapabilities(synchronises) if notebooks else None,
        workspace=types.WorkspaceClientCapabilities(
            apply_edit=True,
            configuration=True,
            workspace_edit=types.WorkspaceEditClientCapabilities(document_changes=versioned),
            did_change_watched_files=watcher if watches else None,
            diagnostics=types.DiagnosticWorkspaceClientCapabilities(refresh_support=True) if asks else None,
        ),
    )


class Editor:
    """One session with the server in the folder ``root``; ``text`` is what the user sees of each document."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.client = LanguageClient(converter_factory=default_converter)
        self.published: list[types.PublishDiagnosticsParams] = []
        self.text: dict[str, str] = {}
        self.encoding = "utf-16"
        self.registered: list[types.Registration] = []
        self._versions: dict[str, int] = {}
        self._news = asyncio.Event()
        mine = {
            types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS: partial(self._on_publish),
            types.WORKSPACE_APPLY_EDIT: partial(self._on_apply),
            types.CLIENT_REGISTER_CAPABILITY: partial(self._on_register),
        }
        register_lsp_features(self.client, {**DEFAULT_CLIENT_FEATURES, **mine})

    async def start(self, can: types.ClientCapabilities, options: Any) -> types.ServerCapabilities:
        """Start the server and shake hands."""
        command = [sys.executable, "-m", "infonce_lint", "server"]
        await ClientServerConfig(server_command=command, client_factory=lambda: self.client).start()
        folder = types.WorkspaceFolder(self.root.as_uri(), self.root.name)
        params = types.InitializeParams(can, initialization_options=options, workspace_folders=[folder])
        result = await self.client.initialize_session(params)
        self.encoding = str(types.PositionEncodingKind(result.capabilities.position_encoding or "utf-16").value)
        return result.capabilities

    # ---- texts

    def open(self, name: str, text: str, language: str = "python") -> str:
        """Open a text that need not be on the disk; its URI."""
        uri = (self.root / name).as_uri()
        self.text[uri] = text
        self._versions[uri] = 1
        item = types.TextDocumentItem(uri, language, 1, text)
        self.client.text_document_did_open(types.DidOpenTextDocumentParams(item))
        return uri

    def replace(self, uri: str, old: str, new: str) -> int:
        """Type ``new`` over the first ``old``, which goes out as an incremental change; the new version."""
        before = self.text[uri]
        start = before.index(old)
        place = types.Range(self.place(uri, start), self.place(uri, start + len(old)))
        self.text[uri] = before[:start] + new + before[start + len(old) :]
        self._versions[uri] += 1
        identifier = types.VersionedTextDocumentIdentifier(uri=uri, version=self._versions[uri])
        change = types.TextDocumentContentChangePartial(place, new)
        self.client.text_document_did_change(types.DidChangeTextDocumentParams(identifier, [change]))
        return self._versions[uri]

    def save(self, uri: str) -> None:
        self.client.text_document_did_save(types.DidSaveTextDocumentParams(types.TextDocumentIdentifier(uri)))

    def close(self, uri: str) -> None:
        self.client.text_document_did_close(types.DidCloseTextDocumentParams(types.TextDocumentIdentifier(uri)))

    # ---- places, computed apart from the server's way

    def place(self, uri: str, offset: int) -> types.Position:
        """The protocol's name for an offset into the text."""
        lines = re.split(r"\r\n|\r|\n", self.text[uri][:offset])
        return types.Position(len(lines) - 1, len(lines[-1].encode(self._codec[0])) // self._codec[1])

    def covered(self, uri: str, place: types.Range) -> str:
        """The text of a range."""
        return self.text[uri][self._offset(uri, place.start) : self._offset(uri, place.end)]

    def _offset(self, uri: str, position: types.Position) -> int:
        starts = [0, *(match.end() for match in re.finditer(r"\r\n|\r|\n", self.text[uri]))]
        line = self.text[uri][starts[position.line] :]
        codec, width = self._codec
        return starts[position.line] + len(line.encode(codec)[: position.character * width].decode(codec))

    @property
    def _codec(self) -> tuple[str, int]:
        return {"utf-8": ("utf-8", 1), "utf-16": ("utf-16-le", 2), "utf-32": ("utf-32-le", 4)}[self.encoding]

    def apply(self, edit: types.WorkspaceEdit | None) -> None:
        """Make an edit in the texts, as an editor does; one for another version than the text's is an error."""
        assert edit is not None
        changes = [(uri, edits) for uri, edits in (edit.changes or {}).items()]
        for change in edit.document_changes or ():
            assert isinstance(change, types.TextDocumentEdit)
            assert change.text_document.version == self._versions[change.text_document.uri]
            changes.append((change.text_document.uri, [e for e in change.edits if isinstance(e, types.TextEdit)]))
        for uri, edits in changes:
            for each in sorted(edits, key=lambda e: (e.range.start.line, e.range.start.character), reverse=True):
                start, end = self._offset(uri, each.range.start), self._offset(uri, each.range.end)
                self.text[uri] = self.text[uri][:start] + each.new_text + self.text[uri][end:]

    # ---- what the server says

    async def diagnostics(self, uri: str, version: int | None = 1) -> list[types.Diagnostic]:
        """The diagnostics of a version, as soon as they are published."""
        (found,) = [await self.until(lambda: self._of_version(uri, version))]
        return list(found.diagnostics)

    def _of_version(self, uri: str, version: int | None) -> types.PublishDiagnosticsParams | None:
        return next((each for each in reversed(self.published) if each.uri == uri and each.version == version), None)

    async def until(self, condition: Callable[[], Done | None]) -> Done:
        """Wait until ``condition`` gives something true; it is asked again at each message of the server."""

        async def waiting() -> Done:
            while not (done := condition()):
                self._news.clear()
                await self._news.wait()
            return done

        return await asyncio.wait_for(waiting(), PATIENCE)

    async def actions(self, uri: str, word: str = "", only: Sequence[str] | None = None) -> dict[str, types.CodeAction]:
        """The code actions with the cursor in the first ``word`` of a text, by their titles."""
        here = self.place(uri, self.text[uri].index(word))
        context = types.CodeActionContext([], only=list(only) if only is not None else None)
        params = types.CodeActionParams(types.TextDocumentIdentifier(uri), types.Range(here, here), context)
        actions = await self.client.text_document_code_action_async(params)
        assert all(isinstance(each, types.CodeAction) for each in actions or ())
        return {each.title: each for each in actions or () if isinstance(each, types.CodeAction)}

    async def hover(self, uri: str, word: str) -> str:
        """The text of the hover over the first ``word``; empty if there is none."""
        here = self.place(uri, self.text[uri].index(word))
        hover = await self.client.text_document_hover_async(types.HoverParams(types.TextDocumentIdentifier(uri), here))
        if hover is None:
            return ""
        assert isinstance(hover.contents, types.MarkupContent)
        return hover.contents.value

    async def alive(self) -> None:
        """Fail if the server does not answer, or said that something went wrong inside."""
        await asyncio.wait_for(self.hover(self.open("alive.py", "# noqa: NCE001\n"), "NCE001"), PATIENCE)
        assert not [each.message for each in self.client.messages if "internal error" in each.message]

    def _on_publish(self, params: types.PublishDiagnosticsParams) -> None:
        self.published.append(params)
        self._news.set()

    def _on_apply(self, params: types.ApplyWorkspaceEditParams) -> types.ApplyWorkspaceEditResult:
        self.apply(params.edit)
        self._news.set()
        return types.ApplyWorkspaceEditResult(applied=True)

    def _on_register(self, params: types.RegistrationParams) -> None:
        self.registered += params.registrations
        self._news.set()


@asynccontextmanager
async def editing(
    root: Path, can: types.ClientCapabilities | None = None, options: Any = None
) -> AsyncIterator[Editor]:
    """A session from the greeting to the goodbye; the server must leave with the exit code 0."""
    editor = Editor(root)
    await editor.start(can or capabilities(), options)
    try:
        yield editor
    finally:
        await asyncio.wait_for(editor.client.shutdown_session(), PATIENCE)
        process = editor.client._server
        await editor.client.stop()
        assert process is not None and process.returncode == 0
