"""Ways: where a similarity goes from a helper that several functions call, each way by itself.

What one caller makes of a product says nothing of what the others make of it.
"""

from __future__ import annotations

from typing import TypeAlias

from infonce_lint.semantic.graph.values import Function, Op, Value
from infonce_lint.semantic.graph.walk import walk
from infonce_lint.semantic.losses.cone import keeps_values

_Place: TypeAlias = "tuple[Value, tuple[Value, ...]]"  # a value, and the calls of helpers that it is inside of

_DEEPEST_CALLS = 6
_MOST_WAYS = 16


def parts_ways(cone: set[Value]) -> bool:
    """Whether a cone leaves some function for several that call it."""
    returns = [value for value in cone if value.op is Op.RETURN and len(value.function.callers) > 1]
    return any(len({call.function for call in value.function.callers if call in cone}) > 1 for value in returns)


def ways_of(seed: Value) -> list[set[Value]]:
    """The cone of ``seed`` once for each function that it is returned to; empty where these are too many."""
    found: list[set[Value]] = []
    pending: list[tuple[list[Value], set[Value], int]] = [([seed], set(), 0)]
    while pending:
        starts, before, depth = pending.pop()
        cone, exits = _inside(starts)
        cone |= before
        onward = [calls for calls in exits.values() if not before.issuperset(calls)]
        if not onward or depth == _DEEPEST_CALLS:
            found.append(cone)
        pending += [(calls, cone, depth + 1) for calls in onward if depth < _DEEPEST_CALLS]
        if len(found) + len(pending) > _MOST_WAYS:
            return []
    return found


def _inside(starts: list[Value]) -> tuple[set[Value], dict[Function, list[Value]]]:
    """What is computed of some values without returning from where they stand, and the calls that it returns to."""
    exits: dict[Function, list[Value]] = {}

    def onward(state: _Place) -> list[_Place]:
        value, entered = state
        steps: list[_Place] = []
        for user in value.users:
            if not keeps_values(user, value):
                continue
            if user.op is Op.PARAM:
                filled = [
                    call for call in user.function.callers if call.argument_for(user.function, user.name) is value
                ]
                deeper = [(user, (*entered, call)) for call in filled if call not in entered]
                steps += deeper if len(entered) < _DEEPEST_CALLS else []
                if not filled:
                    steps.append((user, entered))
            elif value.op is not Op.RETURN or user.op is not Op.CALL:
                steps.append((user, entered))
            elif not entered:
                exits.setdefault(user.function, []).append(user)
            elif entered[-1].callee is not value.function:
                steps.append((user, entered))
            elif user is entered[-1]:
                steps.append((user, entered[:-1]))
        return steps

    begun: list[_Place] = [(each, ()) for each in starts]
    return {value for value, _ in walk(begun, onward)}, exits
