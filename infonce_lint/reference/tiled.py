"""The one quadratic piece of every form, whole or tile by tile: a similarity matrix's row sums, and a few entries."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from .products import Precision, arithmetic, operand, product


def row_scores(
    queries: Tensor,
    keys: Tensor,
    *,
    skip: Tensor,
    pick: Tensor,
    tile: int | None = None,
    precision: Precision = "ieee",
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
        precision: what the products may be rounded to, see ``products.py``.

    Returns:
        ``[Q]`` sums, ``-inf`` where nothing is left, and ``[Q, P]`` values. Both have first and second derivatives.
    """
    if skip.shape[1] == keys.shape[0]:  # an empty sum, whose gradient autograd would make NaN
        return queries.new_full((queries.shape[0],), -math.inf), product(queries, keys.T, precision).gather(1, pick)
    if tile is None:
        similarities = product(queries, keys.T, precision)
        kept = similarities.scatter(1, skip, -math.inf)
        peak = kept.detach().amax(dim=1, keepdim=True)
        return torch.logsumexp(kept - peak, dim=1), similarities.gather(1, pick) - peak
    sums, values, _ = _TiledScores.apply(queries, keys, skip, pick, tile, precision)  # type: ignore[no-untyped-call]
    return sums, values


class _TiledScores(torch.autograd.Function):
    """Forward keeps a few numbers a row; in backward, ``d sum / ds = exp(s - peak) / exp(sum)``, ``d value / ds = 1``.

    The peaks are constants: they stand in both outputs, and no difference of the two depends on them.
    """

    @staticmethod
    def forward(
        queries: Tensor, keys: Tensor, skip: Tensor, pick: Tensor, tile: int, precision: Precision
    ) -> tuple[Tensor, Tensor, Tensor]:
        count = queries.shape[0]
        queries, keys = operand(queries, precision), operand(keys, precision)
        sums, values, peaks = queries.new_empty(count), queries.new_empty(pick.shape), queries.new_empty(count, 1)
        buffer = _buffer(queries, keys, tile)
        for start in range(0, count, tile):
            rows = slice(start, min(start + tile, count))
            similarities = _similarities(buffer, queries[rows], keys, precision)
            values[rows] = similarities.gather(1, pick[rows])
            peaks[rows] = similarities.scatter_(1, skip[rows], -math.inf).amax(dim=1, keepdim=True)
            sums[rows] = similarities.sub_(peaks[rows]).exp_().sum(dim=1)
        return sums.log_(), values.sub_(peaks), peaks

    @staticmethod
    def setup_context(
        ctx: Any, inputs: tuple[Tensor, Tensor, Tensor, Tensor, int, Precision], output: tuple[Tensor, Tensor, Tensor]
    ) -> None:
        queries, keys, skip, pick, ctx.tile, ctx.precision = inputs
        sums, _, peaks = output
        ctx.mark_non_differentiable(peaks)
        ctx.save_for_backward(queries, keys, skip, pick, sums, peaks)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, Tensor | None, None, None, None, None]:
        queries, keys, skip, pick, sums, peaks = ctx.saved_tensors
        at_sums, at_values, _ = gradients
        if torch.is_grad_enabled():  # under create_graph=True: a second derivative holds the whole matrix
            scores = row_scores(queries, keys, skip=skip, pick=pick, precision=ctx.precision)
            wanted = [tensor for tensor in (queries, keys) if tensor.requires_grad]
            slopes = iter(torch.autograd.grad(scores, wanted, (at_sums, at_values), create_graph=True))
            into = [next(slopes) if tensor.requires_grad else None for tensor in (queries, keys)]
            return into[0], into[1], None, None, None, None

        count = queries.shape[0]
        queries, keys = operand(queries, ctx.precision), operand(keys, ctx.precision)
        scale = (at_sums * torch.exp(-sums)).unsqueeze(1)
        into_queries, into_keys = torch.empty_like(queries), torch.zeros_like(keys)
        buffer = _buffer(queries, keys, ctx.tile)
        for start in range(0, count, ctx.tile):
            rows = slice(start, min(start + ctx.tile, count))
            similarities = _similarities(buffer, queries[rows], keys, ctx.precision).scatter_(1, skip[rows], -math.inf)
            slope = similarities.sub_(peaks[rows]).exp_().mul_(scale[rows]).scatter_add_(1, pick[rows], at_values[rows])
            slope = operand(slope, ctx.precision)
            with arithmetic(ctx.precision):
                into_queries[rows].addmm_(slope, keys, beta=0)
                into_keys.addmm_(slope.T, queries[rows])
        return into_queries, into_keys, None, None, None, None


def _buffer(queries: Tensor, keys: Tensor, tile: int) -> Tensor:
    # One for all tiles: a heap that serves and frees each tile anew fragments into several times the size.
    return queries.new_empty(min(tile, queries.shape[0]), keys.shape[0])


def _similarities(buffer: Tensor, queries: Tensor, keys: Tensor, precision: Precision) -> Tensor:
    with arithmetic(precision):
        return buffer[: queries.shape[0]].addmm_(queries, keys.T, beta=0)
