"""The definitions, row by row: what each form of the loss says about one anchor.

For an anchor i: A(i) is every other row, P(i) its positives, N(i) = A(i) without P(i), and s the similarity over T.

=======  ===================================================  ===============================================
form     loss of row i                                        source
=======  ===================================================  ===============================================
``out``  mean over p of  logsumexp_A(s) - s_ip                SupCon's L_out (Khosla et al. 2020, equation 2)
``pair`` mean over p of  logsumexp_{p and N}(s) - s_ip        NT-Xent pair by pair (pytorch-metric-learning)
``in``   logsumexp_A(s) - logsumexp_P(s)                      solo-learn, vissl
=======  ===================================================  ===============================================

With one positive for each row (two views) the three are NT-Xent (Chen et al. 2020, equation 1); beyond that they
differ.
"""

from __future__ import annotations

import math
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from .products import Precision, product
from .tiled import row_scores

Form = Literal["out", "pair", "in"]
FORMS: tuple[Form, ...] = ("out", "pair", "in")


def view_losses(
    queries: Tensor,
    keys: Tensor,
    own: Tensor,
    positives: Tensor,
    form: Form,
    tile: int | None,
    precision: Precision = "ieee",
) -> Tensor:
    """Loss of each anchor whose positives are the other views of its sample.

    Args:
        queries: ``[Q, D]`` anchors over the temperature.
        keys: ``[K, D]`` all rows, the anchors among them.
        own: ``[Q, 1]`` int64, where each anchor stands in ``keys``.
        positives: ``[Q, V - 1]`` int64, where its other views stand.
        form: one of ``FORMS``.
        tile, precision: see ``row_scores``.

    Returns:
        ``[Q]`` losses.
    """
    skip = torch.cat([own, positives], dim=1) if form == "pair" else own
    # [Q] and [Q, V - 1]
    total, close = row_scores(queries, keys, skip=skip, pick=positives, tile=tile, precision=precision)
    if form == "pair":  # log(exp(close) + exp(total)) - close
        return -F.logsigmoid(close - total.unsqueeze(1)).mean(dim=1)
    return total - (close.mean(dim=1) if form == "out" else torch.logsumexp(close, dim=1))


def label_losses(
    queries: Tensor,
    keys: Tensor,
    own: Tensor,
    query_labels: Tensor,
    key_labels: Tensor,
    form: Form,
    tile: int | None,
    precision: Precision = "ieee",
) -> Tensor:
    """Loss of each anchor whose positives are the other rows of its label; 0 for an anchor that has none.

    ``query_labels`` is ``[Q]`` and ``key_labels`` ``[K]``; the rest is as in ``view_losses``. Tiles are computed again
    in the backward pass, since here the positives are as many as the labels say and do not reduce to a few columns.
    """
    if tile is None:
        return _label_losses(queries, keys, own, query_labels, key_labels, form, precision)
    losses = []
    for start in range(0, max(queries.shape[0], 1), tile):
        rows = slice(start, start + tile)
        block = (queries[rows], keys, own[rows], query_labels[rows], key_labels, form, precision)
        losses.append(checkpoint(_label_losses, *block, use_reentrant=False, preserve_rng_state=False))
    return torch.cat(losses)


def _label_losses(
    queries: Tensor,
    keys: Tensor,
    own: Tensor,
    query_labels: Tensor,
    key_labels: Tensor,
    form: Form,
    precision: Precision,
) -> Tensor:
    if keys.shape[0] == 1:  # a row alone has nothing to be compared with
        return queries.sum(dim=1) * 0.0
    similarities = product(queries, keys.T, precision)
    others = torch.ones_like(similarities, dtype=torch.bool).scatter_(1, own, False)
    # Every form is a difference within a row: less the row's peak, the numbers in it are small and round finely.
    similarities = similarities - similarities.detach().masked_fill(~others, -math.inf).amax(dim=1, keepdim=True)
    positive = (query_labels.unsqueeze(1) == key_labels) & others
    count = positive.sum(dim=1)
    share = positive / count.clamp(min=1).to(similarities.dtype).unsqueeze(1)
    if form == "pair":
        negative = others & ~positive
        # A row without negatives keeps finite numbers under the logsumexp, since NaN survives a product with zero.
        some = negative.any(dim=1)
        kept = negative | ~some.unsqueeze(1)
        total = torch.logsumexp(similarities.masked_fill(~kept, -math.inf), dim=1)
        total = total.masked_fill(~some, -math.inf)
        return -(F.logsigmoid(similarities - total.unsqueeze(1)) * share).sum(dim=1)
    everything = torch.logsumexp(similarities.masked_fill(~others, -math.inf), dim=1)
    if form == "out":
        losses = everything - (similarities * share).sum(dim=1)
    else:
        kept = torch.where((count > 0).unsqueeze(1), positive, others)
        losses = everything - torch.logsumexp(similarities.masked_fill(~kept, -math.inf), dim=1)
    return losses.masked_fill(count == 0, 0.0)
