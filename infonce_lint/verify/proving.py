"""``--fix --prove``: of all fixes on offer, only those that running the losses has proven."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import TracebackType

from infonce_lint.engine.linter import lint
from infonce_lint.finding import Applicability, Finding, Fix
from infonce_lint.settings import Settings
from infonce_lint.sources.edits import apply_edits
from infonce_lint.sources.source import SourceFile
from infonce_lint.verify.proof import prove_texts
from infonce_lint.verify.worker import Worker

_HELP = " (infonce-lint verify shows how it was run; --set NAME=VALUE gives it what it reads)"


class Prover:
    """Lints like `linter.lint`, and withholds every fix that it cannot prove. Use it in a ``with`` statement.

    Args:
        unsafe: look at unsafe fixes too.
        seconds: the time limit of one experiment.
        sets: values of parameters and attributes by dotted path.

    Raises:
        WorkerError: torch is not installed.
    """

    def __init__(self, *, unsafe: bool, seconds: float = 60.0, sets: Mapping[str, object] | None = None) -> None:
        self._unsafe = unsafe
        self._sets = dict(sets or {})
        self._worker = Worker(seconds)
        self.proven: list[str] = []  # what was proven, one line a fix
        self._known: dict[tuple[str, Fix], str] = {}

    def __enter__(self) -> Prover:
        self._worker.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._worker.close()

    def lint(self, source: SourceFile, settings: Settings) -> list[Finding]:
        """The findings of a source file; those whose fix is not proven say why, and have none.

        Raises:
            SourceError: the file does not parse.
        """
        return self.judge(lint(source, settings), source, settings)

    def judge(self, findings: Sequence[Finding], source: SourceFile, settings: Settings) -> list[Finding]:
        """``findings`` without the fixes that are not proven."""
        judged = []
        for finding in findings:
            fix = finding.fix
            if fix is not None and fix.edits and (self._unsafe or fix.applicability is Applicability.SAFE):
                withheld = self._withheld(fix, source, settings) if finding.unit is not None else ""
                if withheld:
                    help_it = "" if "--set" in withheld else _HELP
                    finding = replace(finding, fix=None, withheld=f"not proven: {withheld}{help_it}")
            judged.append(finding)
        return judged

    def _withheld(self, fix: Fix, source: SourceFile, settings: Settings) -> str:
        """Why a fix is not proven; empty if it is."""
        key = (source.text, fix)
        if key not in self._known:
            fixed = source.with_text(apply_edits(source, fix.edits))
            proof = prove_texts(source, fixed, settings, self._worker, self._sets)
            self._known[key] = "" if proof.proven else proof.message
            names = ", ".join(dict.fromkeys(each.site.title for each in proof.sites))
            shown = f"{proof.message}" if len(proof.sites) == 1 else f"{names}: {proof.sites[0].message}"
            if proof.proven:
                self.proven.append(f"{source.path}: {shown}")
        return self._known[key]
