"""What facts say together: each axis of a tensor in terms of the configured sizes, or where they contradict.

Facts are conditions that hold whenever the code, configured for the batch at hand, runs. So where they give an axis as
a multiple of a configured size, the size *is* that axis divided by the multiple, at every batch.
"""

from __future__ import annotations

from collections.abc import Iterable

from infonce_lint.semantic.shapes.dims import Dim, Origin, Symbol
from infonce_lint.semantic.shapes.domain import Site
from infonce_lint.semantic.shapes.facts import Fact, Relation

#: Which symbol an equation is solved for, first to last: a size only for another size.
_ORDER = {Origin.UNKNOWN: 0, Origin.AXIS: 1, Origin.NAMED: 2, Origin.SIZE: 3}


class Theory:
    """The equations of some facts, solved.

    ``solved`` gives axes (and other numbers) in terms of what is left; ``conflicts`` are facts that cannot hold, and
    ``open`` those that could not be used.
    """

    def __init__(self, facts: Iterable[Fact]) -> None:
        self.solved: dict[Symbol, Dim] = {}
        self.conflicts: list[Fact] = []
        self.open: list[Fact] = []
        self.used: list[Fact] = []
        self._known: dict[Dim, Dim] = {}  # what `of` has found since the last equation was solved
        given = list(dict.fromkeys(facts))
        self._take_all([fact for fact in given if fact.relation is Relation.EQUAL])
        self._take_all(self._squeezed([fact for fact in given if fact.relation is Relation.BELOW]))

    def _take_all(self, waiting: list[Fact]) -> None:
        """Use facts, those that others must solve first after them."""
        while waiting:
            left = [fact for fact in waiting if not self._take(fact)]
            if len(left) == len(waiting):
                self.open += left
                break
            waiting = left

    def _squeezed(self, bounds: list[Fact]) -> list[Fact]:
        """What is at most another and at least it too is equal: ``rows <= 2 * size`` and ``size <= rows - size``."""
        found: list[Fact] = []
        rests = [(fact, self.of(fact.left) - self.of(fact.right)) for fact in bounds]
        for order, (fact, rest) in enumerate(rests):
            for _, other in rests[:order]:
                ratio = rest.over(other) if len(other.terms) == len(rest.terms) > 1 else None
                if ratio is not None and ratio.number is not None and ratio.number < 0:
                    found.append(Fact(Relation.EQUAL, fact.left, fact.right, fact.site))
        return found

    def of(self, dim: Dim) -> Dim:
        """A dimension with everything put in that the facts say."""
        known = self._known.get(dim)
        if known is None:
            known = self._known[dim] = dim.put(self.solved)
        return known

    def _take(self, fact: Fact) -> bool:
        """Use one fact; False where it says something that cannot be solved yet."""
        rest = self.of(fact.left) - self.of(fact.right)
        if not rest.terms:
            return True
        if _never_vanishes(rest):
            self.conflicts.append(fact)
            return True
        for symbol in sorted(rest.symbols, key=_order):
            if symbol.origin not in _ORDER:
                continue
            if symbol.origin is Origin.SIZE and len(rest.of(Origin.SIZE)) < 2:
                continue
            parts = rest.linear_in(symbol)
            if parts is None:
                continue
            factor, remaining = parts
            value = (-remaining).over(factor) if remaining.terms else None
            if value is None or symbol in value.symbols:
                continue
            self._put(symbol, value)
            self.used.append(fact)
            return True
        return False

    def _put(self, symbol: Symbol, value: Dim) -> None:
        self.solved = {each: known.put({symbol: value}) for each, known in self.solved.items()}
        self.solved[symbol] = value
        self._known.clear()


def _never_vanishes(rest: Dim) -> bool:
    """Whether a difference cannot be zero: of sizes that are positive, all terms have one sign."""
    signs = {value > 0 for _, value in rest.terms}
    if len(signs) == 1:
        return True
    # a configured size that would be a certain number
    return all(symbol.origin is Origin.SIZE for symbol in rest.symbols) and len(rest.symbols) == 1


def _order(symbol: Symbol) -> tuple[int, str, int, str, int]:
    """Which symbol to solve for first; among equals the one that is named later."""
    owner = symbol.owner
    if isinstance(owner, Site):
        value = owner.value
        return (_ORDER.get(symbol.origin, 9), value.function.qualified_name, -value.index, value.name, symbol.axis)
    return (_ORDER.get(symbol.origin, 9), "", 0, _told(owner), symbol.axis)


def _told(owner: object) -> str:
    """What tells a symbol from others, in words that are the same in every run."""
    if isinstance(owner, tuple):
        return ".".join(_told(each) for each in owner)
    if isinstance(owner, Dim):
        return owner.shown(lambda each: _told(each.owner))
    return str(getattr(owner, "name", owner))
