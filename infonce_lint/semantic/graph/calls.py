"""Calls: whether one runs an array library, a method of a tensor, an instance of a named class, or a gather."""

from __future__ import annotations

from infonce_lint.semantic.graph.callables import MODULE_METHODS
from infonce_lint.semantic.graph.literals import elements
from infonce_lint.semantic.graph.values import Op, Value
from infonce_lint.semantic.names import CUSTOMARY_LIBRARIES, LIBRARIES

_RETURNS_ITSELF = MODULE_METHODS | {"DataParallel"}


def call_name(called: Value) -> str:
    """The last name of what is called: ``torch.arange`` -> ``arange``, an imported alias -> its own name."""
    if called.op in (Op.NAME, Op.GLOBAL) and called.inputs and called.inputs[0].op is Op.IMPORT:
        return called.inputs[0].name.rsplit(".", 1)[-1]
    if called.op is Op.IMPORT:
        return called.name.rsplit(".", 1)[-1]
    return called.name


def called_class(call: Value) -> str | None:
    """The class name behind an instance that is called: ``self.similarity_f(a, b)`` -> ``CosineSimilarity``."""
    called = call.inputs[0]
    for _ in range(_LONGEST_PATH):
        if (
            called.op in (Op.SELF, Op.GLOBAL, Op.CLOSURE, Op.NAME, Op.STORE, Op.PHI, Op.PARAM, Op.RETURN)
            and called.inputs
        ):
            called = called.inputs[-1]
        elif called.op is Op.ITEM and isinstance(called.literal, int):
            standing = elements(called.inputs[0], called.literal)
            if not standing:
                return None
            called = standing[-1]
        elif called.op is Op.CALL:
            if called.name in _RETURNS_ITSELF and called.inputs[0].op is Op.ATTR:
                called = called.inputs[0].inputs[0]
                continue
            if called.callee is not None:
                called = called.callee.returns
                continue
            return called.name or None
        else:
            return None
    return None


def called_name(call: Value) -> str:
    """The name of the function, method or class that a call runs."""
    return called_class(call) or call.name


def receiver_of(call: Value) -> Value | None:
    """The object whose method a call runs (``x`` in ``x.view(2, -1)``); None for functions, a library's included."""
    called = call.inputs[0]
    return called.inputs[0] if called.op is Op.ATTR and not is_library(called.inputs[0]) else None


def tensor_of(call: Value) -> Value | None:
    """The tensor that a method or function works on: x in ``x.chunk(2)`` and ``torch.chunk(x, 2)``."""
    receiver = receiver_of(call)
    return receiver if receiver is not None else call.argument(0, "input", "tensors", "x", "a")


def option(call: Value, position: int, *keywords: str) -> Value | None:
    """The positional argument at ``position`` after the tensor, or the one under a keyword: 2 in both forms above."""
    return call.argument(position if receiver_of(call) is not None else position + 1, *keywords)


_LONGEST_PATH = 24  # dots and renamings between a name and its import


def is_library(value: Value) -> bool:
    """Whether a value is an array library or a module of one."""
    for _ in range(_LONGEST_PATH):  # a global may be bound to itself
        if value.op not in (Op.ATTR, Op.NAME, Op.GLOBAL) or not value.inputs:
            break
        value = value.inputs[0]
    if value.op is Op.GLOBAL:
        return value.name in CUSTOMARY_LIBRARIES  # a fragment whose imports stand elsewhere
    return value.op is Op.IMPORT and value.name.lstrip(".").split(".")[0] in LIBRARIES


def is_library_call(call: Value) -> bool:
    """Whether a call runs a function of an array library (under whatever name it was imported)."""
    called = call.inputs[0]
    return is_library(called.inputs[0] if called.op is Op.ATTR else called)


def is_gather(call: Value) -> bool:
    """Whether a call gathers rows over processes: ``GatherLayer.apply(z)``, ``self.all_gather(z)``."""
    called = call.inputs[0]
    if "gather" in call.name.lower():
        return True
    return call.name == "apply" and called.op is Op.ATTR and "gather" in called.inputs[0].name.lower()
