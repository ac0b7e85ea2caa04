"""What a loss returned, as one number to differentiate and as all tensors to compare."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

_WHOLE = ("loss", "total_loss", "loss_total", "total")
_PART = ("contrast", "nce", "xent", "itc", "clip")


@dataclass(frozen=True, slots=True)
class Outcome:
    """``value`` is the loss as a 0-d tensor, ``tensors`` all that came back, ``note`` which part of it is the loss."""

    value: Tensor
    tensors: tuple[Tensor, ...]
    note: str = ""


class NoLoss(Exception):
    """A result that is no loss; the text says what came instead."""


def read(result: Any) -> Outcome:
    """The outcome of a call: a loss, ``(logits, labels)``, or either of them among other things.

    Raises:
        NoLoss: nothing in it can be one.
    """
    tensors = tuple(_tensors(result))
    if not any(each.is_floating_point() for each in tensors):
        raise NoLoss(f"it returns {_shown(result)}, which is no loss")
    value, note = _value(result, tensors)
    return Outcome(value, tensors, note)


def _value(result: Any, tensors: tuple[Tensor, ...]) -> tuple[Tensor, str]:
    named = _named_loss(result)
    if named is not None:
        return _value(named, tuple(_tensors(named)))
    single = [each for each in tensors if each.is_floating_point() and each.numel() == 1]
    if single:
        return single[0].reshape(()), "" if len(tensors) == 1 else "the first number of its result"
    floating = [each for each in tensors if each.is_floating_point()]
    logits = floating[0]
    if logits.dim() == 1:
        return logits.mean(), "the mean of its losses"
    for other in tensors:
        if other is logits or logits.dim() != 2:
            continue
        if other.dim() == 1 and not other.is_floating_point() and len(other) == len(logits):
            return F.cross_entropy(logits, other.long()), "cross-entropy of the logits and labels that it returns"
        if other.shape == logits.shape:
            weights = other.to(logits.dtype)
            share = weights / weights.sum(dim=1, keepdim=True).clamp(min=1)
            return -(F.log_softmax(logits, dim=1) * share).sum(dim=1).mean(), "cross-entropy of the matrices it returns"
    if logits.dim() == 2:
        return -F.log_softmax(logits, dim=1).diagonal().mean(), "cross-entropy of the logits that it returns"
    return logits.mean(), "the mean of what it returns"


def _named_loss(result: Any) -> Any:
    """The part of a dictionary, a named tuple or a data class whose name says that it is the loss; None without one.

    The whole loss first, then a contrastive part of it, then whatever is called a loss.
    """
    entries = {
        str(key).lower(): each for key, each in _entries(result).items() if next(_tensors(each), None) is not None
    }
    for wanted in (_WHOLE, _PART, ("loss",)):
        for name, each in entries.items():
            if name in wanted if wanted is _WHOLE else any(word in name for word in wanted):
                return each
    return None


def _entries(result: Any) -> Mapping[Any, Any]:
    if isinstance(result, Mapping):
        return result
    if isinstance(result, tuple) and hasattr(result, "_asdict"):
        entries: Mapping[Any, Any] = result._asdict()
        return entries
    if is_dataclass(result) and not isinstance(result, type):
        return {each.name: getattr(result, each.name, None) for each in fields(result)}
    return {}


def _tensors(result: Any) -> Iterator[Tensor]:
    if isinstance(result, Tensor):
        yield result
    elif isinstance(result, bool | str) or result is None:
        return
    elif isinstance(result, int | float):
        yield torch.tensor(float(result), dtype=torch.float64)
    elif _entries(result):
        for each in _entries(result).values():
            yield from _tensors(each)
    elif isinstance(result, tuple | list):
        for each in result:
            yield from _tensors(each)
    elif type(result).__module__ == "numpy":
        yield torch.as_tensor(result)


def _shown(result: Any) -> str:
    return "nothing" if result is None else f"a {type(result).__name__}"


def short(error: BaseException) -> str:
    """One line for an exception, with torch's longer explanations cut to their numbers."""
    text = " ".join(str(error).split())
    mask = re.search(r"shape of the mask (\[[\d, ]*\]).*indexed tensor (\[[\d, ]*\])", text)
    if mask:
        text = f"mask {mask[1]}, tensor {mask[2]}"
    return f"{type(error).__name__}: {text}"[:240].rstrip(": ")
