"""A small program that uses the typed interface; `mypy --strict` reads it and Python runs it."""

from __future__ import annotations

from infonce_lint import Finding, FixedFile, Settings, __version__, fix_source, lint_source
from infonce_lint.finding import Applicability

LOSS = """\
import torch
import torch.nn.functional as F


def loss(z1, z2, args):
    labels = torch.arange(args.batch_size)
    return F.cross_entropy(z1 @ z2.T / 0.1, labels)
"""


def safe_fixes(findings: list[Finding]) -> list[str]:
    return [each.code for each in findings if each.fix and each.fix.applicability is Applicability.SAFE]


def main() -> str:
    settings = Settings(select=("NCE0",), guard="raise")
    findings: list[Finding] = lint_source(LOSS, "loss.py", settings)
    fixed: FixedFile = fix_source(LOSS.encode(), settings=settings, unsafe=False)
    text: str = fixed.data.decode()
    assert fixed.changed and not fixed.remaining, fixed.reason
    assert "z1.shape[0]" in text or "z2.shape[0]" in text
    return f"{__version__} {','.join(safe_fixes(findings))} {findings[0].span.start.row}"


if __name__ == "__main__":
    print(main())
