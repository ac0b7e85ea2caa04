"""Dimensions: a ring of polynomials, with quotients as far as they are exact."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infonce_lint.semantic.shapes.dims import ONE, ZERO, Dim, Origin, Symbol, number, symbol

NAMES = "ab"
A, B = (symbol(Origin.NAMED, name) for name in NAMES)
SYMBOL_A, SYMBOL_B = (Symbol(Origin.NAMED, name) for name in NAMES)


def _sum(parts: list[tuple[int, int, int]]) -> Dim:
    total = ZERO
    for factor, a, b in parts:
        term = number(factor)
        for _ in range(a):
            term = term * A
        for _ in range(b):
            term = term * B
        total = total + term
    return total


DIMS = st.lists(st.tuples(st.integers(-4, 4), st.integers(0, 2), st.integers(0, 2)), max_size=4).map(_sum)


def at(dim: Dim, a: int, b: int) -> Fraction:
    """A dimension for two numbers."""
    value = dim.put({SYMBOL_A: number(a), SYMBOL_B: number(b)}).number
    assert value is not None
    return value


@given(DIMS, DIMS, DIMS)
@settings(max_examples=60, deadline=None)
def test_ring(x: Dim, y: Dim, z: Dim) -> None:
    assert x + y == y + x
    assert (x + y) + z == x + (y + z)
    assert x * y == y * x
    assert (x * y) * z == x * (y * z)
    assert x * (y + z) == x * y + x * z
    assert x + ZERO == x == x * ONE
    assert x - x == ZERO == x * ZERO
    negative = -x
    assert -negative == x
    assert x - y == x + (-y)


@given(DIMS, DIMS, st.integers(1, 5), st.integers(1, 5))
@settings(max_examples=60, deadline=None)
def test_numbers_put_in(x: Dim, y: Dim, a: int, b: int) -> None:
    assert at(x + y, a, b) == at(x, a, b) + at(y, a, b)
    assert at(x * y, a, b) == at(x, a, b) * at(y, a, b)
    assert at(x - y, a, b) == at(x, a, b) - at(y, a, b)


@given(DIMS, DIMS)
@settings(max_examples=60, deadline=None)
def test_a_quotient_times_the_divisor_is_the_dividend(x: Dim, y: Dim) -> None:
    quotient = x.over(y)
    if quotient is not None:
        assert y.terms
        assert quotient * y == x
    if y.terms and len(y.terms) == 1:
        assert (x * y).over(y) == x


@given(DIMS)
@settings(max_examples=60, deadline=None)
def test_parts_of_a_linear_dimension(x: Dim) -> None:
    parts = x.linear_in(SYMBOL_A)
    if parts is None:
        assert SYMBOL_A not in x.symbols or any((SYMBOL_A, 2) in monomial for monomial, _ in x.terms)
        return
    factor, rest = parts
    assert factor * A + rest == x
    assert SYMBOL_A not in factor.symbols | rest.symbols


@given(DIMS, DIMS)
@settings(max_examples=60, deadline=None)
def test_a_symbol_that_is_put_in_is_gone(x: Dim, y: Dim) -> None:
    replaced = x.put({SYMBOL_A: B + number(1)})
    assert SYMBOL_A not in replaced.symbols
    assert at(replaced, 9, 3) == at(x, 4, 3)


QUOTIENTS = [
    (A * number(2), A, number(2)),
    (A, A, ONE),
    (A * (A + B), A + B, A),
    (number(2) * A + number(2) * B, A + B, number(2)),
    (A + B, number(2), A * number(Fraction(1, 2)) + B * number(Fraction(1, 2))),
    (A, A + B, None),
    (A, ZERO, None),
    (ZERO, ZERO, None),
    (ZERO, A, ZERO),
]


@pytest.mark.parametrize(("above", "below", "wanted"), QUOTIENTS)
def test_quotients(above: Dim, below: Dim, wanted: Dim | None) -> None:
    assert above.over(below) == wanted


def test_a_quotient_keeps_what_stands_below() -> None:
    quotient = A.over(B)
    assert quotient is not None
    assert quotient * B == A
    assert quotient.put({SYMBOL_B: A}) == ONE
    assert quotient.put({SYMBOL_B: A + B}) == quotient  # no sum below
    assert quotient.linear_in(SYMBOL_B) is None


def test_plain_numbers() -> None:
    assert number(3).integer == 3
    assert number(Fraction(1, 2)).integer is None
    assert number(Fraction(1, 2)).number == Fraction(1, 2)
    assert ZERO.integer == 0
    assert number(0) == ZERO
    assert A.number is None


def test_origins_tell_symbols_apart() -> None:
    size = symbol(Origin.SIZE, "a")
    assert size != A
    assert (size + A).of(Origin.SIZE) == size.symbols
    assert symbol(Origin.AXIS, "a", 0) != symbol(Origin.AXIS, "a", 1)


SHOWN = [
    (A * number(2), "2 * a"),
    (A + B, "a + b"),
    (A - number(1), "a - 1"),
    (A * A, "a * a"),
    (number(2) * A + number(-2) * B, "2 * a - 2 * b"),
    (A * number(Fraction(1, 2)), "a / 2"),
    (ZERO, "0"),
    (-A, "-a"),
    (A * B * number(Fraction(3, 4)), "3 * a * b / 4"),
]


@pytest.mark.parametrize(("dim", "text"), SHOWN)
def test_in_words(dim: Dim, text: str) -> None:
    assert dim.shown(lambda each: str(each.owner)) == text
