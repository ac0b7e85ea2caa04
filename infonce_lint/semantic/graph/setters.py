"""Setters: which names of attributes, entries and globals a run of a function may set anew."""

from __future__ import annotations

from infonce_lint.semantic.graph.paths import path_text
from infonce_lint.semantic.graph.values import Class, Function, Module, Op, Value
from infonce_lint.semantic.graph.walk import walk


class Setters:
    """What the functions of one module store, and what all that they call does."""

    def __init__(self, module: Module) -> None:
        self._own: dict[Function, set[str]] = {}
        for entry in module.entries:
            if entry.is_store:
                self._own.setdefault(entry.value.function, set()).add(entry.name)
        for owner in module.classes:
            for name, stores in owner.slots.items():
                for store in stores:
                    if store.op is Op.STORE:
                        self._own.setdefault(store.function, set()).add(name)
        for function in module.functions:
            rebound = function.globals & function.bindings.keys()
            if rebound:
                self._own.setdefault(function, set()).update(rebound)
        self._reached: dict[Function, tuple[frozenset[str], frozenset[str]]] = {}
        self._differ: dict[tuple[Class, str], bool] = {}

    def of(self, function: Function) -> tuple[frozenset[str], frozenset[str]]:
        """The names that a function sets anew itself, and those that what it calls does; constructors set none anew."""
        if function not in self._reached:
            called = walk([function], lambda each: [call.callee for call in each.calls if call.callee is not None])
            others: set[str] = set()
            for each in called:
                if each is not function and not each.is_constructor:
                    others |= self._own.get(each, set())
            own = (
                frozenset() if function.is_constructor or function.is_module else frozenset(self._own.get(function, ()))
            )
            self._reached[function] = (own, frozenset(others))
        return self._reached[function]

    def instances_differ(self, owner: Class, name: str) -> bool:
        """Whether this file constructs objects of a class that are given different things for one attribute."""
        place = (owner, name)
        if place not in self._differ:
            self._differ[place] = _instances_differ(owner, name)
        return self._differ[place]


def _instances_differ(owner: Class, name: str) -> bool:
    given: set[str] = set()
    for each in owner.family():
        for store in each.slots.get(name, ()):
            kept = store.inputs[0] if store.inputs else None
            param = kept.inputs[0] if kept is not None and kept.op is Op.NAME and kept.inputs else kept
            if param is not None and param.op is Op.PARAM:
                given |= {_written(call, store.function, param.name) for call in each.constructions}
    return len(given) > 1


def _written(call: Value, constructor: Function, name: str) -> str:
    argument = call.argument_for(constructor, name)
    return path_text(argument) + argument.op if argument is not None else ""
