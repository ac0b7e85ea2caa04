"""Evidence: what is computed from a similarity, and whether that makes it a contrastive loss."""

from __future__ import annotations

from collections.abc import Iterable

from infonce_lint.semantic.graph.calls import called_name, receiver_of
from infonce_lint.semantic.graph.values import Op, Value
from infonce_lint.semantic.graph.walk import walk
from infonce_lint.semantic.losses.numbered import is_made_by
from infonce_lint.semantic.names import (
    REGRESSION_WORDS,
    is_contrastive_name,
    is_cross_entropy_name,
    is_loss_name,
    is_similarity_name,
    is_temperature_name,
    words,
)
from infonce_lint.semantic.shapes.operations import Column, has

MARGIN_WORDS = frozenset({"margin", "delta", "hinge"})

_MOST_RETURNED = 6

#: How much a similarity by itself says that a loss is contrastive.
SELF, TOWERS, STORED = 3, 2, 1  # a tensor with itself, two towers, a stored matrix or a row-wise product


def evidence_for(seed: Value, cone: set[Value]) -> set[str]:
    """What speaks for a contrastive loss (or for a regression) in all that is computed from a similarity."""
    found: set[str] = set()
    for value in cone:
        found.update(_evidence_of(value, cone))
    for function in {each.function for each in cone}:
        owner = function.owner.name if function.owner is not None else ""
        if is_contrastive_name(function.name) or is_contrastive_name(owner):
            found.add("name")
    if is_similarity_name(seed.name):
        found.add("similarity name")
    marks = [each for value in cone for each in _identities_beside(value, cone)]
    if {True, False} <= {_picks_others(each) for each in marks} or any(map(_is_signed, marks)):
        found.add("pairs")
    return found


def _identities_beside(value: Value, cone: set[Value]) -> list[Value]:
    """The identities that a similarity is multiplied by entry by entry."""
    is_call = value.op is Op.CALL and has(called_name(value), Column.SCALES)
    if not is_call and not (value.op is Op.BINOP and value.name == "Multiply"):
        return []
    factors = [each for _, each in value.arguments()] if is_call else value.inputs
    factors = [each.inputs[0] if each.op is Op.UNARY else each for each in factors]
    return [each for each in factors if each not in cone and is_made_by(each, Column.IDENTITY)]


def _picks_others(marks: Value) -> bool:
    """Whether marks made of an identity pick what is beside the diagonal: ``1 - eye(n)``."""
    return marks.op is Op.BINOP and marks.name == "Subtract" and marks.inputs[0].op is Op.CONST


def _evidence_of(value: Value, cone: set[Value]) -> Iterable[str]:
    if value.bound and is_similarity_name(value.bound):
        yield "similarity name"
    if value.op is Op.CALL:
        name = called_name(value)
        told = evidence_of_name(name)
        if told != "exp" or not _is_of_neighbours(value):
            yield told
        if _has_identity_targets(value, name, cone):
            yield "cross-entropy"
        if is_contrastive_name(name):
            yield "name"
    elif value.op in (Op.TUPLE, Op.DICT):
        if is_handed_out(value) and any(each in cone and not _is_of_neighbours(each) for each in value.inputs):
            is_numbered = any(is_made_by(each, Column.NUMBERS_ROWS) for each in value.inputs if each not in cone)
            yield "cross-entropy" if is_numbered else ""
    elif value.op is Op.BINOP and value.name == "Divide" and len(value.inputs) > 1:
        divisor = value.inputs[1]
        if is_temperature_name(divisor.name) or is_temperature_name(divisor.bound):
            yield "temperature"
    elif (
        value.op is Op.BINOP
        and value.name == "Multiply"
        and any(is_temperature_name(each.name) for each in value.inputs if each not in cone)
    ):
        yield "temperature"
    is_margin_step = value.op in (Op.BINOP, Op.CALL) and (
        value.name in ("Add", "Subtract") or has(value.name, Column.MARGIN_STEP)
    )
    if is_margin_step and any(MARGIN_WORDS & {*words(each.name), *words(each.bound)} for each in value.inputs):
        yield "margin name"
    if value.op is Op.BINOP and value.name == "Subtract" and any(_is_diagonal(each) for each in value.inputs):
        yield "margin name"  # each row against its own diagonal: how much nearer the positive is


def _is_signed(marks: Value) -> bool:
    """``2 * eye(n) - 1``: plus for the positives, minus for the negatives."""
    if marks.op is not Op.BINOP or marks.name not in ("Add", "Subtract"):
        return False
    return any(each.op is Op.BINOP and each.name == "Multiply" for each in marks.inputs)


def _is_of_neighbours(weight: Value) -> bool:
    """``sim.topk(k)``, exponentiated or not: the weights of a vote of the nearest neighbours."""
    steps = (Op.BINOP, Op.UNARY, Op.ITEM, Op.PHI, Op.ATTR)
    behind = walk([weight, *weight.inputs], lambda each: each.inputs if each.op in steps else ())
    return any(each.op is Op.CALL and has(called_name(each), Column.NEIGHBOURS) for each in behind)


def is_handed_out(value: Value) -> bool:
    """Whether a tuple or dictionary is what a function returns: logits and their labels, for a loss elsewhere."""
    return len(value.inputs) <= _MOST_RETURNED and any(user.op is Op.RETURN for user in value.users)


def _has_identity_targets(call: Value, name: str, cone: set[Value]) -> bool:
    """Whether a loss is told that row i belongs to column i: its classes are the rows, as in CLIP."""
    if not is_loss_name(name) or not REGRESSION_WORDS.isdisjoint(words(name)):
        return False
    arguments = [each for _, each in call.arguments()]
    return any(each in cone for each in arguments) and any(is_made_by(each, Column.IDENTITY) for each in arguments)


def _is_diagonal(value: Value) -> bool:
    """Whether a value is a matrix's own diagonal, perhaps as a column."""
    while value.op is Op.CALL and has(called_name(value), Column.KEEPS_DIAGONAL):
        receiver = receiver_of(value)
        if receiver is None:
            break
        value = receiver
    return value.op is Op.CALL and has(called_name(value), Column.DIAGONAL) and len(value.keywords) <= 1


def evidence_of_name(name: str) -> str:
    """What the name of a called function says; empty when nothing."""
    if is_cross_entropy_name(name):
        return "cross-entropy"
    if not REGRESSION_WORDS.isdisjoint(words(name)):
        return "regression"
    if is_loss_name(name):
        return "loss"
    if has(name, Column.LOGARITHM):
        return "log"
    if has(name, Column.EXPONENTIAL):
        return "exp"
    if has(name, Column.SOFTMAX):
        return "softmax"
    return "margin" if has(name, Column.MARGIN) else ""


def is_contrastive(strength: int, evidence: set[str]) -> bool:
    """Whether the evidence is enough for what is compared: least for a tensor with itself, most for a stored matrix."""
    is_loss = bool(evidence & {"cross-entropy", "log", "pairs"}) or evidence >= {"margin", "margin name"}
    if "regression" in evidence and not is_loss:
        return False
    if "softmax" in evidence and not is_loss and "name" not in evidence:
        return False  # attention, a router: weights, and no loss made of them
    is_loss_like = bool(evidence & {"loss", "exp", "softmax"})
    if strength == SELF:
        if is_loss or evidence & {"name", "temperature"}:
            return True
        return is_loss_like and "similarity name" in evidence
    is_named = bool(evidence & {"temperature", "name", "similarity name"})
    if strength == TOWERS:
        return is_loss or (is_loss_like and is_named)
    return is_loss and is_named
