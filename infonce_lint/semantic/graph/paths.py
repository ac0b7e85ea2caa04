"""Paths: how a read is written, and the key under which two reads of the same stored thing are recognised."""

from __future__ import annotations

from infonce_lint.semantic.graph.values import Value


def key(value: Value) -> str:
    """A name under which two reads of the same stored size or tensor are recognised."""
    if value.op == "self":
        return f"self.{value.name}"
    if value.op in ("global", "name"):
        return value.name
    return path_text(value)


def path_text(value: Value) -> str:
    """How a read is written: ``self.args.batch_size``."""
    if value.op == "self":
        return f"self.{value.name}"
    if value.op == "attr":
        return f"{path_text(value.inputs[0])}.{value.name}"
    if value.op == "sub" and len(value.inputs) == 2:
        inner = value.inputs[1]
        shown = f'"{inner.literal}"' if inner.op == "str" else path_text(inner)
        return f"{path_text(value.inputs[0])}[{shown}]"
    if value.op == "call":
        inner_text = ", ".join(path_text(each) for _, each in value.arguments())
        return f"{path_text(value.inputs[0])}({inner_text})"
    if value.op == "const":
        return str(value.literal)
    if value.op == "str":
        return f'"{value.literal}"'
    if value.op == "selfparam":
        return "self"
    return value.name or value.bound
