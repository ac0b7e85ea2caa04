"""What is found in an open document, and what its texts become under a fix: by the same code as the command's."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from infonce_lint.engine.checked import FileReport
from infonce_lint.engine.fixer import fix_source
from infonce_lint.engine.linter import Linted, lint, reports_parse_errors
from infonce_lint.engine.marks import Mark
from infonce_lint.finding import Edit, Finding, Span
from infonce_lint.running.baseline import not_fixing_known, split
from infonce_lint.server.documents import OpenDocument, Part
from infonce_lint.settings import Settings
from infonce_lint.sources.document import opened
from infonce_lint.sources.edits import apply_edits
from infonce_lint.sources.source import SourceError
from infonce_lint.sources.suppression import Suppressions


class Found(NamedTuple):
    """A finding where the document's parts have it, and as it stands in the code that was linted."""

    placed: Finding
    raw: Finding


class Analysis:
    """The findings of one state of a document; ``document`` is that state.

    Args:
        known: what the baseline holds of the document's file: neither told nor fixed.
    """

    def __init__(self, document: OpenDocument, settings: Settings, known: Sequence[Mark] = ()) -> None:
        self.document = document
        self._settings = settings
        self._linted: Linted = not_fixing_known(lint, known) if known else lint
        parts = [(each.text, each.is_python) for each in document.parts]
        self._code = opened(parts, document.path, in_cells=document.is_notebook)
        self._repaired: list[str] | None = None
        self.found = self._new(self._lint(), known)

    def _lint(self) -> list[Found]:
        errors = list(self._code.errors)
        findings: list[Finding] = []
        try:
            findings = self._linted(self._code.source, self._settings)
        except SourceError as error:
            errors.append(error.finding)
        found = [Found(self._code.place(each), each) for each in findings]
        return found + [Found(each, each) for each in errors if reports_parse_errors(self._settings)]

    def _new(self, found: list[Found], known: Sequence[Mark]) -> list[Found]:
        """Those that the baseline does not hold."""
        if not known:
            return found
        placed = tuple(each.placed for each in found)
        parts = self.document.parts
        new, _ = split(FileReport(self.document.path, placed, lambda cell: parts[(cell or 1) - 1].text), known)
        wanted = set(map(id, new))
        return [each for each in found if id(each.placed) in wanted]

    def part(self, span: Span) -> Part:
        """The part that a span of a placed finding counts in."""
        return self.document.parts[(span.cell or 1) - 1]

    def of_part(self, uri: str) -> list[Found]:
        """The findings that start in one text or cell."""
        return [each for each in self.found if self.part(each.placed.span).uri == uri]

    def after(self, edits: Iterable[Edit]) -> list[str] | None:
        """The parts' texts after edits of a raw finding; None if they cannot be made, or leave no Python."""
        try:
            text = apply_edits(self._code.source, edits)
            self._code.source.with_text(text).tree  # noqa: B018  raises SourceError
            return self._code.texts(text)
        except (ValueError, SourceError):
            return None

    def silencing(self, finding: Finding) -> list[Edit]:
        """The edits that put a ``# noqa`` for one (raw) finding; none if there is no place for it."""
        return Suppressions(self._code.source).silencing([finding])

    def after_all(self) -> list[str]:
        """The texts of the document's parts as ``--fix`` writes them: all safe fixes, to a fixpoint; found out once."""
        if self._repaired is None:
            self._repaired = self._fixed()
        return self._repaired

    def _fixed(self) -> list[str]:
        try:
            outcome = fix_source(self._code.source, lambda each: self._linted(each, self._settings), unsafe=False)
            if outcome.changed:
                return self._code.texts(outcome.text)
        except (ValueError, SourceError):  # as the command has it: the file stays as it was
            pass
        return [each.text for each in self.document.parts]
