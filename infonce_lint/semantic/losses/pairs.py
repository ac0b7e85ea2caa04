"""Pairs told by their layout: rows against rows by broadcasting, scores folded to a square, positives on a diagonal."""

from __future__ import annotations

from infonce_lint.semantic.graph.calls import called_name, option, receiver_of, tensor_of
from infonce_lint.semantic.graph.paths import path_text
from infonce_lint.semantic.graph.values import Module, Op, Value
from infonce_lint.semantic.losses.cone import cone_of
from infonce_lint.semantic.losses.evidence import SELF, TOWERS
from infonce_lint.semantic.losses.features import roots
from infonce_lint.semantic.losses.numbered import is_made_by
from infonce_lint.semantic.losses.seeds import Similarity
from infonce_lint.semantic.shapes.operations import Column, has

_COMBINED = frozenset({"Add", "Subtract", "Multiply", "Divide"})
_NAMES = frozenset({Op.NAME, Op.CLOSURE, Op.GLOBAL})


def pair_seeds(module: Module) -> list[Similarity]:
    """The values of a module that hold a score for every pair of rows by their layout."""
    found: list[Similarity | None] = []
    for value in module.values:
        if value.op is Op.BINOP and value.name in _COMBINED and len(value.inputs) == 2:
            found.append(_broadcast(value))
        elif value.op is Op.CALL and has(called_name(value), Column.FOLDS):
            found.append(_folded(value))
        elif value.op is Op.CALL and has(called_name(value), Column.DIAGONAL):
            found.append(_off_diagonal(value))
    return [each for each in found if each is not None]


def _broadcast(value: Value) -> Similarity | None:
    """``x.unsqueeze(0) + y.unsqueeze(1)``, reduced over the features' axis afterwards: every row with every row."""
    axes = [_new_axis(each) for each in value.inputs]
    if set(axes) != {0, 1} or not any(_sums_last_axis(each) for each in cone_of(value)):
        return None
    first, second = (roots(each) for each in value.inputs)
    if any(each.op is Op.CALL and has(called_name(each), Column.FILLED) for each in first | second):
        return None  # row numbers, positions
    return Similarity(value, list(value.inputs), SELF if first & second else TOWERS)


def _new_axis(value: Value) -> int | None:
    """The axis that a tensor was given: 1 for ``x.unsqueeze(1)`` and ``x[:, None]``, made longer or not."""
    if value.op in _NAMES and value.inputs:
        value = value.inputs[-1]
    if value.op is Op.CALL and has(called_name(value), Column.LENGTHENS):
        value = tensor_of(value) or value
    if value.op is Op.CALL and has(called_name(value), Column.NEW_AXIS):
        axis = option(value, 0, "dim", "axis")
        return axis.literal if axis is not None and isinstance(axis.literal, int) else None
    if value.op is Op.SUB:
        index = value.inputs[1].inputs if value.inputs[1].op is Op.TUPLE else value.inputs[1:]
        places = [place for place, each in enumerate(index) if each.name in ("None", "newaxis")]
        return places[0] if len(places) == 1 else None
    return None


def _sums_last_axis(value: Value) -> bool:
    if value.op is not Op.CALL or not has(called_name(value), Column.SUMS_AXIS):
        return False
    axis = option(value, 0, "dim", "axis")
    if axis is None:
        return False
    return axis.literal == 2 or (axis.op is Op.UNARY and axis.name == "Minus" and axis.inputs[0].literal == 1)


def _folded(call: Value) -> Similarity | None:
    """``scores.view(n, n)``, whose diagonal is set against its rows: a flat list of all pairs' scores."""
    sizes = [each for keyword, each in call.arguments() if keyword in (None, "shape")]
    if receiver_of(call) is None:
        sizes = sizes[1:]
    extents = sizes[0].inputs if len(sizes) == 1 and sizes[0].op is Op.TUPLE else sizes
    if len(extents) != 2 or any(each.op in (Op.CONST, Op.UNARY) for each in extents):
        return None
    if path_text(extents[0]) != path_text(extents[1]) or not path_text(extents[0]):
        return None
    base = tensor_of(call)
    if base is None or is_made_by(base, Column.FILLED):
        return None
    takes_diagonal = any(each.op is Op.CALL and has(called_name(each), Column.DIAGONAL) for each in cone_of(call))
    return Similarity(call, [call, call], TOWERS) if takes_diagonal else None


def _off_diagonal(call: Value) -> Similarity | None:
    """``torch.diag(x, n)`` with a computed ``n``: the partners of the first n rows stand n columns on."""
    offset = option(call, 0, "offset", "diagonal", "k")
    base = tensor_of(call)
    if offset is None or base is None or offset.op in (Op.CONST, Op.UNARY) or is_made_by(base, Column.FILLED):
        return None
    return Similarity(base, [base, base], TOWERS)
