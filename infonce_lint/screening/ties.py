"""Ties: whether labels or masks may be as large as some constructor was told under a neutral name (`losses/tied.py`).

Names are followed without the order of statements, and any object may have any attribute, so more is let through than
the model will find, and nothing less.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from infonce_lint.screening.bodies import INSTANCE, LAMBDA, Body, Call, Names
from infonce_lint.screening.makers import Makers, all_names
from infonce_lint.semantic.graph.values import CALL_METHODS
from infonce_lint.semantic.names import CONSTRUCTORS


def may_tie_size(tree: ast.Module) -> bool:
    """Whether some label or mask of a file may be sized by a constructor's parameter; False is always right."""
    makers = Makers(tree)
    made = {id(each) for each in makers.calls_with_sizes()}
    are_objects = makers.are_objects()
    if not made and not are_objects:
        return False
    names = Names(tree, makers)
    if not any(body.candidates for body in names.bodies):
        return False
    holders = _Spread(names, [body.held for body in names.bodies], deep=True).everything()
    sizes = _Spread(names, [body.candidates for body in names.bodies], holders)
    calls = [(body, call) for body in names.bodies for call in body.calls if are_objects or id(call.node) in made]
    sized = [(body, call) for body, call in calls if sizes.has(body, names.sizes(*call.given))]
    if not are_objects or any(id(call.node) in made for _, call in sized):
        return bool(sized)
    objects = _Spread(names, [body.makers for body in names.bodies], holders, deep=True)
    return any(objects.has(body, call.called) for body, call in sized)


@dataclass(slots=True)
class _Step:
    """What follows from a name: others are bound, or, with a call, its keys are set and parameters are filled."""

    body: Body
    names: set[str]
    call: Call | None = None
    is_taken: bool = False


class _Spread:
    """How far some names of each body bring what they stand for, by assignments, attributes, arguments and results.

    ``holders`` are the names that may hold a function or an object of this file; ``deep`` follows everything that is
    computed, otherwise numbers only.
    """

    def __init__(
        self, names: Names, seeds: list[set[str]], holders: frozenset[str] = frozenset(), *, deep: bool = False
    ) -> None:
        self._names = names
        self._holders = holders
        self._found: dict[int, set[str]] = {id(body): set() for body in names.bodies}
        self._shared: set[str] = set()
        self._indirect = {*CALL_METHODS, *set[str]().union(*(body.held for body in names.bodies))}
        self._indirect = {name.lstrip(".") for name in self._indirect}
        #: What follows from a name, by the body that it follows in.
        self._steps: dict[str, dict[int, list[_Step]]] = {}
        self._pending: list[tuple[Body | None, str]] = []
        for body, seed in zip(names.bodies, seeds, strict=True):
            self._watch(body, all_names if deep else names.sizes)
            self._find(body, seed)
            self._share(name for name in seed if name[0] == "." or body.is_module)
        while self._pending:
            where, name = self._pending.pop()
            known = self._steps.get(name, {})
            for steps in [known.get(id(where), [])] if where is not None else list(known.values()):
                for step in steps:
                    self._take(step)
                steps.clear()  # each is taken once

    def _watch(self, body: Body, read: Callable[[ast.AST], set[str]]) -> None:
        """Note what follows from the names of a body."""
        for targets, value in body.bindings:
            self._note(read(value), _Step(body, targets))
        for name in body.attributes:
            self._note({name}, _Step(body, {f".{name}"}))
        for call in body.calls:
            self._note(set[str]().union(*map(read, call.given)), _Step(body, call.keys, call))

    def _note(self, names: set[str], step: _Step) -> None:
        for name in names:
            self._steps.setdefault(name, {}).setdefault(id(step.body), []).append(step)

    def _find(self, body: Body, names: Iterable[str]) -> None:
        known = self._found[id(body)]
        for name in names:
            if name not in known:
                known.add(name)
                self._pending.append((body, name))

    def _share(self, names: Iterable[str]) -> None:
        for name in names:
            if name not in self._shared:
                self._shared.add(name)
                self._pending.append((None, name))

    def has(self, body: Body, names: set[str]) -> bool:
        """Whether one of some names of a body is among what was found."""
        return not (self._found[id(body)].isdisjoint(names) and self._shared.isdisjoint(names))

    def everything(self) -> frozenset[str]:
        """All that was found anywhere, attributes without their dots."""
        return frozenset(name.lstrip(".") for name in self._shared.union(*self._found.values()))

    def _take(self, step: _Step) -> None:
        if step.is_taken:
            return
        step.is_taken = True
        if step.call is not None:
            self._share(step.names)
            for name in self._run_by(step.call):
                for other, parameters in self._names.parameters.get(name, ()):
                    self._find(other, parameters)
            return
        self._find(step.body, step.names)
        results, body = self._names.parameters, step.body
        self._share(
            each for each in step.names if each[0] == "." or body.is_module or each in body.globals or each in results
        )
        if INSTANCE in step.names:
            self._share(["()", *(f"(){name}" for name in self._holders)])

    def _run_by(self, call: Call) -> Iterable[str]:
        """The functions that a call may run, by their names."""
        yield call.name
        if call.name in self._names.classes:
            yield from CONSTRUCTORS
        is_indirect = call.name in self._holders or call.name in self._names.running
        if is_indirect or call.name in self._names.variables:
            yield LAMBDA
        if is_indirect:
            yield from self._indirect
            if not self._indirect.isdisjoint(self._names.classes):
                yield from CONSTRUCTORS
