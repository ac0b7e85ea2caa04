"""The rows that losses are run on, and the ways in which losses want them handed over."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from infonce_lint.verify.knobs import DIM, QUEUE_ROWS

if TYPE_CHECKING:
    import torch
    from torch import Tensor

LENGTH = 4
"""Steps of a sequence, or the side of a feature map, where a loss wants either."""


class Layout(enum.Enum):
    """How the views of a batch become the arguments of a loss."""

    STACKED = "view-major rows [V * B, D]"
    SAMPLE_MAJOR = "rows sample by sample [B * V, D]"
    SIDE_BY_SIDE = "views side by side [B, V, D]"
    VIEWS_FIRST = "views one after the other [V, B, D]"
    LISTED = "a list of V tensors [B, D]"
    SEPARATE = "one argument a view [B, D]"
    COLUMNS = "one argument a view [D, B]"
    SEQUENCES = "one argument a view [B, T, D]"
    TIME_FIRST = "one argument a view [T, B, D]"
    MAPS = "one argument a view [B, D, H, W]"
    SHARES = "one argument a view, each row the shares of clusters [B, K]"
    STACKED_TWICE = "two arguments of view-major rows [V * B, D]"

    def arrange(self, views: Sequence[Tensor]) -> tuple[Any, ...]:
        """``V`` tensors ``[B, D]`` as the loss takes them."""
        import torch

        if self is Layout.STACKED:
            return (torch.cat(list(views)),)
        if self is Layout.SAMPLE_MAJOR:
            return (torch.stack(list(views), dim=1).flatten(0, 1),)
        if self is Layout.SIDE_BY_SIDE:
            return (torch.stack(list(views), dim=1),)
        if self is Layout.VIEWS_FIRST:
            return (torch.stack(list(views)),)
        if self is Layout.LISTED:
            return (list(views),)
        if self is Layout.STACKED_TWICE:
            rows = torch.cat(list(views))
            return rows, rows.roll(1, dims=1)
        if self is Layout.COLUMNS:
            return tuple(view.t() for view in views)
        if self is Layout.SHARES:
            return tuple(torch.softmax(4 * view, dim=1) for view in views)
        if self is Layout.SEQUENCES:
            return tuple(_sequence(view) for view in views)
        if self is Layout.TIME_FIRST:
            return tuple(_sequence(view).transpose(0, 1) for view in views)
        if self is Layout.MAPS:
            return tuple(_sequence(view).transpose(1, 2).unsqueeze(3).expand(-1, -1, -1, LENGTH) for view in views)
        return tuple(views)

    @property
    def takes_any_views(self) -> bool:
        """Whether the tensors themselves say how many views there are."""
        return self in (Layout.SIDE_BY_SIDE, Layout.LISTED, Layout.VIEWS_FIRST)

    @property
    def is_rows(self) -> bool:
        """Whether all views are the rows of one matrix, so that their number may be wrong."""
        return self in (Layout.STACKED, Layout.SAMPLE_MAJOR)

    @property
    def is_plain(self) -> bool:
        """Whether the reference loss can be computed on the same rows."""
        return self in (
            Layout.STACKED, Layout.SAMPLE_MAJOR, Layout.SIDE_BY_SIDE, Layout.VIEWS_FIRST, Layout.LISTED,
            Layout.SEPARATE, Layout.COLUMNS,
        )  # fmt: skip


def _sequence(view: Tensor) -> Tensor:
    """``[B, D]`` -> ``[B, T, D]``: each step a little different."""
    import torch

    return torch.stack([view.roll(step, dims=1) + 0.1 * step for step in range(LENGTH)], dim=1)


def views_of(
    samples: int,
    count: int = 2,
    *,
    seed: int = 7,
    dim: int = DIM,
    spread: float = 1.5,
    dtype: torch.dtype | None = None,
) -> list[Tensor]:
    """``count`` tensors ``[samples, dim]`` (float64 by default) of unit rows; those of a sample lie close together."""
    import torch

    random = torch.Generator().manual_seed(seed)
    centres = torch.randn(samples, dim, generator=random, dtype=torch.float64)
    noisy = [centres + spread * torch.randn(samples, dim, generator=random, dtype=torch.float64) for _ in range(count)]
    return [torch.nn.functional.normalize(view, dim=1).to(dtype or torch.float64) for view in noisy]


#: Parameters whose names say that they bring rows besides the batch.
QUEUE_WORDS = frozenset("queue bank memory negatives negative".split())

#: What else a loss may ask for, by a word that a plan can keep; each is made for a batch of B samples in V views.
EXTRAS = (
    "none", "an object", "sample ids", "row ids", "row ids as numbers", "sample ids as numbers",
    "queue", "queue in columns", "other rows", "one",
)  # fmt: skip

#: Those that say which rows belong together, and those that a loss takes for rows of another model.
LABEL_KINDS = frozenset({"sample ids", "row ids", "row ids as numbers", "sample ids as numbers"})
OTHER_ROWS = "other rows"


def extra(kind: str, samples: int, views: int, like: Tensor, *, first: int = 0, alone: bool = False) -> Any:
    """An argument that is no feature: labels that make every sample a class of its own, a queue of negatives.

    ``first`` is the number of the first sample: those of other ranks have others. ``alone`` gives each row an id of its
    own, so that no row has a positive.
    """
    import torch

    if kind.startswith("="):
        return kind[1:]
    ids = torch.arange(samples, device=like.device) + first
    random = torch.Generator().manual_seed(11)
    if kind == "sample ids":
        return ids
    if kind == "sample ids as numbers":
        return ids.to(like.dtype)
    if kind in ("row ids", "row ids as numbers"):
        rows = torch.arange(samples * views, device=like.device) if alone else ids.repeat(views)
        return rows if kind == "row ids" else rows.to(like.dtype)
    if kind in ("queue", "queue in columns"):
        queue = torch.nn.functional.normalize(torch.randn(QUEUE_ROWS, DIM, generator=random), dim=1).to(like)
        return queue if kind == "queue" else queue.t().contiguous()
    if kind == "other rows":
        return torch.randn(samples, DIM, generator=random).to(like)
    return 1 if kind == "one" else None
