"""Drawn batches: features whose rows the code itself draws at random, as many as it configures.

Such a batch cannot be of another size, whatever stands between the draw and the features: a subscript, a model.
"""

from __future__ import annotations

from collections.abc import Callable

import libcst as cst

from infonce_lint.semantic.graph.calls import called_name, receiver_of
from infonce_lint.semantic.graph.values import Op, Value
from infonce_lint.semantic.shapes.operations import Column, has

Sized = Callable[[Value], bool]

_NO_ROWS = frozenset({Op.CONST, Op.STR, Op.SLICE, Op.SINGLETON, Op.FUNC, Op.CLASS, Op.IMPORT})
_LONGEST_WAY = 60


def is_drawn(tensor: Value, is_size: Sized) -> bool:
    """Whether the rows of ``tensor`` are as many as a draw of ``is_size`` gave."""
    return _is_drawn(tensor, is_size, set())


def _is_drawn(value: Value, is_size: Sized, seen: set[Value]) -> bool:
    if value in seen or value.op in _NO_ROWS or len(seen) > _LONGEST_WAY:
        return False
    seen.add(value)
    if _is_draw(value, is_size):
        return True
    return any(_is_drawn(each, is_size, seen) for each in _decide_rows(value))


def _is_draw(value: Value, is_size: Sized) -> bool:
    """A draw of so many, or the first so many of an order that was drawn."""
    if value.op is Op.CALL and value.callee is None and has(value.name, Column.DRAWS):
        return any(is_size(each) for _, each in value.arguments())
    if value.op is not Op.SUB or len(value.inputs) != 2 or value.inputs[1].op is not Op.SLICE:
        return False
    cut, order = value.inputs[1], value.inputs[0]
    is_head = isinstance(cut.node, cst.Slice) and cut.node.lower is None and bool(cut.inputs)
    is_order = order.op is Op.CALL and has(order.name, Column.DRAWS_ORDER)
    return is_head and is_order and is_size(cut.inputs[0])


def _decide_rows(value: Value) -> list[Value]:
    """What decides how many rows a value has, one step back."""
    op = value.op
    if op is Op.SUB:
        return [value.inputs[0], *(part for each in value.inputs[1:] for part in _parts(each))]
    if op is Op.BINOP:
        return value.inputs[:1] if value.name in ("Add", "Subtract") else value.inputs
    if op is Op.ITEM:
        return value.inputs[:1]
    if op is Op.CALL:
        return _handed(value)
    return value.inputs if op not in (Op.COMPARE, Op.SELFPARAM) else []


def _parts(index: Value) -> list[Value]:
    return index.inputs if index.op is Op.TUPLE else [index]


def _handed(call: Value) -> list[Value]:
    """What a call takes its rows from: the function of the file that it runs, its receiver, its first argument."""
    if call.callee is not None:
        return [call.callee.returns]
    receiver = receiver_of(call)
    arguments = [each for _, each in call.arguments()]
    if has(called_name(call), Column.INDEXES):
        return [*([receiver] if receiver is not None else []), *arguments]
    if receiver is not None and (not arguments or has(call.name, Column.METHOD_KEEPS_ROWS)):
        return [receiver]
    return arguments[:1]
