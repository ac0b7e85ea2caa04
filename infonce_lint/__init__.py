"""Finds and fixes contrastive losses that trust a configured batch size.

>>> from infonce_lint import lint_source
>>> lint_source("import torch")
[]
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from infonce_lint.engine.linter import FixedFile
    from infonce_lint.finding import Finding
    from infonce_lint.settings import Settings

__all__ = ["Finding", "FixedFile", "Settings", "__version__", "fix_source", "lint_source"]
__version__ = "0.1.0"
_HOMES = {"Finding": "finding", "FixedFile": "engine.linter", "Settings": "settings"}


def __getattr__(name: str) -> Any:
    """The types of the two functions, loaded when they are first asked for."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)


def lint_source(source: str | bytes, filename: str = "<string>", settings: Settings | None = None) -> list[Finding]:
    """The findings in one file's text, in the order of their positions.

    Args:
        source: the text, or the bytes as they stand in the file (an encoding cookie is obeyed).
        filename: its suffix says whether it is a notebook (``.ipynb``); nothing is read from it.
        settings: what to report; the defaults if None. Configuration files are not consulted.
    """
    from infonce_lint.engine.linter import lint_bytes
    from infonce_lint.settings import Settings

    return lint_bytes(_encoded(source), filename, settings or Settings())


def fix_source(
    source: str | bytes, filename: str = "<string>", settings: Settings | None = None, *, unsafe: bool = False
) -> FixedFile:
    """One file's bytes after its fixes, and the findings that remain.

    Args:
        source, filename, settings: as for `lint_source`.
        unsafe: apply fixes too that a person should read first.
    """
    from infonce_lint.engine.linter import fix_bytes
    from infonce_lint.settings import Settings

    return fix_bytes(_encoded(source), filename, settings or Settings(), unsafe=unsafe)


def _encoded(source: str | bytes) -> bytes:
    """The bytes that would stand in the file: a text is encoded as its own cookie says (PEP 263)."""
    if isinstance(source, bytes):
        return source
    import io
    import tokenize

    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(source.encode()).readline)
        return source.encode(encoding.removesuffix("-sig"))  # a byte order mark stands in the text already
    except (SyntaxError, UnicodeEncodeError):
        return source.encode()
