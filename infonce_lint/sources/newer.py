"""Syntax that a later Python reads and this one does not.

What later versions brought is taken out of a text, and this Python asked whether the rest parses: then that alone was
in the way. libcst knows these grammars, but not every text that is wrong can be given to it (`nesting.py`).
"""

from __future__ import annotations

import ast
import re
import sys
import warnings

Version = tuple[int, int]

_GROUPS = re.compile(r"^([ \t]*except)[ \t]*\*", re.MULTILINE)
_GENERIC = re.compile(r"^[ \t]*(?:(?:async[ \t]+)?def|class|type)[ \t]+\w+[ \t]*(?=\[)", re.MULTILINE)
_ALIAS = re.compile(r"^([ \t]*)type[ \t]+(\w+[ \t]*=)(?!=)", re.MULTILINE)
_LITERAL = re.compile(r"#[^\n]*|(?P<prefix>\b[rRbBuUfFtT]{1,2})?(?P<quote>\"{3}|'{3}|[\"'])")
_IN_FIELD = re.compile(r"[\[({})\]]|#[^\n]*|(?:\b[rRbBuUfFtT]{1,2})?(?:\"{3}|'{3}|[\"'])")
_END_OF_FIELD = re.compile(r"!=|==|<=|>=|=\s*(?=[!:}]|$)|!(?=[rsa]\s*(?:[:}]|$))|:=|:")
_LONGEST = 1_000_000
"""Characters; a longer text is not looked into."""
_DEEPEST = 20
"""Fields inside of fields."""


def needed(text: str) -> str:
    """The version of Python that ``text`` needs at least (``3.12``), where this one cannot parse it; empty if none.

    The names of two exceptions without parentheses are valid in Python 3.14, but far more often Python 2: they say
    nothing.
    """
    if len(text) > _LONGEST:
        return ""
    found: set[Version] = set()
    if _GROUPS.search(text):
        found.add((3, 11))
        text = _GROUPS.sub(r"\1 ", text)
    text = _without_type_parameters(text, found)
    if _ALIAS.search(text):
        found.add((3, 12))
        text = _ALIAS.sub(r"\1\2", text)
    if not _parses(text):
        try:
            text = _Literals(text, found).replaced()
        except _NotPython:
            return ""
    newer = [version for version in found if version > sys.version_info[:2]]
    if not newer or not _parses(text):
        return ""
    return ".".join(map(str, max(newer)))


def _without_type_parameters(text: str, found: set[Version]) -> str:
    pieces, done = [], 0
    for match in _GENERIC.finditer(text):
        end = _closing(text, match.end())
        if match.start() < done or end < 0:
            continue
        found.add((3, 13) if re.search(r"(?<![=!<>])=(?!=)", text[match.end() : end]) else (3, 12))
        pieces += [text[done : match.end()]]
        done = end
    return "".join(pieces) + text[done:]


def _closing(text: str, start: int) -> int:
    """Where the bracket that opens at ``start`` has been closed; -1 if it is not."""
    depth = 0
    for match in re.compile(r"[\[\]]").finditer(text, start):
        depth += 1 if match[0] == "[" else -1
        if not depth:
            return match.end()
    return -1


def _parses(text: str) -> bool:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            ast.parse(text)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return False
    return True


class _NotPython(Exception):
    """A formatted string is wrong by the rules of any version."""


class _Literals:
    """The strings of a text: formatted ones are replaced by empty ones, read as Python 3.12 reads them (PEP 701)."""

    def __init__(self, text: str, found: set[Version]) -> None:
        self._text = text
        self._found = found
        self._open: list[int] = []  # the fields that are being read, one inside the other

    def replaced(self, start: int = 0, end: int | None = None) -> str:
        """A part of the text.

        Raises:
            _NotPython: a formatted string is not closed, or a field of it holds no expression.
        """
        pieces, done, end = [], start, len(self._text) if end is None else end
        while (match := _LITERAL.search(self._text, done, end)) is not None:
            if match["quote"] is None:
                behind, piece = match.end(), ""
            elif {"f", "t"}.isdisjoint((match["prefix"] or "").lower()):
                behind = self._plain_end(match)
                piece = self._text[match.start() : behind]
            else:
                behind, piece = self._formatted_end(match), '""'
                self._found.add((3, 14) if "t" in match["prefix"].lower() else (3, 12))
            pieces += [self._text[done : match.start()], piece]
            done = behind
        return "".join(pieces) + self._text[done:end]

    def _plain_end(self, match: re.Match[str]) -> int:
        closing = re.compile(rf"(?:\\.|[^\\])*?{match['quote']}", re.DOTALL).match(self._text, match.end())
        return closing.end() if closing else len(self._text)

    def _formatted_end(self, match: re.Match[str]) -> int:
        """Where a formatted string ends; each of its fields holds an expression."""
        quote, at = match["quote"], match.end()
        piece = re.compile(rf"{quote}|\{{\{{|\}}\}}|\{{|\\.", re.DOTALL)
        while (found := piece.search(self._text, at)) is not None:
            at = found.end()
            if found[0] == quote:
                return at
            if found[0] == "{":
                at = self._field_end(at)
        raise _NotPython

    def _field_end(self, start: int) -> int:
        """Where the field has been closed that opens before ``start``."""
        depth, at = 0, start
        if len(self._open) > _DEEPEST:
            raise _NotPython
        self._open.append(start)
        while (found := _IN_FIELD.search(self._text, at)) is not None:
            at = found.end()
            if found[0][-1] in "\"'":
                literal = _LITERAL.match(self._text, found.start())
                if literal is None or literal["quote"] is None:
                    raise _NotPython
                is_plain = {"f", "t"}.isdisjoint((literal["prefix"] or "").lower())
                at = self._plain_end(literal) if is_plain else self._formatted_end(literal)
            elif found[0] == "}" and not depth:
                self._open.pop()
                self._check(start, found.start())
                return at
            elif found[0][0] != "#":
                depth += 1 if found[0] in "[({" else -1
        raise _NotPython

    def _check(self, start: int, end: int) -> None:
        """Raise `_NotPython` unless some part of a field, what stands before its format, is an expression."""
        field = _Literals(self._text, set()).replaced(start, end)
        ends = [match.start() for match in _END_OF_FIELD.finditer(field)]
        if not any(_parses(f"({field[:each]}\n)") for each in [*ends, len(field)] if field[:each].strip()):
            raise _NotPython
