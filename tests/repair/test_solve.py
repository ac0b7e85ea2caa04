"""Solving: what the configured size of a loss really counts, by equations of the code or by inference."""

from __future__ import annotations

import pytest

from tests.repair.snippets import is_safe, new_rows, refusal

HEAD = "def loss(z, w, args, queue):\n    "

PROVEN = {
    "labels of two towers": (
        "sim = z @ w.T / args.temperature\n    return F.cross_entropy(sim, torch.arange(args.batch_size))",
        "return F.cross_entropy(sim, torch.arange(z.shape[0]))",
    ),
    "labels of stacked views": (
        "h = torch.cat([z, w])\n    sim = h @ h.T / args.temperature\n"
        "    return F.cross_entropy(sim, torch.arange(2 * args.batch_size))",
        "return F.cross_entropy(sim, torch.arange(2 * z.shape[0]))",
    ),
    "a mask": (
        "h = torch.cat([z, w])\n    sim = (h @ h.T).exp()\n"
        "    return sim[~torch.eye(2 * args.batch_size).bool()].log().mean()",
        "return sim[~torch.eye(2 * z.shape[0]).bool()].log().mean()",
    ),
    "a view of the similarity": (
        "h = torch.cat([z, w])\n    sim = (h @ h.T).exp()\n    return sim.view(2 * args.batch_size, -1).log().mean()",
        "return sim.view(2 * z.shape[0], -1).log().mean()",
    ),
    "a diagonal of stacked views": (
        "h = torch.cat([z, w])\n    sim = h @ h.T / args.temperature\n"
        "    return torch.diag(sim, args.batch_size).mean()",
        "return torch.diag(sim, z.shape[0]).mean()",
    ),
    "a diagonal below": (
        "h = torch.cat([z, w])\n    sim = h @ h.T / args.temperature\n"
        "    return torch.diag(sim, -args.batch_size).mean()",
        "return torch.diag(sim, -z.shape[0]).mean()",
    ),
    "both halves of a tensor": (
        "a, b = z[:args.batch_size], z[args.batch_size:]\n    return F.cross_entropy(a @ b.T, torch.zeros(3))",
        "a, b = z[:actual_batch_size], z[actual_batch_size:]",
    ),
    "sections of a tensor": (
        "a, b = torch.split(z, args.batch_size)\n    return F.cross_entropy(a @ b.T, torch.zeros(3))",
        "a, b = torch.split(z, actual_batch_size)",
    ),
    "listed sections": (
        "a, b = torch.split(z, [args.batch_size, args.batch_size])\n"
        "    return F.cross_entropy(a @ b.T, torch.zeros(3))",
        "a, b = torch.split(z, [actual_batch_size, actual_batch_size])",
    ),
    "a loop over the rows of two towers": (
        "sim = z @ w.T / args.temperature\n    total = 0\n"
        "    for i in range(args.batch_size):\n        total = total + sim[i].log().mean()\n    return total",
        "for i in range(z.shape[0]):",
    ),
}


@pytest.mark.parametrize("name", PROVEN)
def test_proven_by_the_code(name: str) -> None:
    body, row = PROVEN[name]
    assert row in new_rows(HEAD + body)
    assert is_safe(HEAD + body)


INFERRED = {
    "a divisor alone": (
        "sim = z @ w.T / args.temperature\n    return F.cross_entropy(sim, y, reduction='sum') / args.batch_size",
        "return F.cross_entropy(sim, y, reduction='sum') / z.shape[0]",
    ),
    "the divisor of both views": (
        "h = torch.cat([z, w])\n    sim = h @ h.T / args.temperature\n"
        "    return F.cross_entropy(sim, y, reduction='sum') / (2 * args.batch_size)",
        "return F.cross_entropy(sim, y, reduction='sum') / (2 * z.shape[0])",
    ),
    "a diagonal of one stacked tensor": (
        "sim = z @ z.T / args.temperature\n    return torch.diag(sim, args.batch_size).mean()",
        "return torch.diag(sim, actual_batch_size).mean()",
    ),
}


@pytest.mark.parametrize("name", INFERRED)
def test_inferred_and_therefore_unsafe(name: str) -> None:
    body, row = INFERRED[name]
    assert row in new_rows(HEAD + body)
    assert not is_safe(HEAD + body)


REFUSED = {
    "two tensors of unlike rows": (
        "sim = z @ z.T / args.temperature\n    sims = torch.cat([z, w]) @ torch.cat([z, w]).T / args.temperature\n"
        "    y = torch.arange(args.batch_size)\n    return F.cross_entropy(sim, y) + F.cross_entropy(sims, y)",
        "disagree",
    ),
    "a divisor of one stacked tensor": (
        "sim = z @ z.T / args.temperature\n    return F.cross_entropy(sim, y, reduction='sum') / args.batch_size",
        "how many views",
    ),
    "rows of patches": (
        "h = z.view(args.batch_size, -1, 8)\n    sim = z @ z.T / args.temperature\n"
        "    deep = torch.bmm(h, h.transpose(1, 2)) / args.temperature\n"
        "    return torch.diag(sim, args.batch_size).mean() + deep.log().mean()",
        "regrouped",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name: str) -> None:
    body, reason = REFUSED[name]
    assert reason in refusal(HEAD + body)


def test_a_count_of_views_in_the_code_is_divided_by() -> None:
    code = """
    def loss(features, args):
        sim = features @ features.T / args.temperature
        labels = torch.cat([torch.arange(args.batch_size) for i in range(args.n_views)], dim=0)
        mask = labels.unsqueeze(0) == labels.unsqueeze(1)
        return sim[mask].mean()
    """
    assert "actual_batch_size = features.shape[0] // args.n_views" in new_rows(code)
    assert is_safe(code)
