"""What a loss returned, as one number to differentiate and as all tensors to compare."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor


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
    if isinstance(result, dict):
        named = [each for key, each in result.items() if "loss" in str(key).lower()]
        if named:
            return _value(named[0], tuple(_tensors(named[0])))
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


def _tensors(result: Any) -> Iterator[Tensor]:
    if isinstance(result, Tensor):
        yield result
    elif isinstance(result, bool | str) or result is None:
        return
    elif isinstance(result, int | float):
        yield torch.tensor(float(result), dtype=torch.float64)
    elif isinstance(result, dict):
        for each in result.values():
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
