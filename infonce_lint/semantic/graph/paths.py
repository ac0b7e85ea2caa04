"""Paths: how a read is written, and the key under which two reads of the same stored thing are recognised."""

from __future__ import annotations

from infonce_lint.semantic.graph.values import Op, Value

#: What is no name, attribute or key, and is called by the variable that holds it.
_COMPUTED = frozenset({Op.CALL, Op.SUB, Op.ITEM, Op.BINOP, Op.UNARY, Op.TUPLE, Op.PHI, Op.COMPARE})


def key(value: Value) -> str:
    """A name under which two reads of the same stored size or tensor are recognised."""
    if value.op is Op.SELF:
        return f"self.{value.name}"
    if value.op in (Op.GLOBAL, Op.NAME):
        return value.name
    return path_text(value)


def path_text(value: Value) -> str:
    """How a read is written: ``self.args.batch_size``."""
    if value.op is Op.SELF:
        return f"self.{value.name}"
    if value.op is Op.ATTR:
        return f"{path_text(value.inputs[0])}.{value.name}"
    if value.op is Op.SUB and len(value.inputs) == 2:
        inner = value.inputs[1]
        shown = f'"{inner.literal}"' if inner.op is Op.STR else path_text(inner)
        return f"{path_text(value.inputs[0])}[{shown}]"
    if value.op is Op.CALL:
        inner_text = ", ".join(path_text(each) for _, each in value.arguments())
        return f"{path_text(value.inputs[0])}({inner_text})"
    if value.op is Op.CONST:
        return str(value.literal)
    if value.op is Op.STR:
        return f'"{value.literal}"'
    if value.op is Op.SELFPARAM:
        return "self"
    return value.name or value.bound


def shown(value: Value) -> str:
    """How messages call a value: the variable that holds what is computed, or how it is read; else empty."""
    if value.op in _COMPUTED:
        return value.bound or (path_text(value) if _is_path(value) else "")
    return path_text(value) or value.bound


def _is_path(value: Value) -> bool:
    """Whether an expression consists of names, attributes, keys, constants and calls."""
    if value.op is Op.CALL:
        return all(_is_path(each) for each in (value.inputs[0], *(each for _, each in value.arguments())))
    if value.op in (Op.ATTR, Op.SUB):
        return all(map(_is_path, value.inputs))
    return value.op not in _COMPUTED and bool(path_text(value))
