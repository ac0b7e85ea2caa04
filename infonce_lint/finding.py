"""What the analyzer says: positions, edits, fixes and findings. Knows nothing of how they are found or shown."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field


class Applicability(enum.Enum):
    """Whether a fix may be applied without a person reading it first (ruff's and rustc's term)."""

    SAFE = "safe"
    UNSAFE = "unsafe"


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """A place in a text; ``row`` and ``column`` count from 1 and columns count code points."""

    row: int
    column: int


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """From ``start`` up to, not including, ``end``; ``cell`` counts a notebook's cells from 1 (None elsewhere)."""

    start: Position
    end: Position
    cell: int | None = None


@dataclass(frozen=True, slots=True)
class Edit:
    """Replace the text of ``span`` by ``content`` (an empty span inserts)."""

    span: Span
    content: str


@dataclass(frozen=True, slots=True)
class Fix:
    """All edits that repair one loss unit; every finding of the unit carries the same fix."""

    applicability: Applicability
    message: str
    edits: tuple[Edit, ...]
    why: str = ""  # why it is safe, or what a person should check first


@dataclass(frozen=True, slots=True)
class Related:
    """Another place that explains a finding: where the size comes from or what it flows into."""

    span: Span
    message: str


@dataclass(frozen=True, slots=True)
class Finding:
    """One reported expression.

    ``unit`` numbers the loss unit inside its file; findings of one unit share one fix. ``origin`` tells in words where
    the size comes from, first step first. ``withheld`` says why there is no fix and what to do by hand; where another
    finding of the same loss tells that already, ``told_at`` names its row.
    """

    code: str
    message: str
    span: Span
    related: tuple[Related, ...] = ()
    fix: Fix | None = None
    unit: int | None = None
    origin: tuple[str, ...] = field(default=())
    withheld: str = ""
    told_at: str = ""

    @property
    def text(self) -> str:
        """The message as every surface prints it: with the reason when there is no fix, once a loss."""
        return f"{self.message} (no automatic fix: {self.reason})" if self.withheld else self.message

    @property
    def reason(self) -> str:
        """Why there is no fix, or where that is told."""
        return f"see {self.told_at}" if self.told_at else self.withheld
