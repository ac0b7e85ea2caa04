"""Text from files, made fit for a report: one line whatever it holds, and as wide on the screen as there is room."""

from __future__ import annotations

_TAB = 4
_GAP = "..."


def one_line(text: str) -> str:
    r"""``text`` with line ends, control characters and lone surrogates written as Python escapes them (``\n``)."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else _escaped(char) for char in text)


def _escaped(char: str) -> str:
    return char.encode("unicode_escape").decode("ascii")


def visible(text: str) -> str:
    """Tabs as spaces, and control characters (an escape sequence, say) as signs that move no cursor."""
    if text.isprintable():
        return text
    out: list[str] = []
    for char in text:
        if char == "\t":
            out.append(" " * (_TAB - columns("".join(out)) % _TAB))
        else:
            out.append(char if char.isprintable() else "?")
    return "".join(out)


def columns(text: str) -> int:
    """How many columns of the screen a visible text takes: Chinese characters two, combining ones none."""
    if text.isascii():
        return len(text)
    return sum(map(_columns, text))


def _columns(char: str) -> int:
    import unicodedata  # here, so that a run without findings does not load it

    if unicodedata.east_asian_width(char) in "WF":
        return 2
    return 0 if unicodedata.category(char) in ("Mn", "Me") else 1


def clipped(text: str, room: int) -> str:
    """As much of a visible text as fits into ``room`` columns."""
    if columns(text) <= room:
        return text
    used, kept = 0, ""
    for char in text:
        used += _columns(char)
        if used > room:
            break
        kept += char
    return kept


def cut(text: str, start: int, room: int) -> str:
    """The columns from ``start`` on that fit into ``room``, with dots where some of a visible text is left out."""
    shown = text
    if start:
        left_out, at = 0, 0
        while at < len(text) and (left_out < start + len(_GAP) or _columns(text[at]) == 0):
            left_out += _columns(text[at])
            at += 1
        half = " " * (left_out - start - len(_GAP))  # of a wide character
        shown = _GAP + half + text[at:]
    if columns(shown) > room:
        shown = clipped(shown, room - len(_GAP)) + _GAP
    return shown


def wrapped(text: str, room: int, first: int = 0) -> list[str]:
    """A visible text in lines of at most ``room`` columns, broken at blanks where that can be.

    Args:
        first: columns that are taken on the first line already.
    """
    lines, line, taken = [], "", first
    for word in text.split(" "):
        while True:
            needed = columns(word) + (1 if line else 0)
            if taken + needed <= room:
                line, taken = (f"{line} {word}" if line else word), taken + needed
                break
            if line or taken:
                lines.append(line)
                line, taken = "", 0
                continue
            part = clipped(word, room) or word[0]
            lines.append(part)
            word = word[len(part) :]
    return [*lines, line]
