"""The directory of one module: what stands where in it, found once and asked for each of its losses.

Whatever a loss asks of a whole file is quadratic in a file of many losses; such questions are answered here.
"""

from __future__ import annotations

from functools import cached_property

from infonce_lint.semantic.graph.values import Class, Function, Module, Op, Value
from infonce_lint.semantic.names import words
from infonce_lint.semantic.shapes.operations import Column, has

#: What makes several views of an image, by the words of its name (``x.view(2, -1)`` does not).
_VIEW_WORDS = frozenset({"generator", "views", "crops", "multiview"})


class Directory:
    """The functions and values of one module by what losses look them up with; each list in the order of the file."""

    def __init__(self, module: Module) -> None:
        self._module = module

    @cached_property
    def values(self) -> dict[Function, list[Value]]:
        """The values that each function computes."""
        found: dict[Function, list[Value]] = {function: [] for function in self._module.functions}
        for value in self._module.values:
            found.setdefault(value.function, []).append(value)
        return found

    @cached_property
    def order(self) -> dict[Value, int]:
        """The number of each value in the module: two reads that are written alike are told apart by it."""
        return {value: number for number, value in enumerate(self._module.values)}

    @cached_property
    def places(self) -> dict[Function, int]:
        """The number of each function in the module."""
        return {function: number for number, function in enumerate(self._module.functions)}

    @cached_property
    def nested(self) -> dict[Function, list[Function]]:
        """The functions that are defined directly inside of each."""
        found: dict[Function, list[Function]] = {}
        for function in self._module.functions:
            if function.parent is not None:
                found.setdefault(function.parent, []).append(function)
        return found

    @cached_property
    def constructors(self) -> dict[Class, list[Function]]:
        """The constructors of each class."""
        found: dict[Class, list[Function]] = {}
        for function in self._module.functions:
            if function.owner is not None and function.is_constructor:
                found.setdefault(function.owner, []).append(function)
        return found

    @cached_property
    def rebinding(self) -> list[Function]:
        """The functions that bind names of an enclosing one."""
        return [each for each in self._module.functions if each.nonlocals]

    @cached_property
    def lambda_reads(self) -> list[Value]:
        """What lambdas outside of functions, those of class bodies included, read of ``self``."""
        main = self._module.main
        lambdas = (each for each in self._module.functions if each.name == "<lambda>" and each.parent is main)
        return [value for each in lambdas for value in self.values.get(each, ()) if value.op is Op.SELF]

    @cached_property
    def draws(self) -> bool:
        """Whether anything is drawn at random in the file."""
        calls = (call.name for function in self._module.functions for call in function.calls)
        return any(has(name, Column.DRAWS) or has(name, Column.DRAWS_ORDER) for name in calls)

    @cached_property
    def generated_views(self) -> int:
        """How many views a generator in the file is told to make; 0 where there is none."""
        for function in self._module.functions:
            for call in function.calls:
                if call.callee is None and "view" in call.name.lower() and not _VIEW_WORDS.isdisjoint(words(call.name)):
                    counts = [each.literal for _, each in call.arguments() if type(each.literal) is int]
                    if counts and counts[0] > 1:
                        return counts[0]
        return 0
