"""Applying fixes until nothing is left to fix. Pure: text in, text out; all or nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from infonce_lint.finding import Applicability, Edit, Finding, Fix
from infonce_lint.sources.edits import apply_edits, overlaps
from infonce_lint.sources.source import SourceError, SourceFile

MAX_PASSES = 10


@dataclass(frozen=True, slots=True)
class FixOutcome:
    """What fixing made of a file: ``text`` is the old text, and ``withheld`` says why, if it cannot be done cleanly.

    ``fixed`` counts repaired findings; ``remaining`` are the findings of ``text``.
    """

    text: str
    changed: bool
    fixed: int
    remaining: list[Finding]
    withheld: str = ""


class _Withheld(Exception):
    """A fix that must not be written."""


def fix_source(source: SourceFile, lint: Callable[[SourceFile], list[Finding]], *, unsafe: bool) -> FixOutcome:
    """Apply every SAFE fix (and with ``unsafe`` every UNSAFE one) and lint again, until no fix is left.

    Overlapping fixes wait for the next pass. The file stays as it was if a fix breaks its syntax, if a finding appears
    that was not there, or if fixes are still left after MAX_PASSES.

    Raises:
        SourceError: ``source`` itself does not parse.
    """
    found = lint(source)
    current, findings = source, found
    try:
        for _ in range(MAX_PASSES):
            fixes = applicable_fixes(findings, unsafe=unsafe)
            if not fixes:
                break
            current, findings = _one_pass(current, findings, fixes, lint)
        if applicable_fixes(findings, unsafe=unsafe):
            raise _Withheld(f"fixing did not come to an end after {MAX_PASSES} passes")
        if current is not source:
            source.encode(current.text)
    except SourceError as error:
        return FixOutcome(source.text, False, 0, found, f"the fixed file would be bad: {error.message}")
    except _Withheld as why:
        return FixOutcome(source.text, False, 0, found, str(why))
    return FixOutcome(current.text, current.text != source.text, len(found) - len(findings), findings)


def applicable_fixes(findings: Iterable[Finding], *, unsafe: bool) -> list[Fix]:
    """The different fixes that may be applied, in the order of their findings; each loss unit's fix once."""
    fixes = dict.fromkeys(finding.fix for finding in findings if finding.fix is not None and finding.fix.edits)
    return [fix for fix in fixes if unsafe or fix.applicability is Applicability.SAFE]


def compatible_edits(fixes: Iterable[Fix]) -> list[Edit]:
    """The edits of as many fixes as go together, first come first served; a fix is taken whole or not at all."""
    taken: list[Edit] = []
    by_row: dict[int, list[Edit]] = {}  # edits that overlap share a row
    for fix in fixes:
        placed = [(row, edit) for edit in fix.edits for row in range(edit.span.start.row, edit.span.end.row + 1)]
        if not any(overlaps(edit, other) for row, edit in placed for other in by_row.get(row, ())):
            taken += fix.edits
            for row, edit in placed:
                by_row.setdefault(row, []).append(edit)
    return taken


def _one_pass(
    source: SourceFile, findings: list[Finding], fixes: list[Fix], lint: Callable[[SourceFile], list[Finding]]
) -> tuple[SourceFile, list[Finding]]:
    if not source.editable:
        raise _Withheld(source.why_not_editable)
    try:
        fixed = source.with_text(apply_edits(source, compatible_edits(fixes)))
    except ValueError as error:
        raise _Withheld(f"a fix cannot be applied: {error}") from None
    fixed.tree  # noqa: B018  raises SourceError if a fix broke the syntax
    left = lint(fixed)
    new = Counter(each.code for each in left) - Counter(each.code for each in findings)
    if new:
        raise _Withheld(f"fixing would bring a new finding: {', '.join(sorted(new))}")
    if fixed.text == source.text:
        raise _Withheld("a fix changes nothing")
    return fixed, left
