"""The conversation with the editor: each message of the protocol, and what is done about it."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable, Iterable
from contextlib import redirect_stdout
from functools import partial
from typing import Any, NamedTuple

from lsprotocol import types
from pygls.capabilities import get_capability
from pygls.lsp.server import LanguageServer
from pygls.uris import to_fs_path

from infonce_lint import __version__
from infonce_lint.server import hover
from infonce_lint.server.actions import FIX_ALL_TITLE, KINDS, Actions
from infonce_lint.server.analysis import Analysis
from infonce_lint.server.diagnostics import SOURCE, Diagnoses
from infonce_lint.server.documents import Documents, OpenDocument
from infonce_lint.server.options import SECTION, Options, read_options, section_of
from infonce_lint.server.protocol import Protocol
from infonce_lint.server.worker import Worker

FIX_ALL_COMMAND = "infonce-lint.fixAll"
CONFIGURATION_FILES = ("infonce-lint.toml", "pyproject.toml")
_PAUSE = 0.2  # seconds without a keystroke before a text is linted
_NOTEBOOKS = types.NotebookDocumentSyncOptions(
    notebook_selector=[
        types.NotebookDocumentFilterWithCells(
            cells=[types.NotebookCellLanguage(language="python")],
            notebook=types.NotebookDocumentFilterNotebookType(notebook_type="jupyter-notebook"),
        )
    ],
    save=True,
)


class _Outcome(NamedTuple):
    """What came of linting a document: None if it is excluded or could not be linted, and what the user should know."""

    analysis: Analysis | None = None
    problem: str = ""


class InfonceLanguageServer(LanguageServer):
    """Texts and notebooks in, diagnostics, code actions and hovers out.

    Diagnostics are pushed, or left to be asked for by a client that can be told when to ask again. Those of notebooks
    are always pushed, because a change in one cell can change what is found in another.
    """

    def __init__(self) -> None:
        super().__init__(
            SOURCE,
            __version__,
            types.TextDocumentSyncKind.Incremental,
            notebook_document_sync=_NOTEBOOKS,
            protocol_cls=Protocol,
        )
        self._documents = Documents()
        self._worker = Worker(self._documents, self._analyse)
        self._options = Options()
        self._asked = False  # whether the client asks for the diagnostics of texts
        self._said_goodbye = False
        self._complained: set[str] = set()
        self._timers: dict[str, asyncio.Task[None]] = {}
        self._register()

    def serve(self) -> int:
        """Serve on standard input and output; the exit code that the protocol asks for."""
        with open(os.dup(sys.stdout.fileno()), "wb") as conversation, redirect_stdout(sys.stderr):
            self.start_io(stdout=conversation)  # which closes it; and a stray print must not fall into it
        self._worker.close()
        return 0 if self._said_goodbye else 1

    def _register(self) -> None:
        self._on(types.INITIALIZE, self._initialize)
        self._on(types.INITIALIZED, self._initialized)
        self._on(types.SHUTDOWN, self._shutdown)
        self._on(types.TEXT_DOCUMENT_DID_OPEN, self._opened)
        self._on(types.TEXT_DOCUMENT_DID_CHANGE, self._changed)
        self._on(types.TEXT_DOCUMENT_DID_SAVE, self._saved)
        self._on(types.TEXT_DOCUMENT_DID_CLOSE, self._closed)
        self._on(types.NOTEBOOK_DOCUMENT_DID_OPEN, self._notebook_opened)
        self._on(types.NOTEBOOK_DOCUMENT_DID_CHANGE, self._notebook_changed)
        self._on(types.NOTEBOOK_DOCUMENT_DID_SAVE, self._notebook_saved)
        self._on(types.NOTEBOOK_DOCUMENT_DID_CLOSE, self._notebook_closed)
        self._on(types.WORKSPACE_DID_CHANGE_CONFIGURATION, self._settings_changed)
        self._on(types.WORKSPACE_DID_CHANGE_WATCHED_FILES, self._files_changed)
        self._on(types.TEXT_DOCUMENT_CODE_ACTION, self._code_actions, types.CodeActionOptions(code_action_kinds=KINDS))
        self._on(types.TEXT_DOCUMENT_HOVER, self._hover)
        self.command(FIX_ALL_COMMAND)(partial(self._fix_all))

    def _on(self, method: str, handler: Callable[..., Any], options: Any = None) -> None:
        self.feature(method, options)(partial(handler))  # pygls puts a mark on it, which a method does not take

    # ---- beginning and end

    def _initialize(self, params: types.InitializeParams) -> None:
        encoding = self.workspace.position_encoding or types.PositionEncodingKind.Utf16
        self._documents.encoding = types.PositionEncodingKind(encoding)
        root = next((folder for folder in self._roots(params) if os.path.isdir(folder)), None)
        if root is not None:
            os.chdir(root)  # as the command is run there: relative paths of the settings mean the same
        if params.initialization_options is not None:
            given = params.initialization_options
            self._take(given.get(SECTION, given) if isinstance(given, dict) else {"initializationOptions": given})
        asks = get_capability(params.capabilities, "text_document.diagnostic")
        refreshes = get_capability(params.capabilities, "workspace.diagnostics.refresh_support", False)
        self._asked = asks is not None and bool(refreshes)
        if self._asked:
            options = types.DiagnosticOptions(
                inter_file_dependencies=False, workspace_diagnostics=False, identifier=SOURCE
            )
            self._on(types.TEXT_DOCUMENT_DIAGNOSTIC, self._diagnostic, options)

    def _roots(self, params: types.InitializeParams) -> Iterable[str]:
        folders = [folder.uri for folder in params.workspace_folders or ()]
        for uri in (*folders, params.root_uri):
            yield (to_fs_path(uri) if uri else None) or params.root_path or ""

    def _initialized(self, params: types.InitializedParams) -> None:
        if get_capability(self.client_capabilities, "workspace.did_change_watched_files.dynamic_registration", False):
            watchers = [types.FileSystemWatcher(glob_pattern=f"**/{name}") for name in CONFIGURATION_FILES]
            options = types.DidChangeWatchedFilesRegistrationOptions(watchers=watchers)
            method = types.WORKSPACE_DID_CHANGE_WATCHED_FILES
            registration = types.Registration(id="configuration-files", method=method, register_options=options)
            self.client_register_capability(types.RegistrationParams(registrations=[registration]))

    def _shutdown(self, params: None) -> None:
        self._said_goodbye = True

    # ---- documents

    def _opened(self, params: types.DidOpenTextDocumentParams) -> None:
        self._documents.open(params.text_document)
        self._publish_soon(params.text_document.uri)

    def _changed(self, params: types.DidChangeTextDocumentParams) -> None:
        self._documents.change(params.text_document, params.content_changes)
        self._publish_soon(params.text_document.uri, _PAUSE)

    def _saved(self, params: types.DidSaveTextDocumentParams) -> None:
        self._reconsider(params.text_document.uri)

    def _closed(self, params: types.DidCloseTextDocumentParams) -> None:
        self._clear(params.text_document.uri)

    def _notebook_opened(self, params: types.DidOpenNotebookDocumentParams) -> None:
        self._documents.open_notebook(params.notebook_document, params.cell_text_documents)
        self._publish_soon(params.notebook_document.uri)

    def _notebook_changed(self, params: types.DidChangeNotebookDocumentParams) -> None:
        before = self._documents.document(params.notebook_document.uri)
        self._documents.change_notebook(params.notebook_document, params.change)
        after = self._documents.document(params.notebook_document.uri)
        if before is not None and after is not None:
            kept = {each.uri for each in after.parts}
            self._publish_nothing(each.uri for each in before.parts if each.uri not in kept)
        self._publish_soon(params.notebook_document.uri, _PAUSE)

    def _notebook_saved(self, params: types.DidSaveNotebookDocumentParams) -> None:
        self._reconsider(params.notebook_document.uri)

    def _notebook_closed(self, params: types.DidCloseNotebookDocumentParams) -> None:
        self._clear(params.notebook_document.uri)

    def _reconsider(self, uri: str) -> None:
        """A file was saved: lint it by the configuration as it is on disk now; a configuration file concerns all."""
        if uri.endswith(CONFIGURATION_FILES):
            self._reconsider_all()
        else:
            self._worker.forget(uri)
            self._publish_soon(uri)

    def _clear(self, uri: str) -> None:
        document = self._documents.close(uri)
        self._worker.forget(uri)
        timer = self._timers.pop(uri, None)
        if timer is not None:
            timer.cancel()
        if document is not None and not self._is_asked_for(document):
            self._publish_nothing(each.uri for each in document.parts)

    # ---- settings

    def _settings_changed(self, params: types.DidChangeConfigurationParams) -> None:
        section = section_of(params.settings)
        if section is not None:
            self._take(section)
            self._reconsider_all()
        elif not params.settings and get_capability(self.client_capabilities, "workspace.configuration", False):
            asked = types.ConfigurationParams(items=[types.ConfigurationItem(section=SECTION)])
            self.workspace_configuration(asked, callback=self._settings_told)

    def _settings_told(self, values: Any) -> None:
        section = section_of(values[0]) if values else None
        if section is not None:
            self._take(section)
        self._reconsider_all()

    def _take(self, values: Any) -> None:
        self._options, problems = read_options(values)
        for problem in problems:
            self._complain(f"settings of the editor: {problem}")

    def _files_changed(self, params: types.DidChangeWatchedFilesParams) -> None:
        self._reconsider_all()

    def _reconsider_all(self) -> None:
        self._complained.clear()
        self._worker.forget()
        for document in self._documents:
            self._publish_soon(document.uri)
        if self._asked:
            self.workspace_diagnostic_refresh(None)

    def _complain(self, problem: str) -> None:
        """Show the user a problem, once."""
        if problem not in self._complained:
            self._complained.add(problem)
            self.window_show_message(
                types.ShowMessageParams(type=types.MessageType.Error, message=f"infonce-lint: {problem}")
            )

    # ---- findings

    def _analyse(self, document: OpenDocument) -> _Outcome:
        """In the worker's thread; what goes wrong is a problem to tell, never the end of the service."""
        try:
            policy = self._options.policy(document.path)
            return _Outcome(Analysis(document, policy.settings, policy.known), policy.problem) if policy else _Outcome()
        except Exception as error:
            said = " ".join(f"{type(error).__name__}: {error}".split())
            return _Outcome(problem=f"{document.path}: internal error, please report it: {said}")

    async def _latest(self, uri: str) -> Analysis | None:
        """The analysis of the document of ``uri`` as it is now; None if there is none."""
        outcome = await self._worker.latest(uri)
        if outcome is not None and outcome.problem:
            self._complain(outcome.problem)
        return outcome.analysis if outcome is not None else None

    def _diagnoses(self, analysis: Analysis) -> Diagnoses:
        related = get_capability(
            self.client_capabilities, "text_document.publish_diagnostics.related_information", False
        )
        return Diagnoses(analysis, self._documents.encoding, related=bool(related))

    def _is_asked_for(self, document: OpenDocument) -> bool:
        return self._asked and not document.is_notebook

    def _publish_soon(self, uri: str, pause: float = 0.0) -> None:
        """Publish the diagnostics of a text or notebook after a pause, if nothing happens to it meanwhile."""
        document = self._documents.document(uri)
        if document is None or self._is_asked_for(document):
            return
        timer = self._timers.get(uri)
        if timer is not None:
            timer.cancel()
        self._timers[uri] = asyncio.get_running_loop().create_task(self._publish(uri, pause))

    async def _publish(self, uri: str, pause: float) -> None:
        await asyncio.sleep(pause)
        analysis = await self._latest(uri)
        document = self._documents.document(uri)
        if document is None:
            return
        diagnoses = self._diagnoses(analysis) if analysis is not None else None
        for part in document.parts:
            items = diagnoses.of_part(part.uri) if diagnoses is not None else []
            if part.is_python:
                self.text_document_publish_diagnostics(
                    types.PublishDiagnosticsParams(uri=part.uri, diagnostics=items, version=part.version)
                )

    def _publish_nothing(self, uris: Iterable[str]) -> None:
        for uri in uris:
            self.text_document_publish_diagnostics(types.PublishDiagnosticsParams(uri=uri, diagnostics=[]))

    async def _diagnostic(self, params: types.DocumentDiagnosticParams) -> types.RelatedFullDocumentDiagnosticReport:
        """Diagnostics for a client that asks; those of notebooks were pushed and are not said twice."""
        uri = params.text_document.uri
        document = self._documents.document(uri)
        items: list[types.Diagnostic] = []
        if document is not None and self._is_asked_for(document):
            analysis = await self._latest(uri)
            if analysis is not None:
                items = self._diagnoses(analysis).of_part(uri)
        return types.RelatedFullDocumentDiagnosticReport(items=items)

    # ---- what the user asks for

    def _actions(self, analysis: Analysis) -> Actions:
        versioned = get_capability(self.client_capabilities, "workspace.workspace_edit.document_changes", False)
        return Actions(
            analysis,
            self._diagnoses(analysis),
            self._documents.encoding,
            versioned=bool(versioned),
            unsafe=self._options.show_unsafe_fixes,
        )

    async def _code_actions(self, params: types.CodeActionParams) -> list[types.CodeAction]:
        uri = params.text_document.uri
        analysis = await self._latest(uri)
        if analysis is None:
            return []
        actions = self._actions(analysis)
        return await self._worker.run(partial(actions.at, uri, params.range, params.context.only))

    async def _fix_all(self, *uris: str) -> None:
        """The command: make all safe fixes in the texts and notebooks of these URIs (none given: in all open ones)."""
        for uri in uris or [document.uri for document in self._documents]:
            analysis = await self._latest(uri)
            edit = await self._worker.run(self._actions(analysis).fix_all) if analysis is not None else None
            if edit is not None:
                await self.workspace_apply_edit_async(types.ApplyWorkspaceEditParams(edit=edit, label=FIX_ALL_TITLE))

    async def _hover(self, params: types.HoverParams) -> types.Hover | None:
        uri = params.text_document.uri
        part = self._documents.part(uri)
        if part is None:
            return None
        page = await self._worker.run(
            partial(hover.suppressed_code, part.text, params.position, self._documents.encoding)
        )
        if page is not None:
            return types.Hover(contents=types.MarkupContent(kind=types.MarkupKind.Markdown, value=page))
        analysis = await self._latest(uri)
        return hover.found(analysis, self._diagnoses(analysis), uri, params.position) if analysis is not None else None
