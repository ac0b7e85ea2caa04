"""What cannot hold a finding, told long before libcst is asked: from the bytes first, then from CPython's tree.

The screen only ever says "cannot": every finding is the read of a configured size, and every such size, however it is
renamed later, enters the file under a name that `semantic/names.py` takes for one. The patterns here are made of the
words of that module; what they let through is decided by its predicates, then by `traces.py`, then by the model.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING

from infonce_lint.screening.tie_words import may_tie_size
from infonce_lint.semantic.names import SIZE_WORDS, is_config_size_name, is_constant_size_name, words
from infonce_lint.settings import Settings
from infonce_lint.sources.document import code_of, is_plain

if TYPE_CHECKING:
    import ast

    from infonce_lint.sources.source import SourceFile

_NAME_BYTES = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_"
_BLANKS = b" \t\f\\"
_UNQUOTED = bytes(set(range(256)) - set(b" \t\n\r\f\v\"'"))
_QUOTES = (b'"', b"'")
_LETTERS = b"rRbBuUfF"
_ASCII = bytes(range(128))
_WINDOW = 100  # bytes looked at on either side of a word; what reaches farther passes
_SMALL = 20_000  # bytes that CPython parses as soon as they are taken apart
_BATCH = frozenset({"batch", "batches"})


def may_hold_finding(source: SourceFile, settings: Settings) -> bool:
    """Whether a file could hold a finding of a rule; False only when a name that every finding needs is absent.

    Raises:
        SourceError: as `SourceFile.tree`; only a file that mentions a size is parsed for it.
    """
    if settings.size_names or settings.config_names:
        return True  # names of the user's own
    letters = _foreign_letters(source.text)
    data = source.text.encode("utf-8", "surrogatepass")
    places = [] if letters else sorted(mentions(data))
    ties = may_tie_size(data)
    if not (_has_size_word(data) if letters else places) and not ties:
        return False
    if letters and _fold_into_ascii(letters):
        return True
    from infonce_lint.screening.traces import has_traces, may_read_size

    if not letters and not ties and not _needs_whole(data) and not may_read_size([(source.tree, _rows(data, places))]):
        return False
    return has_traces(source.tree, ties=lambda tree: ties and (bool(letters) or _may_tie_size(tree)))


def _may_tie_size(tree: ast.Module) -> bool:
    from infonce_lint.screening import ties

    return ties.may_tie_size(tree)


def may_report(data: bytes, path: str, settings: Settings) -> bool:
    """Whether the bytes of a file could give any finding but a syntax error; False is always right.

    What stands before `may_hold_finding` where there are many files: it decodes next to nothing and parses little.
    """
    if settings.size_names or settings.config_names:
        return True
    end = data.find(b"\n", data.find(b"\n") + 1)
    if not is_plain(path):
        data = code_of(data, path)
    elif data.find(b"coding", 0, end if end >= 0 else len(data)) >= 0:
        return True  # perhaps a declared encoding, in which the bytes mean something else
    if may_name_our_codes(data):
        return True
    try:
        if not data.isascii() and _foreign_letters(data.translate(None, _ASCII).decode()):
            return _has_size_word(data) or may_tie_size(data)
    except UnicodeDecodeError:
        return True
    places = sorted(mentions(data))
    if len(data) < _SMALL and any(_ENTRY.match(data, max(0, place - 1)) for place in places):
        return True
    if may_tie_size(data):
        return True
    return _may_read_size(data, places)


def may_name_our_codes(data: bytes) -> bool:
    """Whether some ``# noqa`` names a code of ours, so that it is worth asking what is unused; False is right."""
    return _NAMES_OURS.search(data) is not None


def mentions(data: bytes) -> Iterator[int]:
    """Where names stand that, as far as the bytes of a text tell, read as a configured size; it misses none."""
    for pattern in _patterns(data):
        for match in pattern.finditer(data):
            if _reads_as_size(data, *match.span()):
                yield match.start()


def _foreign_letters(text: str) -> set[str]:
    """The letters beyond ASCII that names could be written with, though they may stand in comments only."""
    return set() if text.isascii() else {each for each in set(text) if not each.isascii() and f"a{each}".isidentifier()}


def _fold_into_ascii(letters: set[str]) -> bool:
    """Whether Python turns some of the letters into plain ones where they stand in a name (NFKC)."""
    from unicodedata import normalize

    return any(normalize("NFKC", each).isascii() for each in letters)


def _has_size_word(data: bytes) -> bool:
    """Whether a word of a size name stands anywhere, whatever it is part of."""
    return any(pattern.search(data) for pattern in _patterns(data))


def _may_read_size(data: bytes, places: list[int]) -> bool:
    """Whether the top-level statements that stand around some places of a text may read a configured size there.

    Only they are parsed: all that a read needs beside them is a star import. Where they begin cannot be told for sure
    when a string may hold what looks like a beginning.
    """
    if not places:
        return False
    if _needs_whole(data):
        return True
    from infonce_lint.screening.traces import may_read_size

    try:
        return may_read_size(_parts(data, places))
    except _Uncertain:
        return True


def _needs_whole(data: bytes) -> bool:
    """Whether the rows around a name do not tell what it may be: a star import binds it, or rows end otherwise."""
    return b"\r" in data or _STAR_IMPORT.search(data) is not None


def _rows(data: bytes, places: list[int], start: int = 0) -> list[int]:
    """The rows, counted from 1 at ``start``, on which some places stand; both in ascending order."""
    rows, row = [0], 1
    for place in places:
        row += data.count(b"\n", start, place)
        start = place
        if row != rows[-1]:
            rows.append(row)
    return rows[1:]


class _Uncertain(Exception):
    """A text cannot be taken apart into statements without parsing it as a whole."""


def _parts(data: bytes, places: list[int]) -> Iterator[tuple[ast.Module, list[int]]]:
    """The top-level statements around some places, parsed apart from the rest, with the rows of those places in them.

    A row inside brackets may look like a beginning too, so what is parsed starts with a word that cannot stand there.

    Raises:
        _Uncertain: where a part is not certain to be one.
    """
    from bisect import bisect_left, bisect_right

    from infonce_lint.sources.source import SourceError, SourceFile

    starts = [0, *_statements(data), len(data)]
    seen = 0
    while places:
        index = bisect_right(starts, places[0])
        end = starts[index]
        while starts[index - 1] > seen and not _CERTAIN.match(data, starts[index - 1]):
            index -= 1
        start = starts[index - 1]
        part = data[start:end]
        if any(data.count(quotes, seen, start) % 2 or part.count(quotes) % 2 for quotes in (b'"""', b"'''")):
            raise _Uncertain  # the beginning may stand in a string
        seen = end
        inside = bisect_left(places, end)
        rows = _rows(data, places[:inside], start)
        try:
            tree = SourceFile(part.decode(), "").tree
        except SourceError as error:
            raise _Uncertain from error
        yield tree, rows
        places = places[inside:]


def _statements(data: bytes) -> Iterator[int]:
    """Where statements begin at the beginning of a row, those with decorators at the first one."""
    decorated = False
    for match in _BEGINNING.finditer(data):
        if not decorated:
            yield match.start()
        decorated = match[0] == b"@"


_NAMES_OURS = re.compile(rb"# noqa:[^\n]*nce", re.IGNORECASE)
#: The attribute of something, which is read: most configured sizes are, and no tree is needed to see it.
_ENTRY = re.compile(rb"\.\w+(?![\w \t]*(?:=(?!=)|:[^\n]*=))")
_STAR_IMPORT = re.compile(rb"import[\s\\]*\*")
#: Statements that nothing inside brackets looks like; a decorator is followed by one.
_CERTAIN = re.compile(
    rb"@|(?:def|class|import|try|while|with|assert|del|raise|global|async[ \t]+def|from[^\n]*[ \t]import)\b"
)
_BEGINNING = re.compile(rb"^(?:@|(?!(?:else|elif|except|finally)\b)[A-Za-z_])(?<!\\\n.)", re.MULTILINE)


def _patterns(data: bytes) -> Iterator[re.Pattern[bytes]]:
    """The words of size names as `names.words` cuts them out, those that may occur; what does not is quick to tell."""
    for stem, endings in _STEMS.items():
        for spelling in (stem, stem.capitalize(), stem.upper()):
            if spelling.encode() in data:
                yield _pattern(spelling, endings)


@cache
def _pattern(stem: str, endings: str) -> re.Pattern[bytes]:
    if stem.islower():
        return re.compile(rf"{stem}(?<![A-Za-z]{stem})(?:{endings})(?![a-z])".encode())
    if stem.isupper():
        return re.compile(rf"{stem}(?<![A-Z]{stem})".encode())
    return re.compile(rf"{stem}(?:{endings})(?![a-z])".encode())


def _endings(of: frozenset[str]) -> dict[str, str]:
    """The shortest of some words, each with the endings, as a pattern, that make one of the words of it."""
    stems = [word for word in sorted(of) if not any(word.startswith(other) for other in of - {word})]
    return {stem: "|".join(word[len(stem) :] for word in sorted(of) if word.startswith(stem)) for stem in stems}


_STEMS = _endings(SIZE_WORDS | _BATCH)


def _reads_as_size(data: bytes, start: int, end: int) -> bool:
    """Whether the word at a place of the text is part of a name that counts where it stands."""
    before, after = data[max(0, start - _WINDOW) : start], data[end : end + _WINDOW]
    head, tail = before.rstrip(_NAME_BYTES), after.lstrip(_NAME_BYTES)
    name = (before[len(head) :] + data[start:end] + after[: len(after) - len(tail)]).decode()
    if head[-1:] in _QUOTES and head[:-1].rstrip()[-1:] == b":":
        return False  # the value of a dictionary's entry: nothing is asked for it
    if is_constant_size_name(name) or len(name) > _WINDOW:
        return True
    if is_config_size_name(name) and head.rstrip(_BLANKS)[-1:] in (b".", b"\n", b"\r", b""):
        return True  # ``args.batch``
    if _BATCH.isdisjoint(words(name)):
        return False
    return _may_be_key(before, data[start:end], after)


def _may_be_key(before: bytes, word: bytes, after: bytes) -> bool:
    """Whether a word of the text may stand in a string that reads as a size, as in ``config["batch-size"]``."""
    opening = before[len(before.rstrip(_UNQUOTED)) :]
    closing = after[: len(after) - len(after.lstrip(_UNQUOTED))]
    if _WINDOW in (len(opening), len(closing)):
        return True
    left, right = before[: len(before) - len(opening)], after[len(closing) :]
    if left[-1:] not in _QUOTES or right[:1] not in _QUOTES:
        return False  # a comment, or a string with blanks
    if b"\\" in opening + closing or right[1:].lstrip()[:1] in (*_QUOTES, b""):
        return True  # an escape, or a string that goes on in the next one
    if left[:-1].rstrip(_LETTERS).rstrip()[-1:] in (*_QUOTES, b""):
        return True
    return is_config_size_name((opening + word + closing).decode())
