"""Where the arithmetic happens: in float32 at least, whatever the features or an enclosing autocast say."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor


def _knows_autocast(kind: str) -> bool:
    try:
        torch.autocast(kind, enabled=False)
    except (RuntimeError, ValueError, AttributeError):
        return False
    return True


#: Asked once: torch has a name for the question since 2.4 only, and asked under `torch.compile` it may break the graph.
_WITH_AUTOCAST = frozenset(filter(_knows_autocast, ("cpu", "cuda", "xpu", "mps", "hpu")))
_COMPILER: Any = getattr(torch.compiler, "is_compiling", None) or getattr(torch._utils, "is_compiling", None)


def is_compiling() -> bool:
    """Whether `torch.compile` or `torch.export` is reading this code (False where torch is too old to say)."""
    return bool(_COMPILER()) if _COMPILER is not None else False


def full_precision(device: torch.device) -> AbstractContextManager[object]:
    """Autocast off: a similarity over T = 0.01 reaches 100, where float16 steps by 0.06 and bfloat16 by 0.5."""
    return torch.autocast(device.type, enabled=False) if device.type in _WITH_AUTOCAST else nullcontext()


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
