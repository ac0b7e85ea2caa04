"""InfoNCE over stacked views: the loss, and the same as a module."""

from __future__ import annotations

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .checks import (
    REDUCTIONS,
    check_choice,
    check_count,
    check_finite_rows,
    check_labels,
    check_matrix,
    check_positive,
    check_views,
)
from .distributed import Gather, agree_on_layout, gather_views, process_group
from .forms import FORMS, Form, label_losses, view_losses
from .precision import comparable_rows, factor_for, full_precision, sum_rows
from .products import PRECISIONS, Precision

Reduction = Literal["mean", "sum", "none"]


def info_nce_loss(
    features: Tensor,
    n_views: int = 2,
    *,
    temperature: float | Tensor = 0.1,
    form: Form = "out",
    labels: Tensor | None = None,
    normalize: bool = True,
    reduction: Reduction = "mean",
    gather: Gather = None,
    tile: int | None = None,
    precision: Precision = "ieee",
    check_finite: bool = False,
) -> Tensor:
    """InfoNCE (NT-Xent, SimCLR, SupCon) over the rows of ``features``, whose number decides every size.

    Args:
        features: ``[V * B, D]`` floating point, view-major: all first views, then all second views, and so on.
        n_views: ``V``. With ``labels`` it may be 1.
        temperature: a number, or a tensor holding one (a learnable temperature gets its gradient).
        form: what a row with several positives is compared with, see ``forms.py``; all the same at two views.
        labels: ``[B]`` or ``[V * B]`` whole numbers: rows of one label are positives (SupCon). A row without a positive
            contributes nothing and is not counted in the mean.
        normalize: bring rows to length 1 first.
        reduction: ``"mean"`` over anchors, ``"sum"``, or ``"none"`` for ``[V * B]`` losses.
        gather: ``True`` or a process group: compare with the rows of all ranks, which may hold unequally many, even
            none. Mean and sum are then scaled so that the average over ranks, of values and of DDP's gradients, is
            that of the full batch; ``"none"`` gives this rank's rows unscaled.
        tile: rows of the similarity matrix held at a time; ``None`` holds all of it.
        precision: what the matrix products may be rounded to: ``"ieee"`` is float32 whatever TF32 the program allows,
            ``"tf32"`` allows it, ``"bf16"`` rounds their factors. An error of a similarity counts 1 / temperature fold,
            see ``products.py``. Under ``torch.compile`` the first two are the program's own setting.
        check_finite: look for NaN and infinity first, and read a temperature that lives on another device than the CPU
            (both wait for the device; unread, one that is not positive gives NaN or infinity).

    Returns:
        In float32 (float64 for float64 features), computed there also under autocast. Fits ``torch.compile`` with
        ``fullgraph=True`` (without ``gather``, from torch 2.4 on) and has second derivatives.

    Raises:
        ValueError: input that has no loss, named with its numbers; under ``gather`` on every rank, if on one.
    """
    group = process_group(gather)
    refusal = None
    try:
        _check_settings(n_views, temperature, form, reduction, tile, precision, wait=check_finite)
        check_matrix("features", features)
        check_views(features, n_views, labelled=labels is not None)
        if labels is not None:
            check_labels(labels, features.shape[0] // n_views, n_views)
        if check_finite:
            check_finite_rows("features", features)
    except ValueError as error:
        refusal = error
    layout = agree_on_layout(features, n_views, refusal, group, labelled=labels is not None)

    with full_precision(features.device):
        rows = comparable_rows(features, normalize=normalize)
        keys = gather_views(rows, layout, group)
        queries = rows / factor_for(rows, temperature)
        own = layout.own(features.device)
        anchors: int | Tensor = keys.shape[0]
        if labels is None:
            losses = view_losses(queries, keys, own, layout.positives(features.device), form, tile, precision)
        else:
            row_labels = labels if labels.shape[0] == features.shape[0] else labels.repeat(n_views)
            row_labels = row_labels.to(features.device, torch.int64)
            all_labels = gather_views(row_labels, layout, group)
            losses = label_losses(queries, keys, own, row_labels, all_labels, form, tile, precision)
            anchors = _rows_with_twin(all_labels).clamp(min=1)
        if reduction == "none":
            return losses
        if reduction == "sum":
            return sum_rows(losses, layout.world)
        return sum_rows(losses, layout.world, anchors)


def _check_settings(
    n_views: int,
    temperature: float | Tensor,
    form: Form,
    reduction: Reduction,
    tile: int | None,
    precision: Precision,
    *,
    wait: bool,
) -> None:
    check_count("n_views", n_views)
    check_positive("temperature", temperature, wait=wait)
    check_choice("form", form, FORMS)
    check_choice("reduction", reduction, REDUCTIONS)
    check_choice("precision", precision, PRECISIONS)
    if tile is not None:
        check_count("tile", tile)


def _rows_with_twin(labels: Tensor) -> Tensor:
    """How many rows share their label with another: a 0-d tensor, of no shape that depends on the values."""
    ordered = labels.sort().values
    same = ordered[1:] == ordered[:-1]
    return (F.pad(same, (1, 0)) | F.pad(same, (0, 1))).sum()


class InfoNCELoss(nn.Module):
    """``info_nce_loss`` with its settings, which are checked at construction.

    A learnable temperature is ``InfoNCELoss(temperature=nn.Parameter(torch.tensor(0.1)))``.
    """

    def __init__(
        self,
        n_views: int = 2,
        *,
        temperature: float | Tensor = 0.1,
        form: Form = "out",
        normalize: bool = True,
        reduction: Reduction = "mean",
        gather: Gather = None,
        tile: int | None = None,
        precision: Precision = "ieee",
        check_finite: bool = False,
    ) -> None:
        super().__init__()
        _check_settings(n_views, temperature, form, reduction, tile, precision, wait=True)
        process_group(gather)
        self.n_views = n_views
        self.temperature = temperature
        self.form: Form = form
        self.normalize = normalize
        self.reduction: Reduction = reduction
        self.gather = gather
        self.tile = tile
        self.precision: Precision = precision
        self.check_finite = check_finite

    def forward(self, features: Tensor, labels: Tensor | None = None) -> Tensor:
        """See ``info_nce_loss``."""
        return info_nce_loss(
            features,
            self.n_views,
            temperature=self.temperature,
            form=self.form,
            labels=labels,
            normalize=self.normalize,
            reduction=self.reduction,
            gather=self.gather,
            tile=self.tile,
            precision=self.precision,
            check_finite=self.check_finite,
        )

    def extra_repr(self) -> str:
        """The settings that decide the value."""
        temperature = self.temperature.item() if isinstance(self.temperature, Tensor) else self.temperature
        return f"n_views={self.n_views}, temperature={temperature:g}, form={self.form!r}, tile={self.tile}"
