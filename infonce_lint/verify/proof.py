"""Proof of a fix: every loss that it repairs is run before and after, at the configured size and at others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from infonce_lint.semantic.losses.model import ContrastiveLoss, SemanticModel
from infonce_lint.settings import Settings
from infonce_lint.sources.document import read
from infonce_lint.sources.source import SourceError, SourceFile
from infonce_lint.verify.cutting import CannotCut, cut
from infonce_lint.verify.site import Site
from infonce_lint.verify.target import loss_sites
from infonce_lint.verify.worker import Worker


@dataclass(frozen=True, slots=True)
class SiteProof:
    """What running one loss before and after its fix showed.

    Attributes:
        site: the loss as it was run: cut out of its surroundings if need be.
        reproduced: what goes wrong before; empty if nothing does.
        proven: the fixed loss has the right values.
        message: in words.
        problem: why it could not be run.
        before, after: the texts that were run.
    """

    site: Site
    reproduced: str
    proven: bool
    message: str
    problem: str = ""
    before: str = ""
    after: str = ""


@dataclass(frozen=True, slots=True)
class Proof:
    """What running all repaired losses of a file showed."""

    sites: tuple[SiteProof, ...]

    @property
    def proven(self) -> bool:
        """Whether every repaired loss keeps its value and has the right one elsewhere, where it had not before."""
        return all(each.proven for each in self.sites) and any(each.reproduced for each in self.sites)

    @property
    def message(self) -> str:
        """In one line: the first reason against, or what was shown."""
        if not self.sites:
            return "no loss is repaired"
        failed = next((each for each in self.sites if not each.proven), None)
        chosen = failed or self.sites[0]
        if failed is None and not self.proven:
            return f"{chosen.site.title}: its defect was not reproduced, other sizes have the right value as it is"
        return f"{chosen.site.title}: {chosen.message}"


def prove_fix(path: str, original: bytes, fixed: bytes, settings: Settings, worker: Worker | None = None) -> Proof:
    """Run the losses that ``fixed`` repairs, before and after; needs torch.

    Args:
        path: the file, by which the modules that it imports are found; its content is not read.
        original: its bytes before the fix.
        fixed: its bytes after.
        settings: those that it was linted with.
        worker: a child process to use; one of its own by default.

    Raises:
        SourceError: one of the two does not parse.
        WorkerError: torch is not installed.
    """
    before, after = read(original, path).source, read(fixed, path).source
    if worker is not None:
        return prove_texts(before, after, settings, worker)
    with Worker() as own:
        return prove_texts(before, after, settings, own)


def prove_texts(
    before: SourceFile,
    after: SourceFile,
    settings: Settings,
    worker: Worker,
    sets: Mapping[str, object] | None = None,
) -> Proof:
    """The same for texts that are read already (a notebook's cells joined), with the user's own values."""
    proofs: dict[str, SiteProof] = {}
    for loss in _repaired(before, after, settings):
        for site in loss_sites(loss, before):
            proof = prove_site(site, before, after, settings, worker, sets)
            known = proofs.get(site.name)
            if known is None or (known.proven and not proof.proven):
                proofs[site.name] = proof
    return Proof(tuple(proofs.values()))


def prove_site(
    site: Site,
    before: SourceFile,
    after: SourceFile,
    settings: Settings,
    worker: Worker,
    sets: Mapping[str, object] | None = None,
) -> SiteProof:
    """Run one loss before and after; one that is written inside a loop is cut out of it first."""
    old, new = before.text, after.text
    if site.problem and not site.inlined:
        return SiteProof(site, "", False, site.problem, site.problem)
    if site.inlined:
        try:
            piece = cut(site, before, settings)
            new = cut(site, after, settings, piece.end).text
            site, old = piece.site, piece.text
        except CannotCut as error:
            problem = f"{site.problem} ({error})"
            return SiteProof(site, "", False, problem, problem)
    answer = worker.ask("prove", site=site.as_json(), text=old, fixed=new, sets=dict(sets or {}))
    failure = answer.get("error") or answer.get("cannot")
    if failure:
        return SiteProof(site, "", False, failure, failure, old, new)
    return SiteProof(site, answer["reproduced"], answer["proven"], answer["message"], "", old, new)


def _repaired(before: SourceFile, after: SourceFile, settings: Settings) -> list[ContrastiveLoss]:
    """The loss units of ``before`` of which ``after`` has fewer configured reads left."""
    left: dict[str, int] = {}
    for loss in _losses(after, settings):
        left[loss.name] = left.get(loss.name, 0) + len(loss.size_uses)
    found = []
    for loss in _losses(before, settings):
        remaining = left.get(loss.name, 0)
        if remaining < len(loss.size_uses):
            found.append(loss)
        else:
            left[loss.name] = remaining - len(loss.size_uses)
    return found


def _losses(source: SourceFile, settings: Settings) -> list[ContrastiveLoss]:
    source.tree  # noqa: B018  CPython judges first
    return SemanticModel(source.module, settings).losses


__all__ = ["Proof", "SiteProof", "SourceError", "prove_fix", "prove_site", "prove_texts"]
