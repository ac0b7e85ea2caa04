"""Linting beside the conversation with the editor: one thread, and only what is still wanted when its turn comes."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Generic, TypeVar

from infonce_lint.server.documents import Documents, OpenDocument

_START_SECONDS = 60.0
_STACK = 64 * 1024 * 1024  # bytes: the analysis recurses, and other threads than the first get little on some systems

Outcome = TypeVar("Outcome")
Result = TypeVar("Result")


class Worker(Generic[Outcome]):
    """Looks at open documents in one thread (the linter raises the recursion limit, which all threads share).

    Args:
        look: what the thread does with a document. It must not raise.
    """

    def __init__(self, documents: Documents, look: Callable[[OpenDocument], Outcome]) -> None:
        self._documents = documents
        self._look = look
        self._thread = ThreadPoolExecutor(1, "infonce-lint")
        self._runs: dict[str, tuple[OpenDocument, asyncio.Future[Outcome | None]]] = {}
        before = threading.stack_size(_STACK)
        self._thread.submit(int).result(_START_SECONDS)  # the thread starts now, with that stack
        threading.stack_size(before)

    async def latest(self, uri: str) -> Outcome | None:
        """The outcome for the document of ``uri`` as it is when this returns; None if it is closed.

        What becomes stale meanwhile is dropped, and the newest state is waited for. Callers share one run.
        """
        while True:
            document = self._documents.document(uri)
            if document is None:
                return None
            run = self._runs.get(document.uri)
            if run is None or run[0] is not document:
                loop = asyncio.get_running_loop()
                run = (document, loop.run_in_executor(self._thread, self._look_if_wanted, document))
                self._runs[document.uri] = run
            outcome = await asyncio.shield(run[1])  # no limit: a thread cannot be ended, and nothing else stands still
            if self._runs.get(document.uri) is run and self._documents.document(uri) is document:
                return outcome

    async def run(self, function: Callable[[], Result]) -> Result:
        """What ``function`` gives in the thread."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, function)

    def forget(self, uri: str | None = None) -> None:
        """The settings of a document (of all documents) may have changed: what is known about it no longer counts."""
        if uri is None:
            self._runs.clear()
        else:
            self._runs.pop(uri, None)

    def close(self) -> None:
        """Take no more work."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    def _look_if_wanted(self, document: OpenDocument) -> Outcome | None:
        return self._look(document) if self._documents.document(document.uri) is document else None
