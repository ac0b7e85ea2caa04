"""What `verify` says about one loss: what was reproduced, whether its fix is proven, and the rows of the checks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from infonce_lint.engine.fixer import fix_source
from infonce_lint.engine.linter import lint
from infonce_lint.finding import Applicability, Finding
from infonce_lint.settings import Settings
from infonce_lint.sources.source import SourceFile
from infonce_lint.verify.checks import FAMILIES
from infonce_lint.verify.cutting import CannotCut, cut
from infonce_lint.verify.examination import Examination, examine
from infonce_lint.verify.proof import SiteProof, prove_site
from infonce_lint.verify.rows import NO_DEVICE, Row, Status
from infonce_lint.verify.site import Site
from infonce_lint.verify.target import Target, sites_of
from infonce_lint.verify.worker import Worker


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line asks of an examination."""

    families: Sequence[str] = FAMILIES
    sets: Mapping[str, object] = field(default_factory=dict)
    unit_rows: bool = False
    require_gpu: bool = False


@dataclass(slots=True)
class Verdict:
    """One loss.

    Attributes:
        target: the word of the command line that led to it.
        examination: its rows; those of the repaired loss where the fix is proven.
        proof: for a loss with findings, what running it before and after its fix showed.
        fix: ``safe`` or ``unsafe``; empty where there is none.
        withheld: why there is no fix.
        cell: the cell of a notebook that the loss stands in, from 1, and its row there; elsewhere None and the row.
    """

    target: str
    examination: Examination
    proof: SiteProof | None = None
    fix: str = ""
    withheld: str = ""
    cell: int | None = None
    row: int = 1

    @property
    def passed(self) -> bool:
        """Whether the loss was run, has no finding, and no check failed."""
        examined = self.examination
        failed = any(row.status is Status.FAIL for row in examined.rows)
        return not (examined.problem or self.proof is not None or failed)

    def as_json(self) -> dict[str, Any]:
        """The loss as `--output-format json` prints it."""
        examined, proof = self.examination, self.proof
        site = examined.site
        return {
            "target": self.target,
            "filename": site.path,
            "loss": site.title,
            "cell": self.cell,
            "row": self.row,
            "passed": self.passed,
            "problem": examined.problem or None,
            "how": list(examined.how),
            "reproduced": proof.reproduced or None if proof else None,
            "fix": self.fix or None,
            "withheld": self.withheld or None,
            "proven": proof.proven if proof and self.fix else None,
            "proof": proof.message if proof and self.fix else None,
            "checks": [row.as_json() for row in examined.rows],
        }


def judge(
    target: Target, source: SourceFile, settings: Settings, worker: Worker, options: Options
) -> Iterator[Verdict]:
    """The verdicts on the losses of a target, each as soon as it stands.

    Raises:
        TargetError: there is no such loss.
        SourceError: the file does not parse.
        WorkerError: torch is not installed.
    """
    sites = sites_of(target, source, settings)
    fixed, findings = source, list[Finding]()
    if any(site.buggy for site in sites):
        findings = lint(source, settings)
        outcome = fix_source(source, lambda each: lint(each, settings), unsafe=True)
        fixed = source.with_text(outcome.text)
    for site in sites:
        if site.buggy:
            verdict = _buggy(target, site, source, fixed, findings, settings, worker, options)
        else:
            verdict = Verdict(target.text, _alone(site, source, settings, worker, options))
        verdict.cell, verdict.row = source.cell_row(site.row)
        yield verdict


def _buggy(
    target: Target,
    site: Site,
    source: SourceFile,
    fixed: SourceFile,
    findings: Sequence[Finding],
    settings: Settings,
    worker: Worker,
    options: Options,
) -> Verdict:
    """A loss with findings: reproduced, repaired in memory, proven, and then examined as it would be."""
    proof = prove_site(site, source, fixed, settings, worker, options.sets)
    mine = [each for each in findings if _is_near(each, site, source)]
    fixes = [each.fix for each in mine if each.fix is not None]
    is_unsafe = any(fix.applicability is Applicability.UNSAFE for fix in fixes)
    verdict = Verdict(target.text, Examination(proof.site), proof, ("unsafe" if is_unsafe else "safe") if fixes else "")
    if not fixes:
        verdict.withheld = next((each.withheld for each in mine if each.withheld), "there is none")
    if proof.problem:
        verdict.examination.problem = proof.problem
        return verdict
    text = proof.after if fixes and proof.proven else proof.before
    verdict.examination = _examined(proof.site, text, worker, options)
    return verdict


def _is_near(finding: Finding, site: Site, source: SourceFile) -> bool:
    """Whether a finding belongs to the loss of a site: to its unit, told by the rows that the unit reads sizes on."""
    return finding.unit is not None and finding.span.start.row in site.reads


def _alone(site: Site, source: SourceFile, settings: Settings, worker: Worker, options: Options) -> Examination:
    """A loss without findings; one that is written inside a loop is cut out of it first."""
    text = source.text
    if site.inlined:
        try:
            piece = cut(site, source, settings)
        except CannotCut as error:
            return Examination(site, problem=f"{site.problem} ({error})")
        site, text = piece.site, piece.text
    return _examined(site, text, worker, options)


def _examined(site: Site, text: str, worker: Worker, options: Options) -> Examination:
    if site.foreign:
        return Examination(site, problem=f"the loss itself, `{site.foreign}`, stands in another file")
    found = examine(site, text, worker, families=options.families, sets=options.sets, unit_rows=options.unit_rows)
    if options.require_gpu:
        found.rows = [_required(row) for row in found.rows]
    return found


def _required(row: Row) -> Row:
    """Under ``--require-gpu`` a check that found no device has failed."""
    if row.status is Status.SKIPPED and row.detail == NO_DEVICE:
        return replace(row, status=Status.FAIL)
    return row
