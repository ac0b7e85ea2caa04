"""What stands before the Python on the rows of a cell and is none: an indentation that all share, and prompts.

People paste examples and parts of classes into notebooks; IPython takes both off before it reads a cell (the
cleanup of its `inputtransformer2`).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import groupby, takewhile

_ROW_END = re.compile(r"(?<=\n)|(?<=\r)(?!\n)")
_MARGIN = re.compile(r"[ \t]*")
_FIRST = re.compile(r"\s*>>>")
_PYTHON_PROMPT = re.compile(r"[ \t\f\v]*(?:>>>|\.\.\.)[ \t]?")
_IPYTHON_PROMPT = re.compile(r"(?: |\[(?:nav|ins)\] )?In \[\d+\]: |[ \t\f\v]*\.{3,}: ?")
_TRIPLE = re.compile(r"(?<!\\)(?:\"{3}|'{3})")
_STRING_LETTERS = re.compile(r"[rubf]*", re.IGNORECASE)


def rows_of(text: str) -> list[str]:
    """The rows of a text with their ends; the last one has none and may be empty, as `SourceFile.rows` has it."""
    return _ROW_END.split(text)


def is_blank(row: str) -> bool:
    """Whether nothing stands on a row."""
    return not row.strip()


def bare(rows: Sequence[str]) -> tuple[list[str], list[str]]:
    """What is taken off each row of a cell, and what is left; together they are the row.

    Rows without their margin are as wide as the narrowest; a prompt goes where one stands at the beginning (for
    ``>>>`` anywhere outside of texts), as IPython has it.
    """
    prefixes, left = _without_margin(["" for _ in rows], rows)
    prefixes, left = _without_python_prompts(prefixes, left)
    first = next((number for number, row in enumerate(left) if not is_blank(row)), len(left))
    if any(_IPYTHON_PROMPT.match(row) for row in left[first : first + 2]):
        prefixes, left = _taken_off(prefixes, left, [_width(_IPYTHON_PROMPT, row) for row in left])
    return prefixes, left


def has_prompt(text: str) -> bool:
    """Whether a text begins with a prompt of IPython's own, which may read as Python (``In [1]: x = 2``)."""
    return any(_IPYTHON_PROMPT.match(row) for row in text.lstrip().splitlines()[:2])


def _width(pattern: re.Pattern[str], row: str) -> int:
    found = pattern.match(row)
    return found.end() if found else 0


def _taken_off(prefixes: Sequence[str], rows: Sequence[str], widths: Sequence[int]) -> tuple[list[str], list[str]]:
    """Some characters at the beginning of each row moved into its prefix."""
    longer = [prefix + row[:width] for prefix, row, width in zip(prefixes, rows, widths)]
    return longer, [row[width:] for row, width in zip(rows, widths)]


def _without_margin(prefixes: Sequence[str], rows: Sequence[str]) -> tuple[list[str], list[str]]:
    """The indentation that all rows share taken off, and all blanks off those that hold nothing else."""
    margins = sorted(row[: _width(_MARGIN, row)] for row in rows if not is_blank(row))
    ends = zip(margins[0], margins[-1]) if margins else ()
    margin = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], ends))
    return _taken_off(prefixes, rows, [_width(_MARGIN, row) if is_blank(row) else margin for row in rows])


def _without_python_prompts(prefixes: Sequence[str], rows: Sequence[str]) -> tuple[list[str], list[str]]:
    """The prompts ``>>>`` and ``...`` taken off, and then the margin of what stands between texts."""
    in_text = _in_text(rows)
    if not any(_FIRST.match(row) and not inside for row, inside in zip(rows, in_text)):
        return list(prefixes), list(rows)
    widths = [0 if inside else _width(_PYTHON_PROMPT, row) for row, inside in zip(rows, in_text)]
    shorter = _taken_off(prefixes, rows, widths)
    done: tuple[list[str], list[str]] = ([], [])
    for inside, group in groupby(range(len(rows)), key=lambda number: in_text[number]):
        numbers = list(group)
        part = [[side[number] for number in numbers] for side in shorter]
        if not inside and any(widths[number] for number in numbers):
            part = list(_without_margin(*part))
        for side, more in zip(done, part):
            side += more
    return done


def _in_text(rows: Sequence[str]) -> list[bool]:
    """For each row whether it belongs to a text in triple quotes that is a statement by itself.

    Examples in a docstring are no prompts; a text that follows a prompt is a part of the example.
    """
    found = []
    quote, keeps, prompted = "", False, False
    for row in rows:
        inside = bool(quote) and keeps
        for match in _TRIPLE.finditer(row):
            if not quote:
                before = row[: match.start()]
                rest = before[_width(_PYTHON_PROMPT, before) :]
                is_example = rest != before and prompted
                quote, keeps = match[0], not is_example and _STRING_LETTERS.fullmatch(rest.strip()) is not None
                inside = keeps
            elif match[0] == quote:
                quote, keeps = "", False
        found.append(inside)
        prompted = prompted or _FIRST.match(row) is not None
    return found
