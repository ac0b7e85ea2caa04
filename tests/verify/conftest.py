"""One warm child process for all tests that need one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from infonce_lint.verify.worker import Worker


@pytest.fixture(scope="session")
def worker() -> Iterator[Worker]:
    """A child process with torch in it."""
    pytest.importorskip("torch")
    with Worker(60) as made:
        yield made
