"""Prefixes: row numbers, identities and constant squares that are made larger and cut to the rows at hand.

The first n of ``arange(m)`` are ``arange(n)``, and the corner of ``eye(m)`` is ``eye(n)``: cut so, they fit every
batch. Of what was tiled, joined or shifted that is not true.
"""

from __future__ import annotations

import libcst as cst

from infonce_lint.semantic.graph.calls import called_name, option, tensor_of
from infonce_lint.semantic.graph.values import Op, Value
from infonce_lint.semantic.graph.walk import walk
from infonce_lint.semantic.shapes.operations import Column, has
from infonce_lint.semantic.sizes.origin import Origins

_SAME = frozenset({Op.NAME, Op.CLOSURE, Op.GLOBAL, Op.SELF, Op.STORE, Op.RETURN, Op.PARAM, Op.PHI, Op.UNARY})


def is_fitting_cut(value: Value, made: Value, read: Value, origins: Origins) -> bool:
    """Whether ``value`` cuts ``made``, which ``read`` sizes, to actual rows along each axis that it sizes."""
    if not _cut_axes(value, origins):
        return False
    needed = _sized_axes(made, read, origins)

    def back(state: tuple[Value, frozenset[int]]) -> list[tuple[Value, frozenset[int]]]:
        current, cut = state
        if current is made:
            return []
        axes = _cut_axes(current, origins)
        if axes is not None:
            return [(_cut_tensor(current), cut | axes)]
        return [(each, cut) for each in _unchanged(current)]

    start: tuple[Value, frozenset[int]] = (value, frozenset())
    return any(current is made and cut >= needed for current, cut in walk([start], back))


def _cut_tensor(cut: Value) -> Value:
    return cut.inputs[0] if cut.op is Op.SUB else tensor_of(cut) or cut


def _cut_axes(value: Value, origins: Origins) -> set[int] | None:
    """The axes along which a value takes the head of a tensor, as long as another tensor; None for no cut."""
    if value.op is Op.SUB:
        index = value.inputs[1].inputs if value.inputs[1].op is Op.TUPLE else value.inputs[1:]
        found = set()
        for axis, part in enumerate(index):
            if part.op is not Op.SLICE:
                return None
            if part.inputs:
                if not _is_head(part) or not _is_actual(part.inputs[-1], origins):
                    return None
                found.add(axis)
        return found
    if value.op is Op.CALL and value.name == "narrow":
        along = option(value, 0, "dim")
        start = option(value, 1, "start")
        length = option(value, 2, "length")
        if along is None or start is None or length is None or not isinstance(along.literal, int):
            return None
        return {along.literal} if start.literal == 0 and _is_actual(length, origins) else None
    return None


def _is_head(part: Value) -> bool:
    node = part.node
    if not isinstance(node, cst.Slice) or node.upper is None or node.step is not None:
        return False
    return node.lower is None or part.inputs[0].literal == 0


def _is_actual(bound: Value, origins: Origins) -> bool:
    """Whether a bound is a tensor's own size, or one that the caller brings with the batch."""
    return origins.is_shape(bound) or origins.is_given(bound)


def _unchanged(value: Value) -> list[Value]:
    """One step back to the tensors that a value holds entry by entry; none where the step may move entries."""
    if value.op in _SAME:
        return value.inputs
    if value.op in (Op.BINOP, Op.COMPARE):
        tensors = [each for each in value.inputs if each.op not in (Op.CONST, Op.SINGLETON)]
        return tensors if len(tensors) == 1 else []
    if value.op is not Op.CALL:
        return []
    if value.callee is not None:
        return [value.callee.returns]
    name = called_name(value)
    is_moved = has(name, Column.RESHAPES) or has(name, Column.NEW_AXIS)
    if is_moved or not (has(name, Column.KEEPS_NUMBERS) or has(name, Column.KEEPS_HEAD)):
        return []
    tensor = tensor_of(value)
    return [tensor] if tensor is not None else []


def _sized_axes(made: Value, read: Value, origins: Origins) -> set[int]:
    """The axes of a made tensor that a size decides."""
    if made.op is not Op.CALL:
        return {0}
    name = called_name(made)
    if has(name, Column.NUMBERS_ROWS):
        return {0}
    if has(name, Column.IDENTITY):
        return {0, 1}
    extents = [each for keyword, each in made.arguments() if keyword in (None, "size", "shape")]
    if extents and extents[0].op is Op.TUPLE:
        extents = extents[0].inputs
    axes = {axis for axis, each in enumerate(extents) if read in origins.sources(each)}
    return axes or {0, 1}
