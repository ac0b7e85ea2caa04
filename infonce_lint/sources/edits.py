"""Replacing text by position: what is outside the edits stays as it is, byte for byte."""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import pairwise

from infonce_lint.finding import Edit
from infonce_lint.sources.source import SourceFile

_ROW_BREAK = re.compile(r"\r\n|\r|\n")


def with_row_breaks(content: str, newline: str) -> str:
    """``content`` with every row break as ``newline``."""
    return _ROW_BREAK.sub(newline, content)


def overlaps(first: Edit, second: Edit) -> bool:
    """Whether the two edits touch the same text, or insert at the same place, so that their order would matter.

    Neighbours do not overlap: an insertion may stand right before or behind a replaced span.
    """
    a, b = first.span, second.span
    if a.start == a.end and b.start == b.end:
        return a.start == b.start
    return a.start < b.end and b.start < a.end


def apply_edits(source: SourceFile, edits: Iterable[Edit]) -> str:
    """The text of ``source`` with all edits made; equal edits are made once.

    A row break in an edit's content is written as the one that the file uses.

    Raises:
        ValueError: two edits overlap, or one names a place that the text does not have.
    """
    ordered = sorted(dict.fromkeys(edits), key=lambda edit: (edit.span.start, edit.span.end))
    for before, after in pairwise(ordered):
        if overlaps(before, after):
            raise ValueError(f"{source.path}: overlapping edits at {before.span} and {after.span}")
    pieces, done = [], 0
    for edit in ordered:
        start, end = source.offset(edit.span.start), source.offset(edit.span.end)
        if end < start:
            raise ValueError(f"{source.path}: the edit at {edit.span} ends before it starts")
        pieces += [source.text[done:start], with_row_breaks(edit.content, source.newline)]
        done = end
    return "".join(pieces) + source.text[done:]
