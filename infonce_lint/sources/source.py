"""One Python file: its bytes, its text, its two syntax trees and the positions in it.

Nothing here knows findings, rules or files on disk. CPython's parser always judges first: it refuses cleanly what would
kill libcst. libcst is imported only when ``module`` is first used.
"""

from __future__ import annotations

import ast
import codecs
import contextlib
import io
import re
import sys
import tokenize
import warnings
from bisect import bisect_right
from functools import cached_property
from typing import TYPE_CHECKING

from infonce_lint.finding import Finding, Position, Span
from infonce_lint.sources import nesting

if TYPE_CHECKING:
    import libcst as cst

    from infonce_lint.sources.spans import Offsets, Spans

UNREADABLE = "NCE900"
"""The code of the finding that stands for a file which cannot be decoded or parsed."""

_ROW_BREAK = re.compile(r"\r\n|\r|\n")
_LIBCST_PLACE = re.compile(r"error at (\d+):(\d+)")
_BOM = "\N{ZERO WIDTH NO-BREAK SPACE}"

_UNUSUAL_BLANKS = {"\f": "a form feed", "\r": "a carriage return without a line feed"}

_RUNNING = f"{sys.version_info[0]}.{sys.version_info[1]}"
_UNUSUAL = re.compile(r"[\f\v]|\r(?!\n)|^[ \t]*\t", re.MULTILINE)
"""White space of which libcst may not give back what it was given."""

_STRING = re.compile(
    r"""\"{3}[\s\S]*?\"{3}|'{3}[\s\S]*?'{3}|\#.*|(?P<quote>["'])(?:\\.|(?!(?P=quote))[^\\\n])*(?P=quote)"""
)
"""A string, or a comment; ``quote`` is that of a string of one row."""

_INDENTING_TAB = re.compile(r"^[ \t]*\t[ \t]*", re.MULTILINE)


class SourceError(Exception):
    """This text cannot be read as Python 3; ``message`` is one line and ``position`` the place to look at."""

    def __init__(self, message: str, position: Position | None = None, *, text: str = "") -> None:
        """``text`` is what has a syntax error, if it may be one for this version of Python alone."""
        super().__init__(message)
        self.position = position or Position(1, 1)
        self._message = message
        self._text = text

    @cached_property
    def message(self) -> str:
        """What is wrong; found out when it is told, since a later Python's syntax takes libcst to know it."""
        from infonce_lint.sources import newer

        version = newer.needed(self._text) if self._text else ""
        return f"needs Python {version} or later; this one is {_RUNNING}" if version else self._message

    @property
    def finding(self) -> Finding:
        """What to report for the file: NCE900."""
        return Finding(UNREADABLE, self.message, Span(self.position, self.position))


class SourceFile:
    """A file's text with everything that is derived from it, each computed when first asked for.

    Rows and columns count from 1 and columns count code points; rows break at ``\\n``, ``\\r\\n`` and ``\\r`` only.
    A byte order mark is no part of ``text`` and has no column.
    """

    def __init__(self, text: str, path: str, encoding: str = "utf-8", bom: bool = False) -> None:
        self.text = text
        self.path = path
        self.encoding = encoding
        self.bom = bom
        self._placed: dict[int, Offsets] = {}  # of nodes in the statements that were looked at, by their `id`
        self._tried: set[int] = set()

    @classmethod
    def from_bytes(cls, data: bytes, path: str) -> SourceFile:
        """Decode ``data`` as Python does: by byte order mark or the encoding declared in the first two rows (PEP 263).

        Raises:
            SourceError: an unknown encoding, or bytes that do not fit it.
        """
        bom = data.startswith(codecs.BOM_UTF8)
        try:
            encoding, _ = tokenize.detect_encoding(io.BytesIO(_newlines_only(data)).readline)
        except SyntaxError as error:
            raise SourceError(_one_line(f"cannot be decoded: {error.msg}"), _first_bad_byte(data)) from None
        encoding = "utf-8" if bom else encoding
        body = data[len(codecs.BOM_UTF8) :] if bom else data
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                text = body.decode(encoding)
        except UnicodeDecodeError as error:
            raise SourceError(
                f"cannot be decoded as {encoding}: byte 0x{error.object[error.start]:02x} ({error.reason}); "
                "save the file as UTF-8 or declare its encoding in the first row",
                _end_of(body[: error.start], encoding),
            ) from None
        except (LookupError, ValueError) as error:
            raise SourceError(_one_line(f"cannot be decoded as {encoding}: {error}")) from None
        return cls(text, path, encoding, bom)

    @classmethod
    def from_text(cls, text: str, path: str) -> SourceFile:
        """A file from text that is already decoded (an editor's buffer, flake8's lines); a leading BOM is set apart."""
        bom = text.startswith(_BOM)
        return cls(text[1:] if bom else text, path, bom=bom)

    def with_text(self, text: str) -> SourceFile:
        """The same file with other contents."""
        return SourceFile(text, self.path, self.encoding, self.bom)

    def encode(self, text: str) -> bytes:
        """The bytes to write for ``text`` into this file: same encoding, same byte order mark.

        Raises:
            SourceError: a character that the file's encoding does not have.
        """
        try:
            return (codecs.BOM_UTF8 if self.bom else b"") + text.encode(self.encoding)
        except UnicodeEncodeError as error:
            place = self.with_text(text).position(error.start)
            raise SourceError(f"{text[error.start]!r} cannot be written in {self.encoding}", place) from None
        except ValueError as error:
            raise SourceError(_one_line(f"cannot be written in {self.encoding}: {error}")) from None

    @cached_property
    def quote(self) -> str:
        """The quote of most of the strings of one row; the double one where there are as many of either."""
        counts = {'"': 0, "'": 0}
        for found in _STRING.finditer(self.text):
            if found["quote"]:
                counts[found["quote"]] += 1
        return "'" if counts["'"] > counts['"'] else '"'

    # ---- positions

    @cached_property
    def _row_starts(self) -> list[int]:
        return [0, *(match.end() for match in _ROW_BREAK.finditer(self.text))]

    @cached_property
    def rows(self) -> list[str]:
        """The rows of the text, each with its row break as it stands in the file; together they are the text."""
        starts = self._row_starts
        return [self.text[start:end] for start, end in zip(starts, [*starts[1:], len(self.text)], strict=True)]

    def offset(self, position: Position) -> int:
        """How many code points stand before ``position``.

        Raises:
            ValueError: there is no such place in this text.
        """
        row, column = position.row, position.column
        if 1 <= row <= len(self._row_starts) and column >= 1:
            offset = self._row_starts[row - 1] + column - 1
            last = row == len(self._row_starts)
            if offset <= len(self.text) if last else offset < self._row_starts[row]:
                return offset
        raise ValueError(f"{self.path}: no row {row}, column {column} in a text of {len(self._row_starts)} rows")

    def position(self, offset: int) -> Position:
        """The row and column of the code point at ``offset``; the end of the text has one too.

        Raises:
            ValueError: ``offset`` is negative or beyond the end of the text.
        """
        if not 0 <= offset <= len(self.text):
            raise ValueError(f"{self.path}: offset {offset} lies outside a text of {len(self.text)} code points")
        row = bisect_right(self._row_starts, offset)
        return Position(row, offset - self._row_starts[row - 1] + 1)

    def cell_row(self, row: int) -> tuple[int | None, int]:
        """The cell of a notebook that a row stands in (None elsewhere), and the row there."""
        return None, row

    def spoken(self, position: Position) -> str:
        """The row of a place as messages name it: in a notebook with its cell."""
        cell, row = self.cell_row(position.row)
        return f"row {row}" if cell is None else f"row {row} of cell {cell}"

    def segment(self, span: Span) -> str:
        """The text of ``span``."""
        return self.text[self.offset(span.start) : self.offset(span.end)]

    @cached_property
    def newline(self) -> str:
        """The row break that this file uses most (``\\n`` if it has none)."""
        windows = self.text.count("\r\n")
        counts = {"\n": self.text.count("\n") - windows, "\r\n": windows, "\r": self.text.count("\r") - windows}
        return max(counts, key=lambda newline: counts[newline])

    # ---- trees

    @cached_property
    def tree(self) -> ast.Module:
        """CPython's syntax tree.

        Raises:
            SourceError: not Python 3, or more than CPython's parser can take.
        """
        nul = self.text.find("\0")
        if nul >= 0:
            raise SourceError("not a Python file: it contains a NUL byte", self.position(nul))
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # "invalid escape sequence" is not ours to say
                return ast.parse(self.text)
        except SyntaxError as error:
            place = self._nearest(error.lineno, error.offset)
            raise SourceError(_one_line(f"syntax error: {error.msg}"), place, text=self.text) from None
        except (RecursionError, MemoryError):
            raise SourceError("too deeply nested for CPython's parser") from None
        except ValueError as error:  # a lone surrogate, an integer of thousands of digits
            start = error.start if isinstance(error, UnicodeEncodeError) else 0
            raise SourceError(_one_line(f"cannot be parsed: {error}"), self.position(start)) from None

    @cached_property
    def _guarded(self) -> str:
        """What libcst is given: the text and one statement more, since it drops comments and blanks at a file's end."""
        return self.text + ("" if self.text.endswith(("\n", "\r")) else "\n") + "pass\n"

    @cached_property
    def _parsed(self) -> cst.Module:
        deep = nesting.too_deep(self.tree, self.rows)
        if deep is not None:
            raise SourceError("too deeply nested to be analysed", self.ast_span(deep).start)
        import libcst as cst

        try:
            return cst.parse_module(self._guarded)
        except cst.ParserSyntaxError as error:
            if _INDENTING_TAB.search(self._guarded):
                # CPython lets tabs and blanks take turns where they measure the same; libcst does not
                with contextlib.suppress(cst.ParserSyntaxError):
                    return cst.parse_module(_INDENTING_TAB.sub(lambda found: found[0].expandtabs(), self._guarded))
            place = _LIBCST_PLACE.search(error.message)
            row, column = map(int, place.groups()) if place else (error.raw_line, error.raw_column + 1)
            raise SourceError("valid Python that libcst cannot parse", self._nearest(row, column)) from None
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException as error:  # a panic in libcst's Rust code is no Exception
            raise SourceError(_one_line(f"libcst failed on this file: {type(error).__name__}: {error}")) from None

    @cached_property
    def module(self) -> cst.Module:
        """libcst's syntax tree, less what stands behind the last statement; ask ``text`` for the code.

        Raises:
            SourceError: as for ``tree``, or more than libcst can take.
        """
        return self._parsed.with_changes(body=self._parsed.body[:-1])

    @cached_property
    def _generated(self) -> tuple[str, Spans]:
        """What libcst makes of its own tree, and the offsets of every node in ``text``."""
        module = self.module
        from infonce_lint.sources import spans

        try:
            code, found = spans.generate(self._parsed)
        except RecursionError:
            raise SourceError("too deeply nested to be analysed") from None
        placed = found if code == self._guarded else spans.aligned(code, self._guarded, found)
        if placed is None:
            raise SourceError("libcst does not reproduce this file, so no place in it can be named")
        placed[id(module)] = (0, len(self.text))
        return code, placed

    def span(self, node: cst.CSTNode, statement: cst.CSTNode | None = None) -> Span:
        """Where ``node`` of ``module`` stands, without the parentheses around it.

        ``statement`` holds the node, as far as the caller knows: to place what is in one statement takes a small part
        of the time that a whole file takes.

        Raises:
            KeyError: ``node`` is no part of this file's ``module``.
        """
        if id(node) not in self._placed and statement is not None:
            self._place(statement)
        found = self._placed.get(id(node))
        start, end = found if found is not None else self._generated[1][id(node)]
        return Span(self.position(start), self.position(min(end, len(self.text))))

    def rows_of(self, statement: cst.CSTNode) -> tuple[int, int] | None:
        """The first and the last row of a statement of ``module``, its decorators left out; None if not known."""
        found = self._statements.get(id(statement))
        return (found[0].lineno, found[1].end_lineno or found[1].lineno) if found is not None else None

    @cached_property
    def _statements(self) -> dict[int, tuple[ast.stmt, ast.stmt]]:
        """CPython's statements by the `id` of libcst's, each with the last one that shares its row."""
        module = self.module
        from infonce_lint.sources import spans

        return spans.paired(module, self.tree)

    def _place(self, statement: cst.CSTNode) -> None:
        """Find the offsets of what is in one statement, if libcst gives back the very text of it."""
        known = self._statements.get(id(statement))
        if known is None or id(statement) in self._tried:
            return
        self._tried.add(id(statement))
        from infonce_lint.sources import spans

        begin = self._from_bytes_column(known[0].lineno, known[0].col_offset)
        indent = self.rows[begin.row - 1][: begin.column - 1]
        try:
            code, found = spans.generate_statement(self.module, statement, indent)
        except RecursionError:
            return
        start = self.offset(begin) - found[id(statement)][0]
        if start >= 0 and self._guarded.startswith(code, start):
            self._placed.update((node, (start + first, start + end)) for node, (first, end) in found.items())

    def ast_span(self, node: ast.AST) -> Span:
        """Where ``node`` of ``tree`` stands; the start of the file if CPython gives it no place."""
        row, column = getattr(node, "lineno", 1), getattr(node, "col_offset", 0)
        end_row, end_column = getattr(node, "end_lineno", row), getattr(node, "end_col_offset", column)
        return Span(self._from_bytes_column(row, column), self._from_bytes_column(end_row, end_column))

    def _from_bytes_column(self, row: int, column: int) -> Position:
        return Position(row, len(self.rows[row - 1].encode()[:column].decode(errors="ignore")) + 1)

    @cached_property
    def why_not_editable(self) -> str:
        """Why this file is linted but never fixed; empty if it can be fixed."""
        if not _UNUSUAL.search(self.text):
            return ""
        code, text = self._generated[0], self._guarded
        if code == text:
            return ""
        first = next((offset for offset, (a, b) in enumerate(zip(code, text)) if a != b), len(code))
        what = _UNUSUAL_BLANKS.get(text[first : first + 1], "unusual white space")
        place = self.spoken(self.position(min(first, len(self.text))))
        return f"{what} on {place} keeps a fix from being placed; remove it and run again"

    @property
    def editable(self) -> bool:
        """Whether a fix may be written: libcst gives back this very text."""
        return not self.why_not_editable

    def _nearest(self, row: int | None, column: int | None) -> Position:
        """The place in this text nearest to one that a parser named; parsers count beyond the end of the text."""
        row = min(max(row or 1, 1), len(self.rows))
        width = len(self.rows[row - 1].rstrip("\r\n"))
        return Position(row, min(max(column or 1, 1), width + 1))


def _one_line(message: str) -> str:
    return " ".join(message.split())


def _newlines_only(data: bytes) -> bytes:
    """``data`` with every row break as ``\\n``: how CPython sees it when it looks for a declared encoding."""
    return data.replace(b"\r\n", b"\n").replace(b"\r", b"\n") if b"\r" in data else data


def _first_bad_byte(data: bytes) -> Position:
    """The place of the first byte that is not UTF-8; the start if there is none."""
    try:
        data.decode()
    except UnicodeDecodeError as error:
        return _end_of(data[: error.start], "utf-8")
    return Position(1, 1)


def _end_of(data: bytes, encoding: str) -> Position:
    """The place behind ``data``, or the start if that cannot be told."""
    try:
        text = data.decode(encoding)
    except ValueError:
        return Position(1, 1)
    return SourceFile(text, "").position(len(text))
