"""Gradient accumulation that is exact: a contrastive loss over chunks is not the mean of the chunks' losses.

Every row is compared with every other one, so that the loss needs the features of all chunks at once, while memory
holds the activations of one. Two passes do it (Gao et al. 2021, "Scaling Deep Contrastive Learning Batch Size under
Memory Limited Setup"): encode all chunks without a graph, take the loss and its gradient at the features, then encode
chunk by chunk again and hand each its part of that gradient.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import TypeAlias, TypeVar

import torch
from torch import Tensor

from .checks import check_count
from .distributed import view_major

Chunk = TypeVar("Chunk")
Features: TypeAlias = Tensor | tuple[Tensor, ...]


def cached_backward(
    encode: Callable[[Chunk], Features],
    chunks: Sequence[Chunk],
    loss: Callable[..., Tensor],
    *,
    n_views: int = 2,
    scale: Callable[[Tensor], Tensor] | None = None,
    no_sync: Callable[[], AbstractContextManager[object]] | None = None,
) -> Tensor:
    """Add to the parameters' ``.grad`` what the backward pass over the whole batch would have added.

    Args:
        encode: one chunk -> its ``[V * b, D]`` view-major rows, or a tuple of such (two towers, ``n_views=1``). It runs
            twice on each chunk, with the same random numbers (dropout); statistics that it keeps, such as batch
            normalisation's, see each chunk alone and are updated twice.
        chunks: what to encode; chunks may differ in size.
        loss: the features of all chunks, view-major, -> the loss, for example ``InfoNCELoss(n_views, gather=True)``.
        n_views: ``V`` in each chunk.
        scale: applied to the loss before its backward pass, for example ``GradScaler.scale``.
        no_sync: a DDP module's ``no_sync``, so that ranks average once; taken from ``encode`` if that is the module.

    Returns:
        The loss of the whole batch, detached and unscaled.

    Raises:
        ValueError: no chunks, a chunk whose rows are not divisible by ``n_views``, or a loss that is not one number.
    """
    check_count("n_views", n_views)
    if not chunks:
        raise ValueError("chunks must hold at least one chunk, got 0")
    if no_sync is None:
        no_sync = getattr(encode, "no_sync", nullcontext)

    seeds, encoded = [], []
    with torch.no_grad(), no_sync():
        for number, chunk in enumerate(chunks):
            seeds.append(_random_state())
            encoded.append(_towers(encode(chunk)))
            for rows in encoded[-1]:
                if rows.shape[0] % n_views:
                    raise ValueError(f"chunk {number}: rows ({rows.shape[0]}) must be divisible by n_views ({n_views})")

    leaves = [tuple(rows.detach().requires_grad_() for rows in towers) for towers in encoded]
    value = loss(*(view_major(tower, n_views) for tower in zip(*leaves)))
    if value.numel() != 1:
        raise ValueError(f"loss must return one number, got {list(value.shape)}: give it reduction='mean' or 'sum'")
    (value if scale is None else scale(value)).backward()  # type: ignore[no-untyped-call]

    after = _random_state()
    for number, (chunk, seed, towers) in enumerate(zip(chunks, seeds, leaves)):
        _restore(seed)
        with nullcontext() if number == len(chunks) - 1 else no_sync():
            torch.autograd.backward(_towers(encode(chunk)), [rows.grad for rows in towers])
    _restore(after)
    return value.detach()


def _towers(features: Features) -> tuple[Tensor, ...]:
    return (features,) if isinstance(features, Tensor) else tuple(features)


def _random_state() -> tuple[Tensor, list[Tensor]]:
    return torch.get_rng_state(), torch.cuda.get_rng_state_all() if torch.cuda.is_available() else []


def _restore(state: tuple[Tensor, list[Tensor]]) -> None:
    torch.set_rng_state(state[0])
    if state[1]:
        torch.cuda.set_rng_state_all(state[1])
