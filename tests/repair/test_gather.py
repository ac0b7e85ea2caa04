"""Gather order: a size fix is withheld where it would hide that views and ranks are interleaved."""

from __future__ import annotations

import pytest

from tests.repair.snippets import new_rows, refusal

CODE = """
def loss(z_i, z_j, features, args, world_size):
    {gathered}
    sim = z @ z.T / args.temperature
    labels = torch.arange({size})
    return F.cross_entropy(sim, labels)
"""
MISPAIRED = [
    "z = all_gather(torch.cat([z_i, z_j]))",
    "h = torch.cat([z_i, z_j])\n    z = all_gather(h)",
    "h = F.normalize(torch.cat([z_i, z_j]), dim=1)\n    z = GatherLayer.apply(h)",
    "h = torch.cat([z_i, z_j]).contiguous()\n    z = gather(h)",
]


@pytest.mark.parametrize("gathered", MISPAIRED)
def test_views_concatenated_before_the_gather(gathered: str) -> None:
    reason = refusal(CODE.format(gathered=gathered, size="2 * args.batch_size * world_size"))
    assert "concatenated before the gather" in reason and "gather each view first" in reason


def test_a_stacked_tensor_is_gathered() -> None:
    code = """
    def loss(features, args, world_size):
        z = all_gather(features)
        sim = z @ z.T / args.temperature
        labels = torch.cat([torch.arange(args.batch_size * world_size) for _ in range(args.n_views)])
        return F.cross_entropy(sim, labels)
    """
    assert "concatenated before the gather" in refusal(code)


def test_each_view_is_gathered_first() -> None:
    gathered = "z = torch.cat([all_gather(z_i), all_gather(z_j)])"
    rows = new_rows(CODE.format(gathered=gathered, size="2 * args.batch_size * world_size"))
    assert rows[0].startswith("assert z.shape[0] % 2 == 0")
    assert rows[1:] == ["actual_batch_size = z.shape[0] // 2", "labels = torch.arange(2 * actual_batch_size)"]


def test_entries_that_are_picked_are_no_gather() -> None:
    gathered = "z = torch.cat([z_i, z_j])\n    p = torch.gather(z, 1, args.index)"
    rows = new_rows(CODE.format(gathered=gathered, size="2 * args.batch_size"))
    assert rows[1:] == ["actual_batch_size = z.shape[0] // 2", "labels = torch.arange(2 * actual_batch_size)"]


def test_a_number_that_is_gathered_for_the_log() -> None:
    code = """
    def loss(z, w, args):
        sim = z @ w.T / args.temperature
        value = F.cross_entropy(sim, torch.arange(args.batch_size))
        print(all_gather(value).mean())
        return value
    """
    assert new_rows(code) == ["value = F.cross_entropy(sim, torch.arange(z.shape[0]))"]
