"""Inference: what a size most likely counts where no fact decides it; a fix that rests on it is unsafe."""

from __future__ import annotations

from infonce_lint.repair.candidates import is_stored_rows
from infonce_lint.repair.proof import Proof
from infonce_lint.semantic.graph.dispatch import rivals_of
from infonce_lint.semantic.graph.values import Value
from infonce_lint.semantic.losses.similarity import SELF, TOWERS, Similarity
from infonce_lint.semantic.shapes.dims import ONE, Dim, Origin, number
from infonce_lint.semantic.shapes.facts import Fact, Relation
from infonce_lint.semantic.shapes.operations import Column, has


def inferred(proof: Proof, wanted: Dim) -> str:
    """Take the likeliest reading of the facts that decide nothing into the proof; why it is a guess, or empty."""
    for guess in (_kept_rows, _two_halves, _divisor):
        found = guess(proof, wanted)
        if found is not None:
            fact, doubt = found
            proof.take(fact)
            if proof.is_determined(wanted) and proof.conflict() is None:
                return doubt
            proof.drop(fact)
    return ""


def open_question(proof: Proof, wanted: Dim) -> str:
    """Why no fact decides a size: what the loss needs of it, or where alone it is used."""
    about = [fact for fact in proof.facts if _asks_for(proof, fact, wanted)]
    equal = [fact for fact in about if fact.relation is Relation.EQUAL and (fact.left - fact.right).of(Origin.AXIS)]
    if equal:
        simplest = min(equal, key=lambda each: len(each.left.terms) + len(each.right.terms))
        return f"what the loss needs ({proof.told(simplest)}) does not tell the batch's rows alone"
    for relation, reason in _INDECISIVE.items():
        if any(fact.relation is relation for fact in about):
            return reason
    return _unseen_run(proof) or "no tensor of the loss shows how many rows a batch has"


def _unseen_run(proof: Proof) -> str:
    """Which function's results are not known because another one may run in its place; empty where none is."""
    for call in (call for function in proof.loss.functions for call in function.calls if call.callee is not None):
        assert call.callee is not None
        if call.callee.is_replaced:
            return f"what `{call.callee.name}` runs is not seen (it is also set anew, or wrapped by a decorator)"
        owner = next((each.owner for each in rivals_of(call)), None)
        if owner is not None:
            return f"`{call.callee.name}` is overridden in `{owner.name}`, so that it may give other rows"
    return ""


#: Why a fact of some kind does not decide a size that it speaks of, most telling first.
_INDECISIVE = {
    Relation.CUT: "rows are only cut at the size, which any number of rows allows",
    Relation.KEPT: "a reshape with a free axis fits other numbers of rows too",
    Relation.BELOW: "the loss only needs at least so many rows",
    Relation.MET: "an axis of one row would do where the size is met",
    Relation.SCALE: "the size only scales the loss",
}


def _asks_for(proof: Proof, fact: Fact, wanted: Dim) -> bool:
    """Whether a fact speaks of a size that is wanted, under that name or as another size that equals it."""
    sides = (fact.left, fact.right, proof.theory.of(fact.left), proof.theory.of(fact.right))
    return any(side.of(Origin.SIZE) & wanted.of(Origin.SIZE) for side in sides)


def _kept_rows(proof: Proof, wanted: Dim) -> tuple[Fact, str] | None:
    """``view(2, size, -1)``: the rows are regrouped, and the last axis stays."""
    for fact in proof.facts:
        if fact.relation is Relation.KEPT and _asks_for(proof, fact, wanted):
            axes = [symbol for symbol in fact.left.of(Origin.AXIS) if symbol.axis == 0]
            if len(axes) == 1 and len(fact.left.terms) == 1:
                rows = Dim(frozenset({(frozenset({(axes[0], 1)}), 1)}))
                equal = Fact(Relation.EQUAL, rows, fact.right, fact.site)
                return equal, "a reshape with a free axis is taken to keep the last one"
    return None


def _two_halves(proof: Proof, wanted: Dim) -> tuple[Fact, str] | None:
    """A cut at the size: two views are inferred from the convention."""
    places: dict[Dim, set[Dim]] = {}
    sites: dict[Dim, Fact] = {}
    sides: dict[Dim, set[str]] = {}
    for fact in proof.facts:
        if fact.relation is Relation.CUT and _asks_for(proof, fact, wanted) and fact.left.of(Origin.AXIS):
            signs = {value > 0 for _, value in fact.right.terms}
            places.setdefault(fact.left, set()).add(-fact.right if signs == {False} else fact.right)
            sites[fact.left] = fact
            sides.setdefault(fact.left, set()).update(_sides(fact.site.value))
            if _has_any_number_of_parts(fact.site.value):
                sides[fact.left].add("any")
    for axis, cuts in places.items():
        stored = any(is_stored_rows(each) for each in axis.of(Origin.AXIS))
        if sides[axis] in ({"lower"}, {"upper"}) or "any" in sides[axis]:
            continue  # one part alone is no half, and parts that a loop goes over may be more than two
        if len(cuts) == 1 and not axis.of(Origin.SIZE) and len(axis.terms) <= 2 and not stored:
            (cut,) = cuts
            equal = Fact(Relation.EQUAL, axis, cut * number(2), sites[axis].site)
            return equal, "two views are inferred from the convention"
    return None


def _sides(place: Value) -> set[str]:
    """Which bounds the slices of a place give; nothing for a diagonal or a call, which know both parts."""
    slices = [each for index in place.inputs for each in (index, *index.inputs) if each.op == "slice"]
    return {
        side
        for each in slices
        for side in ("lower", "upper")
        if getattr(each.node, side, None) is not None and len(each.inputs) == 1
    }


def _has_any_number_of_parts(place: Value) -> bool:
    """Whether a split's parts are used otherwise than one by one: looped over, joined, combined."""
    if place.op != "call" or not has(place.name, Column.SPLITS) or "split" not in place.name or not place.users:
        return False
    return any(
        not (user.op == "item" and isinstance(user.literal, int))
        and not (user.op == "sub" and all(each.op == "const" for each in user.inputs[1:]))
        for user in place.users
    )


def _divisor(proof: Proof, wanted: Dim) -> tuple[Fact, str] | None:
    """A divisor that should count the rows: ``/ (2 * size)`` over stacked rows, ``/ size`` over a pair."""
    for fact in proof.facts:
        if fact.relation is not Relation.SCALE or not _asks_for(proof, fact, wanted):
            continue
        similarities = _behind(proof, fact)
        if not similarities:
            continue
        rows = _rows(proof, similarities[0])
        if rows is None:
            continue
        paired = all(each.strength == TOWERS for each in similarities)
        stacked = all(each.strength == SELF for each in similarities)
        parts = sum(value for _, value in rows.terms) if len(rows.terms) > 1 else 1
        factor = fact.left.over(wanted)
        if factor is None or factor.number is None:
            continue
        if parts > 1:
            counted = rows if factor.number == parts else None
        elif paired:
            counted = rows * number(factor.number)  # `/ (2 * size)`: the two directions of a pair
        else:
            counted = rows if stacked and factor.number == 2 else None
        if counted is not None:
            equal = Fact(Relation.EQUAL, counted, fact.left, fact.site)
            return equal, "a constant scale of the gradient can be meant"
    return None


def _behind(proof: Proof, fact: Fact) -> list[Similarity]:
    return sorted(proof.loss.model.roles.holding(fact.site.value), key=lambda each: -each.strength)


def _rows(proof: Proof, similarity: Similarity) -> Dim | None:
    """The rows of a similarity, asked of tensors that are really there."""
    tensor = proof.tensor(similarity.seed, similarity.seed.function)
    if tensor is None or not tensor.dims:
        operand = similarity.operands[0]
        tensor = proof.tensor(operand, operand.function)
    rows = tensor.axis(0) if tensor is not None else None
    return rows if rows is not None and rows != ONE and not rows.of(Origin.SIZE) else None
