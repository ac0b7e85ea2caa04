"""Weights: the softmax of a product, with which attention averages rows; no rows that a loss compares."""

from __future__ import annotations

from infonce_lint.semantic.graph.calls import called_name, is_library_call, receiver_of
from infonce_lint.semantic.graph.values import Op, Value
from infonce_lint.semantic.graph.walk import walk
from infonce_lint.semantic.shapes.operations import Column, has

_SAME = frozenset({Op.NAME, Op.CLOSURE, Op.PHI, Op.STORE, Op.UNARY, Op.RETURN, Op.SELF})


def are_weights(value: Value) -> bool:
    """Whether a tensor is the softmax of products of rows, dropped out or not."""
    normalised = [
        each for each in walk([value], _entries) if each.op is Op.CALL and has(called_name(each), Column.SOFTMAX)
    ]
    return any(_is_product(each) for soft in normalised for each in walk(_handed(soft), _entries))


def is_turned(value: Value) -> bool:
    """Whether the axes of a tensor were turned just before: ``k.transpose(-2, -1)``."""
    if value.op is Op.ATTR:
        return has(value.name, Column.TURNED)
    return value.op is Op.CALL and has(called_name(value), Column.TRANSPOSES)


def is_matrix_turned(value: Value) -> bool:
    """Whether a matrix was turned just before (``k.t()``, ``k.T``), and not two of several axes."""
    return is_turned(value) and (value.op is Op.ATTR or not value.arguments())


def _is_product(value: Value) -> bool:
    if value.op is Op.BINOP:
        return value.name == "MatrixMultiply"
    return value.op is Op.CALL and has(called_name(value), Column.COMPARES)


def _entries(value: Value) -> list[Value]:
    """One step back to tensors of the same entries; none behind a product."""
    if _is_product(value):
        return []
    if value.op in _SAME or value.op is Op.BINOP:
        return value.inputs
    if value.op is Op.SUB:
        return value.inputs[:1]
    return _handed(value) if value.op is Op.CALL else []


def _handed(call: Value) -> list[Value]:
    receiver = receiver_of(call)
    if call.callee is not None:
        return [call.callee.returns]
    if receiver is not None and not is_library_call(call) and receiver.op is not Op.SELF:
        return [receiver, *(each for _, each in call.arguments())]
    return [each for _, each in call.arguments()]
