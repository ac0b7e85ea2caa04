"""What the ranks of a distributed run compute, and the same on the whole batch in one process.

Every case is a function of one rank's part of the batch; ``whole`` computes its counterpart on all of it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.distributed as dist
import torch.nn.functional as F
from torch import Tensor, nn

from infonce_lint.reference import cached_backward, clip_loss, info_nce_loss, view_major

N_VIEWS = 2
COUNTS = {
    2: {"equal": (4, 4), "unequal": (5, 2), "one rank empty": (4, 0)},
    4: {"equal": (2, 2, 2, 2), "unequal": (1, 4, 2, 3), "one rank empty": (2, 1, 0, 3)},
}


def encoder(dtype: torch.dtype = torch.float64) -> nn.Module:
    """The same on every rank."""
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(6, 16), nn.Tanh(), nn.Linear(16, 8)).to(dtype)


def whole_batch(samples: int, n_views: int) -> Tensor:
    """``[V, B, 6]``: views of one sample lie close together, as after some training."""
    random = torch.Generator().manual_seed(7)
    centres = torch.randn(samples, 6, generator=random, dtype=torch.float64)
    return centres + 0.1 * torch.randn(n_views, samples, 6, generator=random, dtype=torch.float64)


def part_of(batch: Tensor, counts: tuple[int, ...], rank: int) -> Tensor:
    """The samples of ``rank`` as view-major rows."""
    return batch.split(list(counts), dim=1)[rank].flatten(0, 1)


def labels_of(batch: Tensor) -> Tensor:
    """A label for each sample, some shared across ranks and one without company."""
    labels = torch.arange(batch.shape[1]) % 2
    labels[-1] = 9
    return labels


def flat_gradient(model: nn.Module) -> Tensor:
    """All parameter gradients in one vector."""
    return torch.cat([part.grad.double().flatten() for part in model.parameters() if part.grad is not None])


@dataclass(frozen=True)
class Case:
    """A loss as written for many ranks (``gather`` set) and for one process (``gather`` None)."""

    loss: Callable[[Tensor, Tensor, bool | None], Tensor]
    n_views: int = N_VIEWS
    dtype: torch.dtype = torch.float64


def _stacked(**settings: object) -> Callable[[Tensor, Tensor, bool | None], Tensor]:
    return lambda rows, labels, gather: info_nce_loss(rows, gather=gather, **settings)  # type: ignore[arg-type]


def _labelled(**settings: object) -> Callable[[Tensor, Tensor, bool | None], Tensor]:
    return lambda rows, labels, gather: info_nce_loss(rows, labels=labels, gather=gather, **settings)  # type: ignore[arg-type]


def _towers(**settings: object) -> Callable[[Tensor, Tensor, bool | None], Tensor]:
    return lambda rows, labels, gather: clip_loss(*rows.chunk(2), 10.0, gather=gather, **settings)  # type: ignore[arg-type]


CASES = {
    "out": Case(_stacked()),
    "out, tiled": Case(_stacked(tile=3)),
    "out, sum": Case(_stacked(reduction="sum")),
    "out, three views": Case(_stacked(n_views=3), n_views=3),
    "pair, three views": Case(_stacked(n_views=3, form="pair", tile=2), n_views=3),
    "in, three views": Case(_stacked(n_views=3, form="in"), n_views=3),
    "labels": Case(_labelled()),
    "labels, one view": Case(_labelled(n_views=1, form="in", tile=2), n_views=1),
    "towers": Case(_towers()),
    "towers, tiled, one way": Case(_towers(tile=2, symmetric=False)),
    "float32": Case(_stacked(), dtype=torch.float32),
}


# The mistakes of the literature, each in the few lines in which it is usually made.


def no_offset(rows: Tensor, rank: int, world: int) -> Tensor:
    """Targets counted from 0 on every rank, though the keys of rank r start r batches later."""
    a, b = (F.normalize(tower, dim=1) for tower in rows.chunk(2))
    keys = torch.cat(_gather_with_gradient(b))
    return F.cross_entropy(a @ keys.T / 0.1, torch.arange(len(a)))


def no_gradient(rows: Tensor, rank: int, world: int) -> Tensor:
    """A plain ``all_gather``, with the own rows put back: other ranks' anchors never pull on them."""
    normal = F.normalize(rows, dim=1)
    parts = [torch.empty_like(normal) for _ in range(world)]
    dist.all_gather(parts, normal.detach())
    parts[rank] = normal
    samples = len(rows) // N_VIEWS
    losses = info_nce_loss(view_major(parts, N_VIEWS), reduction="none")
    return losses.reshape(N_VIEWS, world, samples)[:, rank].mean()


def views_concatenated_before_the_gather(rows: Tensor, rank: int, world: int) -> Tensor:
    """[v0; v1] of rank 0, then of rank 1, taken as view-major: the row count divides, the pairs are strangers."""
    return info_nce_loss(torch.cat(_gather_with_gradient(F.normalize(rows, dim=1))))


def right(rows: Tensor, rank: int, world: int) -> Tensor:
    """Ours, as the yardstick in the same harness."""
    return info_nce_loss(rows, gather=True)


def _gather_with_gradient(rows: Tensor) -> list[Tensor]:
    from torch.distributed.nn.functional import all_gather

    return list(all_gather(rows))


MISTAKES = {
    "right": right,
    "no offset": no_offset,
    "no gradient": no_gradient,
    "views concatenated": views_concatenated_before_the_gather,
}


def accumulate(model: nn.Module, rows: Tensor) -> Tensor:
    """The rank's samples in two chunks through ``cached_backward``; the loss still sees every rank's."""
    views = rows.reshape(N_VIEWS, -1, rows.shape[1])
    chunks = [chunk.flatten(0, 1) for chunk in views.tensor_split(2, dim=1)]
    return cached_backward(model, chunks, lambda features: info_nce_loss(features, gather=True))
