"""Indexing: what remains of the axes, what a slice or mask needs, and what is not said."""

from __future__ import annotations

import pytest

from infonce_lint.semantic.shapes.dims import Dim, number
from infonce_lint.semantic.shapes.domain import Opaque, Tensor
from tests.semantic.shapes.running import D, M, N, S, V, needs, understood

ONE, TWO = number(1), number(2)

LEFT = {
    "x[0]": (N, D),
    "x[-1]": (N, D),
    "x[:, 0]": (V, D),
    "x[..., 0]": (V, N),
    "x[0, ..., 0]": (N,),
    "x[None]": (ONE, V, N, D),
    "x[:, None]": (V, ONE, N, D),
    "x[..., None]": (V, N, D, ONE),
    "x[0:1]": (ONE, N, D),
    "z[:S]": (S, D),
    "z[S:]": (N - S, D),
    "z[-S:]": (S, D),
    "z[:-S]": (N - S, D),
    "z[S:2 * S]": (S, D),
    "z[1:-1]": (N - TWO, D),
    "torch.cat([z, w])[::2]": (N, D),
    "torch.cat([z, w])[1::2]": (N, D),
    "torch.zeros(10)[2:100]": (number(8),),
    "z[idx]": (M, D),
    "z[idx, 0]": (M,),
    "z[:, idx[:2]]": (N, TWO),
    "x[idx[:2], idx[:2]]": (TWO, D),
    "x[:, idx, 0]": (V, M),
    "sim[y[:, None], idx]": (N, M),
    "z[[0, 1]]": (TWO, D),
    "sim[torch.tril_indices(N, N, -1)[0]]": (((N * (N - ONE)).over(TWO) or ONE), N),
    "z[(0, 1)]": (),
}


@pytest.mark.parametrize("snippet", LEFT)
def test_what_remains(snippet: str) -> None:
    result = understood(snippet).result
    assert isinstance(result, Tensor)
    assert result.rest is None
    assert result.dims == LEFT[snippet]


NOT_SAID = [
    "z[True]",
    "z[t]",
    "z[slice(0, 2)]",
    "z[0, 0, 0]",
    "x[keep.any()]",
    "sim[np.ix_(y, y)]",
    "u = torch.load('f')\nu[:, None] == u",
]


@pytest.mark.parametrize("snippet", NOT_SAID)
def test_what_is_not_said(snippet: str) -> None:
    assert isinstance(understood(snippet).result, Opaque)


@pytest.mark.parametrize("snippet", ["z[:64]", "z[5:]", "z[:-7]", "z[3:9:2]"])
def test_a_slice_that_may_reach_behind_the_end_has_a_length_of_its_own(snippet: str) -> None:
    result = understood(snippet).result
    assert isinstance(result, Tensor)
    assert N not in result.dims[:1]
    assert result.dims[0].number is None
    assert result.dims[1] == D


EQUATIONS: dict[str, tuple[Dim, Dim]] = {
    "sim[torch.eye(S).bool()]": (S, N),
    "x[:, torch.ones(S).bool()]": (S, N),
    "x[torch.ones(V, S) > 0]": (S, N),
    "sim[torch.arange(N), torch.arange(S)]": (N, S),
    "sim[:, 0] = torch.zeros(S)\nsim": (N, S),
    "sim[torch.eye(S).bool()] = 0\nsim": (S, N),
    "sim[0] = torch.ones(S)\nsim": (N, S),
    "sim[:, :] = torch.ones(S, N)\nsim": (N, S),
}


@pytest.mark.parametrize("snippet", EQUATIONS)
def test_equations(snippet: str) -> None:
    found = {frozenset({each.left, each.right}) for each in needs(understood(snippet).facts, "EQUAL")}
    assert found == {frozenset(EQUATIONS[snippet])}


CUTS: dict[str, set[Dim]] = {
    "z[:S]": {S},
    "z[S:]": {S},
    "z[-S:]": {-S},
    "z[S]": {S},
    "z[2 * S:]": {TWO * S},
    "z[:S] + z[:N]": {S},
    "z[1:]": set(),
}


@pytest.mark.parametrize("snippet", CUTS)
def test_cuts(snippet: str) -> None:
    assert {each.right for each in needs(understood(snippet).facts, "CUT")} == CUTS[snippet]


def test_halves_that_meet_make_an_equation() -> None:
    facts = needs(understood("(z[:S] * z[S:]).sum(1)").facts, "EQUAL")
    assert {each.left - each.right for each in facts} <= {TWO * S - N, N - TWO * S}
    assert facts


def test_two_sections_bound_the_rows() -> None:
    facts = needs(understood("a, b = z.split(S)\na").facts, "BELOW")
    assert [(each.left, each.right) for each in facts] == [(N, TWO * S), (S + ONE, N)]


@pytest.mark.parametrize("snippet", ["sim[np.triu_indices(N, 1)]", "r, c = torch.tril_indices(N, N, -1)\nsim[r, c]"])
def test_the_places_of_a_triangle_need_nothing(snippet: str) -> None:
    told = understood(snippet)
    assert not told.facts
    assert isinstance(told.result, Tensor)
    assert told.result.dims == ((N * (N - ONE)).over(TWO),)


def test_assignment_keeps_the_shape() -> None:
    result = understood("sim[0] = 1\nsim").result
    assert isinstance(result, Tensor)
    assert result.dims == (N, N)
