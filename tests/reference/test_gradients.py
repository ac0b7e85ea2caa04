"""Second derivatives, and torch.compile without a graph break."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
import torch
from torch import Tensor

from infonce_lint.reference import clip_loss, info_nce_logits, info_nce_loss
from tests.reference.definitions import value_and_gradient

whole_graphs = pytest.mark.skipif(
    tuple(map(int, torch.__version__.split(".")[:2])) < (2, 4),
    reason="the compiler of this torch reads no data classes",
)

LABELS = torch.tensor([0, 1, 0, 2])
FROZEN = torch.randn(12, 4, generator=torch.Generator().manual_seed(1), dtype=torch.float64)

CASES: dict[str, Callable[[Tensor, int | None], Tensor]] = {
    "out": lambda x, tile: info_nce_loss(x, 3, temperature=0.4, form="out", tile=tile),
    "pair": lambda x, tile: info_nce_loss(x, 3, temperature=0.4, form="pair", tile=tile),
    "in": lambda x, tile: info_nce_loss(x, 3, temperature=0.4, form="in", tile=tile),
    "out, labels": lambda x, tile: info_nce_loss(x, 3, temperature=0.4, form="out", labels=LABELS, tile=tile),
    "pair, labels": lambda x, tile: info_nce_loss(x, 3, temperature=0.4, form="pair", labels=LABELS, tile=tile),
    "in, labels": lambda x, tile: info_nce_loss(x, 3, temperature=0.4, form="in", labels=LABELS, tile=tile),
    "towers": lambda x, tile: clip_loss(x, x.flip(0) * 2 + 1, 3.0, tile=tile),
    "frozen queries": lambda x, tile: clip_loss(FROZEN[: len(x)], x, 3.0, symmetric=False, tile=tile),
    "frozen keys": lambda x, tile: clip_loss(x, FROZEN[: len(x)], 3.0, symmetric=False, tile=tile),
}


@pytest.fixture
def features() -> Tensor:
    return torch.randn(12, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64).requires_grad_()


@pytest.fixture
def clean_compiler() -> Iterator[None]:
    torch._dynamo.reset()
    yield
    torch._dynamo.reset()


@pytest.mark.parametrize("tile", [None, 5])
@pytest.mark.parametrize("case", CASES)
def test_first_and_second_derivatives_are_those_of_the_value(features: Tensor, case: str, tile: int | None) -> None:
    assert torch.autograd.gradcheck(lambda x: CASES[case](x, tile), features)
    assert torch.autograd.gradgradcheck(lambda x: CASES[case](x, tile), features)


@pytest.mark.usefixtures("clean_compiler")
@whole_graphs
@pytest.mark.parametrize("tile", [None, 5])
@pytest.mark.parametrize("case", CASES)
def test_compiles_into_one_graph(features: Tensor, case: str, tile: int | None) -> None:
    compiled = torch.compile(CASES[case], fullgraph=True, backend="aot_eager")
    for batch in (12, 9) if "labels" not in case else (12,):  # a ragged batch recompiles, with its own sizes
        rows = features[:batch].detach().requires_grad_()
        ours = value_and_gradient(compiled(rows, tile), rows)
        eager = value_and_gradient(CASES[case](rows, tile), rows)
        assert all((a - b).abs().max() <= 1e-12 for a, b in zip(ours, eager))


@pytest.mark.usefixtures("clean_compiler")
@whole_graphs
def test_logits_compile_into_one_graph(features: Tensor) -> None:
    compiled = torch.compile(info_nce_logits, fullgraph=True, backend="aot_eager")
    assert torch.allclose(compiled(features, 3, 0.2)[0], info_nce_logits(features, 3, 0.2)[0], atol=1e-12)


@pytest.mark.slow
@pytest.mark.usefixtures("clean_compiler")
@whole_graphs
@pytest.mark.parametrize("tile", [None, 5])
@pytest.mark.parametrize("case", ["out", "pair", "towers"])
def test_compiles_with_the_default_backend(features: Tensor, case: str, tile: int | None) -> None:
    compiled = torch.compile(CASES[case], fullgraph=True)
    ours = value_and_gradient(compiled(features, tile), features)
    eager = value_and_gradient(CASES[case](features, tile), features)
    assert all((a - b).abs().max() <= 1e-12 for a, b in zip(ours, eager))
