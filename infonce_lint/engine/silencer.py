"""Silencing what there is: a ``# noqa: NCE…`` comment for every finding, and no other byte changed. Pure."""

from __future__ import annotations

import ast

from infonce_lint.engine.linter import PARSE_ERROR, FixedFile, Linted, lint, lint_bytes
from infonce_lint.settings import Settings
from infonce_lint.sources.document import read
from infonce_lint.sources.edits import apply_edits
from infonce_lint.sources.source import SourceError, SourceFile
from infonce_lint.sources.suppression import UNUSED, Suppressions


def add_noqa(data: bytes, path: str, settings: Settings, *, linted: Linted = lint) -> FixedFile:
    """Silence the findings of a file's bytes, NCE900 and NCE901 aside; ``fixed`` counts the comments that changed.

    Args:
        linted: finds what there is to silence.
    """
    after, count, withheld = data, 0, ""
    try:
        document = read(data, path)
        text, count = _silenced(document.source, settings, linted)
        after = document.rewrite(text) if count else data
    except SourceError:  # it does not parse, and is reported below
        count = 0
    except ValueError as error:
        count, withheld = 0, f"no comment was added: {error}"
    return FixedFile(after, after != data, count, lint_bytes(after, path, settings), withheld)


def _silenced(source: SourceFile, settings: Settings, linted: Linted) -> tuple[str, int]:
    """The text with the comments, and how many of them are new or changed.

    Raises:
        SourceError: the file does not parse.
        ValueError: a comment would change more than comments.
    """
    found = [each for each in linted(source, settings) if each.code not in (PARSE_ERROR, UNUSED)]
    edits = Suppressions(source).silencing(found)
    text = apply_edits(source, edits)
    if edits and ast.dump(source.with_text(text).tree) != ast.dump(source.tree):
        raise ValueError("it would change the code")
    return text, len(edits)
