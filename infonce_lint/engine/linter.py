"""From a source file to its findings, and from a file's bytes to its repaired bytes.

Pure: no printing, no file access.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, TypeAlias

from infonce_lint.finding import Finding, Fix, Position, Span
from infonce_lint.screening.bytes import may_hold_finding, may_name_our_codes
from infonce_lint.settings import Settings
from infonce_lint.sources.document import Document, read
from infonce_lint.sources.source import SourceError, SourceFile
from infonce_lint.sources.suppression import Suppressions

if TYPE_CHECKING:
    from infonce_lint.repair import Refusal
    from infonce_lint.semantic.losses.model import ContrastiveLoss, SemanticModel

#: What finds the findings of a source file: `lint`, or something built on it.
Linted: TypeAlias = "Callable[[SourceFile, Settings], list[Finding]]"

PARSE_ERROR = "NCE900"
_RECURSION_LIMIT = 6000  # frames; a value takes about five for each branch that it passes


@dataclass(frozen=True, slots=True)
class FixedFile:
    """What fixing made of a file: its new bytes, how many findings were repaired, and what remains.

    ``reason`` says why fixes that were on offer are not made.
    """

    data: bytes
    changed: bool
    fixed: int
    remaining: list[Finding]
    reason: str = ""


def lint(source: SourceFile, settings: Settings, *, noqa: bool = True) -> list[Finding]:
    """The findings of one source file, sorted by place.

    With ``noqa=False`` suppressed findings are returned too (flake8 filters them itself); what a fix may do, and which
    suppressions are unused, is decided as if they were suppressed all the same.

    Raises:
        SourceError: the file does not parse.
    """
    source.tree  # noqa: B018  CPython judges first, whatever the screen says
    suppressions = Suppressions(source)
    found: list[Finding] = []
    if may_hold_finding(source, settings):
        with _deep_recursion():
            found = _loss_findings(source, settings, suppressions)
    kept = [each for each in found if settings.selects(each.code)]
    heard = [each for each in kept if not suppressions.silences(each)]
    kept = heard if noqa else kept
    if settings.selects("NCE901") and may_name_our_codes(source.text.encode(errors="replace")):
        kept += suppressions.unused(_active_codes(settings))
    return sorted(kept, key=lambda each: (each.span, each.code))


@contextmanager
def _deep_recursion() -> Iterator[None]:
    """Room for values that pass through hundreds of branches; beyond it a tidy error.

    Raises:
        SourceError: the analysis of a file goes deeper still.
    """
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(max(before, _RECURSION_LIMIT))
    try:
        yield
    except RecursionError:
        raise SourceError("too many branches or calls in a row to be analysed") from None
    finally:
        sys.setrecursionlimit(before)


def _active_codes(settings: Settings) -> frozenset[str]:
    from infonce_lint.rules import discover

    return frozenset(rule.code for rule in discover() if settings.selects(rule.code))


def _loss_findings(source: SourceFile, settings: Settings, suppressions: Suppressions) -> list[Finding]:
    """The findings of every loss unit, each with the unit's fix or the reason why there is none."""
    from infonce_lint.semantic.losses.model import SemanticModel

    model = SemanticModel(source.module, settings)
    try:
        return _findings_of(model, source, settings, suppressions)
    finally:
        model.module.release()


def _findings_of(
    model: SemanticModel, source: SourceFile, settings: Settings, suppressions: Suppressions
) -> list[Finding]:
    from infonce_lint.rules import discover

    units: dict[ContrastiveLoss, list[Finding]] = {}
    for loss in model.losses:
        unit = [finding for rule in discover() for finding in rule.check(loss, source)]
        if unit:
            units[loss] = unit
    if not units:
        return []
    from infonce_lint.repair import Refusal, fixed_together, plan_fix

    planned: dict[ContrastiveLoss, Fix | Refusal] = {}
    for loss, unit in units.items():
        withheld = _withheld(unit, source, settings, suppressions)
        planned[loss] = Refusal(withheld) if withheld else plan_fix(loss, source, settings)
    findings: list[Finding] = []
    for loss, plan in fixed_together(planned, source).items():
        if isinstance(plan, Fix):
            findings += [replace(each, fix=plan) for each in units[loss]]
        else:
            findings += _told_once(units[loss], plan.reason, source, suppressions)
    return findings


def _told_once(unit: list[Finding], reason: str, source: SourceFile, suppressions: Suppressions) -> Iterator[Finding]:
    """The findings of a loss without a fix: the first one that is shown tells why, the others name its row."""
    told = ""
    for each in sorted(unit, key=lambda finding: finding.span):
        yield replace(each, withheld=reason, told_at=told)
        if not told and not suppressions.covers(each):
            told = source.spoken(each.span.start)


def _withheld(unit: list[Finding], source: SourceFile, settings: Settings, suppressions: Suppressions) -> str:
    """Why a unit must not be fixed in part: a half-fixed loss turns a crash into a silently wrong value."""
    if not source.editable:
        return source.why_not_editable
    for finding in unit:
        place = source.spoken(finding.span.start)
        if not settings.selects(finding.code):
            return f"{finding.code} on {place} belongs to the same loss and is not selected; fix them together"
        if suppressions.covers(finding):
            return f"{place} of the same loss is suppressed; fix them together"
    return ""


def lint_bytes(
    data: bytes, path: str, settings: Settings, *, noqa: bool = True, linted: Linted | None = None
) -> list[Finding]:
    """The findings of a file's bytes; one NCE900 finding for a file that cannot be read as Python or a notebook.

    ``linted`` finds them in the place of `lint`.
    """
    linted = linted or partial(lint, noqa=noqa)
    try:
        document = read(data, path)
        return _placed(document, linted(document.source, settings), settings)
    except SourceError as error:
        return _parse_error(error, settings)


def silenced(data: bytes, path: str, settings: Settings) -> list[Finding]:
    """The findings of a file's bytes that ``# noqa`` comments keep out of `lint_bytes`."""
    kept = lint_bytes(data, path, settings)
    return [each for each in lint_bytes(data, path, settings, noqa=False) if each not in kept]


def _placed(document: Document, found: list[Finding], settings: Settings) -> list[Finding]:
    """The findings of a document's source as the document has them, and those for what cannot be read in it."""
    placed = [document.place(each) for each in found]
    if reports_parse_errors(settings):
        placed += document.errors
    return sorted(placed, key=lambda each: (each.span.cell or 0, each.span.start, each.span.end, each.code))


def _parse_error(error: SourceError, settings: Settings) -> list[Finding]:
    start = error.position or Position(1, 1)
    if not reports_parse_errors(settings):
        return []
    return [Finding(PARSE_ERROR, error.message, Span(start, start))]


def reports_parse_errors(settings: Settings) -> bool:
    """A file that cannot be read is reported whatever is selected, unless it is ignored by name."""
    return not any(PARSE_ERROR.startswith(prefix) for prefix in settings.ignore if len(prefix) > len("NCE"))


def fix_bytes(data: bytes, path: str, settings: Settings, *, unsafe: bool, linted: Linted = lint) -> FixedFile:
    """Apply the fixes of a file to a fixpoint; the file stays as it was when that cannot be done cleanly.

    ``linted`` finds what there is to fix, and may hold fixes back (``--prove`` does).
    """
    from infonce_lint.engine.fixer import fix_source

    try:
        document = read(data, path)
        outcome = fix_source(document.source, lambda each: linted(each, settings), unsafe=unsafe)
        if not outcome.changed:
            return FixedFile(data, False, 0, _placed(document, outcome.remaining, settings), outcome.withheld)
        try:
            fixed = document.rewrite(outcome.text)
        except ValueError as error:
            remaining = linted(document.source, settings)
            return FixedFile(data, False, 0, _placed(document, remaining, settings), str(error))
        return FixedFile(fixed, True, outcome.fixed, _placed(read(fixed, path), outcome.remaining, settings))
    except SourceError as error:
        return FixedFile(data, False, 0, _parse_error(error, settings))
