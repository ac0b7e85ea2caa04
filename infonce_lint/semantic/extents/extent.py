"""The extent: a number of rows as a monomial, a rational number times named sizes to their powers.

``2 * rows(z_i)`` for stacked views, ``n_views * S`` with S the configured size, ``W * rows(z)`` after a gather over W
processes. Names begin with what they are: ``size:`` a configured size, ``rows:`` the rows of a tensor, ``named:`` any
other size that the code names.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

WORLD = "world size"

_Powers = tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Extent:
    """``number`` times the product of ``symbols`` to their powers; symbols are sorted and no power is zero."""

    number: Fraction
    symbols: _Powers = ()

    def __mul__(self, other: Extent) -> Extent:
        return Extent(self.number * other.number, _merge(self.symbols, other.symbols, 1))

    def __truediv__(self, other: Extent) -> Extent:
        return Extent(self.number / other.number, _merge(self.symbols, other.symbols, -1))

    def power(self, symbol: str) -> int:
        """The power of one symbol; 0 when it does not occur."""
        return dict(self.symbols).get(symbol, 0)

    def without(self, symbol: str) -> Extent:
        """The extent with one symbol struck out, whatever its power."""
        return Extent(self.number, tuple(pair for pair in self.symbols if pair[0] != symbol))

    @property
    def size_symbols(self) -> list[str]:
        """The configured sizes in it."""
        return [name for name, _ in self.symbols if name.startswith("size:")]

    @property
    def row_symbols(self) -> list[str]:
        """The rows of tensors in it."""
        return [name for name, _ in self.symbols if name.startswith("rows:")]


def _merge(left: _Powers, right: _Powers, sign: int) -> _Powers:
    powers = dict(left)
    for name, power in right:
        powers[name] = powers.get(name, 0) + sign * power
    return tuple(sorted((name, power) for name, power in powers.items() if power))


def number(value: int | Fraction) -> Extent:
    """A plain number of rows."""
    return Extent(Fraction(value))


def symbol(name: str) -> Extent:
    """A named size."""
    return Extent(Fraction(1), ((name, 1),))
