"""Half precision as mixed-precision training brings it: features in fp16 or bf16, and the loss under autocast."""

from __future__ import annotations

import torch
from torch import Tensor

from infonce_lint.verify.checks.base import Table, attempt, near, rows_for
from infonce_lint.verify.matching import Match, temperatures
from infonce_lint.verify.rows import Row, Status
from infonce_lint.verify.stacking import views_of
from infonce_lint.verify.subject import Subject

FAMILY = "precision"
#: How this torch says that it has no such arithmetic on this device.
_LACKS = ("not implemented for", "unsupported autocast dtype", "Currently, AutocastCPU only support", "autocast on")
KINDS = {"fp16": torch.float16, "bf16": torch.bfloat16}


def check(subject: Subject, found: Match | None = None, device: str = "cpu", family: str = FAMILY) -> list[Row]:
    """A row for each of fp16 and bf16."""
    table = Table(family)
    where = "" if device == "cpu" else f" on {device}"
    for name, dtype in KINDS.items():
        title = f"{name} under autocast{where}"
        if subject.plan.arrays:
            table.inapplicable(title, "it takes numpy arrays")
        else:
            _one(table, subject, title, dtype, device, rows_for(subject, found))
    return table.rows


def _one(table: Table, subject: Subject, title: str, dtype: torch.dtype, device: str, samples: int) -> None:
    count = subject.plan.views
    rows = [each.to(device) for each in views_of(samples, count, dtype=torch.float32)]
    halves = [each.to(dtype) for each in rows]
    exact, problem = attempt(
        subject.value, [each.float() for each in halves], configured=subject.plan.configured, device=device
    )
    if exact is None:
        table.add(title, False, problem)
        return
    wanted = float(exact.detach())
    close = 2 * torch.finfo(dtype).eps / min(temperatures(subject)[0], 1.0)
    shown = ""
    for what, views in (("float32 features", rows), (f"features in {str(dtype).removeprefix('torch.')}", halves)):
        value, problem = _under_autocast(subject, views, dtype, device)
        if value is None:
            lacks = any(each in problem for each in _LACKS)
            table.add(title, Status.INAPPLICABLE if lacks else Status.FAIL, f"{what}: {problem}")
            return
        got = float(value.detach())
        if not value.isfinite() or not near(got, wanted, close):
            table.add(title, False, f"{what}: {got:.5g}, in full precision {wanted:.5g}")
            return
        shown = f"{got:.5g}, in full precision {wanted:.5g} (2 eps / T = {close:.2g})"
    table.add(title, True, shown)


def _under_autocast(
    subject: Subject, views: list[Tensor], dtype: torch.dtype, device: str
) -> tuple[Tensor | None, str]:
    def run() -> Tensor:
        with torch.autocast(torch.device(device).type, dtype=dtype):
            leaves = [each.detach().requires_grad_(subject.plan.differentiable) for each in views]
            value = subject.value(leaves, configured=subject.plan.configured, device=device)
        if value.requires_grad:
            for each in torch.autograd.grad(value, leaves, allow_unused=True):
                if each is not None and not each.isfinite().all():
                    return value.detach() * float("nan")
        return value

    return attempt(run)
