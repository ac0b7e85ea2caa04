"""Losses to repair, and what the planner makes of them."""

from __future__ import annotations

from textwrap import dedent

from infonce_lint.finding import Applicability, Fix
from infonce_lint.repair import Refusal, plan_fix
from infonce_lint.semantic.losses.model import SemanticModel
from infonce_lint.settings import Settings
from infonce_lint.sources.edits import apply_edits
from infonce_lint.sources.source import SourceFile

WIDE = 140  # rows are told whole; what is broken is the concern of test_layout

PREFIX = "import torch\nimport torch.nn.functional as F\n\n"


def plan(code: str, settings: Settings | None = None, imports: str = PREFIX) -> tuple[Fix | Refusal, SourceFile]:
    """The plan for the only loss unit of a dedented snippet (PyTorch's imports before it)."""
    chosen = settings or Settings(line_length=WIDE)
    source = SourceFile.from_text(imports + dedent(code).lstrip("\n"), "loss.py")
    (loss,) = SemanticModel(source.module, chosen).losses
    return plan_fix(loss, source, chosen), source


def refusal(code: str, imports: str = PREFIX) -> str:
    """Why a snippet is not repaired."""
    planned, _ = plan(code, imports=imports)
    assert isinstance(planned, Refusal), planned
    return planned.reason


def fix(code: str, settings: Settings | None = None) -> Fix:
    """The fix of a snippet."""
    planned, _ = plan(code, settings)
    assert isinstance(planned, Fix), planned
    return planned


def is_safe(code: str) -> bool:
    """Whether the fix of a snippet may be applied unread."""
    return fix(code).applicability is Applicability.SAFE


def repaired(code: str, settings: Settings | None = None) -> str:
    """The snippet after its fix, without the imports before it; the second pass must be silent."""
    planned, source = plan(code, settings)
    assert isinstance(planned, Fix), planned
    text = apply_edits(source, planned.edits)
    again = SourceFile.from_text(text, "loss.py")
    assert not SemanticModel(again.module, settings or Settings()).losses, text
    return text.removeprefix(PREFIX)


def new_rows(code: str, settings: Settings | None = None) -> list[str]:
    """The rows that the fix writes, without their indentation."""
    before = [row.strip() for row in dedent(code).splitlines()]
    return [row.strip() for row in repaired(code, settings).splitlines() if row.strip() not in before]
