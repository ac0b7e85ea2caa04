"""What cannot be of another size, and what only looks like it: drawn batches and heads of larger masks."""

from __future__ import annotations

import pytest

from infonce_lint import lint_source

PREFIX = "import random\nimport torch\nimport torch.nn.functional as F\n\n\n"
DRAWN = {
    "row numbers": "index = torch.randint(0, len(data), (args.batch_size,))",
    "a sample": "index = random.sample(range(len(data)), args.batch_size)",
    "the first of an order": "index = torch.randperm(len(data))[: args.batch_size]",
}
NOT_DRAWN = {
    "the rest of an order": "index = torch.randperm(len(data))[args.batch_size :]",
    "as many as something else": "index = torch.randint(0, len(data), (args.pairs,))",
    "no index": "index = slice(None)",
}


def rows_found(body: str) -> int:
    return len(lint_source(f"{PREFIX}{body}\n"))


def drawing(statement: str) -> str:
    return (
        f"def step(data, net, args):\n    {statement}\n    first, second = net(data[index]), net(data[index].flip(1))\n"
        "    return F.cross_entropy(first @ second.t(), torch.arange(args.batch_size))"
    )


@pytest.mark.parametrize("name", DRAWN)
def test_a_drawn_batch_is_as_large_as_configured(name: str) -> None:
    assert rows_found(drawing(DRAWN[name])) == 0


@pytest.mark.parametrize("name", NOT_DRAWN)
def test_another_batch_is_not(name: str) -> None:
    assert rows_found(drawing(NOT_DRAWN[name])) == 1


def test_drawn_negatives_leave_the_pairs_open() -> None:
    body = (
        "def step(batch, bank, net, args):\n    strangers = net(bank[torch.randint(0, 99, (args.batch_size,))])\n"
        "    first, second = net(batch), net(batch.flip(1))\n"
        "    logits = torch.cat([first @ second.t(), first @ strangers.t()], dim=1)\n"
        "    return F.cross_entropy(logits, torch.arange(args.batch_size))"
    )
    assert rows_found(body) == 1


MADE = "torch.eye(args.batch_size)"
CUTS = {
    "own[: len(z), : len(z)]": 0,
    "own[: len(z)][:, : len(z)]": 0,
    "own.bool()[0 : z.size(0), 0 : z.size(0)]": 0,
    "own[: len(z)]": 1,
    "own[len(z) :, len(z) :]": 1,
    "own[: args.rows, : args.rows]": 1,
    "own[:8, :8]": 1,
    "own.repeat(2, 2)[: len(z), : len(z)]": 1,
    "own": 1,
}


@pytest.mark.parametrize("cut", CUTS)
def test_a_head_fits_along_all_axes_or_not_at_all(cut: str) -> None:
    body = (
        f"def loss(z, args):\n    own = {MADE}\n    sim = z @ z.t()\n"
        f"    return -(F.log_softmax(sim, 1) * {cut}).sum(1).mean()"
    )
    assert rows_found(body) == CUTS[cut]


HELPER = (
    "class Scores:\n    def __call__(self, a, b):\n        return a @ b.t()\n\n\nscores = Scores()\n\n\n"
    "def rated(a, b, y, args):\n    return ((scores(a, b) - y) ** 2).sum() / args.batch_size\n\n\n"
    "def contrasted(a, b, args):\n    return F.cross_entropy(scores(a, b), torch.arange({size}))"
)


def test_callers_of_a_shared_product_are_judged_one_by_one() -> None:
    assert rows_found(HELPER.format(size="len(a)")) == 0
    assert rows_found(HELPER.format(size="args.batch_size")) == 1
