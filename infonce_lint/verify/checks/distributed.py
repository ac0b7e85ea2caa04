"""Several ranks, each a process of its own: parameter gradients under DDP against the full batch in one process."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import torch
from torch import Tensor, nn

from infonce_lint.verify.checks.base import Table
from infonce_lint.verify.knobs import DIM
from infonce_lint.verify.outcome import NoLoss, short
from infonce_lint.verify.rows import Row, Status
from infonce_lint.verify.stacking import views_of
from infonce_lint.verify.stub import CannotRun
from infonce_lint.verify.subject import Subject

FAMILY = "distributed"
_CLOSE = 1e-4
_SECONDS = 30


def check(subject: Subject) -> list[Row]:
    """Two and four ranks with equally many rows, and two with unequally many."""
    table = Table(FAMILY)
    if not subject.plan.differentiable:
        table.inapplicable("ranks on gloo", "it has no gradient")
        return table.rows
    if not torch.distributed.is_available() or not hasattr(os, "fork"):
        table.add("ranks on gloo", Status.SKIPPED, "this system has no gloo or cannot fork")
        return table.rows
    if subject.plan.views < 2:
        table.inapplicable("ranks on gloo", "the loss takes one view")
        return table.rows
    compare_ranks(table, subject, "2 ranks on gloo", (4, 4), "gloo")
    compare_ranks(table, subject, "4 ranks on gloo", (4, 4, 4, 4), "gloo")
    compare_ranks(table, subject, "2 ranks with unequal rows", (5, 3), "gloo")
    return table.rows


def compare_ranks(table: Table, subject: Subject, name: str, counts: Sequence[int], backend: str) -> None:
    """One row: what the ranks' averaged gradient is the gradient of."""
    answers = _run_ranks(subject, counts, backend)
    problems = [answer["error"] for answer in answers if "error" in answer]
    if problems:
        detail = next((each for each in problems if "gloo" not in each.lower()), problems[0])
        if "cannot be imported" in detail or detail.startswith("it needs"):
            table.inapplicable(name, detail)
        elif len(set(counts)) > 1:  # loud, so nothing is silently wrong; most samplers pad the last batch anyway
            advice = "give every rank the same, or gather the sizes first"
            table.add(name, True, f"told: {_shown(counts)} rows: {detail}; {advice}")
        else:
            table.add(name, False, detail)
        return
    ours = torch.tensor(answers[0]["gradient"], dtype=torch.float64)
    whole, parts = _alone(subject, counts)
    ratio, cosine = _compared(ours, whole)
    told = f"ratio {ratio:.4g}, cosine {cosine:.6f}"
    if abs(ratio - 1) < _CLOSE and cosine > 1 - 1e-6:
        table.add(name, True, f"the gradient of the full batch ({told})")
    elif _same(ours, parts):
        table.add(name, True, "the mean of the ranks' own batches: it gathers nothing")
    elif len(set(counts)) > 1:
        table.add(name, False, f"{_shown(counts)} rows: {told} to the full batch; give every rank the same")
    else:
        table.add(name, False, f"neither the full batch's gradient ({told}) nor that of the ranks' own batches")


def _same(ours: Tensor, other: Tensor) -> bool:
    ratio, cosine = _compared(ours, other)
    return abs(ratio - 1) < _CLOSE and cosine > 1 - 1e-6


def _compared(ours: Tensor, other: Tensor) -> tuple[float, float]:
    return float(ours.norm() / other.norm()), float(torch.cosine_similarity(ours, other, dim=0))


def _shown(counts: Sequence[int]) -> str:
    return " and ".join(map(str, counts))


def _encoder(subject: Subject) -> nn.Linear:
    torch.manual_seed(5)
    return nn.Linear(DIM, DIM).to(torch.float64 if subject.plan.double else torch.float32)


def _loss(subject: Subject, encoder: nn.Module, inputs: Sequence[Tensor], **knobs: Any) -> Tensor:
    encoded: Tensor = encoder(torch.cat(list(inputs)))
    rows = nn.functional.normalize(encoded, dim=1)
    return subject.value(rows.chunk(len(inputs)), **knobs)


def _gradient(encoder: nn.Module) -> Tensor:
    return torch.cat([each.grad.double().flatten() for each in encoder.parameters() if each.grad is not None]).cpu()


def _inputs(subject: Subject, counts: Sequence[int]) -> list[Tensor]:
    dtype = torch.float64 if subject.plan.double else torch.float32
    return views_of(sum(counts), subject.plan.views, seed=9, dtype=dtype)


def _alone(subject: Subject, counts: Sequence[int]) -> tuple[Tensor, Tensor]:
    """Gradients in one process: of the full batch, and the mean over the ranks' parts."""
    inputs = _inputs(subject, counts)
    encoder = _encoder(subject)
    _loss(subject, encoder, inputs, configured=sum(counts)).backward()  # type: ignore[no-untyped-call]
    whole = _gradient(encoder)
    parts = []
    for rank in range(len(counts)):
        encoder = _encoder(subject)
        part = [torch.split(each, list(counts))[rank] for each in inputs]
        _loss(subject, encoder, part, configured=counts[rank]).backward()  # type: ignore[no-untyped-call]
        parts.append(_gradient(encoder))
    return whole, torch.stack(parts).mean(dim=0)


def _run_ranks(subject: Subject, counts: Sequence[int], backend: str) -> list[dict[str, Any]]:
    """What each rank found, each in a fork; none of them has used autograd before."""
    with tempfile.TemporaryDirectory(prefix="infonce-lint-") as folder:
        children = []
        for rank in range(len(counts)):
            reader, writer = os.pipe()
            child = os.fork()
            if child == 0:
                os.close(reader)
                answer = _rank(subject, counts, rank, backend, os.path.join(folder, "meeting"))
                with os.fdopen(writer, "wb") as pipe:
                    pipe.write(json.dumps(answer).encode())
                os._exit(0)
            os.close(writer)
            children.append((child, reader))
        answers = []
        for child, reader in children:
            with os.fdopen(reader, "rb") as pipe:
                data = pipe.read()
            os.waitpid(child, 0)
            answers.append(json.loads(data) if data else {"error": "a rank's process aborted"})
    return answers


def _rank(subject: Subject, counts: Sequence[int], rank: int, backend: str, meeting: str) -> dict[str, Any]:
    import torch.distributed as dist
    from torch.nn.parallel import DistributedDataParallel

    device = "cpu" if backend == "gloo" else f"cuda:{rank}"
    try:
        if backend == "nccl":
            torch.cuda.set_device(rank)
        dist.init_process_group(
            backend,
            init_method=f"file://{meeting}",
            rank=rank,
            world_size=len(counts),
            timeout=timedelta(seconds=_SECONDS),
        )
        encoder = DistributedDataParallel(_encoder(subject).to(device))
        inputs = [torch.split(each, list(counts))[rank].to(device) for each in _inputs(subject, counts)]
        knobs = {"world": len(counts), "rank": rank, "device": device}
        value = _loss(subject, encoder, inputs, configured=counts[rank], **knobs)
        value.backward()  # type: ignore[no-untyped-call]
        return {"value": float(value.detach()), "gradient": _gradient(encoder).tolist()}
    except (CannotRun, NoLoss) as error:
        return {"error": str(error)}
    except (Exception, SystemExit) as error:
        return {"error": short(error)}
