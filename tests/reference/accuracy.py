"""How exact the reference loss is: ``python -m tests.reference.accuracy`` prints the table of docs/mathematics.md.

Errors are the largest over forms, view counts and batches, against the definitions in float64 on the same features. For
comparison, the widely copied two-view form with its sizes mended, in the features' own precision.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache

import torch
import torch.nn.functional as F
from torch import Tensor

from infonce_lint.reference import info_nce_loss
from tests.reference.definitions import defined_loss, value_and_gradient

TEMPERATURES = (0.5, 0.1, 0.01)
DTYPES = (torch.float64, torch.float32, torch.bfloat16, torch.float16)
BATCH, WIDTH, SEEDS = 8, 32, 4


@dataclass(frozen=True)
class Row:
    """Largest errors of value and gradient at one precision and temperature."""

    dtype: torch.dtype
    temperature: float
    value: float
    gradient: float
    copied_value: float
    copied_gradient: float

    @property
    def allowed(self) -> float:
        """2 eps / T of the precision in which the reference computes."""
        computed = torch.float64 if self.dtype == torch.float64 else torch.float32
        return 2 * torch.finfo(computed).eps / self.temperature


def copied_form(features: Tensor, temperature: float) -> Tensor:
    """Positives first, cross-entropy with target 0, two views; sizes from the features."""
    rows = features.shape[0]
    labels = torch.arange(rows // 2).repeat(2)
    same = labels.unsqueeze(0) == labels.unsqueeze(1)
    features = F.normalize(features, dim=1)
    similarity = features @ features.T
    itself = torch.eye(rows, dtype=torch.bool)
    same, similarity = same[~itself].view(rows, -1), similarity[~itself].view(rows, -1)
    logits = torch.cat([similarity[same].view(rows, -1), similarity[~same].view(rows, -1)], dim=1) / temperature
    return F.cross_entropy(logits, torch.zeros(rows, dtype=torch.long))


@cache
def rows() -> tuple[Row, ...]:
    """All combinations."""
    return tuple(_rows())


def _rows() -> Iterator[Row]:
    for dtype in DTYPES:
        for temperature in TEMPERATURES:
            ours = [
                errors(lambda x: info_nce_loss(x, v, temperature=temperature, form=form), dtype, v, temperature, form)  # noqa: B023
                for form in ("out", "pair", "in")
                for v in (2, 3)
            ]
            copied = errors(lambda x: copied_form(x, temperature), dtype, 2, temperature, "out")  # noqa: B023
            value, gradient = (max(column) for column in zip(*ours))
            yield Row(dtype, temperature, value, gradient, *copied)


def errors(
    loss: Callable[[Tensor], Tensor], dtype: torch.dtype, n_views: int, temperature: float, form: str
) -> tuple[float, float]:
    """Largest error of the value, and of an entry of the gradient (rounded to the features' own dtype)."""
    value_error = gradient_error = 0.0
    for seed in range(SEEDS):
        random = torch.Generator().manual_seed(seed)
        centre = torch.randn(BATCH, WIDTH, generator=random, dtype=torch.float64).repeat(n_views, 1)
        noise = torch.randn(n_views * BATCH, WIDTH, generator=random, dtype=torch.float64)
        features = (centre + 1.5 * noise).to(dtype).requires_grad_()
        exact = features.detach().double().requires_grad_()
        value, gradient = value_and_gradient(loss(features), features)
        expected, wanted = value_and_gradient(defined_loss(exact, n_views, temperature, form), exact)
        value_error = max(value_error, (value - expected).abs().item())
        gradient_error = max(gradient_error, (gradient - wanted).abs().max().item())
    return value_error, gradient_error


def table() -> str:
    """The rows in Markdown."""
    lines = [
        "| features | T | value | gradient | 2 eps / T | copied form: value | copied form: gradient |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in rows():
        numbers = (row.value, row.gradient, row.allowed, row.copied_value, row.copied_gradient)
        cells = " | ".join(f"{number:.1e}" for number in numbers)
        lines.append(f"| {str(row.dtype).removeprefix('torch.')} | {row.temperature} | {cells} |")
    return "\n".join(lines)


if __name__ == "__main__":
    print(table())
