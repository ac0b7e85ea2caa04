"""Shapes: which integers are a tensor's own, and which tests compare a configured size with one."""

from __future__ import annotations

from collections.abc import Callable

from infonce_lint.semantic.graph.literals import is_none
from infonce_lint.semantic.graph.paths import key
from infonce_lint.semantic.graph.values import Op, Value
from infonce_lint.semantic.graph.walk import walk

#: Calls whose result is a number whenever their argument is one.
SCALAR_CALLS = frozenset(
    "int float round abs max min floor ceil tensor Tensor as_tensor IntTensor LongTensor cast constant scalar int32 "
    "int64 item to_tensor convert_to_tensor floordiv".split()
)
_SHAPE_CALLS = frozenset("size shape get_shape as_list numel len static_shape shape_list dim batch_size".split())
_PASSING_OPS = frozenset(
    {Op.BINOP, Op.UNARY, Op.BOOL, Op.NAME, Op.CLOSURE, Op.STORE, Op.GLOBAL, Op.SELF, Op.RETURN, Op.TUPLE}
)


class Shapes:
    """Tells tensors' own sizes from configured ones, which ``sources`` finds (`Origins.sources`)."""

    def __init__(self, sources: Callable[[Value], frozenset[Value]]) -> None:
        self._sources = sources
        self._known: dict[Value, bool] = {}

    def is_shape(self, value: Value) -> bool:
        """Whether an integer comes from a tensor's shape (``x.shape[0]``, ``len(x)``) and from no configuration."""
        known = self._known.get(value)
        if known is None:
            self._known[value] = False  # while computing: a cycle adds nothing
            known = self._known[value] = self._asks_for_shape(value) and not self._sources(value)
        return known

    def _asks_for_shape(self, value: Value) -> bool:
        op = value.op
        if op is Op.ATTR:
            return value.name == "shape" or any(self.is_shape(each) for each in value.stored)
        if op is Op.CALL:
            if value.name in _SHAPE_CALLS:
                return True
            if value.name in SCALAR_CALLS:
                return any(self.is_shape(argument) for _, argument in value.arguments())
            return value.callee is not None and self.is_shape(value.callee.returns)
        if op in (Op.SUB, Op.ITEM):
            return self.is_shape(value.inputs[0]) or any(self.is_shape(each) for each in value.stored)
        if op is Op.PHI:
            parts = [each for each in value.inputs if not is_none(each)]
            return bool(parts) and all(self.is_shape(each) for each in parts)
        if op is Op.PARAM:
            return bool(value.inputs) and all(self.is_shape(each) for each in value.inputs)
        return op in _PASSING_OPS and any(self.is_shape(each) for each in value.inputs)

    def mentions_shape(self, value: Value) -> bool:
        """Whether an expression contains a tensor's shape, whatever else it contains."""
        if self._asks_for_shape(value):
            return True
        if value.op in (Op.BINOP, Op.UNARY, Op.TUPLE, Op.NAME, Op.CLOSURE):
            return any(self.mentions_shape(each) for each in value.inputs)
        return False

    def size_keys(self, test: Value) -> frozenset[str]:
        """The configured sizes and stored tensors that a test compares with an actual size, by their `key`."""
        found: set[str] = set()
        if test.op in (Op.GUARD, Op.BOOL, Op.UNARY):
            for each in test.inputs:
                found |= self.size_keys(each)
        elif test.op is Op.COMPARE and len(test.inputs) > 1:
            for side in test.inputs:
                if any(self._is_at_hand(each, test) for each in test.inputs if each is not side):
                    found |= {key(source) for source in self._sources(side)}
                    found |= _shaped_slots(side)
        return frozenset(found)

    def _is_at_hand(self, value: Value, test: Value) -> bool:
        """Whether one side of a test counts the batch at hand; how many axes it has, or a setting, does not."""
        if self.is_given(value, test):
            return True
        if value.op is Op.PHI:
            parts = [each for each in value.inputs if each is not value and not is_none(each)]
            return bool(parts) and all(each.op is not Op.PHI and self._is_at_hand(each, test) for each in parts)
        return self.mentions_shape(value) and not all(_counts_others(each) for each in _factors(value))

    def is_given(self, value: Value, test: Value | None = None) -> bool:
        """Whether a value is a parameter that no caller of this file fills: the size that comes with the batch.

        A caller that hands on such a parameter of its own fills none. One with a number for its default is a setting,
        unless the ``test`` asks whether the two are the same.
        """
        return _is_given(value, test, set())


def _factors(value: Value) -> list[Value]:
    """The parts of an arithmetic expression, its literals left out."""
    if value.op in (Op.BINOP, Op.UNARY, Op.NAME, Op.CLOSURE):
        return [part for each in value.inputs for part in _factors(each)]
    return [] if value.op is Op.CONST else [value]


def _counts_others(value: Value) -> bool:
    """``x.dim()``, and the length of an object's own attributes."""
    if value.op is not Op.CALL:
        return False
    asked = value.argument(0)
    return value.name == "dim" or (
        value.name == "len" and asked is not None and (asked.name == "__dict__" or asked.op is Op.DICT)
    )


def _is_given(value: Value, test: Value | None, seen: set[Value]) -> bool:
    if value in seen or value.op is not Op.NAME or value.inputs[0].op is not Op.PARAM:
        return False
    seen.add(value)
    param = value.inputs[0]
    if param.function.is_constructor:
        return False
    if not all(each.op in (Op.CONST, Op.SINGLETON) or _is_given(each, test, seen) for each in param.inputs):
        return False
    is_setting = param.name in param.function.defaults and any(
        each.op is Op.CONST for each in (*param.inputs, param.function.defaults[param.name])
    )
    return not is_setting or (test is not None and test.name in ("Equal", "NotEqual"))


def _shaped_slots(value: Value) -> set[str]:
    """Stored tensors whose shape an expression asks for: ``self.mask.shape[0]`` -> ``self.mask``."""
    steps = (Op.ATTR, Op.CALL, Op.SUB, Op.ITEM, Op.BINOP, Op.NAME, Op.CLOSURE, Op.PHI)
    behind = walk([value], lambda each: each.inputs if each.op in steps else ())
    return {key(each) for each in behind if each.op in (Op.SELF, Op.GLOBAL)}
