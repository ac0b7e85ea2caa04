"""Where a size comes from: the reads of a configured batch size that decide an integer, or a tensor's own shape."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from infonce_lint.semantic.graph.literals import elements, is_integer, is_none
from infonce_lint.semantic.graph.paths import key, path_text
from infonce_lint.semantic.graph.setters import Setters
from infonce_lint.semantic.graph.values import Module, Op, Value
from infonce_lint.semantic.graph.walk import walk
from infonce_lint.semantic.sizes.configured import ConfiguredReads
from infonce_lint.semantic.sizes.scalars import SCALAR_CALLS, Shapes

if TYPE_CHECKING:
    from infonce_lint.settings import Settings

_PASSING_OPS = frozenset({Op.BINOP, Op.UNARY, Op.BOOL, Op.PHI, Op.CLOSURE, Op.STORE, Op.TUPLE, Op.RETURN, Op.NAME})
_STORY_STEPS = 6

NO_SOURCES: frozenset[Value] = frozenset()


class Origins:
    """Answers questions about integers of one module; every answer is remembered.

    An integer is *configured* when `sources` finds reads of a configured size behind it, a *shape* when it is asked of
    a tensor and of no configuration, and otherwise unknown (or a literal). ``setters`` tells what functions set anew.
    """

    def __init__(self, module: Module, settings: Settings, tied: frozenset[Value] = frozenset()) -> None:
        """Read a module; ``tied`` are constructor parameters that a loss shows to be sizes, whatever their names."""
        self.module = module
        self.setters = Setters(module)
        self._shapes = Shapes(self.sources)
        self._reads = ConfiguredReads(module, settings, self._shapes, self.sources, tied)
        self._configured: dict[Value, str | None] = {}
        self._sources: dict[Value, frozenset[Value]] = {}

    def sources(self, value: Value) -> frozenset[Value]:
        """The reads of a configured batch size that decide ``value``, an integer or a tuple of integers."""
        known = self._sources.get(value)
        if known is None:
            self._sources[value] = NO_SOURCES  # while computing: a cycle adds nothing
            known = self._sources[value] = self._find_sources(value)
        return known

    def _find_sources(self, value: Value) -> frozenset[Value]:
        if self.configured(value) is not None:
            return frozenset({value})
        op = value.op
        if op is Op.PHI and isinstance(value.literal, Value) and self._decides_size(value.literal):
            return NO_SOURCES
        if op is Op.BINOP and self._counts(value):
            return NO_SOURCES
        if op is Op.BOOL and value.name == "Or" and _is_given_by_all(value.inputs[0]):
            return NO_SOURCES  # ``n or self.batch_size``
        if op in _PASSING_OPS or (op is Op.GLOBAL and value.function.is_module):
            return self._union(value.inputs)
        if op is Op.PARAM:
            default = value.function.defaults.get(value.name)
            return self._union([*value.inputs, *([default] if default is not None else [])])
        if op is Op.SUB and len(value.inputs) == 2 and is_integer(value.inputs[1]):
            base = value.inputs[0]  # one of several counts: ``args.batch_size[0]`` classes, ``[1]`` images of each
            return self.sources(base) if self.configured(base) is not None else NO_SOURCES
        if op is Op.ITEM and isinstance(value.literal, int):
            return self._union(elements(value.inputs[0], value.literal))
        if op is Op.CALL:
            return self._call_sources(value)
        return NO_SOURCES

    def _counts(self, quotient: Value) -> bool:
        """Whether a quotient is a count and no size.

        A size is divided by one that it is made of, ``(rows - anchors) / anchors``, or another setting by a size:
        ``args.samples // args.batch_size`` steps.
        """
        if quotient.name not in ("Divide", "FloorDivide"):
            return False
        numerator = quotient.inputs[0]
        is_own = self.is_shape(numerator) or bool(self.sources(numerator))
        if numerator.op in (Op.ATTR, Op.SUB) and self._reads.is_setting(numerator) and not is_own:
            return True
        divisors = {key(each) for each in _terms(quotient.inputs[1])}
        return not divisors.isdisjoint(key(each) for each in _terms(quotient.inputs[0]))

    def _decides_size(self, test: Value) -> bool:
        """Whether a branch was taken on the two sizes themselves, or on a parameter that every caller fills."""
        return bool(self.size_keys(test)) or _is_always_given(test)

    def _call_sources(self, call: Value) -> frozenset[Value]:
        if call.name in SCALAR_CALLS:
            arguments = [argument for _, argument in call.arguments()]
            if call.name in ("max", "min") and any(self.is_shape(each) for each in arguments):
                return NO_SOURCES
            return self._union(arguments)
        return self.sources(call.callee.returns) if call.callee is not None else NO_SOURCES

    def _union(self, values: Iterable[Value]) -> frozenset[Value]:
        return NO_SOURCES.union(*(self.sources(each) for each in values))

    def configured(self, value: Value) -> str | None:
        """In words, where a read of a configured batch size takes it from; None for anything else."""
        if value not in self._configured:
            self._configured[value] = None  # while computing: a cycle adds nothing
            self._configured[value] = self._reads.describe(value)
        return self._configured[value]

    def is_shape(self, value: Value) -> bool:
        """Whether an integer comes from a tensor's shape (``x.shape[0]``, ``len(x)``) and from no configuration."""
        return self._shapes.is_shape(value)

    def is_given(self, value: Value) -> bool:
        """Whether an integer is a parameter that no caller of this file fills: the size that comes with the batch."""
        return self._shapes.is_given(value)

    def size_keys(self, test: Value) -> frozenset[str]:
        """The configured sizes and stored tensors that a test compares with an actual size, by their `paths.key`."""
        return self._shapes.size_keys(test)

    def parameters_behind(self, read: Value) -> set[Value]:
        """The constructor parameters that a configured read takes its number from."""
        behind = walk([read], lambda each: [source for part in _behind(each) for source in self.sources(part)])
        return {each.inputs[0] for each in behind if each.op is Op.NAME and each.inputs[0].op is Op.PARAM}

    def slots_of(self, read: Value) -> set[str]:
        """The attributes that keep a constructor's parameter, by their `paths.key`.

        A guard on ``self.batch_size`` guards the parameter behind it too.
        """
        owner = read.function.enclosing_class
        if owner is None or read.op is not Op.NAME or read.inputs[0].op is not Op.PARAM:
            return set()
        param = read.inputs[0]
        return {
            f"self.{name}"
            for each in owner.family()
            for name, stores in each.slots.items()
            for store in stores
            if any(source.op is Op.NAME and source.inputs[0] is param for source in self.sources(store))
        }

    def story(self, read: Value) -> tuple[str, ...]:
        """In words, step by step, where a configured read takes its number from."""
        steps: list[str] = []
        current: Value | None = read
        while current is not None and len(steps) < _STORY_STEPS:
            told = self.configured(current)
            if told is None:
                break
            if told not in steps:
                steps.append(told)
            behind = [found for each in _behind(current) for found in self.sources(each) if found is not current]
            current = min(behind, key=path_text) if behind else None
        return tuple(reversed(steps))


def _terms(value: Value) -> list[Value]:
    """The named values that an arithmetic expression is made of."""
    if value.op in (Op.BINOP, Op.UNARY):
        return [term for each in value.inputs for term in _terms(each)]
    return [value] if value.op in (Op.NAME, Op.SELF, Op.ATTR, Op.GLOBAL, Op.SUB, Op.PARAM) else []


def _behind(read: Value) -> list[Value]:
    """What a configured read stands for: the stores of an attribute, the arguments of a parameter."""
    if read.op is Op.NAME and read.inputs:
        return list(read.inputs[0].inputs)
    return list(read.inputs) if read.op in (Op.SELF, Op.GLOBAL) else []


def _is_always_given(test: Value) -> bool:
    """Whether a test ``size is None`` or ``size < 0`` is on a parameter that every call in the file fills."""
    if test.op is not Op.COMPARE or len(test.inputs) != 2:
        return False
    if not is_none(test.inputs[1]) and not is_integer(test.inputs[1]):
        return False
    return _is_given_by_all(test.inputs[0])


def _is_given_by_all(value: Value) -> bool:
    """Whether a value is a parameter that every call in the file fills."""
    if value.op is not Op.NAME or not value.inputs or value.inputs[0].op is not Op.PARAM:
        return False
    param = value.inputs[0]
    given = [call.argument_for(param.function, param.name) for call in param.function.callers]
    return bool(given) and all(each is not None and not is_none(each) for each in given)
