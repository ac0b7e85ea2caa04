"""What well-known mistakes do to the loss: ``python -m tests.reference.mistakes`` prints the tables of the docs."""

from __future__ import annotations

import tempfile
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from infonce_lint.reference import info_nce_loss
from tests.reference import rank_cases as cases
from tests.reference.ranks import alone, meet, ratio_and_cosine

BATCH, WIDTH, TEMPERATURE = 16, 32, 0.1
MISTAKES = {
    "right": "`info_nce_loss(..., gather=True)`",
    "no gradient": "`all_gather` without gradient, own rows put back",
    "no offset": "targets count from 0 on every rank",
    "views concatenated": "`[v0; v1]` of each rank concatenated, taken as view-major",
}


def features(n_views: int) -> Tensor:
    """View-major rows of samples whose views lie near each other, float64."""
    random = torch.Generator().manual_seed(0)
    centres = torch.randn(BATCH, WIDTH, generator=random, dtype=torch.float64).repeat(n_views, 1)
    noise = torch.randn(n_views * BATCH, WIDTH, generator=random, dtype=torch.float64)
    return F.normalize(centres + 0.7 * noise, dim=1)


def target_zero(similarity: Tensor, n_views: int) -> Tensor:
    """The copied form on a similarity matrix: the positives' columns first, cross-entropy with target 0."""
    rows = similarity.shape[0]
    sample = torch.arange(rows) % (rows // n_views)
    same = (sample.unsqueeze(0) == sample.unsqueeze(1)) & ~torch.eye(rows, dtype=torch.bool)
    others = sample.unsqueeze(0) != sample.unsqueeze(1)
    near, far = similarity[same].view(rows, -1), similarity[others].view(rows, -1)
    logits = torch.cat([near, far], dim=1) / TEMPERATURE
    return F.cross_entropy(logits, torch.zeros(rows, dtype=torch.long), reduction="sum")


def pulls(n_views: int) -> tuple[float, float, float, float]:
    """Copied form per row, form ``out``, and the mean slope of a row's loss at its first and at its other positives."""
    rows = features(n_views)
    similarity = (rows @ rows.T).requires_grad_()
    loss = target_zero(similarity, n_views)
    (slope,) = torch.autograd.grad(loss, similarity)
    sample = torch.arange(len(rows)) % (len(rows) // n_views)
    same = (sample.unsqueeze(0) == sample.unsqueeze(1)) & ~torch.eye(len(rows), dtype=torch.bool)
    at_positives = slope[same].view(len(rows), -1) * TEMPERATURE  # by s = cosine / T
    first, rest = at_positives[:, 0].mean().item(), at_positives[:, 1:].mean().item()
    right = info_nce_loss(rows, n_views, temperature=TEMPERATURE).item()
    return loss.item() / len(rows), right, first, rest


def view_table() -> str:
    """The copied form above two views, in Markdown."""
    lines = [
        "| views | copied form | form `out` | slope at the first positive | slope at the others |",
        "|---|---|---|---|---|",
    ]
    for n_views in (2, 3, 4):
        copied, right, first, rest = pulls(n_views)
        others = "none" if n_views == 2 else f"{rest:+.3f}"
        lines.append(f"| {n_views} | {copied:.3f} | {right:.3f} | {first:+.3f} | {others} |")
    return "\n".join(lines)


def rank_table() -> str:
    """Two ranks against the whole batch in one process, in Markdown."""
    lines = [
        "| two ranks | whole batch | rank 0 | rank 1 | gradient's length | its cosine |",
        "|---|---|---|---|---|---|",
    ]
    with tempfile.TemporaryDirectory() as folder:
        run = meet(2, Path(folder))
    samples = sum(cases.COUNTS[2]["equal"])
    for name, words in MISTAKES.items():
        value, gradient = alone("towers, tiled, one way" if name == "no offset" else "out", samples)
        found = [rank[f"mistake: {name}"] for rank in run.ranks]
        ratio, cosine = ratio_and_cosine(found[0][1], gradient)
        losses = " | ".join(f"{loss.item():.3f}" for loss, _ in found)
        lines.append(f"| {words} | {value.item():.3f} | {losses} | {ratio:.3f} | {cosine:.3f} |")
    return "\n".join(lines)


if __name__ == "__main__":
    print(f"{view_table()}\n\n{rank_table()}")
