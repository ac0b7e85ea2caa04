"""Paths: how a read is written, and the key under which two reads of the same stored thing are recognised."""

from __future__ import annotations

from infonce_lint.semantic.graph.values import Op, Value


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
