"""Several ranks, each a process of its own: parameter gradients under DDP against the full batch in one process."""

from __future__ import annotations

import contextlib
import importlib
import os
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from infonce_lint.verify import forks
from infonce_lint.verify.checks.base import Table
from infonce_lint.verify.knobs import DIM
from infonce_lint.verify.outcome import NoLoss, short
from infonce_lint.verify.rows import Row, Status
from infonce_lint.verify.stacking import views_of
from infonce_lint.verify.stub import CannotRun
from infonce_lint.verify.subject import Subject

FAMILY = "distributed"
_CLOSE = 1e-4
_SECONDS = 30  # for the ranks to wait for each other
_LIMIT = 45.0  # seconds for one run: a rank that hangs is seen after those that wait for it have given up
_NO_AUTOGRAD = "in combination with fork-based multiprocessing"  # how torch says that it refuses


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
    runs = {"2 ranks on gloo": (4, 4), "4 ranks on gloo": (4, 4, 4, 4), "2 ranks with unequal rows": (5, 3)}
    return compare_ranks(FAMILY, subject, runs, "gloo")


def compare_ranks(family: str, subject: Subject, runs: Mapping[str, Sequence[int]], backend: str) -> list[Row]:
    """One row a run, by the rows of its ranks: what the ranks' averaged gradient is the gradient of.

    The ranks are forked from a fork of this process, which has one thread and never uses autograd: they inherit neither
    a pool whose threads are not there any more, nor an engine that refuses to work in forks.
    """
    owner = os.getpid()
    failure = ""

    def work() -> dict[str, Any]:
        try:
            return {"rows": [row.as_json() for row in _rows(family, subject, runs, backend, owner)]}
        except OSError as error:
            return {"skipped": short(error)}
        except Exception as error:
            return {"error": short(error)}

    try:
        (done,) = forks.run([work], len(runs) * _LIMIT + _SECONDS, leads=True)
    except OSError as error:
        failure = short(error)
    else:
        answer = done.answer or {"skipped": "they took too long and were stopped" if done.late else "a process aborted"}
        if "error" in answer:
            raise RuntimeError(answer["error"])
        if "rows" in answer:
            return [Row.from_json(row) for row in answer["rows"]]
        failure = answer["skipped"]
    return [Row(family, name, Status.SKIPPED, failure) for name in runs]


def _rows(family: str, subject: Subject, runs: Mapping[str, Sequence[int]], backend: str, owner: int) -> Iterable[Row]:
    torch.set_num_threads(1)  # before any operation: it would wait for the threads of a pool that are not there
    with contextlib.suppress(ImportError):
        importlib.import_module("torch._dynamo")  # seconds, and every rank would import it for itself
    table = Table(family)
    stopped = ""
    for name, counts in runs.items():
        if stopped:  # it would take as long again
            table.add(name, Status.SKIPPED, f"not tried after {stopped}")
            continue
        _compare(table, subject, name, counts, backend, owner)
        stopped = name if table.rows[-1].status is Status.SKIPPED else ""
    return table.rows


def _compare(table: Table, subject: Subject, name: str, counts: Sequence[int], backend: str, owner: int) -> None:
    *ended, alone = _run_ranks(subject, counts, backend, owner)
    missing = _missing(ended, alone)
    if missing:
        table.add(name, Status.SKIPPED, missing)
        return
    answers = [each.answer or {"error": "a rank's process aborted"} for each in ended]
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
    reference = alone.answer or {"error": "its process aborted"}
    if "error" in reference:
        table.add(name, False, f"in one process: {reference['error']}")
        return
    ours, whole, parts = (
        torch.tensor(each, dtype=torch.float64)
        for each in (answers[0]["gradient"], reference["whole"], reference["parts"])
    )
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


def _missing(ended: Sequence[forks.Ended], alone: forks.Ended) -> str:
    """Why there is nothing to compare, where that is no fault of the loss; empty if there is."""
    late = [rank for rank, each in enumerate(ended) if each.late]
    if late:
        return f"stopped after {_LIMIT:g} s without an answer of rank {_shown(late)}"
    if alone.late:
        return f"stopped after {_LIMIT:g} s without the gradient of the full batch in one process"
    for each in ended:
        answer = each.answer or {}
        if "skipped" in answer:
            return str(answer["skipped"])
        if _NO_AUTOGRAD in answer.get("error", ""):
            return "this process has used autograd with a GPU there, and its forks cannot"
    return ""


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


def _alone(subject: Subject, counts: Sequence[int]) -> dict[str, Any]:
    """Gradients in one process: of the whole batch, and the mean over the ranks' parts."""
    try:
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
        return {"whole": whole.tolist(), "parts": torch.stack(parts).mean(dim=0).tolist()}
    except (CannotRun, NoLoss) as error:
        return {"error": str(error)}
    except (Exception, SystemExit) as error:
        return {"error": short(error)}


def _run_ranks(subject: Subject, counts: Sequence[int], backend: str, owner: int) -> list[forks.Ended]:
    """What became of each rank, and last what one process finds alone; all of them end when ``owner`` does."""
    with tempfile.TemporaryDirectory(prefix="infonce-lint-") as folder:
        meeting = os.path.join(folder, "meeting")
        works = [partial(_rank, subject, counts, rank, backend, meeting) for rank in range(len(counts))]
        return forks.run([*works, partial(_alone, subject, counts)], _LIMIT, wanted=lambda: os.getppid() == owner)


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
    except Exception as error:  # the loss has not been run yet
        return {"skipped": f"the ranks do not meet: {short(error)}"}
    try:
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
