"""One loss, its labels or mask written in sixty ways: each is found, repaired and right at another batch."""

from __future__ import annotations

import re
from textwrap import indent
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from infonce_lint.engine.linter import fix_bytes, lint_bytes
from infonce_lint.settings import Settings

TEMPLATE = """import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F


class Loss(nn.Module):
    def __init__(self, args):
        super().__init__()
        self.args = args

    def forward(self, z):
        z = F.normalize(z, dim=1)
        sim = z @ z.T / self.args.temperature
{spelling}
        eye = torch.eye(z.shape[0], dtype=torch.bool, device=z.device)
        denom = torch.logsumexp(sim.masked_fill(eye, -1e9), dim=1)
{end}
"""

MASK = "return denom.mean() - sim[mask & ~eye].mean()"
WEIGHTS = "return denom.mean() - (sim * weights).sum() / weights.sum()"
POSITIVES = "return (denom - positives).mean()"
LABELS = "return F.cross_entropy(sim.masked_fill(eye, -1e9), labels)"
PARTNERS = "return (denom - (z * z[partners]).sum(dim=1) / self.args.temperature).mean()"
NEGATIVES = "return torch.logsumexp(negatives, dim=1).mean()"

SAME = "mask = ids[:, None] == ids[None, :]"

#: What the size is called in each spelling.
SIZE = "self.args.batch_size"

SPELLINGS: dict[str, tuple[str, str]] = {
    # numbers of the images, compared with each other
    "repeat": (f"ids = torch.arange(B).repeat(2)\n{SAME}", MASK),
    "repeat of a tuple": (f"ids = torch.arange(B).repeat((2,))\n{SAME}", MASK),
    "tile": (f"ids = torch.arange(B).tile(2)\n{SAME}", MASK),
    "torch.tile": (f"ids = torch.tile(torch.arange(B), dims=(2,))\n{SAME}", MASK),
    "cat": (f"ids = torch.cat([torch.arange(B), torch.arange(B)])\n{SAME}", MASK),
    "cat of a product": (f"ids = torch.cat([torch.arange(B)] * 2, dim=0)\n{SAME}", MASK),
    "cat of a comprehension": (f"ids = torch.cat([torch.arange(B) for _ in range(2)])\n{SAME}", MASK),
    "concatenate": (f"ids = torch.concatenate((torch.arange(B), torch.arange(B)))\n{SAME}", MASK),
    "hstack": (f"ids = torch.hstack((torch.arange(B), torch.arange(B)))\n{SAME}", MASK),
    "stack and flatten": (f"ids = torch.stack((torch.arange(B), torch.arange(B))).flatten()\n{SAME}", MASK),
    "vstack and reshape": (f"ids = torch.vstack([torch.arange(B), torch.arange(B)]).reshape(-1)\n{SAME}", MASK),
    "column_stack": (f"ids = torch.column_stack((torch.arange(B), torch.arange(B))).t().reshape(-1)\n{SAME}", MASK),
    "expand": (f"ids = torch.arange(B).expand(2, B).reshape(2 * B)\n{SAME}", MASK),
    "expand keeps": (f"ids = torch.arange(B)[None].expand(2, -1).flatten()\n{SAME}", MASK),
    "broadcast_to": (f"ids = torch.broadcast_to(torch.arange(B), (2, B)).reshape(-1)\n{SAME}", MASK),
    "modulo": (f"ids = torch.arange(2 * B) % B\n{SAME}", MASK),
    "remainder": (f"ids = torch.arange(2 * B).remainder(B)\n{SAME}", MASK),
    "torch.fmod": (f"ids = torch.fmod(torch.arange(B * 2), B)\n{SAME}", MASK),
    "a list": (f"ids = torch.tensor([i for i in range(B)] * 2)\n{SAME}", MASK),
    "two lists": (f"ids = torch.tensor(list(range(B)) + list(range(B)))\n{SAME}", MASK),
    "a nested list": (f"ids = torch.tensor([[i for i in range(B)] for _ in range(2)]).view(-1)\n{SAME}", MASK),
    "LongTensor": (f"ids = torch.LongTensor([*range(B)]).repeat(2)\n{SAME}", MASK),
    "numpy": (f"ids = torch.from_numpy(np.tile(np.arange(B), 2))\n{SAME}", MASK),
    "numpy concatenate": (f"ids = torch.from_numpy(np.concatenate([np.arange(B), np.arange(B)]))\n{SAME}", MASK),
    "numpy append": (f"ids = torch.from_numpy(np.append(np.arange(B), np.arange(B)))\n{SAME}", MASK),
    "linspace": (f"ids = torch.linspace(0, 1, B).repeat(2)\n{SAME}", MASK),
    "cumsum": (f"ids = torch.ones(B).cumsum(0).repeat(2)\n{SAME}", MASK),
    "nonzero": (f"ids = torch.ones(B).nonzero().squeeze(1)\nids = torch.cat([ids, ids])\n{SAME}", MASK),
    "flipped twice": (f"ids = torch.arange(B).flip(0).repeat(2)\n{SAME}", MASK),
    "movedim": (f"ids = torch.arange(B).repeat(2, 1).movedim(0, 1).T.reshape(-1)\n{SAME}", MASK),
    "unflatten": (f"ids = torch.arange(B).repeat(2).unflatten(0, (2, B)).flatten()\n{SAME}", MASK),
    # the comparison
    "eq": ("ids = torch.arange(B).repeat(2)\nmask = ids.unsqueeze(0).eq(ids.unsqueeze(1))", MASK),
    "torch.eq": ("ids = torch.arange(B).repeat(2)\nmask = torch.eq(ids.view(-1, 1), ids.view(1, -1))", MASK),
    "not ne": ("ids = torch.arange(B).repeat(2)\nmask = ~ids[:, None].ne(ids)", MASK),
    "difference": ("ids = torch.arange(B).repeat(2)\nmask = (ids[:, None] - ids[None]) == 0", MASK),
    "meshgrid": (
        "i, j = torch.meshgrid(torch.arange(2 * B), torch.arange(2 * B), indexing='ij')\n"
        "mask = i % B == j % B",
        MASK,
    ),
    "indices of numpy": ("i, j = np.indices((2 * B, 2 * B))\nmask = torch.from_numpy(i % B == j % B)", MASK),
    "one_hot": ("hot = F.one_hot(torch.arange(B).repeat(2), B).float()\nmask = (hot @ hot.T).bool()", MASK),
    "one_hot by einsum": (
        "hot = F.one_hot(torch.arange(B).repeat(2)).float()\n"
        "mask = torch.einsum('ik,jk->ij', hot, hot) > 0",
        MASK,
    ),
    "cdist": ("ids = torch.arange(B).repeat(2).float()[:, None]\nmask = torch.cdist(ids, ids) == 0", MASK),
    # the mask itself
    "eye repeated": ("mask = torch.eye(B).repeat(2, 2).bool()", MASK),
    "eye tiled": ("mask = torch.tile(torch.eye(B, dtype=torch.bool), (2, 2))", MASK),
    "kron": ("mask = torch.kron(torch.ones(2, 2), torch.eye(B)).bool()", MASK),
    "cat of rows": (
        "half = torch.cat([torch.eye(B), torch.eye(B)], dim=1)\n"
        "mask = torch.cat([half, half]).bool()",
        MASK,
    ),
    "rolled eye": ("mask = torch.eye(2 * B).roll(B, dims=1).bool()", MASK),
    "diag of ones": ("mask = (torch.diag(torch.ones(B), B) + torch.diag(torch.ones(B), -B)).bool()", MASK),
    "diag_embed": ("mask = torch.diag_embed(torch.ones(B)).repeat(2, 2).bool()", MASK),
    "padded identity of numpy": (
        "half = np.pad(np.eye(B), ((0, B), (B, 0)))\nmask = torch.from_numpy(half + half.T).bool()",
        MASK,
    ),
    "identity of numpy": ("mask = torch.from_numpy(np.kron(np.ones((2, 2)), np.identity(B))).bool()", MASK),
    "zeros filled": (
        "mask = torch.zeros(2 * B, 2 * B, dtype=torch.bool)\n"
        "rows = torch.arange(B)\n"
        "mask[rows, rows + B] = True\n"
        "mask[rows + B, rows] = True",
        MASK,
    ),
    "scattered": ("mask = torch.zeros(2 * B, 2 * B).scatter_(1, torch.arange(2 * B).roll(B)[:, None], 1).bool()", MASK),
    "weights": (
        "weights = torch.zeros(2 * B, 2 * B)\n"
        "weights[:B, B:] = torch.eye(B)\n"
        "weights[B:, :B] = torch.eye(B)",
        WEIGHTS,
    ),
    "weights multiplied": ("weights = torch.eye(B).repeat(2, 2).mul(1 - torch.eye(2 * B))", WEIGHTS),
    # positives, partners, labels
    "diagonals": ("positives = torch.cat([sim.diagonal(B), sim.diagonal(-B)]).view(2, B).flatten()", POSITIVES),
    "halves": (
        "a, b = z[:B], z[B:]\n"
        "positives = F.cosine_similarity(a, b).repeat(2) / self.args.temperature",
        POSITIVES,
    ),
    "split": ("a, b = z.split(B)\npositives = F.cosine_similarity(a, b).repeat(2) / self.args.temperature", POSITIVES),
    "split in sizes": (
        "a, b = torch.split(z, [B, B])\n"
        "positives = torch.einsum('nd,nd->n', a, b).repeat(2) / self.args.temperature",
        POSITIVES,
    ),
    "unflattened rows": (
        "a, b = z.unflatten(0, (2, B))\n"
        "positives = F.cosine_similarity(a, b, dim=-1).tile(2) / self.args.temperature",
        POSITIVES,
    ),
    "a view of the rows": (
        "a, b = z.view(2, B, z.shape[1])\n"
        "positives = (a @ b.T).diag().repeat(2) / self.args.temperature",
        POSITIVES,
    ),
    "halves of the mask": (
        "mask = torch.zeros(2 * B, 2 * B).bool()\n"
        "mask[:B, B:].fill_diagonal_(True)\n"
        "mask[B:, :B].fill_diagonal_(True)",
        MASK,
    ),
    "blocks": (
        "block = torch.block_diag(*[torch.ones(2, 2)] * B)\n"
        "order = torch.arange(2 * B).view(B, 2).T.flatten()\n"
        "mask = block[order][:, order].bool()",
        MASK,
    ),
    "triangles": (
        "r, c = torch.triu_indices(2 * B, 2 * B, B)\n"
        "mask = torch.zeros(2 * B, 2 * B).bool()\n"
        "mask[torch.arange(B), torch.arange(B) + B] = True",
        MASK,
    ),
    "outer": ("ids = torch.arange(B).repeat(2)\nmask = torch.outer(torch.ones_like(ids), ids) == ids[:, None]", MASK),
    "logical_xor": (
        "rows = torch.arange(2 * B)\n"
        "mask = torch.logical_not((rows[:, None] % B) != (rows[None] % B))",
        MASK,
    ),
    "rolled labels": ("labels = torch.arange(2 * B).roll(B)", LABELS),
    "labels of two ranges": ("labels = torch.cat((torch.arange(B, 2 * B), torch.arange(B)))", LABELS),
    "labels added to": ("labels = (torch.arange(2 * B) + B) % (2 * B)", LABELS),
    "listed partners": ("partners = [(i + B) % (2 * B) for i in range(2 * B)]", PARTNERS),
    "gathered": (
        "places = torch.arange(2 * B).roll(B).unsqueeze(1)\n"
        "positives = sim.gather(1, places).squeeze(1)",
        POSITIVES,
    ),
    "all but the diagonal": ("negatives = sim[~torch.eye(2 * B).bool()].view(2 * B, 2 * B - 1)", NEGATIVES),
    "all but the diagonal, free": ("negatives = sim[~torch.eye(2 * B, dtype=torch.bool)].view(2 * B, -1)", NEGATIVES),
    "masked_select": ("negatives = sim.masked_select(~torch.eye(2 * B).bool()).view(2 * B, -1)", NEGATIVES),
}  # fmt: skip


def written(name: str) -> bytes:
    """The loss in one of the spellings, ``B`` standing for the configured size."""
    spelling, end = SPELLINGS[name]
    text = re.sub(r"\bB\b", SIZE, spelling)
    return TEMPLATE.format(spelling=indent(text, " " * 8), end=indent(end, " " * 8)).encode()


def value(data: bytes, configured: int, rows: int) -> torch.Tensor:
    """What the loss returns for the two views of so many images."""
    scope: dict[str, Any] = {}
    exec(data, scope)  # the tests' own template
    z = torch.randn(2 * rows, 5, generator=torch.Generator().manual_seed(rows))
    result = scope["Loss"](SimpleNamespace(batch_size=configured, temperature=0.5))(z)
    assert isinstance(result, torch.Tensor)
    return result


#: What no row of the table of operations decides, and why.
NOT_YET = {"nonzero": "how many entries are not zero is not counted"}
CASES = [
    pytest.param(name, marks=pytest.mark.xfail(reason=NOT_YET[name]) if name in NOT_YET else ()) for name in SPELLINGS
]


@pytest.mark.parametrize("name", CASES)
def test_found_repaired_and_right(name: str) -> None:
    data = written(name)
    assert lint_bytes(data, "loss.py", Settings())
    fixed = fix_bytes(data, "loss.py", Settings(), unsafe=False).data
    assert fixed != data
    assert torch.equal(value(fixed, 6, 6), value(data, 6, 6))
    for rows in (4, 7):
        assert torch.allclose(value(fixed, 6, rows), value(data, rows, rows))


def test_there_are_sixty() -> None:
    assert len(SPELLINGS) - len(NOT_YET) >= 60
