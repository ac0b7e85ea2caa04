"""InfoNCE between two towers: each row of one is to find its partner in the other (CLIP; CPC in one direction)."""

from __future__ import annotations

import torch
from torch import Tensor

from .checks import REDUCTIONS, check_choice, check_count, check_finite_rows, check_positive, check_towers
from .distributed import Gather, agree_on_layout, gather_views, process_group
from .loss import Reduction
from .precision import comparable_rows, factor_for, full_precision, sum_rows
from .products import PRECISIONS, Precision
from .tiled import row_scores


def clip_loss(
    a: Tensor,
    b: Tensor,
    logit_scale: float | Tensor,
    *,
    symmetric: bool = True,
    normalize: bool = True,
    reduction: Reduction = "mean",
    gather: Gather = None,
    tile: int | None = None,
    precision: Precision = "ieee",
    check_finite: bool = False,
) -> Tensor:
    """Cross-entropy of each row of ``a`` over all rows of ``b``, averaged with the other direction.

    Args:
        a: ``[B, D]`` floating point, for example image features.
        b: ``[B, D]``, row by row the partners of ``a``.
        logit_scale: what the similarities are multiplied with, 1 / temperature (CLIP: ``log_scale.exp()``). A tensor
            gets its gradient.
        symmetric: ``False`` keeps only the direction from ``a`` to ``b`` (``a`` queries, ``b`` keys).
        normalize: bring rows to length 1 first.
        reduction: ``"mean"`` over pairs, ``"sum"``, or ``"none"`` for ``[B]`` losses.
        gather: see ``info_nce_loss``.
        tile: see ``info_nce_loss``.
        precision: see ``info_nce_loss``.
        check_finite: look for NaN and infinity first, and read a scale that lives on another device than the CPU (both
            wait for the device).

    Returns:
        In float32 (float64 for float64 features), computed there also under autocast.

    Raises:
        ValueError: input that has no loss, named with its numbers; under ``gather`` on every rank, if on one.
    """
    group = process_group(gather)
    refusal = None
    try:
        check_towers(a, b)
        check_positive("logit_scale", logit_scale, wait=check_finite)
        check_choice("precision", precision, PRECISIONS)
        check_choice("reduction", reduction, REDUCTIONS)
        if tile is not None:
            check_count("tile", tile)
        if check_finite:
            check_finite_rows("a", a)
            check_finite_rows("b", b)
    except ValueError as error:
        refusal = error
    layout = agree_on_layout(a, 1, refusal, group)

    with full_precision(a.device):
        own_a, own_b = (comparable_rows(tower, normalize=normalize) for tower in (a, b))
        all_a, all_b = gather_views(torch.stack([own_a, own_b], dim=1), layout, group).unbind(dim=1)
        partners = layout.own(a.device)
        scale = factor_for(own_a, logit_scale)
        losses = _search(own_a * scale, all_b, partners, tile, precision)
        if symmetric:
            losses = (losses + _search(own_b * scale, all_a, partners, tile, precision)) / 2
        if reduction == "none":
            return losses
        if reduction == "sum":
            return sum_rows(losses, layout.world)
        return sum_rows(losses, layout.world, layout.total)


def _search(queries: Tensor, keys: Tensor, partners: Tensor, tile: int | None, precision: Precision) -> Tensor:
    total, close = row_scores(queries, keys, skip=partners[:, :0], pick=partners, tile=tile, precision=precision)
    return total - close.squeeze(1)
