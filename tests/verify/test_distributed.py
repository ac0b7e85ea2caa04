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


OWN_ANCHORS = (
    IMPORTS
    + """
import torch.distributed as dist


class OwnAnchors(nn.Module):
    def __init__(self, temperature, world_size, rank):
        super().__init__()
        self.temperature, self.world_size, self.rank = temperature, world_size, rank

    def forward(self, q, k):
        q, k = F.normalize(q, dim=1), F.normalize(k, dim=1)
        keys, offset = k, 0
        if self.world_size > 1:
            found = [torch.empty_like(k) for _ in range(self.world_size)]
            dist.all_gather(found, k.detach())
            found[self.rank] = k
            keys, offset = torch.cat(found), len(q) * self.rank
        return F.cross_entropy(q @ keys.t() / self.temperature, torch.arange(len(q)) + offset)
"""
)
NO_OFFSET = OWN_ANCHORS.replace("len(q) * self.rank", "0")


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        (NO_GRADIENT, "the gradient scaled by 1 / world size (ratio 0.5, cosine 1.000000)"),
        (VIEWS_FIRST, "neither the full batch's gradient"),
        (OWN_ANCHORS, "gather without gradient: the rows of other ranks are constants"),
        (NO_OFFSET, "rank offset missing: every rank takes the rows of rank 0 for its positives"),
    ],
    ids=["no gradient", "views concatenated first", "own anchors", "no offset"],
)
def test_mistakes_with_the_gather_fail(text: str, cause: str, worker: Worker) -> None:
    found = examined(text, worker, ("value", "distributed"))
    assert failed(found) >= {"2 ranks on gloo", "4 ranks on gloo"}
    assert cause in row(found, "2 ranks on gloo").detail


IDS = (
    IMPORTS
    + """
import torch.distributed as dist
from torch.distributed.nn.functional import all_gather


def nt_xent(z, indexes, temperature=0.1):
    z = F.normalize(z, dim=1)
    every, ids, rank = z, indexes, 0
    if dist.is_initialized() and dist.get_world_size() > 1:
        rank = dist.get_rank()
        every = torch.cat(all_gather(z))
        found = [torch.empty_like(indexes) for _ in range(dist.get_world_size())]
        dist.all_gather(found, indexes)
        ids = torch.cat(found)
    own = torch.zeros(len(z), len(every), dtype=torch.bool)
    own[torch.arange(len(z)), torch.arange(len(z)) + rank * len(z)] = True
    logits = (z @ every.t() / temperature).masked_fill(own, float("-inf"))
    close = (indexes[:, None] == ids[None, :]) & ~own
    return (logits.logsumexp(dim=1) - logits[close].view(len(z))).mean()
"""
)


def test_ids_of_other_ranks_are_other_ids(worker: Worker) -> None:
    found = examined(IDS, worker, ("value", "distributed"))
    assert "the gradient of the full batch" in row(found, "2 ranks on gloo").detail
    assert row(found, "4 ranks on gloo").status is Status.PASS


def test_gather_that_is_not_there_is_no_verdict(worker: Worker) -> None:
    text = GATHERING.replace("torch.distributed.nn.functional import", "nowhere_at_all import")
    found = examined(text, worker, ("value", "distributed"))
    assert not failed(found)
    told = row(found, "2 ranks on gloo")
    assert (told.status, told.detail) == (
        Status.INAPPLICABLE,
        "it needs nowhere_at_all.all_gather: ModuleNotFoundError: No module named 'nowhere_at_all'",
    )


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
