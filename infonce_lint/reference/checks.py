"""What the losses accept, said before anything is computed: each refusal is a ValueError that names the numbers."""

from __future__ import annotations

import math
from numbers import Integral, Real
from typing import Any

import torch
from torch import Tensor

from .precision import is_compiling

REDUCTIONS = ("mean", "sum", "none")


def check_choice(name: str, value: object, accepted: tuple[str, ...]) -> None:
    """``value`` is one of ``accepted``."""
    if value not in accepted:
        raise ValueError(f"{name} must be one of {', '.join(map(repr, accepted))}, got {value!r}")


def check_count(name: str, value: object) -> None:
    """``value`` is a whole number of at least 1."""
    if isinstance(value, bool) or not isinstance(value, (Integral, torch.SymInt)) or value < 1:
        raise ValueError(f"{name} must be a whole number of at least 1, got {value!r}")


def check_positive(name: str, value: float | Tensor, *, wait: bool = False) -> None:
    """``value`` is a positive finite number, or a tensor that holds one.

    A tensor on another device than the CPU is read only with ``wait``: reading it waits for the device. Under
    ``torch.compile`` none is.
    """
    number: Any = value
    if isinstance(value, Tensor):
        if value.numel() != 1 or not value.is_floating_point():
            raise ValueError(f"{name} must be one floating-point number, got {list(value.shape)} of {value.dtype}")
        if is_compiling() or not (value.device.type == "cpu" or wait):
            return
        number = value.item()
    if isinstance(number, bool) or not isinstance(number, Real) or not 0 < float(number) < math.inf:
        raise ValueError(f"{name} must be a positive finite number, got {number!r}")


def check_matrix(name: str, features: Tensor) -> None:
    """``features`` is a floating-point matrix with at least one column."""
    if not isinstance(features, Tensor):
        raise ValueError(f"{name} must be a torch.Tensor, got {type(features).__name__}")
    if features.dim() != 2:
        hint = "; bring [B, V, D] to view-major rows with .transpose(0, 1).flatten(0, 1)" if features.dim() == 3 else ""
        raise ValueError(f"{name} must have 2 dimensions [rows, width], got {features.dim()}: {_shape(features)}{hint}")
    if not features.is_floating_point():
        raise ValueError(f"{name} must be floating point, got {features.dtype}")
    if features.shape[1] < 1:
        raise ValueError(f"{name} must have at least one column, got {_shape(features)}")


def check_views(features: Tensor, n_views: int, *, labelled: bool) -> None:
    """The rows of ``features`` are ``n_views`` blocks of equal length, and a row has another to be paired with."""
    check_count("n_views", n_views)
    if n_views == 1 and not labelled:
        raise ValueError("n_views must be at least 2 without labels, got 1: a row has no other view to be paired with")
    if features.shape[0] % n_views:
        raise ValueError(f"features dim 0 ({features.shape[0]}) must be divisible by n_views ({n_views})")


def check_labels(labels: Tensor, samples: int, n_views: int) -> None:
    """``labels`` holds one whole number for each sample or for each row."""
    if not isinstance(labels, Tensor) or labels.is_floating_point() or labels.is_complex():
        kind = labels.dtype if isinstance(labels, Tensor) else type(labels).__name__
        raise ValueError(f"labels must be a tensor of whole numbers, got {kind}")
    if labels.dim() != 1 or labels.shape[0] not in (samples, samples * n_views):
        raise ValueError(
            f"labels must have shape [{samples}] (one a sample) or [{samples * n_views}] (one a row), "
            f"got {_shape(labels)}"
        )


def check_towers(a: Tensor, b: Tensor) -> None:
    """``a`` and ``b`` are matrices of one shape, dtype and device."""
    check_matrix("a", a)
    check_matrix("b", b)
    if a.shape != b.shape:
        raise ValueError(f"a and b must have one shape, got {_shape(a)} and {_shape(b)}")
    if a.dtype != b.dtype or a.device != b.device:
        raise ValueError(f"a and b must agree, got {a.dtype} on {a.device} and {b.dtype} on {b.device}")


def check_finite_rows(name: str, features: Tensor) -> None:
    """No NaN and no infinity. Reads values, hence waits for the device and breaks a compiled graph."""
    finite = features.isfinite()
    if not finite.all():
        bad = ~finite
        first = int(bad.any(dim=1).nonzero()[0])
        raise ValueError(
            f"{name}: {int(bad.sum())} of {features.numel()} values are NaN or infinite, the first in row {first} "
            f"of {features.shape[0]}"
        )


def _shape(tensor: Tensor) -> str:
    return str(list(tensor.shape))
