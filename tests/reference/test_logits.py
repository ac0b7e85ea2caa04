"""The drop-in ``(logits, targets)``: cross-entropy over it is the loss, and at two views it is the copied function."""

from __future__ import annotations

from typing import Literal

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from infonce_lint.reference import info_nce_logits, info_nce_loss
from tests.reference.definitions import defined_loss, value_and_gradient

BATCHES = [1, 2, 5, 7]


def some_rows(n_views: int, batch: int) -> Tensor:
    random = torch.Generator().manual_seed(10 * n_views + batch)
    return torch.randn(n_views * batch, 6, generator=random, dtype=torch.float64).requires_grad_()


def copied_form(features: Tensor, n_views: int, temperature: float) -> tuple[Tensor, Tensor]:
    """What tutorials hand around, with sizes from the features: all positives first, then the negatives, target 0."""
    rows = F.normalize(features, dim=1)
    total = len(rows)
    logits = []
    for i in range(total):
        s = [float(rows[i] @ rows[j]) / temperature for j in range(total)]
        same = [j for j in range(total) if j != i and (j - i) % (total // n_views) == 0]
        other = [j for j in range(total) if (j - i) % (total // n_views)]
        logits.append([s[j] for j in same + other])
    return torch.tensor(logits, dtype=torch.float64), torch.zeros(total, dtype=torch.int64)


@pytest.mark.parametrize("form", ["out", "pair"])
@pytest.mark.parametrize("n_views", [2, 3, 4])
@pytest.mark.parametrize("batch", BATCHES)
def test_cross_entropy_over_the_logits_is_the_loss(n_views: int, batch: int, form: Literal["out", "pair"]) -> None:
    features = some_rows(n_views, batch)
    logits, targets = info_nce_logits(features, n_views, 0.1, form=form)
    rows = n_views * batch
    width = rows - 1 if form == "out" else 1 + n_views * (batch - 1)
    assert logits.shape == (rows * (n_views - 1), width)
    assert targets.dtype == torch.int64
    assert not targets.any()
    ours = value_and_gradient(F.cross_entropy(logits, targets), features)
    expected = value_and_gradient(defined_loss(features, n_views, 0.1, form), features)
    assert all((a - b).abs().max() <= 1e-12 for a, b in zip(ours, expected))


@pytest.mark.parametrize("batch", BATCHES)
@pytest.mark.parametrize("form", ["out", "pair"])
def test_two_views_give_the_copied_function_column_by_column(batch: int, form: Literal["out", "pair"]) -> None:
    features = some_rows(2, batch).detach()
    ours, copied = info_nce_logits(features, 2, 0.1, form=form), copied_form(features, 2, 0.1)
    assert torch.allclose(ours[0], copied[0], atol=1e-12)
    assert torch.equal(ours[1], copied[1])


@pytest.mark.parametrize("n_views", [3, 4])
def test_above_two_views_the_copied_function_repels_positives_and_ours_does_not(n_views: int) -> None:
    features = some_rows(n_views, 7).detach()
    copied, zeros = copied_form(features, n_views, 0.1)
    copied.requires_grad_()
    F.cross_entropy(copied, zeros).backward()
    assert (copied.grad[:, 0] <= 0).all()
    assert (copied.grad[:, 1 : n_views - 1] >= 0).all()  # a positive that is pushed away

    logits, targets = info_nce_logits(features.requires_grad_(), n_views, 0.1)
    (slopes,) = torch.autograd.grad(F.cross_entropy(logits, targets), logits)
    assert (slopes[:, 0] <= 0).all()
    assert not torch.isclose(F.cross_entropy(copied, zeros), info_nce_loss(features, n_views), rtol=1e-3)


def test_accuracy_counts_the_pairs_that_come_first() -> None:
    centres = torch.eye(5, dtype=torch.float64)
    logits, targets = info_nce_logits(centres.repeat(3, 1), 3, 0.1, form="pair")
    assert (logits.argmax(dim=1) == targets).all()


def test_what_has_no_logits_is_refused() -> None:
    with pytest.raises(ValueError, match=r"form must be one of 'out', 'pair', got 'in'"):
        info_nce_logits(torch.randn(6, 4), 2, form="in")
    with pytest.raises(ValueError, match=r"features dim 0 \(7\) must be divisible by n_views \(2\)"):
        info_nce_logits(torch.randn(7, 4), 2)
    with pytest.raises(ValueError, match=r"at least one row, got 0"):
        info_nce_logits(torch.randn(0, 4), 2)
