"""Work grows with the losses of a file, and not with their square: nothing asks each loss for all the others.

Rows that run are counted, which a busy machine does not change. Where equal losses take equal work, twice as many have
the work of one and three times as many together, but for half of it.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any, TypeAlias

import pytest

from infonce_lint.engine.linter import fix_bytes, lint_bytes
from infonce_lint.screening import ties
from infonce_lint.settings import Settings

TraceFunction: TypeAlias = "Callable[[FrameType, str, Any], TraceFunction | None]"

HEAD = "import torch\nimport torch.nn as nn\nimport torch.nn.functional as F\n"
LOSSES = {
    "classes": """

class NTXent{number}(nn.Module):
    def __init__(self, batch_size, temperature):
        super().__init__()
        self.batch_size = batch_size
        self.temperature = temperature

    def forward(self, z_i, z_j):
        z = torch.cat([z_i, z_j], dim=0)
        sim = torch.mm(z, z.t()) / self.temperature
        mask = torch.eye(2 * self.batch_size, dtype=torch.bool, device=z.device)
        sim = sim.masked_fill(mask, -1e9)
        labels = torch.cat([torch.arange(self.batch_size) + self.batch_size, torch.arange(self.batch_size)])
        return F.cross_entropy(sim, labels)
""",
    "functions": """

def info_nce_{number}(features, args):
    labels = torch.cat([torch.arange(args.batch_size) for i in range(args.n_views)], dim=0)
    labels = (labels.unsqueeze(0) == labels.unsqueeze(1)).float()
    sim = torch.matmul(features, features.T)
    return F.cross_entropy(sim / args.temperature, labels)
""",
    "frozen": """

class Masked{number}(nn.Module):
    def __init__(self, batch_size):
        super().__init__()
        self.mask_{number} = torch.eye(2 * batch_size, dtype=torch.bool)

    def forward(self, z):
        sim = torch.exp(z @ z.T / 0.5)
        return -torch.log(sim.masked_fill(self.mask_{number}, 0).sum(1)).mean()
""",
    "foreign": """

def step_{number}(z_i, z_j, args):
    criterion = NTXentLoss(args.batch_size, args.temperature)
    return criterion(z_i, z_j)
""",
    "tied": """

class ContrastiveHead{number}(nn.Module):
    def __init__(self, n_org):
        super().__init__()
        self.n_org = n_org

    def forward(self, z):
        return F.cross_entropy(z @ z.T, torch.arange(self.n_org))
""",
}
COUNT = 10
#: Of the rows; a table that is walked once a loss makes more.
SPARE = 0.004


def file_of(kind: str, count: int) -> bytes:
    return (HEAD + "".join(LOSSES[kind].format(number=number) for number in range(count))).encode()


def rows_of(work: Callable[[], object]) -> int:
    """How many rows of ours some work runs, each round of a comprehension counted."""
    count = 0

    def trace(frame: FrameType, event: str, _argument: object) -> TraceFunction | None:
        nonlocal count
        if "infonce_lint" not in frame.f_code.co_filename:
            return None
        count += 1
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        work()
    finally:
        sys.settrace(before)
    return count


def excess(work: Callable[[int], object]) -> float:
    """The part of the work for twice ``COUNT`` that grows with the square."""
    once, twice, thrice = (rows_of(lambda count=times * COUNT: work(count)) for times in (1, 2, 3))
    return (thrice - 2 * twice + once) / twice


def lint(data: bytes) -> object:
    return lint_bytes(data, "losses.py", Settings())


def fix(data: bytes) -> object:
    return fix_bytes(data, "losses.py", Settings(), unsafe=True)


@pytest.mark.parametrize("work", [lint, fix])
@pytest.mark.parametrize("kind", LOSSES)
def test_work_grows_with_the_losses(kind: str, work: Callable[[bytes], object]) -> None:
    work(file_of(kind, 1))
    assert excess(lambda count: work(file_of(kind, count))) < SPARE


def test_a_size_spreads_in_as_many_steps_as_there_are_links() -> None:
    """Helpers that hand a number on, each to the one before it: the worst order for going over the file again."""

    def chain(count: int) -> ast.Module:
        helpers = "".join(f"def f{each}(k):\n    return f{each - 1}(k)\n" for each in range(1, count))
        head = "def f0(k):\n    return torch.arange(k)\n"
        loss = f"class Loss:\n    def __init__(self, n_org):\n        self.rows = f{count - 1}(n_org)\n"
        return ast.parse(head + helpers + loss)

    assert ties.may_tie_size(chain(COUNT))
    assert excess(lambda count: ties.may_tie_size(chain(count))) < SPARE
