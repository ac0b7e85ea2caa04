"""The one quadratic piece of every form, whole or tile by tile: a similarity matrix's row sums, and a few entries."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor


def row_scores(
    queries: Tensor, keys: Tensor, *, skip: Tensor, pick: Tensor, tile: int | None = None
) -> tuple[Tensor, Tensor]:
    """The logsumexp of each row of ``queries @ keys.T`` with some columns left out, and the values at some columns.

    Both are less the largest value of that sum: a loss is a difference of the two, to which this constant adds nothing
    but the rounding of numbers as large as 1 / temperature.

    Args:
        queries: ``[Q, D]``, already divided by the temperature.
        keys: ``[K, D]``.
        skip: ``[Q, S]`` int64, the distinct columns that each row's sum leaves out; ``S`` may be 0.
        pick: ``[Q, P]`` int64, the columns whose values are wanted, among the skipped ones or not.
        tile: rows of the matrix held at a time. ``None`` holds all ``Q``: memory then grows with ``Q * K``, else with
            ``tile * K``, for one more matrix product (the backward pass computes each tile again).

    Returns:
        ``[Q]`` sums, ``-inf`` where nothing is left, and ``[Q, P]`` values. Both have first and second derivatives.
    """
    if skip.shape[1] == keys.shape[0]:  # an empty sum, whose gradient autograd would make NaN
        return queries.new_full((queries.shape[0],), -math.inf), (queries @ keys.T).gather(1, pick)
    if tile is None:
        similarities = queries @ keys.T
        kept = similarities.scatter(1, skip, -math.inf)
        peak = kept.detach().amax(dim=1, keepdim=True)
        return torch.logsumexp(kept - peak, dim=1), similarities.gather(1, pick) - peak
    sums, values, _ = _TiledScores.apply(queries, keys, skip, pick, tile)  # type: ignore[no-untyped-call]
    return sums, values


class _TiledScores(torch.autograd.Function):
    """Forward keeps a few numbers a row; in backward, ``d sum / ds = exp(s - peak) / exp(sum)``, ``d value / ds = 1``.

    The peaks are constants: they stand in both outputs, and no difference of the two depends on them.
    """

    @staticmethod
    def forward(queries: Tensor, keys: Tensor, skip: Tensor, pick: Tensor, tile: int) -> tuple[Tensor, Tensor, Tensor]:
        sums, values, peaks = [], [], []
        for start in range(0, max(queries.shape[0], 1), tile):
            rows = slice(start, start + tile)
            similarities = queries[rows] @ keys.T
            value = similarities.gather(1, pick[rows])
            peak = similarities.scatter_(1, skip[rows], -math.inf).amax(dim=1, keepdim=True)
            sums.append(similarities.sub_(peak).exp_().sum(dim=1).log_())
            values.append(value - peak)
            peaks.append(peak)
        return torch.cat(sums), torch.cat(values), torch.cat(peaks)

    @staticmethod
    def setup_context(
        ctx: Any, inputs: tuple[Tensor, Tensor, Tensor, Tensor, int], output: tuple[Tensor, Tensor, Tensor]
    ) -> None:
        queries, keys, skip, pick, ctx.tile = inputs
        sums, _, peaks = output
        ctx.mark_non_differentiable(peaks)
        ctx.save_for_backward(queries, keys, skip, pick, sums, peaks)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, Tensor, None, None, None]:
        # Autograd can follow every step, so that create_graph=True yields the second derivative with nothing more.
        queries, keys, skip, pick, sums, peaks = ctx.saved_tensors
        at_sums, at_values, _ = gradients
        scale = (at_sums * torch.exp(-sums)).unsqueeze(1)
        into_queries = []
        into_keys = torch.zeros_like(keys)
        for start in range(0, max(queries.shape[0], 1), ctx.tile):
            rows = slice(start, start + ctx.tile)
            similarities = (queries[rows] @ keys.T).scatter_(1, skip[rows], -math.inf)
            slopes = similarities.sub_(peaks[rows]).exp_() * scale[rows]
            slopes.scatter_add_(1, pick[rows], at_values[rows])
            into_queries.append(slopes @ keys)
            into_keys = into_keys + slopes.T @ queries[rows]
        return torch.cat(into_queries), into_keys, None, None, None
