"""The words of a tie in the bytes of a file: a maker of labels or masks, a constructor and a loss (`losses/tied.py`).

The value graph takes a name as it is written, so each of these words stands in the file in one piece; how a name that
is called, or gets another name, may be followed tells most prose and plain variables apart. A tensor is not called, so
a maker that is given numbers alone makes none of a configured size.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

_NAME_BYTES = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_" + bytes(range(128, 256))
_BLANKS = b" \t\f"
_WINDOW = 200  # bytes looked at on either side of a word; what reaches farther passes
#: Between two words of code: blanks, continued rows, comments.
_GAP = rb"(?:[\s\\]|#[^\n]*\n)*"
_RANGE = re.compile(rb"\." + _GAP + rb"range(?!\w)")
#: Arguments without a name: numbers, and a type.
_NUMBERS = re.compile(rb"\s*\([\s\d.,*/+-]*\d[\s\d.,*/+-]*(?:,\s*dtype\s*=\s*[\w.]+)?\s*\)")
#: What can follow a name that is called, defined, imported or given another name.
_FOLLOWING = frozenset(b"()[],:;}\r\n#\\\"'")
_FOLLOWING_WORDS = (b"as", b"if", b"else", b"for", b"async")


def may_tie_size(data: bytes) -> bool:
    """Whether a class may build row numbers, identities or squares of a size that it was constructed with.

    False is always right.
    """
    return (
        _constructor().search(data) is not None
        and any(_may_be_called(data, *place) for place in _stems(data))
        and any(_may_make(data, *place) for place in _makers(data))  # last: it reads the table of operations
    )


def _stems(data: bytes) -> Iterator[tuple[int, int]]:
    """Where the words stand that losses are named with; each is looked for by itself, which is faster by far."""
    lower = data.lower()
    for key, patterns in _loss_stems().items():
        if key in lower:
            for pattern in patterns:
                yield from (match.span() for match in pattern.finditer(data))


def _makers(data: bytes) -> Iterator[tuple[int, int]]:
    """Where the words for what makes row numbers, identities and masks stand."""
    for word, pattern in _words():
        if word in data:
            yield from (match.span() for match in pattern.finditer(data))


@cache
def _words() -> list[tuple[bytes, re.Pattern[bytes]]]:
    from infonce_lint.semantic.shapes.operations import Column, named

    # Python's own range makes none; squares are masks only where their diagonal is filled
    plain = sorted((named(Column.NUMBERS_ROWS) | named(Column.IDENTITY)) - {"range"})
    patterns = [(word.encode(), re.compile(rf"{word}(?<!\w{word})(?!\w)".encode())) for word in plain]
    return [*patterns, (b"fill_diagonal", re.compile(b"fill_diagonal")), (b"range", _RANGE)]


@cache
def _constructor() -> re.Pattern[bytes]:
    from infonce_lint.semantic.names import CONSTRUCTORS

    return re.compile(rf"def[\s\\]+(?:{'|'.join(sorted(CONSTRUCTORS))})(?!\w)".encode())


@cache
def _loss_stems() -> dict[bytes, list[re.Pattern[bytes]]]:
    """The patterns of `LOSS_STEMS` by what they look for, in small letters."""
    from infonce_lint.semantic.names import LOSS_STEMS

    found: dict[bytes, list[re.Pattern[bytes]]] = {}
    for spelling in LOSS_STEMS.pattern.encode().split(b"|"):
        word = spelling.partition(b"(")[0]
        found.setdefault(word.lower(), []).append(re.compile(spelling))
    return found


@cache
def _leading_words() -> tuple[bytes, ...]:
    """The words that can stand before a name, perhaps with digits before them (``1if``)."""
    import keyword

    return tuple(each.encode() for each in (*keyword.kwlist, *keyword.softkwlist))


def _may_make(data: bytes, start: int, end: int) -> bool:
    """Whether a maker's word may stand for what is called with names, now or under another name."""
    if data[start:end] == b"Eye" or not _NUMBERS.match(data, end):
        return data[start:end] == b"fill_diagonal" or _may_be_called(data, start, end)
    return False


def _may_be_called(data: bytes, start: int, end: int) -> bool:
    """Whether the name around a place may be one that is called or defined, or gets another name, in the file."""
    after = data[end : end + _WINDOW].lstrip(_NAME_BYTES)
    tail = after.lstrip(_BLANKS)
    if tail and tail[0] not in _FOLLOWING and not (after != tail and tail.startswith(_FOLLOWING_WORDS)):
        return False
    before = data[max(0, start - _WINDOW) : start].rstrip(_NAME_BYTES)
    head = before.rstrip(_BLANKS)
    word = head[len(head.rstrip(_NAME_BYTES)) :]
    return before == head or not word or word.endswith(_leading_words())
