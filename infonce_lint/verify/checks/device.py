"""The same on a GPU: value and gradient, half precision, and several GPUs over nccl."""

from __future__ import annotations

import torch

from infonce_lint.verify.checks import precision
from infonce_lint.verify.checks.base import Table, attempt, near
from infonce_lint.verify.checks.distributed import compare_ranks
from infonce_lint.verify.matching import Match
from infonce_lint.verify.rows import NO_DEVICE, Row, Status
from infonce_lint.verify.stacking import views_of
from infonce_lint.verify.subject import Subject

FAMILY = "device"
_CLOSE = 1e-4


def check(subject: Subject, found: Match | None = None) -> list[Row]:
    """Four rows; SKIPPED where there is no device."""
    forked = ranks(subject)  # before this process uses the device, which its forks could not do then
    return [*on_device(subject, found), *forked]


def on_device(subject: Subject, found: Match | None = None) -> list[Row]:
    """Value, gradient and half precision there, in this process."""
    table = Table(FAMILY)
    halves = [f"{name} under autocast on cuda" for name in precision.KINDS]
    if not torch.cuda.is_available():
        for name in ("value and gradient on cuda", *halves):
            table.add(name, Status.SKIPPED, NO_DEVICE)
        return table.rows
    _against_cpu(table, subject)
    return [*table.rows, *precision.check(subject, found, "cuda", FAMILY)]


def ranks(subject: Subject) -> list[Row]:
    """A rank on each of up to four devices, over nccl; with one device a world of one. In forks of this process."""
    table = Table(FAMILY)
    if not torch.cuda.is_available():
        table.add("ranks on nccl", Status.SKIPPED, NO_DEVICE)
    elif not subject.plan.differentiable or subject.plan.views < 2:
        table.inapplicable("ranks on nccl", "it has no gradient, or takes one view")
    elif not torch.distributed.is_nccl_available():
        table.add("ranks on nccl", Status.SKIPPED, "this torch has no nccl")
    elif torch.cuda.is_initialized():  # type: ignore[no-untyped-call]
        table.add("ranks on nccl", Status.SKIPPED, "this process has used CUDA, and its forks cannot")
    else:
        return compare_ranks(FAMILY, subject, {"ranks on nccl": (4,) * min(torch.cuda.device_count(), 4)}, "nccl")
    return table.rows


def _against_cpu(table: Table, subject: Subject) -> None:
    name = "value and gradient on cuda"
    samples, count = subject.plan.configured, subject.plan.views
    found = {}
    for device in ("cpu", "cuda"):
        views = [each.to(device).requires_grad_() for each in views_of(samples, count, dtype=torch.float32)]
        value, problem = attempt(subject.value, views, configured=samples, device=device)
        if value is None:
            table.add(name, False, f"on {device}: {problem}")
            return
        gradients = torch.autograd.grad(value, views, allow_unused=True) if value.requires_grad else ()
        found[device] = float(value.detach()), [each.cpu() for each in gradients if each is not None]
    (here, ours), (there, theirs) = found["cpu"], found["cuda"]
    same = near(there, here, _CLOSE) and len(ours) == len(theirs)
    same = same and all(torch.allclose(a, b, rtol=1e-3, atol=_CLOSE) for a, b in zip(ours, theirs))
    table.add(name, same, f"{there:.5g} on {torch.cuda.get_device_name()}, {here:.5g} on the CPU")
