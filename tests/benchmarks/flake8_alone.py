"""flake8 as if this package were not installed: ``python -m tests.benchmarks.flake8_alone``."""

from __future__ import annotations

import importlib.metadata
import sys
from collections.abc import Iterator
from typing import Any

_all = importlib.metadata.distributions


def _others(**context: Any) -> Iterator[importlib.metadata.Distribution]:
    return (each for each in _all(**context) if each.metadata["name"] != "infonce-lint")


if __name__ == "__main__":
    importlib.metadata.distributions = _others
    from flake8.main.cli import main

    sys.exit(main())
