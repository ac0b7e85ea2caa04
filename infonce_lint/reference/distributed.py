"""All ranks' rows on every rank, with gradients that are exact under DDP, also when ranks hold unequally many rows.

Each rank takes its own rows as anchors against everybody's. The gather's backward pass sums over ranks what they have
to say about one rank's rows, and DDP averages parameter gradients: with rank losses of ``W / total * sum(own rows)``
the average is the gradient of the full batch, and the mean of the rank losses is its value.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import torch
import torch.distributed as dist
from torch import Tensor

if TYPE_CHECKING:
    from torch.distributed import ProcessGroup

Gather: TypeAlias = "bool | ProcessGroup | None"
"""``None`` or ``False``: only this process; ``True``: the default group; or a group. One process alone has no group."""


@dataclass(frozen=True)
class Layout:
    """Which samples stand on which rank; rows are view-major over all of them: row ``v * total + sample``."""

    counts: tuple[int, ...]
    rank: int
    n_views: int

    @property
    def world(self) -> int:
        """How many ranks share the batch."""
        return len(self.counts)

    @property
    def total(self) -> int:
        """Samples over all ranks."""
        return sum(self.counts)

    def own(self, device: torch.device) -> Tensor:
        """Where this rank's rows stand among all rows, ``[V * B, 1]``."""
        samples = torch.arange(self.counts[self.rank], device=device) + sum(self.counts[: self.rank])
        views = torch.arange(self.n_views, device=device) * self.total
        return (views.unsqueeze(1) + samples).reshape(-1, 1)

    def positives(self, device: torch.device) -> Tensor:
        """Where the other views of this rank's rows stand among all rows, ``[V * B, V - 1]``."""
        turns = torch.arange(1, self.n_views, device=device) * self.total
        return (self.own(device) + turns) % (self.n_views * self.total)


def process_group(gather: Gather) -> ProcessGroup | None:
    """The group to gather over, or None where there is one process only."""
    if gather is None or gather is False:
        return None
    if gather is not True and not (dist.is_available() and isinstance(gather, dist.ProcessGroup)):
        raise ValueError(f"gather must be None, a bool or a process group, got {type(gather).__name__}")
    if not dist.is_available() or not dist.is_initialized():
        return None
    group = dist.group.WORLD if gather is True else gather
    return group if group is not None and dist.get_world_size(group) > 1 else None


class _Facts(NamedTuple):
    """What one rank tells the others about its input before any row travels."""

    samples: int = 0
    width: int = 0
    n_views: int = 0
    bits: int = 0  # of the dtype in which rows are compared
    labelled: int = 0
    refused: int = 0


def agree_on_layout(
    features: Tensor, n_views: int, refusal: ValueError | None, group: ProcessGroup | None, *, labelled: bool = False
) -> Layout:
    """Tell every rank how many samples the others hold, and fail on all of them if one must.

    Args:
        features: this rank's rows.
        n_views: blocks of equal length among these rows.
        refusal: what this rank found wrong with its input; raised here, so that no other rank waits for it in vain.
        group: from ``process_group``.
        labelled: whether this rank has labels.

    Raises:
        ValueError: ``refusal``; another rank's refusal; ranks that differ in width, dtype, view count or labels; no
            rows on any rank.
    """
    if refusal is not None:
        mine = _Facts(refused=1)
    else:
        bits = 64 if features.dtype == torch.float64 else 32
        mine = _Facts(features.shape[0] // n_views, features.shape[1], n_views, bits, int(labelled))
    rank, everyone = (0, [mine]) if group is None else (dist.get_rank(group), _exchange(mine, group))
    if refusal is not None:
        raise refusal
    for other, facts in enumerate(everyone):
        if facts.refused:
            raise ValueError(f"rank {other} of {len(everyone)} refused its input; its own message says why")
    for other, facts in enumerate(everyone):
        for name, here, there in zip(_Facts._fields[1:], mine[1:], facts[1:]):
            if here != there:
                raise ValueError(f"ranks must agree on {name}: rank {rank} has {here}, rank {other} has {there}")
    if not any(facts.samples for facts in everyone):
        raise ValueError(f"features must have at least one row, got 0 on {len(everyone)} rank(s)")
    return Layout(tuple(facts.samples for facts in everyone), rank, n_views)


def _exchange(mine: _Facts, group: ProcessGroup) -> list[_Facts]:
    device = torch.device("cuda", torch.cuda.current_device()) if dist.get_backend(group) == "nccl" else "cpu"
    sent = torch.tensor([mine], device=device)
    received = sent.new_empty(dist.get_world_size(group), len(mine))
    _all_gather(received, sent, group)
    return [_Facts(*row) for row in received.tolist()]


def gather_views(rows: Tensor, layout: Layout, group: ProcessGroup | None) -> Tensor:
    """The view-major rows of every rank as one view-major tensor ``[V * total, ...]``, with gradients."""
    if group is None:
        return rows
    counts = [count * layout.n_views for count in layout.counts]
    return view_major(all_gather_rows(rows, counts, group), layout.n_views)


def view_major(chunks: Sequence[Tensor], n_views: int) -> Tensor:
    """Chunks of view-major rows as one view-major tensor: all first views, then all second ones, and so on.

    Plain concatenation would put a chunk's second views among the first views of the whole, and pair strangers: the
    row count stays divisible, so that no assertion notices.

    Raises:
        ValueError: a chunk whose rows are not divisible by ``n_views``.
    """
    if n_views == 1:
        return torch.cat(list(chunks))
    for number, chunk in enumerate(chunks):
        if chunk.shape[0] % n_views:
            raise ValueError(f"chunk {number}: rows ({chunk.shape[0]}) must be divisible by n_views ({n_views})")
    blocks = [chunk.reshape(n_views, chunk.shape[0] // n_views, *chunk.shape[1:]) for chunk in chunks]
    return torch.cat(blocks, dim=1).flatten(0, 1)


def all_gather_rows(rows: Tensor, counts: Sequence[int], group: ProcessGroup) -> tuple[Tensor, ...]:
    """The rows of each rank, rank by rank, with gradients; ``counts`` says how many each holds (0 is allowed).

    Shorter ranks are padded on the way: a collective over unequal shapes aborts, hangs or mixes up rows. The gradient
    of a rank's rows is the sum of what all ranks derive for them.
    """
    longest = max(counts)
    padded = torch.cat([rows, rows.new_zeros(longest - rows.shape[0], *rows.shape[1:])])
    everyone: Tensor = _AllGather.apply(padded, group)  # type: ignore[no-untyped-call]
    return tuple(block[:count] for block, count in zip(everyone, counts))


def _all_gather(into: Tensor, rows: Tensor, group: ProcessGroup) -> None:
    if dist.get_backend(group) != "nccl":  # gloo has no gather into one tensor before torch 2.3
        dist.all_gather(list(into.chunk(dist.get_world_size(group))), rows, group=group)
        return
    gather = getattr(dist, "all_gather_single", None) or dist.all_gather_into_tensor  # renamed in torch 2.13
    gather(into, rows, group=group)


class _AllGather(torch.autograd.Function):
    """``[n, ...]`` on each rank -> ``[W, n, ...]`` on all."""

    @staticmethod
    def forward(ctx: Any, rows: Tensor, group: ProcessGroup) -> Tensor:
        ctx.group = group
        everyone = rows.new_empty(dist.get_world_size(group), *rows.shape)
        _all_gather(everyone.flatten(0, 1), rows.contiguous(), group)
        return everyone

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        return _ReduceScatter.apply(gradients[0], ctx.group), None  # type: ignore[no-untyped-call]


class _ReduceScatter(torch.autograd.Function):
    """``[W, n, ...]`` on each rank -> on rank r the sum over ranks of block r. Its derivative is the gather again."""

    @staticmethod
    def forward(ctx: Any, blocks: Tensor, group: ProcessGroup) -> Tensor:
        ctx.group = group
        if dist.get_backend(group) != "nccl":  # gloo may lack reduce_scatter
            total = blocks.clone(memory_format=torch.contiguous_format)
            dist.all_reduce(total, group=group)
            return total[dist.get_rank(group)].clone()
        share = torch.empty_like(blocks[0], memory_format=torch.contiguous_format)
        scatter = getattr(dist, "reduce_scatter_single", None) or dist.reduce_scatter_tensor
        scatter(share, blocks.flatten(0, 1).contiguous(), group=group)
        return share

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        return _AllGather.apply(gradients[0], ctx.group), None  # type: ignore[no-untyped-call]
