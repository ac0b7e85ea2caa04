"""Several ranks, each a process of its own: parameter gradients under DDP against the full batch in one process."""

from __future__ import annotations

import contextlib
import importlib
import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from infonce_lint.verify import forks
from infonce_lint.verify.checks.base import Table, attempt, batch_of, rows_for, size_for
from infonce_lint.verify.elsewhere import rows_elsewhere
from infonce_lint.verify.forms import others_are_constants, positives_of_first_rank
from infonce_lint.verify.knobs import DIM
from infonce_lint.verify.matching import Match
from infonce_lint.verify.outcome import NoLoss, short
from infonce_lint.verify.rows import Row, Status
from infonce_lint.verify.stacking import LABEL_KINDS, views_of
from infonce_lint.verify.stub import CannotRun
from infonce_lint.verify.subject import Subject

FAMILY = "distributed"
_CLOSE = 1e-4
_SECONDS = 30  # for the ranks to wait for each other
_LIMIT = 45.0  # seconds for one run: a rank that hangs is seen after those that wait for it have given up
_SPOILED = "this process has used autograd with a GPU there, and its forks cannot"
_NO_AUTOGRAD = "in combination with fork-based multiprocessing"  # how torch says that it refuses


def check(subject: Subject, found: Match | None = None, aside: str = "", *, moves: bool = True) -> list[Row]:
    """Two and four ranks with equally many rows, and two with unequally many.

    ``moves``: in another process, if this one has used autograd with a GPU and its forks cannot.
    """
    table = Table(FAMILY, aside)
    if not subject.plan.differentiable:
        table.inapplicable("ranks on gloo", "it has no gradient")
        return table.rows
    if not torch.distributed.is_available() or not hasattr(os, "fork"):
        table.add("ranks on gloo", Status.SKIPPED, "this system has no gloo or cannot fork")
        return table.rows
    if subject.plan.views < 2:
        table.inapplicable("ranks on gloo", "the loss takes one view")
        return table.rows
    each = 4 if found is None or found.blocks == 1 else rows_for(subject, found)
    runs: dict[str, tuple[int, ...]] = {"2 ranks on gloo": (each,) * 2, "4 ranks on gloo": (each,) * 4}
    if found is None or found.blocks == 1:
        runs["2 ranks with unequal rows"] = (5, 3)
    rows = compare_ranks(FAMILY, subject, runs, "gloo", found, aside)
    if moves and any(row.detail == _SPOILED for row in rows):
        return rows_elsewhere(FAMILY, subject, found, aside, runs, len(runs) * _LIMIT + _SECONDS)
    return rows


def compare_ranks(
    family: str,
    subject: Subject,
    runs: Mapping[str, Sequence[int]],
    backend: str,
    found: Match | None = None,
    aside: str = "",
) -> list[Row]:
    """One row a run, by the rows of its ranks: what the ranks' averaged gradient is the gradient of.

    The ranks are forked from a fork of this process, which has one thread and never uses autograd: they inherit neither
    a pool whose threads are not there any more, nor an engine that refuses to work in forks.
    """
    owner = os.getpid()
    failure = ""

    def work() -> dict[str, Any]:
        try:
            table = Table(family, aside)
            _fill(table, subject, found, runs, backend, owner)
            return {"rows": [row.as_json() for row in table.rows]}
        except Exception as error:  # of the machinery: the loss itself runs in the ranks
            return {"skipped": short(error)}

    try:
        (done,) = forks.run([work], len(runs) * _LIMIT + _SECONDS, leads=True)
    except OSError as error:
        failure = short(error)
    else:
        answer = done.answer or {"skipped": "they took too long and were stopped" if done.late else "a process aborted"}
        if "rows" in answer:
            return [Row.from_json(row) for row in answer["rows"]]
        failure = answer["skipped"]
    return [Row(family, name, Status.SKIPPED, failure) for name in runs]


def _fill(
    table: Table, subject: Subject, found: Match | None, runs: Mapping[str, Sequence[int]], backend: str, owner: int
) -> None:
    torch.set_num_threads(1)  # before any operation: it would wait for the threads of a pool that are not there
    with contextlib.suppress(ImportError):
        importlib.import_module("torch._dynamo")  # seconds, and every rank would import it for itself
    numbered = _takes_any_ids(subject)
    stopped = ""
    for name, counts in runs.items():
        if stopped:  # it would take as long again
            table.add(name, Status.SKIPPED, f"not tried after {stopped}")
            continue
        _compare(table, name, counts, _run_ranks(subject, found, counts, backend, owner, numbered))
        stopped = name if table.rows[-1].status is Status.SKIPPED else ""


def _compare(table: Table, name: str, counts: Sequence[int], all_ended: Sequence[forks.Ended]) -> None:
    *ended, alone = all_ended
    missing = _missing(ended, alone)
    if missing:
        table.add(name, Status.SKIPPED, missing)
        return
    if len(set(counts)) == 1 and not all(each.answer for each in ended):
        table.inapplicable(name, "a rank's process aborted, and says nothing")
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
        table.inapplicable(name, f"there is nothing to compare it with: in one process: {reference['error']}")
        return
    ours, whole, parts = (
        torch.tensor(each, dtype=torch.float64)
        for each in (answers[0]["gradient"], reference["whole"], reference["parts"])
    )
    ratio, cosine = _compared(ours, whole)
    told = f"ratio {ratio:.4g}, cosine {cosine:.6f}"
    causes = [(cause, torch.tensor(each, dtype=torch.float64)) for cause, each in reference["causes"]]
    cause = next((cause for cause, each in causes if _compared(ours, each)[1] > 1 - 1e-6), "")
    world = len(counts)
    if abs(ratio - 1) < _CLOSE and cosine > 1 - 1e-6:
        table.add(name, True, f"the gradient of the full batch ({told})")
    elif _same(ours, parts):
        table.add(name, True, "the mean of the ranks' own batches: it gathers nothing")
    elif len(set(counts)) > 1:
        table.add(name, False, f"{_shown(counts)} rows: {told} to the full batch; give every rank the same")
    elif cosine > 1 - 1e-6 and abs(ratio * world - 1) < _CLOSE:
        table.add(name, False, f"the gradient scaled by 1 / world size ({told}): {_SCALED}")
    else:
        neither = f"neither the full batch's gradient ({told}) nor that of the ranks' own batches"
        table.add(name, False, f"{neither}: {cause}" if cause else neither)


def _missing(ended: Sequence[forks.Ended], alone: forks.Ended) -> str:
    """Why there is nothing to compare, where that is no fault of the loss; empty if there is."""
    late = [rank for rank, each in enumerate(ended) if each.late]
    if late:
        return f"stopped after {_LIMIT:g} s without an answer of rank {_shown(late)}"
    if alone.late:
        return f"stopped after {_LIMIT:g} s without the gradient of the full batch in one process"
    for each in (*ended, alone):
        answer = each.answer or {}
        if "skipped" in answer:
            return str(answer["skipped"])
        if _NO_AUTOGRAD in answer.get("error", ""):
            return _SPOILED
    return ""


def _same(ours: Tensor, other: Tensor) -> bool:
    ratio, cosine = _compared(ours, other)
    return abs(ratio - 1) < _CLOSE and cosine > 1 - 1e-6


def _compared(ours: Tensor, other: Tensor) -> tuple[float, float]:
    return float(ours.norm() / other.norm()), float(torch.cosine_similarity(ours, other, dim=0))


def _shown(counts: Sequence[int]) -> str:
    return " and ".join(map(str, counts))


def _takes_any_ids(subject: Subject) -> bool:
    """Whether ids may start anywhere, as those of other ranks do; ids that are places in a tensor may not."""
    if not any(kind in LABEL_KINDS for _, kind in subject.plan.extras):
        return True
    batch = [each.detach() for each in batch_of(subject, subject.plan.configured)]
    with torch.no_grad():  # this process is to use no autograd
        value, _ = attempt(subject.value, batch, configured=subject.plan.configured, first=1000)
    return value is not None


_SCALED = (
    "DDP takes the mean over ranks, and a gather without gradient brings each rank its own share only; gather with "
    "gradient, or multiply the loss by the world size"
)
_NO_GRADIENT = "gather without gradient: the rows of other ranks are constants, so that a row learns as an anchor only"
_NO_OFFSET = "rank offset missing: every rank takes the rows of rank 0 for its positives"


def _encoder(subject: Subject) -> nn.Linear:
    torch.manual_seed(5)
    return nn.Linear(DIM, DIM).to(torch.float64 if subject.plan.double else torch.float32)


def _loss(subject: Subject, encoder: nn.Module, inputs: Sequence[Tensor], **knobs: Any) -> Tensor:
    return subject.value(_encoded(encoder, inputs), **knobs)


def _encoded(encoder: nn.Module, inputs: Sequence[Tensor]) -> tuple[Tensor, ...]:
    encoded: Tensor = encoder(torch.cat(list(inputs)))
    return nn.functional.normalize(encoded, dim=1).chunk(len(inputs))


def _gradient(encoder: nn.Module) -> Tensor:
    return torch.cat([each.grad.double().flatten() for each in encoder.parameters() if each.grad is not None]).cpu()


def _inputs(subject: Subject, counts: Sequence[int]) -> list[Tensor]:
    dtype = torch.float64 if subject.plan.double else torch.float32
    return views_of(sum(counts), subject.plan.views, seed=9, dtype=dtype)


def _alone(subject: Subject, found: Match | None, counts: Sequence[int], numbered: bool) -> dict[str, Any]:
    """Gradients in one process: of the whole batch, the mean over the ranks' parts, and what known mistakes give."""
    try:
        inputs = _inputs(subject, counts)
        encoder = _encoder(subject)
        _loss(subject, encoder, inputs, configured=size_for(subject, found, sum(counts))).backward()  # type: ignore[no-untyped-call]
        whole = _gradient(encoder)
        parts = []
        for rank in range(len(counts)):
            encoder = _encoder(subject)
            part = [torch.split(each, list(counts))[rank] for each in inputs]
            knobs = {"configured": size_for(subject, found, counts[rank]), "first": sum(counts[:rank]) * numbered}
            _loss(subject, encoder, part, **knobs).backward()  # type: ignore[no-untyped-call]
            parts.append(_gradient(encoder))
        causes = [(cause, each.tolist()) for cause, each in _causes(subject, found, inputs, counts)]
        return {"whole": whole.tolist(), "parts": torch.stack(parts).mean(dim=0).tolist(), "causes": causes}
    except (CannotRun, NoLoss) as error:
        return {"error": str(error)}
    except (Exception, SystemExit) as error:
        return {"error": short(error)}


def _causes(
    subject: Subject, found: Match | None, inputs: Sequence[Tensor], counts: Sequence[int]
) -> Iterator[tuple[str, Tensor]]:
    """The gradients of known mistakes with a gather, of a loss whose form is known."""
    if found is None or found.blocks > 1 or len(set(counts)) > 1:
        return
    for cause, mistaken in ((_NO_GRADIENT, others_are_constants), (_NO_OFFSET, positives_of_first_rank)):
        for held in (True, False):
            encoder = _encoder(subject)
            views = _encoded(encoder, inputs)
            value = mistaken(views, found.temperature, len(counts), found.form, held)
            value.backward()  # type: ignore[no-untyped-call]
            yield cause, _gradient(encoder)


def _run_ranks(
    subject: Subject, found: Match | None, counts: Sequence[int], backend: str, owner: int, numbered: bool
) -> list[forks.Ended]:
    """What became of each rank, and last what one process finds alone; all of them end when ``owner`` does."""
    with tempfile.TemporaryDirectory(prefix="infonce-lint-") as folder:
        meeting = os.path.join(folder, "meeting")
        works = [
            partial(_rank, subject, found, counts, rank, backend, meeting, numbered) for rank in range(len(counts))
        ]
        return forks.run(
            [*works, partial(_alone, subject, found, counts, numbered)], _LIMIT, wanted=lambda: os.getppid() == owner
        )


def _rank(
    subject: Subject,
    found: Match | None,
    counts: Sequence[int],
    rank: int,
    backend: str,
    meeting: str,
    numbered: bool,
) -> dict[str, Any]:
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
        knobs = {"world": len(counts), "rank": rank, "device": device, "first": sum(counts[:rank]) * numbered}
        value = _loss(subject, encoder, inputs, configured=size_for(subject, found, counts[rank]), **knobs)
        value.backward()  # type: ignore[no-untyped-call]
        return {"value": float(value.detach()), "gradient": _gradient(encoder).tolist()}
    except (CannotRun, NoLoss) as error:
        return {"error": str(error)}
    except (Exception, SystemExit) as error:
        return {"error": short(error)}
