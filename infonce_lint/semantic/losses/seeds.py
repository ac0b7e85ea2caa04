"""Seeds: the values at which rows are compared with rows, told by their operation or by their name."""

from __future__ import annotations

from dataclasses import dataclass, field

from infonce_lint.semantic.graph.calls import called_name, is_library_call, receiver_of, tensor_of
from infonce_lint.semantic.graph.values import Module, Op, Value
from infonce_lint.semantic.losses.evidence import SELF, STORED, TOWERS
from infonce_lint.semantic.losses.features import is_stored_matrix, roots
from infonce_lint.semantic.losses.numbered import is_made_by
from infonce_lint.semantic.losses.weights import are_weights, is_matrix_turned
from infonce_lint.semantic.names import REGRESSION_WORDS, is_loss_name, is_similarity_name, words
from infonce_lint.semantic.shapes.operations import Column, has

#: What a call of these with one tensor twice compares, whatever runs behind the name.
_METRIC_WORDS = frozenset({"distance", "dist", "metric", "pairwise", "kernel"})
#: What a matrix or a parameter is called that holds similarities, however they were computed.
MATRIX_WORDS = frozenset({"sim", "similarity", "affinity", "similarities"})


@dataclass(slots=True, eq=False)
class Similarity:
    """A pairwise similarity, what is computed from it, and the evidence that it is a contrastive loss."""

    seed: Value
    operands: list[Value]
    strength: int  # SELF, TOWERS or STORED
    cone: set[Value] = field(default_factory=set)
    features: set[Value] = field(default_factory=set)


def product_seeds(module: Module) -> list[Similarity]:
    """Products and distances of rows, logits whose targets number the rows, and matrices named after a similarity."""
    found = []
    for value in module.values:
        if value.op is Op.BINOP and value.name == "MatrixMultiply":
            found.append(_compared(value, value.inputs))
        elif value.op is Op.CALL:
            found.append(_call_seed(value))
        elif value.op is Op.BINOP and value.name == "Multiply":
            found.append(_marked_logits(value))
    found += [_in_batch_logits(value) for value in module.values if value.op is Op.CALL]
    found += [_named_matrix(value) for value in module.values]
    return [each for each in found if each is not None]


def _in_batch_logits(call: Value) -> Similarity | None:
    """Logits whose cross-entropy has the row numbers as targets: the classes are the rows, as in CLIP.

    No classifier has such targets, so this is a contrastive loss whatever made the logits.
    """
    if call.callee is not None or call.constructs is not None or not is_loss_name(called_name(call)):
        return None
    logits, targets = call.argument(0, "input", "logits"), call.argument(1, "target", "labels")
    if logits is None or targets is None:
        return None
    if not is_made_by(targets, Column.NUMBERS_ROWS):
        logits, targets = targets, logits  # TensorFlow's order
    if not is_made_by(targets, Column.NUMBERS_ROWS):
        return None
    if not REGRESSION_WORDS.isdisjoint(words(call.name)):
        return None
    return Similarity(logits, [logits, logits], TOWERS)


def _marked_logits(product: Value) -> Similarity | None:
    """``log_softmax(x) * eye(n)``: the logits whose own column is each row's target, whatever made them."""
    for marks, chances in (product.inputs, reversed(product.inputs)):
        if chances.op is not Op.CALL or chances.callee is not None or not is_made_by(marks, Column.IDENTITY):
            continue
        name, logits = called_name(chances), tensor_of(chances)
        if has(name, Column.LOGARITHM) and "softmax" in name.lower() and logits is not None:
            return Similarity(logits, [logits, logits], TOWERS)
    return None


def _named_matrix(value: Value) -> Similarity | None:
    """``sim_matrix = ...``, or a parameter of that name: a similarity by its name, computed in its own way."""
    if value.op not in (Op.BINOP, Op.CALL, Op.PARAM) or (value.op is Op.PARAM and value.inputs):
        return None
    found = words(value.name if value.op is Op.PARAM else value.bound)
    is_matrix = not {"matrix", "mat", "mtx"}.isdisjoint(found) or value.op is Op.PARAM
    if not is_matrix or MATRIX_WORDS.isdisjoint(found):
        return None
    return Similarity(value, [value, value], STORED)


def _call_seed(call: Value) -> Similarity | None:
    arguments = [each for _, each in call.arguments() if each.op not in (Op.STR, Op.CONST, Op.TUPLE, Op.NONE)]
    positional = [each for keyword, each in call.arguments() if keyword is None]
    if has(call.name, Column.SUMS_ROWS):
        return _row_product(call, arguments)
    name = called_name(call)
    if name == "linear" and len(arguments) == 2 and is_library_call(call):
        found = _compared(call, arguments)  # ``F.linear(a, b)`` is ``a @ b.T``: a layer, where b is stored
        return found if found is not None and found.strength != STORED else None
    if has(name, Column.COMPARES):
        if call.inputs[0].op is Op.ATTR and call.inputs[0].inputs[0].name == "sparse":
            return None  # an adjacency matrix: rows of neighbours are added up
        receiver = receiver_of(call)
        if receiver is not None and len(arguments) == 1:
            arguments = [receiver, *arguments]
        if name == "einsum" and len(arguments) < 2:
            packed = [each for _, each in call.arguments() if each.op is Op.TUPLE]
            arguments = packed[0].inputs if packed else arguments
        return _compared(call, arguments)
    if call.constructs is None and is_similarity_name(call.name) and 2 <= len(arguments) <= 4:
        return _compared(call, arguments)
    is_foreign_metric = call.callee is None and call.constructs is None and is_metric_name(call.name)
    arguments = [each for each in arguments if each in positional]
    if is_foreign_metric and len(arguments) == 2 and roots(arguments[0]) & roots(arguments[1]):
        return _compared(call, arguments)
    return None


def is_metric_name(name: str) -> bool:
    """Whether a callable compares what it is given, by its name."""
    return not _METRIC_WORDS.isdisjoint(words(name))


def _compared(value: Value, operands: list[Value]) -> Similarity | None:
    operands = operands[:2]
    if len(operands) < 2 or any(each.op is Op.CONST for each in operands):
        return None
    first, second = (roots(each) for each in operands)
    if are_weights(operands[0]) and not are_weights(operands[1]) and not is_matrix_turned(operands[1]):
        return None  # attention: rows are averaged
    if first & second:
        return Similarity(value, operands, SELF)
    is_stored = any(is_stored_matrix(each) for each in first | second)
    return Similarity(value, operands, STORED if is_stored else TOWERS)


def _row_product(call: Value, arguments: list[Value]) -> Similarity | None:
    """``(a * b).sum(1)``: each row with its own partner only."""
    inner = receiver_of(call) or (arguments[0] if arguments else None)
    if inner is None:
        return None
    if inner.op is Op.BINOP and inner.name == "Multiply":
        factors = inner.inputs
    elif inner.op is Op.CALL and inner.name in ("multiply", "mul"):
        factors = [each for _, each in inner.arguments()]
    else:
        return None
    if len(factors) != 2 or factors[0] is factors[1] or any(each.op is Op.CONST for each in factors):
        return None
    return Similarity(call, list(factors), STORED)
