"""The checks: one file for each family of rows; each family runs in a process of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from infonce_lint.verify.rows import Row

if TYPE_CHECKING:
    from infonce_lint.verify.matching import Match
    from infonce_lint.verify.subject import Subject

#: All families in the order of the report; ``value`` comes first, since it tells the others what the loss computes.
FAMILIES = ("value", "sizes", "views", "symmetries", "temperature", "precision", "gradients", "distributed", "device")


def run_family(family: str, subject: Subject, match: Match | None, *, unit_rows: bool = False) -> list[Row]:
    """The rows of one family other than ``value`` (see `checks.value`), for a loss that computes ``match``."""
    from infonce_lint.verify.checks import (
        device,
        distributed,
        gradients,
        precision,
        sizes,
        symmetries,
        temperature,
        views,
    )

    checks: dict[str, Any] = {
        "sizes": lambda: sizes.check(subject, match),
        "views": lambda: views.check(subject),
        "symmetries": lambda: symmetries.check(subject, match, unit_rows=unit_rows),
        "temperature": lambda: temperature.check(subject, match),
        "precision": lambda: precision.check(subject),
        "gradients": lambda: gradients.check(subject),
        "distributed": lambda: distributed.check(subject),
        "device": lambda: device.check(subject),
    }
    rows: list[Row] = checks[family]()
    return rows
