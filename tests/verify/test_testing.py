"""`check_loss`: one line in a user's test suite."""

from __future__ import annotations

import random
from typing import Any

import pytest

pytest.importorskip("torch")

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from infonce_lint.reference import InfoNCELoss, clip_loss, info_nce_logits, info_nce_loss
from infonce_lint.testing import check_loss
from tests.verify.samples import has_fp16_on_cpu


class PairLoss(nn.Module):
    """Sized by its rows; at its own temperature."""

    def __init__(self, temperature: float = 0.3) -> None:
        super().__init__()
        self.temperature = temperature

    def forward(self, z_i: Tensor, z_j: Tensor) -> Tensor:
        """The loss of two views."""
        z = F.normalize(torch.stack([z_i, z_j]).flatten(0, 1), dim=1)
        logits = (z @ z.t() / self.temperature).masked_fill(torch.eye(len(z), dtype=torch.bool), -torch.inf)
        return F.cross_entropy(logits, torch.arange(len(z)).roll(len(z_i)))


class ConfiguredLoss(PairLoss):
    """The same, but for its labels."""

    def __init__(self, batch_size: int, temperature: float) -> None:
        super().__init__(temperature)
        self.batch_size = batch_size

    def forward(self, z_i: Tensor, z_j: Tensor) -> Tensor:
        """The loss of two views of as many samples as were configured."""
        z = F.normalize(torch.stack([z_i, z_j]).flatten(0, 1), dim=1)
        logits = (z @ z.t() / self.temperature).masked_fill(torch.eye(len(z), dtype=torch.bool), -9e15)
        return F.cross_entropy(logits, torch.arange(2 * self.batch_size).roll(self.batch_size))


def unnormalised(features: Tensor, n_views: int = 2, temperature: float = 0.1) -> Tensor:
    """The reference without its normalisation."""
    return info_nce_loss(features, n_views, temperature=temperature, normalize=False)


def no_ranks(features: Tensor) -> Tensor:
    """A loss that fails as soon as there are several ranks."""
    if torch.distributed.is_initialized():
        raise RuntimeError("no ranks")
    return info_nce_loss(features)


@pytest.mark.parametrize(
    "loss", [info_nce_loss, InfoNCELoss, InfoNCELoss(3), clip_loss, info_nce_logits, PairLoss, PairLoss()]
)
def test_right_losses_pass(loss: Any) -> None:
    check_loss(loss)


def test_failure_is_readable() -> None:
    with pytest.raises(AssertionError) as failure:
        check_loss(ConfiguredLoss)
    lines = str(failure.value).splitlines()
    assert lines[0].startswith(f"ConfiguredLoss fails {3 if has_fp16_on_cpu() else 2} of ")
    assert any(line.startswith("  ragged batch of 5") and "ValueError" in line for line in lines)
    if has_fp16_on_cpu():
        assert any(line.startswith("  fp16 under autocast") and "overflow" in line for line in lines)
    assert lines[-1] == ("(it was given one argument a view [B, D] in `z_i, z_j`, batch_size=8, temperature=0.1)")


def test_unit_rows_and_chosen_checks() -> None:
    check_loss(unnormalised, unit_rows=True)
    check_loss(unnormalised, checks=["value", "sizes"])
    with pytest.raises(AssertionError, match="scale of rows"):
        check_loss(unnormalised)


def test_arguments_are_passed_on() -> None:
    def weighted(features: Tensor, hardness: str, temperature: float) -> Tensor:
        if hardness != "none at all":
            raise ValueError(hardness)
        return info_nce_loss(features, temperature=temperature)

    check_loss(weighted, hardness="none at all", checks=["sizes"])


def test_argument_that_is_not_read_is_an_error() -> None:
    with pytest.raises(ValueError, match="PairLoss does not read 'temprature'; it reads temperature"):
        check_loss(PairLoss, temprature=0.2, checks=["sizes"])


def test_rows_may_be_called_hidden_or_embeddings() -> None:
    def towers(hidden1: Tensor, hidden2: Tensor) -> Tensor:
        return clip_loss(hidden1, hidden2, 10.0)

    def stacked(embeddings: Tensor, labels: Tensor) -> Tensor:
        return info_nce_loss(embeddings, labels=labels)

    check_loss(towers, checks=["value"])
    check_loss(stacked, checks=["value"])


def test_what_is_no_loss_says_so() -> None:
    with pytest.raises(AssertionError, match=r"<lambda> cannot be run: it returns nothing, which is no loss"):
        check_loss(lambda features: None)


def test_unknown_family_is_an_error() -> None:
    with pytest.raises(ValueError, match="checks: unknown 'size'; there are value, sizes"):
        check_loss(info_nce_loss, checks=["size"])


def test_random_numbers_stay_as_they_were() -> None:
    torch.manual_seed(1)
    random.seed(1)
    expected = torch.rand(1), random.random()
    torch.manual_seed(1)
    random.seed(1)
    check_loss(PairLoss, checks=["sizes"])
    assert (torch.rand(1), random.random()) == expected
    assert not torch.distributed.is_initialized()


@pytest.mark.slow
def test_ranks_on_request() -> None:
    check_loss(info_nce_loss, checks=["distributed"])
    with pytest.raises(AssertionError, match="2 ranks on gloo"):
        check_loss(no_ranks, checks=["distributed"])
