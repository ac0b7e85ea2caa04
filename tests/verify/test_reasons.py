"""What a file says itself is taken at its word, and what is told of a loss that cannot be run is the first cause."""

from __future__ import annotations

import pytest

pytest.importorskip("torch")

from infonce_lint.settings import Settings
from infonce_lint.sources.source import SourceFile
from infonce_lint.verify.cutting import cut
from infonce_lint.verify.examination import examine
from infonce_lint.verify.worker import Worker
from tests.verify.samples import IMPORTS, examined, failed, row, sites

OWN_CRITERION = (
    IMPORTS
    + """
from nowhere_at_all import devices


class Pairs(nn.Module):
    def __init__(self, temperature):
        super().__init__()
        self.temperature = temperature
        self.on_gpu = devices() > 0

    def forward(self, z):
        logits = (z @ z.T / self.temperature).masked_fill(torch.eye(len(z), dtype=torch.bool), float("-inf"))
        return F.cross_entropy(logits, torch.arange(len(z)).roll(len(z) // 2))


class NTXentLoss(nn.Module):
    def __init__(self, temperature):
        super().__init__()
        self.criterion = Pairs(temperature)

    def forward(self, features):
        return self.criterion(F.normalize(features, dim=1))
"""
)
MISSING = (
    IMPORTS
    + """
from nowhere_at_all import version


class NTXentLoss(nn.Module):
    def __init__(self, opt):
        super().__init__()
        self.opt = opt
        self.mask_dtype = torch.uint8 if version.parse(torch.__version__) < version.parse("1.2") else torch.bool

    def forward(self, a, b):
        z = F.normalize(torch.cat([a, b]), dim=1)
        own = torch.eye(len(z), dtype=self.mask_dtype)
        logits = (z @ z.T / self.opt.temperature).masked_fill(own, -10.0)
        return F.cross_entropy(logits, torch.arange(len(z)).roll(len(a)))
"""
)
ON_SELF = (
    IMPORTS
    + """

class Graph(nn.Module):
    def __init__(self, layers, temperature):
        super().__init__()
        self.layers, self.temperature = layers, temperature

    def forward(self, adjacency):
        self.rows_u = [adjacency @ each for each in self.layers]
        self.rows_v = [adjacency.T @ each for each in self.layers]
        self.users, self.items = sum(self.rows_u), sum(self.rows_v)
        self.first = F.normalize(self.users, dim=1)
        second = F.normalize(self.items, dim=1)
        logits = self.first @ second.T / self.temperature
        return F.cross_entropy(logits, torch.arange(len(logits)))
"""
)


def test_a_criterion_that_the_file_defines_is_that_one(worker: Worker) -> None:
    whole = next(each for each in sites(OWN_CRITERION) if each.name == "NTXentLoss.forward")
    found = examine(whole, OWN_CRITERION, worker, families=("value",))
    assert not failed(found)
    assert "`out` at temperature 0.1" in row(found, "value, 2 views").detail


def test_a_module_that_is_missing_is_the_reason_and_no_guess_of_what_it_decides(worker: Worker) -> None:
    problem = examined(MISSING, worker, ()).problem
    assert problem.endswith("ModuleNotFoundError: No module named 'nowhere_at_all'"), problem


def test_features_that_a_model_keeps_on_itself_become_parameters(worker: Worker) -> None:
    (site,) = sites(ON_SELF)
    assert site.inlined
    piece = cut(site, SourceFile(ON_SELF, site.path), Settings())
    assert all(each.isidentifier() for each in piece.site.features)
    found = examine(piece.site, piece.text, worker, families=("value",))
    assert not failed(found), found.rows
    assert "clip, " in row(found, "value, 2 views").detail
