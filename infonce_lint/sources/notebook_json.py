"""The JSON text of a notebook: where the source of each cell stands in it, and how changed rows are written into it.

Python's ``json`` gives values without places, so the few levels down to a cell's source are walked here; everything
else is skipped by ``json`` itself. All functions take text that ``json.loads`` has accepted.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterator
from itertools import pairwise

_BLANKS = re.compile(r"[ \t\n\r]*")
_ESCAPE = re.compile(r"\\.")
_UNIT = re.compile(r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u[0-9a-fA-F]{4}|\\.|.", re.DOTALL)
_DECODER = json.JSONDecoder()


class WrittenSource:
    """The source of a cell as it is written in a notebook's JSON: where each character of it stands there."""

    def __init__(self, text: str, cell: int) -> None:
        """Look up the source of a cell, counted from 1, in the JSON ``text``.

        Raises:
            IndexError: there is no such cell.
        """
        start, end = source_places(text)[cell - 1]
        value = text[start:end]
        self._ascii_only = text.isascii()
        is_list = value.startswith("[")
        items = [(start + first, start + last) for first, last in _items(value, 0)] if is_list else [(start, end)]
        self._starts: list[int] = []
        self._ends: list[int] = []
        for first, last in items if end > start else ():
            for unit in _UNIT.finditer(text, first + 1, last - 1):
                self._starts.append(unit.start())
                self._ends.append(unit.end())
        self._end = (items[-1][1] - 1 if items else end - 1) if end > start else start
        self._is_empty = is_list and not items
        self._lasts = {last - 1 for _, last in items}
        self._between = text[items[0][1] : items[1][0]] if len(items) > 1 else ""

    def start(self, offset: int) -> int:
        """Where the character at ``offset`` of the cell starts in the JSON; the end of the source behind the last."""
        return self._starts[offset] if offset < len(self._starts) else self._end

    def end(self, offset: int) -> int:
        """Where what stands before ``offset`` ends in the JSON."""
        return self._ends[offset - 1] if 0 < offset <= len(self._ends) else self.start(offset)

    def written(self, content: str, end: int) -> str:
        """``content`` as it has to be written where what follows it starts at ``end`` of the JSON."""
        rows = [_literal(row, self._ascii_only) for row in _rows(content)]
        if self._is_empty:
            return ", ".join(f'"{row}"' for row in rows)
        if not self._between:
            return "".join(rows)
        literal = f'"{self._between}"'.join(rows)
        return f'{literal}"{self._between}"' if content.endswith("\n") and end not in self._lasts else literal


def source_places(text: str) -> list[tuple[int, int]]:
    """Start and end of the source value of each cell, in the order of the cells; (0, 0) for a cell without source."""
    root = _members(text, _skip(text, 0))
    return [_members(text, cell).get("source", (0, 0)) for cell, _ in _items(text, root["cells"][0])]


def rewritten(value: str, old: str, new: str, *, ascii_only: bool) -> str:
    """The JSON ``value`` of a cell's source with the text ``old`` in it changed into ``new``.

    Rows that stay, and what stands between them, keep their very characters; new ones are written beside them.
    """
    places = list(_items(value, 0)) if value.startswith("[") else None
    kept = _literals(value, places)
    divide = next((way for way in (_rows, _lines) if [json.loads(f'"{row}"') for row in kept] == way(old)), None)
    if divide is None:  # an unusual division into strings: write every row anew
        divide, kept = _rows, [_literal(row, ascii_only) for row in _rows(old)]
    old_rows, new_rows = divide(old), divide(new)
    literals: list[str] = []
    for change, start, end, first, last in difflib.SequenceMatcher(None, old_rows, new_rows, False).get_opcodes():
        if change == "equal":
            literals += kept[start:end]
        else:
            literals += [_literal(row, ascii_only) for row in new_rows[first:last]]
    if places is None:
        return '"' + "".join(literals) + '"'
    if not places:
        return "[" + ", ".join(f'"{literal}"' for literal in literals) + "]"
    lead, tail = value[1 : places[0][0]], value[places[-1][1] : -1]
    between = value[places[0][1] : places[1][0]] if len(places) > 1 else "," + (lead or " ")
    return "[" + lead + between.join(f'"{literal}"' for literal in literals) + tail + "]"


def _rows(text: str) -> list[str]:
    """The rows of a cell as JupyterLab keeps them: each with its ``\\n``, which the last one mostly lacks."""
    return re.findall(r"[^\n]*\n|[^\n]+", text)


def _lines(text: str) -> list[str]:
    """The rows of a cell as nbformat keeps them: it breaks at form feeds and the like too."""
    return text.splitlines(keepends=True)


def _literal(row: str, ascii_only: bool) -> str:
    return json.dumps(row, ensure_ascii=ascii_only)[1:-1]


def _literals(value: str, places: list[tuple[int, int]] | None) -> list[str]:
    """What stands inside the quotes of ``value``, by strings if it is a list of them, else by rows."""
    if places is not None:
        return [value[start + 1 : end - 1] for start, end in places]
    cuts = [1, *(match.end() for match in _ESCAPE.finditer(value, 1) if match[0] == "\\n"), len(value) - 1]
    return [value[start:end] for start, end in pairwise(cuts) if start < end]


def _skip(text: str, at: int) -> int:
    match = _BLANKS.match(text, at)
    return match.end() if match else at


def _items(text: str, start: int) -> Iterator[tuple[int, int]]:
    """Start and end of each value in the array that starts at ``start``."""
    at = _skip(text, start + 1)
    while text[at] != "]":
        _, end = _DECODER.raw_decode(text, at)
        yield at, end
        at = _skip(text, end)
        at = _skip(text, at + 1) if text[at] == "," else at


def _members(text: str, start: int) -> dict[str, tuple[int, int]]:
    """Start and end of each value in the object that starts at ``start``; of equal keys the last counts, as in json."""
    members: dict[str, tuple[int, int]] = {}
    at = _skip(text, start + 1)
    while text[at] != "}":
        key, at = _DECODER.raw_decode(text, at)
        at = _skip(text, _skip(text, at) + 1)
        _, end = _DECODER.raw_decode(text, at)
        members[key] = (at, end)
        at = _skip(text, end)
        at = _skip(text, at + 1) if text[at] == "," else at
    return members
