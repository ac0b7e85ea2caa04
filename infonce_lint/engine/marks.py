"""What a finding is known by when rows above it come and go: its code, the function it stands in, and its statement."""

from __future__ import annotations

import ast
import contextlib
import hashlib
import io
import tokenize
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple, TypeAlias

from infonce_lint.engine.checked import FileReport, split_rows
from infonce_lint.finding import Finding
from infonce_lint.sources.document import python_of
from infonce_lint.sources.source import SourceError, SourceFile


class Mark(NamedTuple):
    """``scope`` is the qualified name of the enclosing function or class (empty at module level).

    ``text`` is the statement without comments and row breaks, of a compound one its head.
    """

    code: str
    scope: str
    text: str

    @property
    def squeezed(self) -> str:
        """The statement without what formatters change: blanks, the kind of quotes, trailing commas."""
        text = "".join(self.text.split()).replace("\\", "").replace('"', "'")
        for bracket in ")]}":
            text = text.replace(f",{bracket}", bracket)
        return text


def marks(file: FileReport) -> Iterator[tuple[Finding, Mark]]:
    """Every finding of the file with its mark; the silenced ones come last."""
    known: dict[int | None, _Code] = {}
    for finding in (*file.findings, *file.silenced):
        cell = finding.span.cell
        if cell not in known:
            known[cell] = _Code(python_of(file.text(cell), cell))
        yield finding, known[cell].mark(finding)


def fingerprinted(files: Sequence[FileReport]) -> Iterator[tuple[FileReport, Finding, str]]:
    """Every finding with its file and its fingerprint: a digest of path and mark; equal ones are counted."""
    seen: Counter[str] = Counter()
    for file in files:
        for finding, mark in marks(file):
            key = "\0".join((file.path.replace("\\", "/"), mark.code, mark.scope, mark.squeezed))
            seen[key] += 1
            digest = hashlib.sha256(f"{key}\0{seen[key]}".encode("utf-8", "surrogatepass"))
            yield file, finding, digest.hexdigest()[:32]


class _Code:
    """A text as rows, with the statements that they belong to where it parses."""

    def __init__(self, text: str) -> None:
        self._tree = _parsed(text)
        self._rows = split_rows(text)
        for row, column in _comments("\n".join(self._rows)) if "#" in text else ():
            self._rows[row - 1] = self._rows[row - 1][:column]

    def mark(self, finding: Finding) -> Mark:
        row = finding.span.start.row
        scope, first, last = self._place(row)
        return Mark(finding.code, scope, " ".join(" ".join(self._rows[first - 1 : last]).split()))

    def _place(self, row: int) -> tuple[str, int, int]:
        """The scope of a row, and the first and last row of its statement."""
        names: list[str] = []
        first = last = row
        parts = _parts(self._tree) if self._tree is not None else []
        while (inner := next((part for part in parts if _first(part) <= row <= _last(part)), None)) is not None:
            parts = _parts(inner)
            first, last = _first(inner), _last(inner)
            if parts:  # a compound statement: its head, or another row of its own, such as `else:`
                last = max(first, min(map(_first, parts)) - 1)
                first, last = (first, last) if row <= last else (row, row)
            if isinstance(inner, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and row >= inner.lineno:
                names.append(inner.name)
        return ".".join(names), first, last


_Part: TypeAlias = "ast.stmt | ast.ExceptHandler | ast.match_case"


def _parts(node: ast.AST) -> list[_Part]:
    """The statements right below a node, and the branches that hold them."""
    return [
        part for part in ast.iter_child_nodes(node) if isinstance(part, ast.stmt | ast.ExceptHandler | ast.match_case)
    ]


def _first(part: _Part) -> int:
    """The row on which a part starts, its decorators included."""
    if isinstance(part, ast.match_case):
        return part.pattern.lineno
    decorators: list[ast.expr] = getattr(part, "decorator_list", [])
    return min([part.lineno, *(each.lineno for each in decorators)])


def _last(part: _Part) -> int:
    if isinstance(part, ast.match_case):
        return _last(part.body[-1])
    return part.end_lineno or part.lineno


def _parsed(text: str) -> ast.Module | None:
    try:
        return SourceFile(text, "").tree
    except SourceError:
        return None


def _comments(text: str) -> list[tuple[int, int]]:
    """Row and column (from 0) of every comment that comes before the first error, if there is one."""
    found = []
    with contextlib.suppress(tokenize.TokenError, SyntaxError):
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type == tokenize.COMMENT:
                found.append(token.start)
    return found
