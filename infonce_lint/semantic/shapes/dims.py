"""Dimensions: polynomials with rational coefficients over sizes that are not numbers yet.

``2 * S`` for the labels of two views, ``rows(z_i) + rows(z_j)`` for their concatenation, ``B + K`` for a bank beside a
batch. Sums are dimensions like any other; quotients are kept as far as the divisor is one term.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable, Mapping
from fractions import Fraction
from typing import NamedTuple, TypeAlias


class Origin(enum.Enum):
    """What a symbol stands for."""

    SIZE = "size"  # a configured batch size
    AXIS = "axis"  # an axis of a tensor that comes from elsewhere
    NAMED = "named"  # any other number that the code names: views, ranks' own counts
    WORLD = "world"  # the number of processes
    UNKNOWN = "unknown"  # a number that the code computes in a way that is not followed

    __hash__ = object.__hash__  # that of an Enum is a Python function, which takes its time


class Symbol(NamedTuple):
    """A size that is not a number yet; two are the same when all agree."""

    origin: Origin
    owner: object  # the value, frame or key that tells it from others
    axis: int = 0

    def __repr__(self) -> str:
        return f"{self.origin.value}:{getattr(self.owner, 'name', '')}:{self.axis}"


Coefficient: TypeAlias = "int | Fraction"
"""A whole number is an int: that is several times faster, and equal to its fraction."""

Monomial = frozenset[tuple[Symbol, int]]
_NOTHING: Monomial = frozenset()
_NO_SYMBOLS: frozenset[Symbol] = frozenset()


class Dim:
    """One dimension; ``terms`` maps each monomial to its coefficient, none of which is zero."""

    __slots__ = ("_symbols", "terms")

    def __init__(self, terms: frozenset[tuple[Monomial, Coefficient]]) -> None:
        self.terms = terms
        self._symbols: frozenset[Symbol] | None = None

    def __eq__(self, other: object) -> bool:
        return self is other or (isinstance(other, Dim) and self.terms == other.terms)

    def __hash__(self) -> int:
        return hash(self.terms)

    def __repr__(self) -> str:
        return f"Dim({self.shown(repr)})"

    def __add__(self, other: Dim) -> Dim:
        if not self.terms or not other.terms:
            return self if self.terms else other
        return _total([*self.terms, *other.terms])

    def __neg__(self) -> Dim:
        return Dim(frozenset([(monomial, -number) for monomial, number in self.terms]))

    def __sub__(self, other: Dim) -> Dim:
        if self.terms == other.terms:
            return ZERO
        return _total([*self.terms, *[(monomial, -number) for monomial, number in other.terms]])

    def __mul__(self, other: Dim) -> Dim:
        if self is ONE or other is ONE:
            return other if self is ONE else self
        return _total([(_product(a, b, 1), x * y) for a, x in self.terms for b, y in other.terms])

    def over(self, other: Dim) -> Dim | None:
        """The exact quotient; None where ``other`` is a sum that does not cancel, or zero."""
        if self == other:
            return ONE if self.terms else None
        if len(other.terms) != 1:
            return self._cancelled(other)
        ((monomial, divisor),) = other.terms
        if divisor == 1:
            return _total([(_product(each, monomial, -1), x) for each, x in self.terms])
        return _total([(_product(each, monomial, -1), _quotient(x, divisor)) for each, x in self.terms])

    def _cancelled(self, other: Dim) -> Dim | None:
        """The quotient by a sum of which this is one multiple, as in ``V * (a + b) / (a + b)``."""
        if not other.terms or len(self.terms) != len(other.terms):
            return None
        first = min(other.terms, key=lambda term: (len(term[0]), term[1], repr(sorted(map(repr, term[0])))))
        for each in self.terms:
            factor = Dim(frozenset({each})).over(Dim(frozenset({first})))
            if factor is not None and factor * other == self:
                return factor
        return None

    @property
    def symbols(self) -> frozenset[Symbol]:
        """Every symbol in it."""
        if self._symbols is None:
            found = [symbol for monomial, _ in self.terms for symbol, _ in monomial]
            self._symbols = frozenset(found) if found else _NO_SYMBOLS
        return self._symbols

    def of(self, origin: Origin) -> frozenset[Symbol]:
        """The symbols of one origin."""
        symbols = self.symbols
        found = [each for each in symbols if each.origin is origin]
        if len(found) == len(symbols):
            return symbols  # mostly there is one, or none
        return frozenset(found) if found else _NO_SYMBOLS

    @property
    def number(self) -> Coefficient | None:
        """The number that it is; None when it has symbols."""
        if not self.terms:
            return 0
        if len(self.terms) == 1:
            ((monomial, value),) = self.terms
            return value if not monomial else None
        return None

    @property
    def integer(self) -> int | None:
        """The whole number that it is; None when it has symbols or is a fraction."""
        value = self.number
        return int(value) if value is not None and value.denominator == 1 else None

    def linear_in(self, symbol: Symbol) -> tuple[Dim, Dim] | None:
        """(a, b) of ``a * symbol + b``; None where the symbol occurs in another way, or not at all."""
        factors: list[tuple[Monomial, Coefficient]] = []
        rest: list[tuple[Monomial, Coefficient]] = []
        for monomial, value in self.terms:
            power = next((power for each, power in monomial if each == symbol), 0)
            if power == 0:
                rest.append((monomial, value))
            elif power == 1:
                factors.append((monomial - {(symbol, 1)}, value))
            else:
                return None
        return (_total(factors), _total(rest)) if factors else None

    def put(self, known: Mapping[Symbol, Dim]) -> Dim:
        """The dimension with symbols replaced; one that would stand below a sum stays."""
        if self.symbols.isdisjoint(known):
            return self
        result = ZERO
        for monomial, value in self.terms:
            term = number(value)
            for symbol, power in monomial:
                replaced = known.get(symbol)
                if replaced is None or (power < 0 and len(replaced.terms) != 1):
                    term = term * Dim(frozenset({(frozenset({(symbol, power)}), 1)}))
                    continue
                for _ in range(abs(power)):
                    term = term * replaced if power > 0 else (term.over(replaced) or term)
            result = result + term
        return result

    def shown(self, name: Callable[[Symbol], str]) -> str:
        """The dimension in words, its symbols as ``name`` tells them: ``2 * args.batch_size``."""
        if not self.terms:
            return "0"
        parts = sorted((_shown(monomial, value, name) for monomial, value in self.terms), key=lambda each: each[0])
        text = ""
        for _, negative, part in parts:
            text += (" - " if negative else " + ") + part if text else ("-" if negative else "") + part
        return text


def _shown(monomial: Monomial, value: Coefficient, name: Callable[[Symbol], str]) -> tuple[tuple[int, str], bool, str]:
    above = sorted(name(symbol) for symbol, power in monomial for _ in range(power) if power > 0)
    below = sorted(name(symbol) for symbol, power in monomial for _ in range(-power) if power < 0)
    size = value if value > 0 else -value
    if size.numerator != 1 or not above:
        above.insert(0, str(size.numerator))
    if size.denominator != 1:
        below.insert(0, str(size.denominator))
    text = " * ".join(above)
    if below:
        text += f" / ({' * '.join(below)})" if len(below) > 1 else f" / {below[0]}"
    return ((0 if monomial else 1, text), value < 0, text)


def _product(left: Monomial, right: Monomial, sign: int) -> Monomial:
    if not right:
        return left
    if not left and sign == 1:
        return right
    powers = dict(left)
    for symbol, power in right:
        powers[symbol] = powers.get(symbol, 0) + sign * power
    return frozenset([each for each in powers.items() if each[1]])


def _quotient(value: Coefficient, divisor: Coefficient) -> Coefficient:
    exact = Fraction(value) / divisor
    return exact.numerator if exact.denominator == 1 else exact


def _total(terms: Iterable[tuple[Monomial, Coefficient]]) -> Dim:
    found: dict[Monomial, Coefficient] = {}
    for monomial, value in terms:
        found[monomial] = found[monomial] + value if monomial in found else value
    return Dim(frozenset([term for term in found.items() if term[1]]))


def number(value: Coefficient) -> Dim:
    """A plain number."""
    known = _NUMBERS.get(value)
    if known is not None:
        return known
    whole = value.numerator if value.denominator == 1 else value
    return Dim(frozenset({(_NOTHING, whole)}))


def symbol(origin: Origin, owner: object, axis: int = 0) -> Dim:
    """A single symbol as a dimension."""
    return Dim(frozenset({(frozenset({(Symbol(origin, owner, axis), 1)}), 1)}))


ZERO = Dim(frozenset())
ONE = Dim(frozenset({(_NOTHING, 1)}))
_NUMBERS: dict[Coefficient, Dim] = {0: ZERO, 1: ONE}

#: What tells the symbol of the number of processes.
WORLD = "world"
