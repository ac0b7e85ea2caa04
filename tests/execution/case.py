"""What it takes to execute a fixture: which tensors go in, and what its fix may do."""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from tests.execution.batch import Batch
from tests.fixture_cases import FIXTURES

Run = Callable[[ModuleType, int, Batch], Any]
"""Runs the loss of a loaded fixture, configured for a batch size, on a batch; returns numbers or tensors."""


class Outcome(enum.Enum):
    """What the design asks of the fix."""

    SAFE = "safe"  # --fix repairs it
    UNSAFE = "unsafe"  # only --unsafe-fixes repairs it
    EITHER = "either"  # repaired, and the design leaves open how much trust the fix deserves
    ANY = "any"  # repaired, or withheld with a reason: both are right
    NOT_SAFE = "not safe"  # withheld, or left to --unsafe-fixes
    WITHHELD = "withheld"  # never repaired; the finding says why


@dataclass(frozen=True, slots=True)
class Case:
    """One executable fixture.

    ``fixture`` is its path below ``fixtures/rules``; ``constants`` are the names whose literal value stands for the
    configured size in its text; ``views`` is set where stacked rows must divide by a view count; ``exact`` is False
    where a fix may add up the same numbers in another order; ``asserts_size`` where the author's own assertion goes on
    to refuse another size after the repair.
    """

    fixture: str
    run: Run
    fix: Outcome = Outcome.SAFE
    views: int | None = None
    constants: tuple[str, ...] = ()
    exact: bool = True
    asserts_size: bool = False

    @property
    def data(self) -> bytes:
        """The fixture's bytes."""
        return (FIXTURES / "rules" / self.fixture).read_bytes()

    def __str__(self) -> str:
        return self.fixture.removesuffix(".py")
