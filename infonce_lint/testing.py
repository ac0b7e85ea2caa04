"""For test suites: one line that checks a contrastive loss against the reference and everything that cannot change it.

>>> from infonce_lint.testing import check_loss
>>> def test_my_loss():
...     check_loss(my_loss)

Needs torch (``pip install infonce-lint[verify]``).
"""

from __future__ import annotations

import random
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from infonce_lint.verify.checks import FAMILIES
from infonce_lint.verify.rows import Row, Status

if TYPE_CHECKING:
    from infonce_lint.verify.plan import Plan

__all__ = ["check_loss"]


def check_loss(
    loss: Callable[..., Any],
    *,
    unit_rows: bool = False,
    checks: Sequence[str] | None = None,
    ranks: bool = False,
    **arguments: Any,
) -> None:
    """Fail unless a contrastive loss is right, as far as running it can tell.

    Args:
        loss: a function, a class (constructed as the checks need it), or an object that is called. How it takes its
            rows is found out by trying: stacked ``[V * B, D]``, side by side ``[B, V, D]``, a list of views, or one
            argument a view.
        unit_rows: callers bring rows to length 1, as the loss expects.
        checks: only these families: value, sizes, views, symmetries, temperature, precision, gradients, device.
        ranks: also run 2 and 4 ranks on gloo, each in a forked process (family "distributed"). Ranks that hang are
            stopped, and a warning says so.
        arguments: values of parameters that their names do not explain.

    Raises:
        AssertionError: a check failed, or the loss could not be run; the message has a row for each failure.
        ValueError: a family of checks that there is not, or an argument that the loss does not read.
    """
    from infonce_lint.verify.stub import CannotRun

    families = _families(checks, ranks=ranks or "distributed" in (checks or ()))
    name = getattr(loss, "__qualname__", type(loss).__qualname__)
    with _restored():
        try:
            plan, rows = _examined(loss, name, families, arguments, unit_rows=unit_rows)
        except CannotRun as error:
            raise AssertionError(f"{name} cannot be run: {error}") from None
    read = [path for path, _ in plan.made]
    for each in arguments:
        if each not in read:
            raise ValueError(f"{name} does not read {each!r}; it reads {', '.join(read) or 'nothing from outside'}")
    for row in rows:
        if row.family == "distributed" and row.status in (Status.SKIPPED, Status.INAPPLICABLE):  # asked for, not done
            warnings.warn(f"{name}: {row.name}: {row.detail}", stacklevel=2)
    failed = [row for row in rows if row.status is Status.FAIL]
    if failed:
        raise AssertionError(_told(name, plan, rows, failed))


def _families(checks: Sequence[str] | None, *, ranks: bool) -> list[str]:
    known = [family for family in FAMILIES if ranks or family != "distributed"]
    for each in checks or ():
        if each not in FAMILIES:
            raise ValueError(f"checks: unknown {each!r}; there are {', '.join(FAMILIES)}")
    return [family for family in known if checks is None or family in checks]


def _examined(
    loss: Callable[..., Any], name: str, families: Sequence[str], arguments: dict[str, Any], *, unit_rows: bool
) -> tuple[Plan, list[Row]]:
    from infonce_lint.verify.callables import CallableSubject
    from infonce_lint.verify.checks import run_family, value
    from infonce_lint.verify.search import find_plan

    subject = CallableSubject(loss, name, arguments)
    subject.plan = find_plan(subject)
    rows, match, aside = value.check(subject)
    if "value" not in families:
        rows = []
    for family in families:
        if family != "value":
            rows += run_family(family, subject, match, unit_rows=unit_rows, aside=aside)
    return subject.plan, rows


def _told(name: str, plan: Plan, rows: Sequence[Row], failed: Sequence[Row]) -> str:
    width = max(len(row.name) for row in failed)
    made = "".join(f", {path}={value}" for path, value in plan.made)
    lines = [f"{name} fails {len(failed)} of {len(rows)} checks:"]
    lines += [f"  {row.name:<{width}}  {row.detail}" for row in failed]
    lines.append(f"(it was given {plan.layout.value} in `{', '.join(plan.features)}`{made})")
    return "\n".join(lines)


@contextmanager
def _restored() -> Iterator[None]:
    """Leave random numbers and process groups as they were."""
    import torch

    has_group = torch.distributed.is_available() and torch.distributed.is_initialized()
    state = random.getstate()
    try:
        import numpy as np

        array_state: Any = np.random.get_state()
    except ImportError:
        array_state = None
    try:
        with torch.random.fork_rng(devices=[]):
            yield
    finally:
        random.setstate(state)
        if array_state is not None:
            np.random.set_state(array_state)
        if torch.distributed.is_available() and torch.distributed.is_initialized() and not has_group:
            torch.distributed.destroy_process_group()
