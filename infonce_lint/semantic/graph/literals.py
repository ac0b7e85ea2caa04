"""Literals: the numbers, None, elements of tuples and entries of dictionaries that a value may stand for."""

from __future__ import annotations

from infonce_lint.semantic.graph.values import Value

#: Through these a tuple or dictionary arrives as it was written.
_CARRIERS = frozenset({"phi", "return", "name", "closure", "store", "param", "global", "self"})


def is_none(value: Value) -> bool:
    """Whether a value is the constant None."""
    if value.op == "store":
        value = value.inputs[0]
    return value.op == "singleton" and value.name == "None"


def is_integer(value: Value) -> bool:
    """Whether a value is an integer literal."""
    return value.op == "const" and isinstance(value.literal, int)


def alternatives(value: Value) -> list[Value]:
    """The values that the branches before this place may have left."""
    return [each for each in _behind(value, frozenset({"phi"})) if each.op != "phi"]


def handed_down(value: Value) -> list[Value]:
    """The values that branches before this place, or callers, may have left."""
    through = frozenset({"phi", "name", "param"})
    return [each for each in _behind(value, through) if each.op not in through]


def elements(container: Value, position: int) -> list[Value]:
    """The values that may stand at ``position`` of a tuple that took several ways here."""
    tuples = [each for each in _behind(container, _CARRIERS) if each.op == "tuple"]
    return [found for each in tuples for found in each.inputs[position : position + 1]]


def entries(container: Value, key: str) -> list[Value]:
    """The values that a dictionary display may hold under ``key``."""
    displays = [each for each in _behind(container, _CARRIERS) if each.op == "dict"]
    return [found for each in displays for name, found in zip(each.keywords, each.inputs, strict=False) if name == key]


def _behind(value: Value, carriers: frozenset[str]) -> list[Value]:
    """A value and all that ``carriers`` and helpers of the file bring to it, each once."""
    found = [value]
    seen = {value}
    for each in found:
        if each.op in carriers:
            sources = each.inputs
        elif each.op == "call" and each.callee is not None and carriers is _CARRIERS:
            sources = [each.callee.returns]
        else:
            continue
        for source in sources:
            if source not in seen:
                seen.add(source)
                found.append(source)
    return found
