"""Entries: the greatest number in a tensor of row numbers, as far as it is certain to occur."""

from __future__ import annotations

from infonce_lint.semantic.graph.values import Value
from infonce_lint.semantic.shapes.columns import Column, has
from infonce_lint.semantic.shapes.context import Context
from infonce_lint.semantic.shapes.dims import Dim
from infonce_lint.semantic.shapes.domain import Frame

_DEEPEST = 12
_PASSING = frozenset({"name", "global", "closure", "store", "self"})


def largest(context: Context, value: Value, frame: Frame, depth: int = 0) -> Dim | None:
    """One more than the greatest entry, which does occur: n for ``arange(n)``, n + k for ``arange(n) + k``.

    None where it is not certain.
    """
    if depth > _DEEPEST:
        return None
    if value.op in _PASSING and len(value.inputs) == 1:
        return largest(context, value.inputs[0], frame, depth + 1)
    if value.op == "binop" and value.name == "Add":
        return _shifted(context, value, frame, depth)
    if value.op != "call" or value.callee is not None:
        return None
    if value.name in ("arange", "range") and len(value.inputs) > 1:
        return _end(context, value, frame)
    called = value.inputs[0]
    if has(value.name, Column.KEEPS_LARGEST) and called.op == "attr":
        return largest(context, called.inputs[0], frame, depth + 1)
    return None


def _shifted(context: Context, value: Value, frame: Frame, depth: int) -> Dim | None:
    for tensor, offset in (value.inputs, reversed(value.inputs)):
        shift = context.number(offset, frame)
        found = largest(context, tensor, frame, depth + 1) if shift is not None else None
        if found is not None and shift is not None:
            return found + shift
    return None


def _end(context: Context, call: Value, frame: Frame) -> Dim | None:
    """The end of ``arange(end)`` and ``arange(start, end)``; a step may leap over the last number."""
    positional = [value for keyword, value in call.arguments() if keyword is None]
    if not 1 <= len(positional) <= 2 or any(keyword in ("step", "end", "start") for keyword, _ in call.arguments()):
        return None
    return context.number(positional[-1], frame)
