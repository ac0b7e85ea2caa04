"""Features: the tensors whose rows a similarity compares, followed back to where a model or a caller made them."""

from __future__ import annotations

from collections.abc import Iterable

from infonce_lint.semantic.graph.callables import resolve
from infonce_lint.semantic.graph.calls import called_name, is_gather, receiver_of
from infonce_lint.semantic.graph.literals import entries
from infonce_lint.semantic.graph.values import Function, Op, Value
from infonce_lint.semantic.graph.walk import walk
from infonce_lint.semantic.names import is_temperature_name
from infonce_lint.semantic.shapes.operations import Column, has

_TENSOR_KEYWORDS = frozenset({"input", "tensors", "x", "value"})
_PASSING_OPS = frozenset(
    {Op.PHI, Op.NAME, Op.CLOSURE, Op.PARAM, Op.GLOBAL, Op.SELF, Op.STORE, Op.RETURN, Op.UNARY, Op.TUPLE, Op.COMP}
)
_STORED_NAMES = frozenset({"weight", "weights", "queue", "kernel", "prototypes", "bank"})


def features_of(operands: Iterable[Value], but_for: frozenset[Value] = frozenset()) -> set[Value]:
    """The values whose rows become the rows of ``operands``, the operands included.

    ``but_for`` are calls of functions of the file that bring none.
    """

    def behind(value: Value) -> list[Value]:
        if value.op in (Op.CONST, Op.STR):
            return []
        inputs = feature_inputs(value)
        if value.op is Op.PARAM and but_for:
            calls = [call for call in value.function.callers if call in but_for]
            return [
                each
                for each in inputs
                if all(call.argument_for(value.function, value.name) is not each for call in calls)
            ]
        return inputs

    found = walk(operands, behind)
    return {value for value in found if value.op not in (Op.CONST, Op.STR)}


def feature_inputs(value: Value) -> list[Value]:
    """The tensors that a value takes its rows from, one step back."""
    op = value.op
    if op in _PASSING_OPS:
        return value.inputs
    if op is Op.BINOP:
        return [each for each in value.inputs if each.op is not Op.CONST and not is_scale(each)]
    if op is Op.ITEM:
        return _item_inputs(value)
    if op is Op.SUB and value.name and (kept := entries(value.inputs[0], value.name)):
        return kept
    if op in (Op.SUB, Op.SETITEM):
        return value.inputs[:1]
    if op is Op.ATTR:
        return value.inputs if has(value.name, Column.TURNED) or has(value.name, Column.SAME_TENSOR) else []
    if op is Op.CALL:
        return _call_inputs(value)
    return []


def _item_inputs(item: Value) -> list[Value]:
    """Where an element of a container has its rows from; of ``zip(xs, ys)``, the second part of a round is from ys."""
    around = item.inputs[0]
    if isinstance(item.literal, int) and around.op is Op.ITEM and around.inputs[0].op is Op.CALL:
        container = around.inputs[0]
        if container.callee is None and container.name == "zip":
            return container.inputs[1 + item.literal : 2 + item.literal]
        if container.callee is None and container.name == "enumerate":
            return container.inputs[1:2] if item.literal == 1 else []
    return item.inputs[:1]


def _call_inputs(call: Value) -> list[Value]:
    if call.callee is not None:
        return [call.callee.returns]
    receiver = receiver_of(call)
    name = called_name(call)
    if has(name, Column.SCATTERS):
        updates = call.argument(1, "updates")
        return [updates] if updates is not None else []
    run = resolve(call.inputs[1]) if has(name, Column.RUNS_ARGUMENT) and len(call.inputs) > 1 else None
    if isinstance(run, Function):
        return [run.returns]
    if name == "map" and receiver is None:
        return call.inputs[2:]
    if receiver is not None and has(name, Column.METHOD_KEEPS_ROWS):
        return [receiver]
    if receiver is not None and has(name, Column.ACCUMULATES):
        return [receiver, *(each for _, each in call.arguments())]
    if has(name, Column.KEEPS_ROWS) or "gather" in name.lower() or is_gather(call):
        return [each for keyword, each in call.arguments() if keyword is None or keyword in _TENSOR_KEYWORDS]
    return []


def roots(value: Value) -> set[Value]:
    """Where the rows of a tensor begin, as far as feature-keeping steps lead back."""
    return {each for each in features_of([value]) if not feature_inputs(each) and each.op is not Op.IMPORT}


def is_scale(value: Value) -> bool:
    """Whether a factor is a number by its name: a temperature, a learned logit scale."""
    for _ in range(6):
        if is_temperature_name(value.name) or is_temperature_name(value.bound):
            return True
        if value.op not in (Op.CALL, Op.ATTR, Op.NAME, Op.UNARY, Op.CLOSURE, Op.PHI) or not value.inputs:
            return False
        value = value.inputs[0]
    return False


def is_stored_matrix(value: Value) -> bool:
    """Whether a tensor is kept between steps: a weight, a prototype matrix, a queue."""
    if value.op is Op.SELF:
        return True
    if value.op is Op.ATTR:
        return value.name in _STORED_NAMES
    return value.op is Op.CALL and has(value.name, Column.STORED)
