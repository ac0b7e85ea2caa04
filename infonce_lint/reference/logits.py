"""The drop-in for code that wants ``(logits, targets)`` and applies cross-entropy and accuracy itself."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from .checks import check_choice, check_matrix, check_positive, check_views
from .distributed import agree_on_layout
from .precision import comparable_rows, factor_for, full_precision
from .products import PRECISIONS, Precision, product


def info_nce_logits(
    features: Tensor,
    n_views: int = 2,
    temperature: float | Tensor = 0.1,
    *,
    form: Literal["out", "pair"] = "out",
    normalize: bool = True,
    precision: Precision = "ieee",
) -> tuple[Tensor, Tensor]:
    """One row of logits for each (anchor, positive), its target always in column 0.

    ``cross_entropy(logits, targets)`` is ``info_nce_loss(features, n_views, ...)`` of the same form. At two views the
    result is that of the widely copied function when its sizes are right. Above two views that function puts all
    positives into one row with target 0, which draws the first one near and pushes the others away; hence one row each.

    Args:
        features: ``[V * B, D]`` floating point, view-major.
        n_views: ``V``, at least 2.
        temperature: what the similarities are divided by.
        form: ``"out"`` keeps the other positives among a row's negatives, ``"pair"`` leaves them out.
        normalize: bring rows to length 1 first.
        precision: see ``info_nce_loss``.

    Returns:
        ``logits``: ``[V * B * (V - 1), C]`` in float32 (float64 for float64 features), the rows of one anchor together;
        ``C`` is ``V * B - 1`` for ``"out"`` and ``1 + V * (B - 1)`` for ``"pair"``. ``targets``: zeros, int64.

    Raises:
        ValueError: input that has no loss, named with its numbers.
    """
    check_matrix("features", features)
    check_views(features, n_views, labelled=False)
    check_positive("temperature", temperature)
    check_choice("form", form, ("out", "pair"))
    check_choice("precision", precision, PRECISIONS)
    layout = agree_on_layout(features, n_views, None, None)

    batch, device = layout.total, features.device
    with full_precision(device):
        rows = comparable_rows(features, normalize=normalize)
        similarities = product(rows / factor_for(rows, temperature), rows.T, precision)
        positives = similarities.gather(1, layout.positives(device))  # [M, V - 1]
        negatives = similarities.gather(1, _columns_of_other_samples(n_views, batch, device))  # [M, V * (B - 1)]
    columns = [positives.unsqueeze(2), negatives.unsqueeze(1).expand(-1, n_views - 1, -1)]
    if form == "out":
        rest = [[other for other in range(n_views - 1) if other != first] for first in range(n_views - 1)]
        index = torch.tensor(rest, dtype=torch.int64, device=device)  # [V - 1, V - 2]
        columns.insert(1, positives[:, index])
    logits = torch.cat(columns, dim=2).flatten(0, 1)
    return logits, torch.zeros(logits.shape[0], dtype=torch.int64, device=device)


def _columns_of_other_samples(n_views: int, batch: int, device: torch.device) -> Tensor:
    """For each row, the columns of every view of every other sample, ascending: ``[V * B, V * (B - 1)]``."""
    sample = torch.arange(batch, device=device)
    others = torch.arange(batch - 1, device=device)
    others = others + (others >= sample.unsqueeze(1)).to(torch.int64)  # [B, B - 1]: each sample steps over itself
    blocks = others.unsqueeze(1) + torch.arange(n_views, device=device).reshape(1, -1, 1) * batch
    return blocks.flatten(1).repeat(n_views, 1)
