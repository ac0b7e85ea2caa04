"""The plan of a fix: one set of edits that repairs a whole loss unit, or the reason why there is none."""

from __future__ import annotations

from dataclasses import dataclass

from infonce_lint.finding import Applicability, Edit, Fix
from infonce_lint.repair import getter, helper, rebuild
from infonce_lint.repair.gather import gather_problem
from infonce_lint.repair.inference import inferred, open_question
from infonce_lint.repair.injected import injected_mask_problem
from infonce_lint.repair.layout import laid_out, row_length
from infonce_lint.repair.place import (
    anchor,
    depth_of,
    indent_of,
    insert_before,
    is_bound_before,
    is_in_class_body,
    loses_comment,
)
from infonce_lint.repair.proof import Proof
from infonce_lint.repair.residue import remaining_reads, residue_problem
from infonce_lint.repair.rewrite import Derived, Refused, Rewriter
from infonce_lint.semantic.graph.values import Block, Function
from infonce_lint.semantic.losses.model import ContrastiveLoss, SizeUse
from infonce_lint.semantic.shapes.running import library_of
from infonce_lint.settings import Settings
from infonce_lint.sources.edits import with_row_breaks
from infonce_lint.sources.source import SourceFile


@dataclass(frozen=True, slots=True)
class Refusal:
    """No fix, and in one sentence why and what to do by hand."""

    reason: str


def plan_fix(loss: ContrastiveLoss, source: SourceFile, settings: Settings) -> Fix | Refusal:
    """The fix of a loss unit: safe when tensor, axis and views are proven by the code, unsafe when one is inferred."""
    try:
        return _Planner(loss, source, settings).plan()
    except Refused as refused:
        return Refusal(str(refused))


class _Planner:
    def __init__(self, loss: ContrastiveLoss, source: SourceFile, settings: Settings) -> None:
        self.loss = loss
        self.source = source
        self.settings = settings
        self.proof = Proof(loss)
        self.doubts: list[str] = []
        self.uses: list[SizeUse] = []

    def plan(self) -> Fix | Refusal:
        """Put in what the facts say of the sizes, rewrite every read, rebuild what is frozen."""
        problem = (
            _framework_problem(self.loss) or injected_mask_problem(self.loss) or residue_problem(self.loss, self.proof)
        )
        problem = problem or self._conflict() or gather_problem(self.loss, self.proof) or self._undetermined()
        if problem:
            return Refusal(problem)
        rewriter = Rewriter(self.loss, self.source, self.settings, self.proof)
        self.uses = [*self.loss.size_uses, *(SizeUse(each) for each in remaining_reads(self.loss, self.proof))]
        edits: list[Edit] = []
        for function, uses in self._by_function().items():
            edits += self._repair_function(function, uses, rewriter)
        edits += self._definitions(rewriter)
        self.doubts += rewriter.doubts
        return self._fix(edits)

    def _conflict(self) -> str:
        fact = self.proof.conflict()
        if fact is None:
            return ""
        return (
            f"the places that this size flows into disagree on what it counts ({self.proof.told(fact)} as well); "
            "derive each from its own tensor"
        )

    def _undetermined(self) -> str:
        """Why the sizes cannot be told, where no fact gives them and nothing can be inferred."""
        for use in self.loss.size_uses:
            wanted = self.proof.wanted(self.proof.target(use.read))
            if wanted is None:
                return f"what `{use.text}` counts is computed in a way that is not followed; repair it by hand"
            if not self.proof.is_determined(wanted):
                doubt = inferred(self.proof, wanted)
                if not doubt:
                    return f"{open_question(self.proof, wanted)}; derive the size from the features by hand"
                self.doubts.append(doubt)
        return ""

    def _by_function(self) -> dict[Function, list[SizeUse]]:
        found: dict[Function, list[SizeUse]] = {}
        for use in self.uses:
            found.setdefault(use.read.function, []).append(use)
        # a local of the outer block serves the inner ones too; what is rebuilt asks the locals of the loss
        ordered = sorted(found, key=lambda each: any(use.frozen for use in found[each]))
        return {each: sorted(found[each], key=lambda use: depth_of(use.read.block)) for each in ordered}

    def _repair_function(self, function: Function, uses: list[SizeUse], rewriter: Rewriter) -> list[Edit]:
        frozen = [use for use in uses if use.frozen]
        if frozen and function.is_module:
            where = "in a class body" if any(is_in_class_body(use.read.block) for use in frozen) else "at module level"
            raise Refused(
                f"the tensor is built {where}, where no features are; build it in the loss from the features' rows"
            )
        if frozen and function.is_constructor:
            direct = [use for use in uses if len(use.frozen) < len(use.engagements)]
            if direct:
                raise Refused("the constructor builds the tensor and uses it itself; build it in the loss instead")
            return rebuild.in_loss(frozen, rewriter)
        if frozen or not rewriter.sees_features(uses):
            if not frozen and getter.gives_size(function, self.proof):
                return getter.at_calls(function, rewriter)
            if not frozen and not function.callers:
                rewriter.refuse(uses)
            return helper.through_helper(function, uses, rewriter)
        edits: list[Edit] = []
        for use in uses:
            edits += rewriter.rewrite(use.read)
        return edits

    def _definitions(self, rewriter: Rewriter) -> list[Edit]:
        """The assertion and the local size of each function that divides stacked rows by its views."""
        insertions: dict[tuple[Block, int], list[str]] = {}
        for derived in rewriter.derived.values():
            place = anchor(derived.places)
            if place is None:
                raise Refused("no statement can be put before the use of the size; write the function on several rows")
            if not self._is_bound(derived, place):
                raise Refused(
                    f"`{derived.rows}` is not known before every use of the size; derive the size after it by hand"
                )
            if doubt := derived.doubt(place):
                self.doubts.append(doubt)
            if not self.proof.is_forced(place, frozenset(derived.sizes)):
                self.doubts.append("the assertion also stands on ways on which nothing needs it to hold")
            room = row_length(self.settings) - len(indent_of(self.source, place) or "")
            insertions.setdefault(place, []).extend(derived.lines(self.settings, self.source.quote, room))
        for place, lines in rewriter.insertions.items():
            insertions.setdefault(place, []).extend(lines)
        edits = []
        for place, lines in insertions.items():
            edit = insert_before(self.source, place, lines)
            if edit is None:
                raise Refused("the statement that needs the size shares its row with others; split the row first")
            edits.append(edit)
        return edits

    def _is_bound(self, derived: Derived, place: tuple[Block, int]) -> bool:
        return all(is_bound_before(value, place) for value in derived.values)

    def _fix(self, edits: list[Edit]) -> Fix:
        newline = self.source.newline
        edits = laid_out(self.source, dict.fromkeys(edits), row_length(self.settings))
        written = {Edit(each.span, with_row_breaks(each.content, newline)) for each in edits}
        unique = tuple(sorted(written, key=lambda each: (each.span.start, each.span.end)))
        for edit in unique:
            if loses_comment(self.source, edit):
                row = self.source.spoken(edit.span.start)
                raise Refused(f"a comment stands inside the expression on {row} that the fix replaces; move it first")
        safe = not self.doubts
        why = (
            f"the tensor, its row axis and the number of views are read from the code{self._equation()}; "
            "the value at the configured batch size does not change"
            if safe
            else f"{'; '.join(dict.fromkeys(self.doubts)) or 'the size is inferred'}: check it before applying"
        )
        return Fix(
            Applicability.SAFE if safe else Applicability.UNSAFE,
            "Derive the batch size from the features",
            unique,
            why,
        )

    def _equation(self) -> str:
        """The fact that decides, in the words of the code."""
        wanted = self.proof.wanted(self.proof.target(self.loss.size_uses[0].read))
        fact = self.proof.evidence(wanted) if wanted is not None else None
        return f" (the loss needs {self.proof.told(fact)})" if fact is not None else ""


def _framework_problem(loss: ContrastiveLoss) -> str:
    """TensorFlow's static shapes need other code than the fix writes."""
    calls = [call for function in loss.functions for call in function.calls]
    if any(library_of(call) == "tensorflow" for call in calls):
        return (
            "TensorFlow: take the size from `tf.shape(x)[0]` (`tf.cast` it for divisors) in the function that holds x"
        )
    return ""
