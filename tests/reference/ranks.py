"""Several ranks on this machine, each in a process of its own, and what each of them found."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from tests.reference import rank_cases as cases

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Run:
    """What each rank found."""

    world: int
    ranks: list[dict[str, Any]]

    def counts(self, split: str) -> tuple[int, ...]:
        """Samples on each rank."""
        return cases.COUNTS[self.world][split]


def meet(world: int, folder: Path) -> Run:
    """Run all cases of ``rank_worker`` in one meeting on gloo, since starting one takes seconds.

    Raises:
        RuntimeError: a rank failed; with what the ranks printed.
    """
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    if sys.platform == "linux":
        environment["GLOO_SOCKET_IFNAME"] = "lo"
    command = [sys.executable, "-m", "tests.reference.rank_worker"]
    processes = [
        subprocess.Popen(
            [*command, str(rank), str(world), str(folder)],
            cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )
        for rank in range(world)
    ]  # fmt: skip
    try:
        outputs = [process.communicate(timeout=180)[0] for process in processes]
    finally:
        for process in processes:
            process.kill()
    if any(process.returncode for process in processes):
        raise RuntimeError("\n".join(outputs))
    return Run(world, [torch.load(folder / f"{rank}.pt") for rank in range(world)])


def alone(name: str, samples: int) -> tuple[Tensor, Tensor]:
    """Value and parameter gradient of a case on the whole batch in this process."""
    case = cases.CASES[name]
    batch = cases.whole_batch(samples, case.n_views).to(case.dtype)
    model = cases.encoder(case.dtype)
    loss = case.loss(model(batch.flatten(0, 1)), cases.labels_of(batch), None)
    loss.backward()
    return loss.detach(), cases.flat_gradient(model)


def ratio_and_cosine(ours: Tensor, expected: Tensor) -> tuple[float, float]:
    """Whether two gradients are equally long, and whether they point the same way."""
    return (ours.norm() / expected.norm()).item(), torch.cosine_similarity(ours, expected, dim=0).item()
