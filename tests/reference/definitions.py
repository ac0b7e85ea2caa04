"""The losses once more, in float64 and row by row, written from their definitions and sharing nothing with the package.

What every test here compares with: slow, plain, and easy to check against the papers by eye.
"""

from __future__ import annotations

import torch
from torch import Tensor


def log_sum_exp(values: Tensor) -> Tensor:
    """log(sum(exp(values))) with the largest value taken out first."""
    peak = values.max().detach()
    return peak + (values - peak).exp().sum().log()


def row_losses(
    features: Tensor,
    n_views: int,
    temperature: float,
    form: str,
    labels: Tensor | None = None,
    *,
    normalize: bool = True,
) -> list[Tensor]:
    """One loss for each row of view-major ``features`` that has a positive."""
    rows = features.double()
    if normalize:
        rows = rows / rows.square().sum(dim=1, keepdim=True).sqrt()
    total = len(rows)
    samples = total // n_views
    names = [index % samples for index in range(total)] if labels is None else labels.tolist()
    losses = []
    for i in range(total):
        s = rows @ rows[i] / temperature
        others = [j for j in range(total) if j != i]
        positives = [j for j in others if names[j] == names[i]]
        negatives = [j for j in others if names[j] != names[i]]
        if not positives:
            continue
        if form == "in":
            losses.append(log_sum_exp(s[others]) - log_sum_exp(s[positives]))
            continue
        terms = [log_sum_exp(s[others if form == "out" else [p, *negatives]]) - s[p] for p in positives]
        losses.append(torch.stack(terms).mean())
    return losses


def defined_loss(
    features: Tensor,
    n_views: int,
    temperature: float,
    form: str,
    labels: Tensor | None = None,
    *,
    normalize: bool = True,
) -> Tensor:
    """Mean of ``row_losses``."""
    return torch.stack(row_losses(features, n_views, temperature, form, labels, normalize=normalize)).mean()


def defined_towers(a: Tensor, b: Tensor, scale: float, *, symmetric: bool = True) -> Tensor:
    """Cross-entropy of each row of ``a`` over the rows of ``b``, averaged with the other direction."""
    a, b = (rows.double() / rows.double().square().sum(dim=1, keepdim=True).sqrt() for rows in (a, b))
    directions = [(a, b), (b, a)] if symmetric else [(a, b)]
    losses = []
    for queries, keys in directions:
        for i in range(len(queries)):
            s = keys @ queries[i] * scale
            losses.append(log_sum_exp(s) - s[i])
    return torch.stack(losses).mean()


def value_and_gradient(loss: Tensor, *inputs: Tensor) -> tuple[Tensor, ...]:
    """The loss and its gradient at each input, in float64, without a graph."""
    return tuple(part.detach().double() for part in (loss, *torch.autograd.grad(loss, inputs)))
