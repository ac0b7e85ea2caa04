"""The same numbers as public losses that are right, where their definitions meet ours."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from infonce_lint.reference import clip_loss, info_nce_loss
from tests.reference.definitions import value_and_gradient

BATCHES = [1, 2, 5, 7, 13]
PRECISIONS = [(torch.float64, 1e-12), (torch.float32, 2 * torch.finfo(torch.float32).eps)]


def some_rows(rows: int, dtype: torch.dtype, seed: int = 0) -> Tensor:
    return torch.randn(rows, 16, generator=torch.Generator().manual_seed(seed)).to(dtype).requires_grad_()


def agree(ours: Tensor, theirs: Tensor, allowed: float, *inputs: Tensor) -> None:
    for got, expected in zip(value_and_gradient(ours, *inputs), value_and_gradient(theirs, *inputs)):
        assert (got - expected).abs().max() <= allowed


@pytest.mark.parametrize(("dtype", "allowed"), PRECISIONS, ids=["float64", "float32"])
@pytest.mark.parametrize("n_views", [2, 3, 4])
@pytest.mark.parametrize("batch", BATCHES)
@pytest.mark.parametrize("tile", [None, 3])
def test_pair_is_ntxent_of_pytorch_metric_learning(
    dtype: torch.dtype, allowed: float, n_views: int, batch: int, tile: int | None
) -> None:
    losses = pytest.importorskip("pytorch_metric_learning.losses")
    features = some_rows(n_views * batch, dtype)
    theirs = losses.NTXentLoss(temperature=0.1)(features, torch.arange(batch).repeat(n_views))
    ours = info_nce_loss(features, n_views, temperature=0.1, form="pair", tile=tile)
    agree(ours, theirs, allowed / (1 if dtype == torch.float64 else 0.1), features)


@pytest.mark.parametrize(("dtype", "allowed"), PRECISIONS, ids=["float64", "float32"])
@pytest.mark.parametrize("n_views", [2, 3, 4])
@pytest.mark.parametrize("batch", BATCHES[1:])  # theirs returns 0 where no row has a negative
def test_out_is_supcon_of_pytorch_metric_learning(dtype: torch.dtype, allowed: float, n_views: int, batch: int) -> None:
    losses = pytest.importorskip("pytorch_metric_learning.losses")
    features = some_rows(n_views * batch, dtype)
    labels = torch.arange(batch) % 3
    theirs = losses.SupConLoss(temperature=0.1)(features, labels.repeat(n_views))
    ours = info_nce_loss(features, n_views, temperature=0.1, labels=labels)
    # Theirs adds a tiny number under the logarithm, which float64 notices.
    agree(ours, theirs, 1e-9 if dtype == torch.float64 else allowed / 0.1, features)


@pytest.mark.parametrize(("dtype", "allowed"), PRECISIONS, ids=["float64", "float32"])
@pytest.mark.parametrize("batch", BATCHES)
@pytest.mark.parametrize("tile", [None, 3])
def test_towers_are_info_nce_pytorch_in_both_directions(
    dtype: torch.dtype, allowed: float, batch: int, tile: int | None
) -> None:
    info_nce = pytest.importorskip("info_nce").info_nce
    a, b = some_rows(batch, dtype, 1), some_rows(batch, dtype, 2)
    allowed = allowed / (1 if dtype == torch.float64 else 0.1)
    one_way = info_nce(a, b, temperature=0.1)
    agree(clip_loss(a, b, 10.0, symmetric=False, tile=tile), one_way, allowed, a, b)
    both_ways = (info_nce(a, b, temperature=0.1) + info_nce(b, a, temperature=0.1)) / 2
    agree(clip_loss(a, b, 10.0, tile=tile), both_ways, allowed, a, b)
