"""Where the arithmetic happens: in float32 at least, whatever the features or an enclosing autocast say."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

import torch
import torch.nn.functional as F
from torch import Tensor


def full_precision(device: torch.device) -> AbstractContextManager[object]:
    """Autocast off: a similarity over T = 0.01 reaches 100, where float16 steps by 0.06 and bfloat16 by 0.5."""
    if torch.amp.is_autocast_available(device.type):
        return torch.autocast(device.type, enabled=False)
    return nullcontext()


def comparable_rows(features: Tensor, *, normalize: bool) -> Tensor:
    """``features`` in float32 (float64 stays), each row of length 1 if ``normalize``."""
    narrow = torch.float64 if features.dtype == torch.float64 else torch.float32
    if not normalize:
        return features.to(narrow)
    # A length rounded in float32 would shift all similarities of a row the same way, which no mean takes out again.
    return F.normalize(features.to(_widest(features.device)), dim=1).to(narrow)


def factor_for(rows: Tensor, value: float | Tensor) -> float | Tensor:
    """A checked number, or a tensor of one, such that arithmetic with ``rows`` keeps their shape, dtype and device."""
    return value.reshape(()).to(rows.device, rows.dtype) if isinstance(value, Tensor) else float(value)


def sum_rows(losses: Tensor, world: int, over: int | Tensor = 1) -> Tensor:
    """``world * sum(losses) / over``, added up in float64: float32 would round each partial sum."""
    return (losses.sum(dtype=_widest(losses.device)) * world / over).to(losses.dtype)


def _widest(device: torch.device) -> torch.dtype:
    return torch.float32 if device.type == "mps" else torch.float64  # Apple's GPUs have no float64
