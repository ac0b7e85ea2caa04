"""Literals: the numbers, None, elements of tuples and entries of dictionaries that a value may stand for."""

from __future__ import annotations

from infonce_lint.semantic.graph.values import Op, Value
from infonce_lint.semantic.graph.walk import walk

#: Through these a tuple or dictionary arrives as it was written.
_CARRIERS = frozenset({Op.PHI, Op.RETURN, Op.NAME, Op.CLOSURE, Op.STORE, Op.PARAM, Op.GLOBAL, Op.SELF})


def is_none(value: Value) -> bool:
    """Whether a value is the constant None."""
    if value.op is Op.STORE:
        value = value.inputs[0]
    return value.op is Op.SINGLETON and value.name == "None"


def changes_list(method: str, call: Value) -> bool:
    """Whether a method takes from a list or orders it anew: ``zs.pop(0)``, but not ``config.pop("size")``."""
    arguments = call.arguments()
    if method == "pop":
        return len(arguments) < 2 and all(keyword is None and each.op is not Op.STR for keyword, each in arguments)
    if method == "sort":  # of a tensor, it takes an axis
        return all(keyword in ("key", "reverse") for keyword, _ in arguments)
    return method in ("reverse", "clear", "popleft", "appendleft") or (method == "remove" and len(arguments) == 1)


def is_integer(value: Value) -> bool:
    """Whether a value is an integer literal."""
    return value.op is Op.CONST and isinstance(value.literal, int)


def alternatives(value: Value) -> list[Value]:
    """The values that the branches before this place may have left."""
    return [each for each in _behind(value, frozenset({Op.PHI})) if each.op is not Op.PHI]


def handed_down(value: Value) -> list[Value]:
    """The values that branches before this place, or callers, may have left."""
    through = frozenset({Op.PHI, Op.NAME, Op.PARAM})
    return [each for each in _behind(value, through) if each.op not in through]


def elements(container: Value, position: int) -> list[Value]:
    """The values that may stand at ``position`` of a tuple that took several ways here."""
    tuples = [each for each in _behind(container, _CARRIERS) if each.op is Op.TUPLE]
    return [found for each in tuples for found in each.inputs[position : position + 1]]


def entries(container: Value, key: str) -> list[Value]:
    """The values that a dictionary display may hold under ``key``."""
    displays = [each for each in _behind(container, _CARRIERS) if each.op is Op.DICT]
    return [found for each in displays for name, found in zip(each.keywords, each.inputs, strict=False) if name == key]


def _behind(value: Value, carriers: frozenset[Op]) -> list[Value]:
    """A value and all that ``carriers`` and helpers of the file bring to it, each once."""

    def brought(each: Value) -> list[Value]:
        if each.op in carriers:
            return each.inputs
        is_helper = each.op is Op.CALL and each.callee is not None and carriers is _CARRIERS
        return [each.callee.returns] if is_helper and each.callee is not None else []

    return list(walk([value], brought))
