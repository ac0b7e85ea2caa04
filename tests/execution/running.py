"""Loads the text of a fixture as a module, runs its loss and turns what it returns into tensors."""

from __future__ import annotations

import re
from types import ModuleType
from typing import Any

import numpy as np
import torch
from torch import Tensor

from tests.execution.batch import Batch
from tests.execution.case import Case
from tests.execution.stand_ins import stand_ins


def configure_constants(text: str, constants: tuple[str, ...], configured: int) -> str:
    """The text with ``configured`` as the literal value of each constant; ValueError where one is not defined once."""
    for name in constants:
        text, times = re.subn(rf"^(\s*{re.escape(name)} = )\d+", rf"\g<1>{configured}", text, flags=re.MULTILINE)
        if times != 1:
            raise ValueError(f"{name} has {times} literal definitions, expected 1")
    return text


def as_tensors(value: Any) -> tuple[Tensor, ...]:
    """Whatever a loss returns, as detached tensors."""
    if isinstance(value, tuple | list):
        return tuple(tensor for part in value for tensor in as_tensors(part))
    return (torch.as_tensor(np.asarray(value) if isinstance(value, np.generic) else value).detach().clone(),)


def run_text(case: Case, data: bytes, configured: int, batch: Batch) -> tuple[Tensor, ...]:
    """What the loss in ``data`` returns when configured for ``configured`` images and given ``batch``."""
    module = ModuleType("fixture_under_test")
    text = configure_constants(data.decode("utf-8"), case.constants, configured)
    torch.manual_seed(0)
    with stand_ins(configured, module):
        exec(compile(text, case.fixture, "exec"), vars(module))  # the tests' own fixtures
        return as_tensors(case.run(module, configured, batch))


def same(left: tuple[Tensor, ...], right: tuple[Tensor, ...], *, exact: bool) -> bool:
    """Whether two runs returned the same values, bit for bit or within 1e-6."""
    if len(left) != len(right) or any(a.shape != b.shape for a, b in zip(left, right, strict=True)):
        return False
    if exact:
        return all(torch.equal(a, b) for a, b in zip(left, right, strict=True))
    return all(torch.allclose(a.double(), b.double(), rtol=1e-6, atol=1e-6) for a, b in zip(left, right, strict=True))
