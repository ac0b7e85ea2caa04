"""Several ranks: the reference has the gradient of the full batch, and each mistake with a gather is told."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("torch")

from infonce_lint.verify.examination import Examination, examine
from infonce_lint.verify.rows import Status
from infonce_lint.verify.worker import Worker
from tests.verify.samples import IMPORTS, PAIR, examined, failed, row, site

pytestmark = pytest.mark.slow

GATHERING = (
    IMPORTS
    + """
import torch.distributed as dist
from torch.distributed.nn.functional import all_gather


class GatheredLoss(nn.Module):
    def __init__(self, temperature, world_size, rank):
        super().__init__()
        self.temperature, self.world_size, self.rank = temperature, world_size, rank

    def forward(self, z_i, z_j):
        z_i, z_j = F.normalize(z_i, dim=1), F.normalize(z_j, dim=1)
        if self.world_size > 1:
            z_i, z_j = torch.cat(all_gather(z_i)), torch.cat(all_gather(z_j))
        z = torch.cat([z_i, z_j])
        logits = (z @ z.t() / self.temperature).masked_fill(torch.eye(len(z), dtype=torch.bool), float("-inf"))
        return F.cross_entropy(logits, torch.arange(len(z)).roll(len(z_i)))
"""
)
NO_GRADIENT = GATHERING.replace(
    "            z_i, z_j = torch.cat(all_gather(z_i)), torch.cat(all_gather(z_j))\n",
    "            others = [[torch.empty_like(z) for _ in range(self.world_size)] for z in (z_i, z_j)]\n"
    "            for every, z in zip(others, (z_i, z_j)):\n"
    "                dist.all_gather(every, z.detach())\n"
    "                every[self.rank] = z\n"
    "            z_i, z_j = torch.cat(others[0]), torch.cat(others[1])\n",
)
VIEWS_FIRST = GATHERING.replace(
    "            z_i, z_j = torch.cat(all_gather(z_i)), torch.cat(all_gather(z_j))\n"
    "        z = torch.cat([z_i, z_j])\n",
    "            z = torch.cat(all_gather(torch.cat([z_i, z_j])))\n"
    "        else:\n"
    "            z = torch.cat([z_i, z_j])\n",
).replace("roll(len(z_i))", "roll(len(z) // 2)")


def ranks(text: str, worker: Worker) -> Examination:
    return examined(text, worker, ("distributed",))


def test_loss_that_gathers_with_gradient_has_that_of_the_full_batch(worker: Worker) -> None:
    found = ranks(GATHERING, worker)
    for name in ("2 ranks on gloo", "4 ranks on gloo"):
        assert row(found, name).status is Status.PASS
        assert "the gradient of the full batch (ratio 1, cosine 1.000000)" in row(found, name).detail


def test_loss_that_gathers_nothing_is_told(worker: Worker) -> None:
    found = ranks(PAIR, worker)
    assert not failed(found)
    assert "it gathers nothing" in row(found, "4 ranks on gloo").detail


@pytest.mark.parametrize("text", [NO_GRADIENT, VIEWS_FIRST], ids=["no gradient", "views concatenated first"])
def test_mistakes_with_the_gather_fail(text: str, worker: Worker) -> None:
    found = ranks(text, worker)
    assert failed(found) >= {"2 ranks on gloo", "4 ranks on gloo"}
    assert "neither the full batch's gradient" in row(found, "2 ranks on gloo").detail


def test_unequal_rows_that_stop_a_gather_are_told(worker: Worker) -> None:
    found = row(ranks(NO_GRADIENT, worker), "2 ranks with unequal rows")
    assert found.status is Status.PASS
    assert "5 and 3" in found.detail
    assert found.detail.startswith("told: 5 and 3 rows")


def test_reference_is_exact_for_unequal_rows_too(worker: Worker) -> None:
    path = Path(__file__).resolve().parents[2] / "infonce_lint" / "reference" / "clip.py"
    text = path.read_text(encoding="utf-8")
    found = examine(site(text, "clip_loss", str(path)), text, worker, families=("distributed",))
    assert not failed(found)
    assert "the gradient of the full batch" in row(found, "2 ranks with unequal rows").detail
