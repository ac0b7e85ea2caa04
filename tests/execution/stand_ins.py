"""Small modules in place of those that the fixtures import and this project does not have."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType, SimpleNamespace
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

WORLD_SIZE = 2
TEMPERATURE = 0.2


class NTXentCriterion(nn.Module):
    """A criterion of another file: NT-Xent of two views whose sizes come from its inputs."""

    def __init__(self, temperature: float) -> None:
        super().__init__()
        self.temperature = temperature

    def forward(self, z_i: Tensor, z_j: Tensor) -> Tensor:
        """Mean loss over all rows of both views."""
        if z_i.shape != z_j.shape:
            raise ValueError(f"views of different shapes: {tuple(z_i.shape)} and {tuple(z_j.shape)}")
        z = F.normalize(torch.cat([z_i, z_j]), dim=1)
        own = torch.eye(z.shape[0], dtype=torch.bool)
        sim = (z @ z.t() / self.temperature).masked_fill(own, float("-inf"))
        return F.cross_entropy(sim, torch.arange(z.shape[0]).roll(z_i.shape[0]))


class LightningModule(nn.Module):
    """As much of Lightning's module as a training step needs."""

    device = torch.device("cpu")

    def save_hyperparameters(self, values: dict[str, Any]) -> None:
        """Keeps the hyper-parameters for attribute access."""
        self.hparams = SimpleNamespace(**values)

    def log(self, name: str, value: Tensor, batch_size: int) -> None:
        """Lightning writes to its logger here; the tests have none."""


def gather_with_grad(rows: Tensor) -> tuple[Tensor, ...]:
    """The rows of two ranks, of which the second saw the first's features in reverse order."""
    return rows, rows.flip(dims=[1])


def everything_else(size: int) -> Tensor:
    """A helper of another file: the entries of a similarity that are no row's own."""
    return ~torch.eye(size, dtype=torch.bool)


def warm_up(size: int) -> float:
    """A helper of another file: a schedule that has run its course, whatever the size."""
    assert size > 0
    return 1.0


@contextmanager
def stand_ins(configured: int, fixture: ModuleType) -> Iterator[None]:
    """Makes the stand-ins and ``fixture`` importable, with ``configured`` as the size in the imported config module."""
    flags = SimpleNamespace(
        FLAGS=SimpleNamespace(batch_size=configured, temperature=TEMPERATURE),
        DEFINE_integer=lambda *_: None,
        DEFINE_float=lambda *_: None,
    )
    members: dict[str, dict[str, Any]] = {
        "config": {"BATCH_SIZE": configured, "TEMPERATURE": TEMPERATURE},
        "losses": {"NTXentCriterion": NTXentCriterion, "SupConLoss": NTXentCriterion},
        "distributed": {"gather_with_grad": gather_with_grad},
        "helpers": {"everything_else": everything_else, "warm_up": warm_up},
        "pytorch_lightning": {"LightningModule": LightningModule},
        "absl": {"flags": flags},
    }
    modules = {fixture.__name__: fixture}
    for name, values in members.items():
        modules[name] = ModuleType(name)
        vars(modules[name]).update(values)
    # Only these names come and go: torch imports parts of itself lazily, and those must stay.
    hidden = {name: sys.modules.pop(name) for name in modules if name in sys.modules}
    sys.modules.update(modules)
    try:
        yield
    finally:
        for name in modules:
            sys.modules.pop(name, None)
        sys.modules.update(hidden)
