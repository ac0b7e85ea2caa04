"""The reference contrastive losses: right for any number of views, any batch, any number of ranks.

This folder imports torch and nothing else, so that it can be copied into a project as it is::

    from infonce_lint.reference import info_nce_loss

    features = encoder(torch.cat([first_view, second_view]))  # [2 * B, D]: all first views, then all second views
    loss = info_nce_loss(features, n_views=2, temperature=0.1)

``loss.py`` holds the loss over stacked views, ``clip.py`` the one over two towers, ``logits.py`` the drop-in for code
that wants ``(logits, targets)``, ``cached.py`` gradient accumulation, ``distributed.py`` the gather, ``forms.py`` the
definitions row by row, ``tiled.py`` the row sums that need not hold the whole similarity matrix, and ``products.py``
what matrix products may be rounded to.
"""

from __future__ import annotations

from .cached import cached_backward
from .clip import clip_loss
from .distributed import all_gather_rows, view_major
from .logits import info_nce_logits
from .loss import InfoNCELoss, info_nce_loss

__all__ = [
    "InfoNCELoss",
    "all_gather_rows",
    "cached_backward",
    "clip_loss",
    "info_nce_logits",
    "info_nce_loss",
    "view_major",
]
