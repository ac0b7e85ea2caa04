"""The tensors that a loss is run on, made from a seed so that two runs see the same numbers."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

DIM = 16


@dataclass(frozen=True, slots=True)
class Batch:
    """A batch of ``rows`` images as it really arrives; ``extra`` rows spoil the stacking of views."""

    rows: int
    extra: int = 0
    seed: int = 7

    def _normal(self, offset: int, *shape: int) -> Tensor:
        return torch.randn(*shape, generator=torch.Generator().manual_seed(self.seed + offset))

    def pair(self) -> tuple[Tensor, Tensor]:
        """Two views, each (rows, 16), that agree more than strangers do."""
        base = self._normal(0, self.rows, DIM)
        return base + 0.5 * self._normal(1, self.rows, DIM), base + 0.5 * self._normal(2, self.rows, DIM)

    def stacked(self, views: int = 2) -> Tensor:
        """All views below each other: (views * rows + extra, 16)."""
        base = self._normal(0, self.rows, DIM).repeat(views, 1)
        return torch.cat([base + 0.5 * self._normal(3, *base.shape), self._normal(4, self.extra, DIM)])

    def per_image(self, views: int = 2) -> Tensor:
        """The views of an image side by side: (rows, views, 16)."""
        return torch.stack(self.stacked(views).chunk(views), dim=1)

    def sequences(self, length: int = 6) -> Tensor:
        """(rows, length, 16)"""
        return self._normal(5, self.rows, length, DIM)

    def groups(self) -> Tensor:
        """Class ids, three images a class at most: (rows,)."""
        return torch.arange(self.rows) // 3

    def vectors(self, count: int) -> Tensor:
        """``count`` further vectors, whatever the batch: (count, 16)."""
        return self._normal(6, count, DIM)
