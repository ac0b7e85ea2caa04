"""An editor that the tests of a module share."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.server.editor import Editor, editing


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def editor(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Editor]:
    """With everything at its defaults, in an empty folder; the tests give their files different names."""
    async with editing(tmp_path_factory.mktemp("workspace")) as made:
        yield made
