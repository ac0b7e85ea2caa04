"""The checks: one file for each family of rows; each family runs in a process of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from infonce_lint.verify.rows import Row

if TYPE_CHECKING:
    from infonce_lint.verify.matching import Match
    from infonce_lint.verify.subject import Subject

#: All families in the order of the report; ``value`` comes first, since it tells the others what the loss computes.
FAMILIES = (
    "value", "sizes", "edges", "views", "symmetries", "temperature", "precision", "gradients", "distributed", "device",
)  # fmt: skip

#: The two parts of ``device``: one uses CUDA in its own process, the other forks ranks, which must not have done so.
ON_DEVICE, DEVICE_RANKS = "on device", "device ranks"


def run_family(
    family: str, subject: Subject, match: Match | None, *, unit_rows: bool = False, aside: str = ""
) -> list[Row]:
    """The rows of one family other than ``value`` (see `checks.value`), for a loss that computes ``match``.

    ``aside`` says why it computes nothing that the reference could be held against.
    """
    from infonce_lint.verify.checks import (
        device,
        distributed,
        edges,
        gradients,
        precision,
        sizes,
        symmetries,
        temperature,
        views,
    )

    checks: dict[str, Any] = {
        "sizes": lambda: sizes.check(subject, match),
        "edges": lambda: edges.check(subject, match, aside),
        "views": lambda: views.check(subject, match, aside),
        "symmetries": lambda: symmetries.check(subject, match, unit_rows=unit_rows, aside=aside),
        "temperature": lambda: temperature.check(subject, match),
        "precision": lambda: precision.check(subject, match),
        "gradients": lambda: gradients.check(subject, match, aside),
        "distributed": lambda: distributed.check(subject, match, aside),
        "device": lambda: device.check(subject, match),
        ON_DEVICE: lambda: device.on_device(subject, match),
        DEVICE_RANKS: lambda: device.ranks(subject),
    }
    rows: list[Row] = checks[family]()
    return rows
