"""Code written for a GPU, run where there is none: ``.cuda()``, ``device="cuda"`` and the like stay on the CPU."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch.overrides import TorchFunctionMode

_KINDS = ("Float", "Double", "Half", "Long", "Int", "Bool", "Byte")


class _OnCpu(TorchFunctionMode):
    """Turns every request for a CUDA device into one for the CPU."""

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        keywords = kwargs or {}
        name = getattr(func, "__name__", "")
        if name == "cuda":
            return args[0]
        if name == "to" or "device" in keywords:
            args = args[:1] + tuple(_cpu(each) for each in args[1:]) if name == "to" else args
            keywords = {key: _cpu(each) if key == "device" else each for key, each in keywords.items()}
        if name in ("pin_memory", "record_stream"):
            return args[0]
        return func(*args, **keywords)


def _cpu(value: Any) -> Any:
    if isinstance(value, str) and value.startswith("cuda"):
        return "cpu"
    if isinstance(value, torch.device) and value.type == "cuda":
        return torch.device("cpu")
    if type(value) is int:
        return torch.device("cpu")
    return value


@contextmanager
def without_cuda() -> Iterator[None]:
    """Run code that asks for CUDA on the CPU; with a CUDA device nothing is changed."""
    if torch.cuda.is_available():
        yield
        return
    instead: dict[str, Any] = {f"{kind}Tensor": getattr(torch, f"{kind}Tensor") for kind in _KINDS}
    instead |= dict.fromkeys(("set_device", "synchronize", "empty_cache"), _nothing)
    instead["current_device"] = lambda: torch.device("cpu")
    kept = {name: getattr(torch.cuda, name) for name in instead}
    for name, function in instead.items():
        setattr(torch.cuda, name, function)
    try:
        with _OnCpu():
            yield
    finally:
        for name, function in kept.items():
            setattr(torch.cuda, name, function)


def _nothing(*_: object, **__: object) -> None:
    return None
