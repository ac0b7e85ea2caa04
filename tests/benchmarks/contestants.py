"""The losses that the benchmark compares: each takes ``[N, D]`` rows, two views stacked, and returns a loss."""

from __future__ import annotations

import importlib.util
import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from infonce_lint.reference import clip_loss, info_nce_loss

TEMPERATURE = 0.1
TILE = 256


@dataclass(frozen=True)
class Contestant:
    """A loss, the package it needs, and whether it compares two towers: an N/2 x N/2 matrix instead of N x N."""

    loss: Callable[[Tensor], Tensor]
    package: str = "torch"
    towers: bool = False

    @property
    def installed(self) -> bool:
        """Whether it can run here."""
        return importlib.util.find_spec(self.package) is not None


def copied_form(features: Tensor) -> Tensor:
    """The form handed around in tutorials (with its sizes mended): boolean masks and boolean indexing over N x N."""
    rows = features.shape[0]
    samples = torch.arange(rows // 2, device=features.device).repeat(2)
    same = samples.unsqueeze(0) == samples.unsqueeze(1)
    itself = torch.eye(rows, dtype=torch.bool, device=features.device)
    normal = F.normalize(features, dim=1)
    similarities = (normal @ normal.T)[~itself].reshape(rows, rows - 1)
    same = same[~itself].reshape(rows, rows - 1)
    near = similarities[same].reshape(rows, 1)
    far = similarities[~same].reshape(rows, rows - 2)
    logits = torch.cat([near, far], dim=1) / TEMPERATURE
    return F.cross_entropy(logits, torch.zeros(rows, dtype=torch.int64, device=features.device))


def masked_logsumexp(features: Tensor) -> Tensor:
    """The plain good way: -inf on the diagonal, logsumexp over rows, positives by index."""
    rows = features.shape[0]
    normal = F.normalize(features, dim=1)
    similarities = normal @ normal.T / TEMPERATURE
    itself = torch.eye(rows, dtype=torch.bool, device=features.device)
    index = torch.arange(rows, device=features.device)
    total = torch.logsumexp(similarities.masked_fill(itself, -math.inf), dim=1)
    return (total - similarities[index, index.roll(rows // 2)]).mean()


def metric_learning(features: Tensor) -> Tensor:
    """NT-Xent of pytorch-metric-learning."""
    from pytorch_metric_learning.losses import NTXentLoss

    labels = torch.arange(features.shape[0] // 2, device=features.device).repeat(2)
    loss: Tensor = NTXentLoss(temperature=TEMPERATURE)(features, labels)
    return loss


def info_nce_pytorch(features: Tensor) -> Tensor:
    """info-nce-pytorch: two towers, one direction."""
    from info_nce import info_nce

    loss: Tensor = info_nce(*features.chunk(2), temperature=TEMPERATURE)
    return loss


CONTESTANTS = {
    "copied form": Contestant(copied_form),
    "masked logsumexp": Contestant(masked_logsumexp),
    "ours, dense": Contestant(lambda rows: info_nce_loss(rows, temperature=TEMPERATURE)),
    "ours, tiled": Contestant(lambda rows: info_nce_loss(rows, temperature=TEMPERATURE, tile=TILE)),
    "pytorch-metric-learning": Contestant(metric_learning, "pytorch_metric_learning"),
    "info-nce-pytorch": Contestant(info_nce_pytorch, "info_nce", towers=True),
    "ours, towers, dense": Contestant(
        lambda rows: clip_loss(*rows.chunk(2), 1 / TEMPERATURE, symmetric=False), towers=True
    ),
    "ours, towers, tiled": Contestant(
        lambda rows: clip_loss(*rows.chunk(2), 1 / TEMPERATURE, symmetric=False, tile=TILE), towers=True
    ),
}
