"""Layout: the rows of new text are no longer than the project's, broken inside brackets as formatters break them."""

from __future__ import annotations

import io
import token
import tokenize
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TypeAlias

from infonce_lint.finding import Edit, Position, Span
from infonce_lint.settings import USUAL_LINE_LENGTH, Settings
from infonce_lint.sources.source import SourceFile

_CLOSING = {"(": ")", "[": "]", "{": "}"}
_IN_FSTRING = {
    getattr(token, name): step for name, step in (("FSTRING_START", 1), ("FSTRING_END", -1)) if hasattr(token, name)
}

Char: TypeAlias = tuple[int | None, int]
"""Where a character of new text comes from: the number of an edit (None: the file) and the place in it, from 0."""


def row_length(settings: Settings) -> int:
    """How many characters a row may have."""
    return settings.line_length or USUAL_LINE_LENGTH


def step_of(source: SourceFile, indent: str) -> str:
    """One step of indentation, as the file indents."""
    return "\t" if "\t" in indent else source.module.default_indent


def string_rows(prefix: str, parts: Sequence[str], quote: str, room: int) -> list[str]:
    """A string literal in one row or, where that is longer than ``room``, one row for each part; Python joins them.

    ``prefix`` is ``f`` for a text with ``{...}``; a part without any is written without it.
    """
    whole = f"{prefix}{quote}{''.join(parts)}{quote}"
    if len(whole) <= room:
        return [whole]
    return [f"{prefix if '{' in part else ''}{quote}{part}{quote}" for part in parts]


def break_of(row: str, step: str, limit: int) -> tuple[int, int] | None:
    """Behind which character of a row that is too long, and before which one, to break it; None where that is no help.

    The last pair of brackets is taken whose contents, and what stands before and behind it, then fit.
    """
    indent = len(row) - len(row.lstrip())
    for start, end in reversed(_outer_pairs(row)):
        longest = max(start + 1, indent + len(step) + end - start - 1, indent + len(row) - end)
        if end > start + 1 and longest <= limit:
            return start + 1, end
    return None


def _outer_pairs(row: str) -> list[tuple[int, int]]:
    """The brackets of a row that stand in no others; none where it is no whole row of code, or has a comment."""
    pairs: list[tuple[int, int]] = []
    opened: list[tuple[str, int]] = []
    in_string = 0
    indent = len(row) - len(row.lstrip())
    try:
        for each in tokenize.generate_tokens(io.StringIO(row[indent:]).readline):
            in_string += _IN_FSTRING.get(each.type, 0)
            if each.type == token.COMMENT:
                return []
            if each.type != token.OP or in_string:
                continue
            if each.string in _CLOSING:
                opened.append((_CLOSING[each.string], each.start[1] + indent))
            elif opened and each.string == opened[-1][0]:
                _, start = opened.pop()
                if not opened:
                    pairs.append((start, each.start[1] + indent))
    except (tokenize.TokenError, SyntaxError):
        return []
    return pairs if not opened else []


def laid_out(source: SourceFile, edits: Iterable[Edit], limit: int) -> list[Edit]:
    """The edits with breaks in the rows that they make longer than ``limit``; rows that were too long stay so."""
    changed = sorted(edits, key=lambda each: (each.span.start, each.span.end))
    by_row: dict[int, list[int]] = {}
    for order, edit in enumerate(changed):
        if edit.span.start.row == edit.span.end.row:
            by_row.setdefault(edit.span.start.row, []).append(order)
    ends = {each.span.end.row for each in changed if each.span.start.row != each.span.end.row}
    starts = {each.span.start.row for each in changed if each.span.start.row != each.span.end.row}
    added: list[Edit] = []
    for row, orders in by_row.items():
        if row not in ends | starts:
            added += _break_rows(source, changed, row, orders, limit)
    return [*changed, *added]


def _break_rows(source: SourceFile, edits: list[Edit], row: int, orders: Sequence[int], limit: int) -> list[Edit]:
    """Breaks in what becomes of one row: those inside the content of edits are put there, the others returned."""
    old = source.rows[row - 1].rstrip("\r\n")
    chars = _with_edits(old, [(order, edits[order]) for order in orders])
    text = "".join(old[at] if order is None else edits[order].content[at] for order, at in chars)
    added, begin = [], 0
    places: list[tuple[Char, Char, str]] = []
    for part in text.split("\n"):
        is_new = all(order is not None for order, _ in chars[begin : begin + len(part)])
        indent = part[: len(part) - len(part.lstrip())]
        step = step_of(source, indent)
        found = break_of(part, step, limit) if len(part) > limit and (is_new or len(old) <= limit) else None
        if found is not None:
            for at, rest in zip(found, (indent + step, indent), strict=True):
                places.append((chars[begin + at - 1], chars[begin + at], f"\n{rest}"))
        begin += len(part) + 1
    for before, behind, content in reversed(places):  # from the end, so that places in contents stay right
        order = before[0] if before[0] is not None else behind[0]
        if order is None:
            place = Position(row, behind[1] + 1)
            added.append(Edit(Span(place, place), content))
            continue
        at = before[1] + 1 if before[0] is not None else behind[1]
        was = edits[order].content
        edits[order] = replace(edits[order], content=was[:at] + content + was[at:])
    return added


def _with_edits(row: str, edits: list[tuple[int, Edit]]) -> list[Char]:
    """Where each character of the row after its edits comes from."""
    chars: list[Char] = []
    done = 0
    for order, edit in edits:
        start, end = edit.span.start.column - 1, edit.span.end.column - 1
        chars += [(None, at) for at in range(done, start)]
        chars += [(order, at) for at in range(len(edit.content))]
        done = end
    return [*chars, *((None, at) for at in range(done, len(row)))]
