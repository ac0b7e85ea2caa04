"""What `verify` reports: one row a check."""

from __future__ import annotations

import enum
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

NO_DEVICE = "no CUDA device here"
"""What skipped rows say where there is no GPU; ``--require-gpu`` makes these fail."""


class Status(enum.Enum):
    """What became of a check."""

    PASS = "PASS"
    FAIL = "FAIL"
    SKIPPED = "SKIPPED"  # this machine lacks what the check needs, or the time
    INAPPLICABLE = "n/a"  # the loss has nothing that the check could look at


@dataclass(frozen=True, slots=True)
class Row:
    """One check of one loss: ``family`` is the file of the check, ``detail`` says what was seen, with the numbers."""

    family: str
    name: str
    status: Status
    detail: str

    def as_json(self) -> dict[str, Any]:
        """Plain data; `from_json` reads it."""
        return {"family": self.family, "name": self.name, "status": self.status.value, "detail": self.detail}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Row:
        """The row that `as_json` wrote."""
        return cls(data["family"], data["name"], Status(data["status"]), data["detail"])


def count(rows: Iterable[Row], status: Status) -> int:
    """How many rows have a status."""
    return sum(row.status is status for row in rows)
