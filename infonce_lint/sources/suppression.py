"""``# noqa`` comments, read exactly as flake8 reads them, so that every surface silences the same findings.

flake8 joins rows that a string or a backslash holds together (but not those that only a bracket does), searches the
joined text, inside strings too, and lets the first match speak for all of it. ``noqa`` may be written in any case,
codes may not; a code is a prefix; ``# noqa`` with anything else behind it (``# noqa: NCE``, ``# noqa : NCE001``)
silences everything. A row that begins with ``# flake8: noqa`` silences the whole file, whatever codes follow.
"""

from __future__ import annotations

import io
import re
import tokenize
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property

from infonce_lint.finding import Applicability, Edit, Finding, Fix, Position, Span
from infonce_lint.sources.source import SourceFile

UNUSED = "NCE901"
"""The code of the finding that stands for a suppression which silences nothing."""

OURS = "NCE"

_NOQA = re.compile(r"# noqa(?::\s?(?P<codes>(?:[A-Z]+[0-9]+[,\s]*)+))?", re.IGNORECASE)
_NOQA_FILE = re.compile(r"\s*# flake8[:=]\s*noqa", re.IGNORECASE)
_CODE = re.compile(r"([^,\s]+)[,\s]*")


@dataclass
class _Directive:
    """The one ``# noqa`` that counts on a joined row: its place, its codes (None: all) and those that served."""

    place: Position
    codes: frozenset[str] | None
    used: set[str] = field(default_factory=set)

    def matching(self, code: str) -> list[str] | None:
        """The codes of this directive that cover ``code``; None if it covers every code."""
        return None if self.codes is None else [each for each in self.codes if code.startswith(each)]


class Suppressions:
    """What the ``# noqa`` comments of one file silence, and which of them turned out to silence nothing.

    Findings are given in the positions of the file itself (a notebook's: before they are placed in their cells).
    """

    def __init__(self, source: SourceFile) -> None:
        self._source = source

    def covers(self, finding: Finding) -> bool:
        """Whether a comment silences ``finding``; asking does not count as a use of the comment."""
        if self._whole_file:
            return True
        directive = self._by_row.get(finding.span.start.row)
        return directive is not None and directive.matching(finding.code) != []

    def silences(self, finding: Finding) -> bool:
        """Whether a comment silences ``finding``; from now on the comment counts as used."""
        if not self.covers(finding):
            return False
        if not self._whole_file:
            directive = self._by_row[finding.span.start.row]
            directive.used.update(directive.matching(finding.code) or ())
        return True

    def comment_row(self, row: int) -> int:
        """The row at whose end a ``# noqa`` silences a finding that starts on ``row``."""
        return next((last for first, last in self._joined_rows() if first <= row <= last), row)

    def unused(self, active: Collection[str], known: Collection[str] = ()) -> list[Finding]:
        """A finding NCE901 for each comment with NCE codes that silenced nothing; ask when all findings went by.

        Args:
            active: the codes that were looked for; a suppression of any other may be needed another time.
            known: all codes there are. With it a code that covers none of them is reported too.
        """
        if self._whole_file or OURS.lower() not in self._source.text.lower() or not self._by_row:
            return []
        every_code = {*known, *active}

        def is_idle(code: str, directive: _Directive | None) -> bool:
            if not code.upper().startswith(OURS) or code.startswith(UNUSED):
                return False
            if directive is not None and code in directive.used:
                return False
            covered = [each for each in every_code if each.startswith(code.upper())]
            return all(each in active for each in covered) if covered else bool(known)

        found = []
        for start, comment in self._comments:
            for match in _NOQA.finditer(comment):
                place = Position(start.row, start.column + match.start())
                directive = self._by_row.get(start.row)
                counts = directive is not None and directive.place == place
                codes = _CODE.findall(match["codes"] or "")
                idle = [each for each in codes if is_idle(each, directive if counts else None)]
                if idle:
                    found.append(self._report(start, comment, match, idle))
        return [each for each in found if not self.covers(each)]

    def silencing(self, findings: Iterable[Finding]) -> list[Edit]:
        """Edits that silence ``findings``: their codes join the directive that counts on their row, or make a new one.

        There is none for a finding whose row's directive stands in a string: to change it would change the program.
        """
        wanted: dict[tuple[int, int], set[str]] = {}
        joined = {row: rows for rows in self._joined_rows() for row in range(rows[0], rows[1] + 1)}
        for finding in findings:
            row = finding.span.start.row
            wanted.setdefault(joined.get(row, (row, row)), set()).add(finding.code)
        edits = [self._silencing(last, sorted(codes)) for (_, last), codes in sorted(wanted.items())]
        return [edit for edit in edits if edit is not None]

    def _silencing(self, last: int, codes: list[str]) -> Edit | None:
        directive = self._by_row.get(last)
        if directive is None:
            text = self._rows[last - 1].rstrip("\n")
            place = Position(last, len(text.rstrip()) + 1)
            return Edit(_in_row(place, 0, len(text) - len(text.rstrip())), f"  # noqa: {', '.join(codes)}")
        for start, comment in self._comments:
            offset = directive.place.column - start.column
            match = _NOQA.match(comment, offset) if start.row == directive.place.row and offset >= 0 else None
            if match is not None and match["codes"]:
                *_, code = _CODE.finditer(match["codes"])
                end = match.start("codes") + code.end(1)
                return Edit(_in_row(start, end, end), f", {', '.join(codes)}")
        return None

    # ---- reading the file

    @cached_property
    def _rows(self) -> list[str]:
        """The rows as flake8 sees them: every row break is ``\\n``."""
        return [row[:-2] + "\n" if row.endswith("\r\n") else row.replace("\r", "\n") for row in self._source.rows]

    @cached_property
    def _whole_file(self) -> bool:
        return "flake8" in self._source.text.lower() and any(map(_NOQA_FILE.match, self._rows))

    @cached_property
    def _tokens(self) -> list[tokenize.TokenInfo]:
        """The file's tokens; none if Python's tokenizer refuses it, where flake8 too goes by single rows."""
        try:
            return list(tokenize.generate_tokens(io.StringIO("".join(self._rows)).readline))
        except (tokenize.TokenError, SyntaxError):
            return []

    @cached_property
    def _comments(self) -> list[tuple[Position, str]]:
        comments = [token for token in self._tokens if token.type == tokenize.COMMENT]
        return [(Position(each.start[0], each.start[1] + 1), each.string) for each in comments]

    @cached_property
    def _by_row(self) -> dict[int, _Directive]:
        """The directive that counts on each row that has one."""
        if "# noqa" not in self._source.text.lower():
            return {}
        directives: dict[int, _Directive] = {}
        single_rows = set(range(1, len(self._rows) + 1))
        for first, last in self._joined_rows():
            single_rows.difference_update(range(first, last + 1))
            directive = self._directive(first, last)
            if directive is not None:
                directives.update(dict.fromkeys(range(first, last + 1), directive))
        for row in single_rows:
            directive = self._directive(row, row)
            if directive is not None:
                directives[row] = directive
        return directives

    def _joined_rows(self) -> Iterator[tuple[int, int]]:
        """First and last of the rows that belong together."""
        first, last = len(self._rows) + 1, 0
        for token in self._tokens:
            if token.type in (tokenize.ENDMARKER, tokenize.DEDENT):
                continue
            first, last = min(first, token.start[0]), max(last, token.end[0])
            if token.type in (tokenize.NL, tokenize.NEWLINE):
                yield first, last
                first, last = len(self._rows) + 1, 0

    def _directive(self, first: int, last: int) -> _Directive | None:
        text = "".join(self._rows[first - 1 : last])
        match = _NOQA.search(text)
        if match is None:
            return None
        before = text[: match.start()]
        place = Position(first + before.count("\n"), len(before) - before.rfind("\n"))
        codes = match["codes"]
        return _Directive(place, None if codes is None else frozenset(_CODE.findall(codes)))

    # ---- reporting a comment

    def _report(self, start: Position, comment: str, match: re.Match[str], idle: list[str]) -> Finding:
        codes = list(_CODE.finditer(match["codes"]))
        begin, end = match.start(), match.start("codes") + codes[-1].end(1)
        kept = [each for each in codes if each[1] not in idle]
        if kept:
            text = "".join(each[0] for each in kept[:-1]) + kept[-1][1]
            edit = Edit(_in_row(start, match.start("codes"), end), text)
        else:
            edit = self._removal(start, comment, begin, end)
        names = ", ".join(dict.fromkeys(idle))
        message = f"unused suppression: no finding of {names} here"
        if names != names.upper():
            message += " (codes are written in capitals)"
        fix = Fix(Applicability.SAFE, f"Remove the unused suppression of {names}", (edit,), "only a comment changes")
        return Finding(UNUSED, message, _in_row(start, begin, end), fix=fix)

    def _removal(self, start: Position, comment: str, begin: int, end: int) -> Edit:
        """The edit that takes out a whole directive: the comment with it, and its row, if they hold nothing else."""
        before, after = comment[:begin].rstrip(), comment[end:].lstrip(" \t,:;-")
        if before:
            return Edit(_in_row(start, len(before), len(comment)), f"  {after}" if after else "")
        if after:
            return Edit(_in_row(start, 0, len(comment)), after if after.startswith("#") else f"# {after}")
        code = self._source.rows[start.row - 1][: start.column - 1].rstrip()
        if code or start.row == len(self._source.rows):
            return Edit(Span(Position(start.row, len(code) + 1), _in_row(start, 0, len(comment)).end), "")
        return Edit(Span(Position(start.row, 1), Position(start.row + 1, 1)), "")


def _in_row(start: Position, begin: int, end: int) -> Span:
    """From ``begin`` to ``end`` code points after ``start``, on its row."""
    return Span(Position(start.row, start.column + begin), Position(start.row, start.column + end))
