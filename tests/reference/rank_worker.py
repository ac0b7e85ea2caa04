"""One rank of a distributed run: ``python -m tests.reference.rank_worker RANK WORLD FOLDER``.

Writes what it measured to ``FOLDER/RANK.pt``. Each rank is a process of its own, since a collective over unequal
shapes can abort the process that it runs in.
"""

from __future__ import annotations

import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor
from torch.nn.parallel import DistributedDataParallel

from infonce_lint.reference import info_nce_loss
from tests.reference import rank_cases as cases


def run(rank: int, world: int) -> dict[str, Any]:
    """Everything that this rank has to say."""
    found: dict[str, Any] = {}
    for split, counts in cases.COUNTS[world].items():
        for name, case in cases.CASES.items():
            batch = cases.whole_batch(sum(counts), case.n_views).to(case.dtype)
            labels = cases.labels_of(batch).split(list(counts))[rank]
            model = DistributedDataParallel(cases.encoder(case.dtype))
            loss = case.loss(model(cases.part_of(batch, counts, rank)), labels, True)
            loss.backward()
            found[f"{split}: {name}"] = (mean_over_ranks(loss), cases.flat_gradient(model))
        batch = cases.whole_batch(sum(counts), cases.N_VIEWS)
        model = DistributedDataParallel(cases.encoder())
        loss = cases.accumulate(model, cases.part_of(batch, counts, rank))
        found[f"{split}: accumulated"] = (mean_over_ranks(loss), cases.flat_gradient(model))
        found[f"{split}: second derivative"] = second_derivative(batch, counts, rank)

    counts = cases.COUNTS[world]["equal"]
    batch = cases.whole_batch(sum(counts), cases.N_VIEWS)
    for name, mistake in cases.MISTAKES.items():
        model = DistributedDataParallel(cases.encoder())
        loss = mistake(model(cases.part_of(batch, counts, rank)), rank, world)
        loss.backward()
        found[f"mistake: {name}"] = (loss.detach(), cases.flat_gradient(model))

    last = rank == world - 1
    found["refused: rows"] = refusal(torch.randn(5 if last else 4, 8))
    found["refused: width"] = refusal(torch.randn(4, 7 if last else 8))
    found["refused: dtype"] = refusal(torch.randn(4, 8).to(torch.float64 if last else torch.float32))
    found["refused: views"] = refusal(torch.randn(12, 8), n_views=3 if last else 2)
    found["refused: labels"] = refusal(torch.randn(4, 8), labels=torch.arange(2) if last else None)
    found["refused: empty"] = refusal(torch.randn(0, 8))
    found["refused: nan"] = refusal(torch.full((4, 8), torch.nan if last else 1.0), check_finite=True)
    return found


def mean_over_ranks(value: Tensor) -> Tensor:
    """What the ranks' losses average to."""
    total = value.detach().clone()
    dist.all_reduce(total)
    return total / dist.get_world_size()


def second_derivative(batch: Tensor, counts: tuple[int, ...], rank: int) -> Tensor:
    """Gradient of the squared gradient at this rank's rows, through the gather twice."""
    rows = cases.part_of(batch, counts, rank).clone().requires_grad_()
    (slope,) = torch.autograd.grad(info_nce_loss(rows, gather=True), rows, create_graph=True)
    (curvature,) = torch.autograd.grad(slope.square().sum(), rows)
    return curvature


def refusal(features: Tensor, **settings: Any) -> str:
    """The message of the ValueError, or what came instead of it."""
    try:
        return f"no error: {info_nce_loss(features, gather=True, **settings)}"
    except ValueError as error:
        return str(error)


def main(rank: int, world: int, folder: Path) -> None:
    """Join the group, run, write."""
    torch.set_num_threads(1)
    dist.init_process_group(
        "gloo", init_method=(folder / "meeting").as_uri(), rank=rank, world_size=world, timeout=timedelta(seconds=60)
    )
    torch.save(run(rank, world), folder / f"{rank}.pt")
    dist.destroy_process_group()


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]))
