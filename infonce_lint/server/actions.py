"""What the editor offers to do about findings: the one fix of each loss, a suppression, and all safe fixes at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from lsprotocol import types

from infonce_lint.engine.linter import PARSE_ERROR
from infonce_lint.finding import Applicability, Edit, Finding, Fix
from infonce_lint.server.analysis import Analysis, Found
from infonce_lint.server.diagnostics import Diagnoses
from infonce_lint.server.workspace_edits import workspace_edit
from infonce_lint.sources.suppression import UNUSED

FIX_ALL = "source.fixAll.infonce-lint"
#: Editors ask each cell of a notebook for FIX_ALL, which would fix the notebook once a cell; this they ask for once.
FIX_ALL_CELLS = "notebook.source.fixAll.infonce-lint"
KINDS = (types.CodeActionKind.QuickFix, FIX_ALL, FIX_ALL_CELLS)
FIX_ALL_TITLE = "infonce-lint: fix all (safe fixes)"


class Actions:
    """The code actions of one analysis.

    Args:
        versioned: as for `workspace_edit`.
        unsafe: whether to offer unsafe fixes.
    """

    def __init__(
        self,
        analysis: Analysis,
        diagnoses: Diagnoses,
        encoding: types.PositionEncodingKind,
        *,
        versioned: bool,
        unsafe: bool,
    ) -> None:
        self._analysis = analysis
        self._diagnoses = diagnoses
        self._encoding = encoding
        self._versioned = versioned
        self._unsafe = unsafe

    def at(self, uri: str, place: types.Range, only: Sequence[str] | None) -> list[types.CodeAction]:
        """The actions for a range of a part, of the wanted kinds (None: of all)."""
        actions: list[types.CodeAction] = []
        if _wanted(types.CodeActionKind.QuickFix.value, only):
            here = [
                each
                for each in self._analysis.of_part(uri)
                if _touch(self._diagnoses.location(each.placed.span).range, place)
            ]
            actions += [*self._fixes(here), *self._suppressions(here)]
        kind = FIX_ALL_CELLS if self._analysis.document.is_notebook else FIX_ALL
        if _wanted(kind, only):
            edit = self.fix_all()
            if edit is not None:
                actions.append(types.CodeAction(title=FIX_ALL_TITLE, kind=kind, edit=edit))
        return actions

    def fix_all(self) -> types.WorkspaceEdit | None:
        """What ``--fix`` would change; None if it is nothing."""
        if not any(each.raw.fix is not None and _is_safe(each.raw.fix) for each in self._analysis.found):
            return None
        return self._change(self._analysis.after_all())

    def _fixes(self, here: Sequence[Found]) -> Iterator[types.CodeAction]:
        by_fix: dict[Fix, list[Finding]] = {}
        for each in here:
            if each.raw.fix is not None and (self._unsafe or _is_safe(each.raw.fix)):
                by_fix.setdefault(each.raw.fix, []).append(each.placed)
        for fix, findings in by_fix.items():
            edit = self._edit(fix.edits)
            if edit is not None:
                safe = _is_safe(fix)
                yield types.CodeAction(
                    title=f"{fix.message} ({'safe' if safe else 'unsafe'} fix)",
                    kind=types.CodeActionKind.QuickFix,
                    diagnostics=[self._diagnoses.diagnostic(each) for each in findings],
                    is_preferred=True if safe else None,
                    edit=edit,
                )

    def _suppressions(self, here: Sequence[Found]) -> Iterator[types.CodeAction]:
        for placed, raw in here:
            if placed.code in (PARSE_ERROR, UNUSED):
                continue
            edit = self._edit(self._analysis.silencing(raw))
            if edit is not None:
                yield types.CodeAction(
                    title=f"Suppress with # noqa: {placed.code}",
                    kind=types.CodeActionKind.QuickFix,
                    diagnostics=[self._diagnoses.diagnostic(placed)],
                    edit=edit,
                )

    def _edit(self, edits: Sequence[Edit]) -> types.WorkspaceEdit | None:
        texts = self._analysis.after(edits)
        return self._change(texts) if texts is not None else None

    def _change(self, texts: Sequence[str]) -> types.WorkspaceEdit | None:
        return workspace_edit(self._analysis.document, texts, self._encoding, versioned=self._versioned)


def _is_safe(fix: Fix) -> bool:
    return fix.applicability is Applicability.SAFE


def _wanted(kind: str, only: Sequence[str] | None) -> bool:
    """Whether a kind is one of ``only`` or lies below one of them (``source`` stands for all that begin with it)."""
    return only is None or any(kind == each or kind.startswith(f"{each}.") for each in only)


def _touch(first: types.Range, second: types.Range) -> bool:
    return first.start <= second.end and second.start <= first.end
