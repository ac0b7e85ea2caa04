"""Similarities: where rows are compared with rows, and the evidence that a contrastive loss is made of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from infonce_lint.semantic.graph.calls import called_name, receiver_of
from infonce_lint.semantic.graph.values import Module, Value
from infonce_lint.semantic.losses.cone import PRODUCTS, cone_of
from infonce_lint.semantic.losses.features import features_of, is_stored_matrix, roots
from infonce_lint.semantic.names import (
    REGRESSION_WORDS,
    is_contrastive_name,
    is_cross_entropy_name,
    is_loss_name,
    is_similarity_name,
    is_temperature_name,
    words,
)

ROW_SUMS = frozenset({"sum", "reduce_sum", "ReduceSum"})
_LOGARITHMS = frozenset("log log_softmax logsumexp LogSoftmax log1p logsigmoid reduce_logsumexp Log".split())
_EXPONENTIALS = frozenset({"exp", "Exp"})
_SOFTMAXES = frozenset({"softmax", "Softmax"})
_MARGINS = frozenset({"relu", "ReLU", "clamp", "clamp_min", "clamp_", "maximum", "max", "hinge", "clip", "threshold"})
#: What a call of these with one tensor twice compares, whatever runs behind the name.
_METRIC_WORDS = frozenset({"distance", "dist", "metric", "pairwise", "kernel"})
#: What a matrix or a parameter is called that holds similarities, however they were computed.
MATRIX_WORDS = frozenset({"sim", "similarity", "affinity", "similarities"})
ROW_NUMBERS = frozenset({"arange", "range"})
#: Steps that leave ``arange(n)`` what it is: the numbers of the rows.
_RENUMBERING = frozenset(
    "to cuda long type int tensor as_tensor LongTensor Variable list array cast device contiguous".split()
)
MARGIN_WORDS = frozenset({"margin", "delta", "hinge"})
_MARGIN_STEPS = frozenset({"Add", "Subtract", "maximum", "relu", "clamp"})

#: How much a similarity by itself says that a loss is contrastive.
SELF, TOWERS, STORED = 3, 2, 1  # a tensor with itself, two towers, a stored matrix or a row-wise product


@dataclass(slots=True, eq=False)
class Similarity:
    """A pairwise similarity, what is computed from it, and the evidence that it is a contrastive loss."""

    seed: Value
    operands: list[Value]
    strength: int  # SELF, TOWERS or STORED
    cone: set[Value] = field(default_factory=set)
    features: set[Value] = field(default_factory=set)


def find_similarities(module: Module) -> list[Similarity]:
    """The similarities of a module that belong to contrastive losses, with their cones and features."""
    found: list[Similarity] = []
    for seed in _seeds(module):
        seed.cone = cone_of(seed.seed)
        if seed.operands[0] is seed.seed and any(seed.seed in known.cone for known in found):
            continue  # a matrix whose similarity is known already
        if is_contrastive(seed.strength, _evidence(seed)):
            seed.features = features_of(seed.operands)
            found.append(seed)
    return found


# -- where a similarity is computed ----------------------------------------------------------------------------------


def _seeds(module: Module) -> list[Similarity]:
    found = []
    for value in module.values:
        if value.op == "binop" and value.name == "MatrixMultiply":
            found.append(_compared(value, value.inputs))
        elif value.op == "call":
            found.append(_call_seed(value))
    found += [_in_batch_logits(value) for value in module.values if value.op == "call"]
    found += [_named_matrix(value) for value in module.values]
    return [each for each in found if each is not None]


def _in_batch_logits(call: Value) -> Similarity | None:
    """Logits whose cross-entropy has the row numbers as targets: the classes are the rows, as in CLIP.

    No classifier has such targets, so this is a contrastive loss whatever made the logits.
    """
    if call.callee is not None or call.constructs is not None or not is_loss_name(called_name(call)):
        return None
    logits, targets = call.argument(0, "input", "logits"), call.argument(1, "target", "labels")
    if logits is None or targets is None or not _counts_rows(targets):
        return None
    if not REGRESSION_WORDS.isdisjoint(words(call.name)):
        return None
    return Similarity(logits, [logits, logits], TOWERS)


def _counts_rows(value: Value) -> bool:
    """Whether a tensor is ``arange(n)``: the number of each row."""
    seen: set[Value] = set()
    stack = [value]
    while stack:
        each = stack.pop()
        if each in seen:
            continue
        seen.add(each)
        if each.op == "call" and each.callee is None:
            if called_name(each) in ROW_NUMBERS:
                return True
            if called_name(each) in _RENUMBERING:
                receiver = receiver_of(each)
                stack.extend([receiver] if receiver is not None else each.inputs[1:2])
        elif each.op in ("phi", "name", "closure", "global", "self", "store"):
            stack.extend(each.inputs)
    return False


def _named_matrix(value: Value) -> Similarity | None:
    """``sim_matrix = ...``, or a parameter of that name: a similarity by its name, computed in its own way."""
    if value.op not in ("binop", "call", "param") or (value.op == "param" and value.inputs):
        return None
    found = words(value.name if value.op == "param" else value.bound)
    is_matrix = not {"matrix", "mat", "mtx"}.isdisjoint(found) or value.op == "param"
    if not is_matrix or MATRIX_WORDS.isdisjoint(found):
        return None
    return Similarity(value, [value, value], STORED)


def _call_seed(call: Value) -> Similarity | None:
    arguments = [each for _, each in call.arguments() if each.op not in ("str", "const", "tuple", "none")]
    if call.name in ROW_SUMS:
        return _row_product(call, arguments)
    name = called_name(call)
    if name in PRODUCTS:
        receiver = receiver_of(call)
        if receiver is not None and len(arguments) == 1:
            arguments = [receiver, *arguments]
        if name == "einsum" and len(arguments) < 2:
            packed = [each for _, each in call.arguments() if each.op == "tuple"]
            arguments = packed[0].inputs if packed else arguments
        return _compared(call, arguments)
    if call.constructs is None and is_similarity_name(call.name) and 2 <= len(arguments) <= 4:
        return _compared(call, arguments)
    is_foreign_metric = call.callee is None and call.constructs is None and is_metric_name(call.name)
    if is_foreign_metric and len(arguments) == 2 and roots(arguments[0]) & roots(arguments[1]):
        return _compared(call, arguments)
    return None


def is_metric_name(name: str) -> bool:
    """Whether a callable compares what it is given, by its name."""
    return not _METRIC_WORDS.isdisjoint(words(name))


def _compared(value: Value, operands: list[Value]) -> Similarity | None:
    operands = operands[:2]
    if len(operands) < 2 or any(each.op == "const" for each in operands):
        return None
    first, second = (roots(each) for each in operands)
    if first & second:
        return Similarity(value, operands, SELF)
    is_stored = any(is_stored_matrix(each) for each in first | second)
    return Similarity(value, operands, STORED if is_stored else TOWERS)


def _row_product(call: Value, arguments: list[Value]) -> Similarity | None:
    """``(a * b).sum(1)``: each row with its own partner only."""
    inner = receiver_of(call) or (arguments[0] if arguments else None)
    if inner is None:
        return None
    if inner.op == "binop" and inner.name == "Multiply":
        factors = inner.inputs
    elif inner.op == "call" and inner.name in ("multiply", "mul"):
        factors = [each for _, each in inner.arguments()]
    else:
        return None
    if len(factors) != 2 or factors[0] is factors[1] or any(each.op == "const" for each in factors):
        return None
    return Similarity(call, list(factors), STORED)


# -- evidence --------------------------------------------------------------------------------------------------------


def _evidence(similarity: Similarity) -> set[str]:
    """What speaks for a contrastive loss (or for a regression) in all that is computed from a similarity."""
    found: set[str] = set()
    for value in similarity.cone:
        found.update(_evidence_of(value, similarity.cone))
    for function in {each.function for each in similarity.cone}:
        owner = function.owner.name if function.owner is not None else ""
        if is_contrastive_name(function.name) or is_contrastive_name(owner):
            found.add("name")
    if is_similarity_name(similarity.seed.name):
        found.add("similarity name")
    return found


def _evidence_of(value: Value, cone: set[Value]) -> Iterable[str]:
    if value.bound and is_similarity_name(value.bound):
        yield "similarity name"
    if value.op == "call":
        name = called_name(value)
        yield evidence_of_name(name)
        if is_contrastive_name(name):
            yield "name"
    elif value.op == "binop" and value.name == "Divide" and len(value.inputs) > 1:
        divisor = value.inputs[1]
        if is_temperature_name(divisor.name) or is_temperature_name(divisor.bound):
            yield "temperature"
    elif (
        value.op == "binop"
        and value.name == "Multiply"
        and any(is_temperature_name(each.name) for each in value.inputs if each not in cone)
    ):
        yield "temperature"
    is_margin_step = value.op in ("binop", "call") and value.name in _MARGIN_STEPS
    if is_margin_step and any(MARGIN_WORDS & {*words(each.name), *words(each.bound)} for each in value.inputs):
        yield "margin name"


def evidence_of_name(name: str) -> str:
    """What the name of a called function says; empty when nothing."""
    if is_cross_entropy_name(name):
        return "cross-entropy"
    if not REGRESSION_WORDS.isdisjoint(words(name)):
        return "regression"
    if is_loss_name(name):
        return "loss"
    if name in _LOGARITHMS:
        return "log"
    if name in _EXPONENTIALS:
        return "exp"
    if name in _SOFTMAXES:
        return "softmax"
    return "margin" if name in _MARGINS else ""


def is_contrastive(strength: int, evidence: set[str]) -> bool:
    """Whether the evidence is enough for what is compared: least for a tensor with itself, most for a stored matrix."""
    is_loss = bool(evidence & {"cross-entropy", "log"}) or evidence >= {"margin", "margin name"}
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
