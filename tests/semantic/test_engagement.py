"""Engagement: what a configured size makes takes part in a loss, or it does not."""

from __future__ import annotations

from textwrap import indent

import pytest

from infonce_lint.semantic.losses.engagement import Engagement
from infonce_lint.semantic.losses.sinks import Kind
from tests.semantic.snippets import model_of, uses

PREFIX = "import torch\nimport torch.nn.functional as F\nfrom torch import nn\n"
LOSS = (
    PREFIX
    + "def loss(z, w, args, device, log, loader):\n    sim = z @ z.T / args.temperature\n    y = torch.zeros(3)\n"
)


def kinds(body: str) -> set[str]:
    """The kinds of use that ``args.batch_size`` has in the body of a loss with similarity ``sim``."""
    found = uses(LOSS + indent(body, "    "))
    return {each.kind.name for each in found["args.batch_size"].engagements} if found else set()


ENGAGED = {
    "labels of a cross-entropy": ("y = torch.arange(args.batch_size)\nreturn F.cross_entropy(sim, y)", Kind.LABELS),
    "zeros as labels": ("return F.cross_entropy(sim, torch.zeros(args.batch_size).long())", Kind.LABELS),
    "labels through a list": (
        "y = torch.cat([torch.arange(args.batch_size) for _ in range(2)])\nreturn F.cross_entropy(sim, y.to(device))",
        Kind.LABELS,
    ),
    "python's list of zeros": ("return F.cross_entropy(sim, torch.tensor([0] * args.batch_size))", Kind.LABELS),
    "a mask that is indexed with": ("return sim[~torch.eye(args.batch_size).bool()].mean()", Kind.MASK),
    "a mask that is multiplied": ("return (sim * (1 - torch.eye(args.batch_size))).exp().sum().log()", Kind.MASK),
    "a filled mask": (
        "mask = torch.ones((args.batch_size, args.batch_size))\nmask.fill_diagonal_(0)\nreturn sim[mask.bool()].mean()",
        Kind.MASK,
    ),
    "a mask of equal labels": (
        "y = torch.arange(args.batch_size)\nmask = y[None] == y[:, None]\nreturn sim[mask].mean()",
        Kind.LABELS,
    ),
    "partners by number": ("i = torch.arange(args.batch_size)\nreturn sim[i].mean()", Kind.INDEX),
    "which entries a mask sets": (
        "mask = torch.ones_like(sim)\ni = torch.arange(args.batch_size)\nmask[i, i] = 0\nreturn (sim * mask).mean()",
        Kind.MASK,
    ),
    "a reshape": ("return sim.view(args.batch_size, -1).mean()", Kind.RESHAPE),
    "a slice": ("return sim[:args.batch_size].mean()", Kind.SPLIT),
    "a split": ("a, b = torch.split(sim, args.batch_size)\nreturn a.mean()", Kind.SPLIT),
    "a diagonal": ("return torch.diag(sim, args.batch_size).mean()", Kind.INDEX),
    "a divisor": ("return F.cross_entropy(sim, y, reduction='sum') / args.batch_size", Kind.NORMALISER),
    "a factor": ("return F.cross_entropy(sim, y) * args.batch_size", Kind.NORMALISER),
    "a loop over rows": (
        "for i in range(args.batch_size):\n    y[i] = sim[i].mean()\nreturn y.mean()",
        Kind.LOOP,
    ),
    "a slice of the features": (
        "a = z[:args.batch_size]\nb = z[args.batch_size:]\nreturn F.cross_entropy(a @ b.T, y)",
        Kind.SPLIT,
    ),
    "another file's mask": ("mask = build_mask(args.batch_size)\nreturn sim[mask].mean()", Kind.MASK),
    "another file's labels": ("return F.cross_entropy(sim, make_labels(args.batch_size))", Kind.LABELS),
}


@pytest.mark.parametrize("name", ENGAGED)
def test_a_use_takes_part_in_the_loss(name: str) -> None:
    body, kind = ENGAGED[name]
    assert kinds(body) == {kind.name}


IDLE = {
    "labels that nothing reads": "y = torch.arange(args.batch_size)\nreturn sim.log().mean()",
    "labels that are printed": "y = torch.arange(args.batch_size)\nprint(y, sim)\nreturn sim.mean()",
    "only the device of a mask": "m = torch.eye(args.batch_size)\nreturn sim.to(m.device).log().mean()",
    "a loader": "loader = DataLoader(data, batch_size=args.batch_size)\nreturn sim.mean()",
    "images that are reshaped": "x = loader.images.view(args.batch_size, -1)\nreturn sim.mean()",
    "a running average": "log.update(F.cross_entropy(sim, y).item(), args.batch_size)\nreturn sim.mean()",
    "a logged mean": "print(F.cross_entropy(sim, y).item() / args.batch_size)\nreturn sim.mean()",
    "steps of an epoch": "steps = len(loader) // args.batch_size\nreturn sim.mean() * 1",
    "a chunk's stride": "n = args.batch_size\nfor i in range(0, len(z), n):\n    sim[i : i + n]\nreturn sim.mean()",
    "the width of a layer": "layer = nn.Linear(args.batch_size, 4)\nreturn layer(sim).mean()",
    "a name": "save(f'run-{args.batch_size}')\nreturn sim.mean()",
    "the dtype of something": "y = torch.zeros(3, dtype=args.batch_size)\nreturn F.cross_entropy(sim, y)",
}


@pytest.mark.parametrize("name", IDLE)
def test_a_use_that_no_loss_reads(name: str) -> None:
    assert kinds(IDLE[name]) == set()


def test_without_a_loss_nothing_is_engaged() -> None:
    assert not uses(f"{PREFIX}def f(args, x):\n    return F.mse_loss(x, torch.zeros(args.batch_size))")


class TestFrozen:
    def engagement(self, code: str, read: str) -> Engagement:
        (engagement,) = uses(PREFIX + code)[read].engagements
        return engagement

    def test_built_by_the_constructor(self) -> None:
        found = self.engagement(
            "class Loss:\n"
            "    def __init__(self, batch_size):\n"
            "        self.mask = torch.eye(batch_size).bool()\n"
            "    def forward(self, z):\n"
            "        sim = (z @ z.T).exp()\n"
            "        return sim[~self.mask].log().mean()\n",
            "batch_size",
        )
        assert found.frozen is not None and found.frozen.function.qualified_name == "Loss.forward"
        assert found.store is not None and found.store.function.qualified_name == "Loss.__init__"

    def test_registered_as_a_buffer(self) -> None:
        found = self.engagement(
            "class Loss:\n"
            "    def __init__(self, batch_size):\n"
            "        self.register_buffer('mask', torch.eye(batch_size).bool())\n"
            "    def forward(self, z):\n"
            "        sim = (z @ z.T).exp()\n"
            "        return sim[~self.mask].log().mean()\n",
            "batch_size",
        )
        assert found.frozen is not None

    def test_built_by_a_helper_of_the_constructor(self) -> None:
        found = self.engagement(
            "class Loss:\n"
            "    def __init__(self, batch_size):\n"
            "        self.batch_size = batch_size\n"
            "        self.mask = self.make()\n"
            "    def make(self):\n"
            "        return torch.eye(self.batch_size).bool()\n"
            "    def forward(self, z):\n"
            "        sim = (z @ z.T).exp()\n"
            "        return sim[~self.mask].log().mean()\n",
            "self.batch_size",
        )
        assert found.frozen is not None

    def test_built_at_module_level(self) -> None:
        found = self.engagement(
            "BATCH_SIZE = 8\nMASK = torch.eye(BATCH_SIZE).bool()\n"
            "def loss(z):\n    sim = (z @ z.T).exp()\n    return sim[~MASK].log().mean()\n",
            "BATCH_SIZE",
        )
        assert found.frozen is not None and found.frozen.function.name == "loss"

    def test_built_as_a_default_argument(self) -> None:
        found = self.engagement(
            "BATCH_SIZE = 8\ndef loss(z, mask=torch.eye(BATCH_SIZE).bool()):\n"
            "    sim = (z @ z.T).exp()\n    return sim[~mask].log().mean()\n",
            "BATCH_SIZE",
        )
        assert found.frozen is not None and found.frozen.op == "param"

    def test_kept_by_a_cache(self) -> None:
        found = self.engagement(
            "import functools\n@functools.lru_cache\ndef make(args):\n    return torch.eye(args.batch_size).bool()\n"
            "def loss(z, args):\n    sim = (z @ z.T).exp()\n    return sim[~make(args)].log().mean()\n",
            "args.batch_size",
        )
        assert found.frozen is not None and found.frozen.op == "call"

    def test_stored_and_read_in_the_same_run(self) -> None:
        found = self.engagement(
            "class Loss:\n"
            "    def forward(self, z):\n"
            "        self.prepare()\n"
            "        sim = (z @ z.T).exp()\n"
            "        return sim[~self.mask].log().mean()\n"
            "    def prepare(self):\n"
            "        self.mask = torch.eye(self.batch_size).bool()\n",
            "self.batch_size",
        )
        assert found.frozen is None

    def test_a_helper_called_by_the_loss_is_not_frozen(self) -> None:
        found = self.engagement(
            "class Loss:\n"
            "    def make(self):\n"
            "        return torch.eye(self.batch_size).bool()\n"
            "    def forward(self, z):\n"
            "        sim = (z @ z.T).exp()\n"
            "        return sim[~self.make()].log().mean()\n",
            "self.batch_size",
        )
        assert found.frozen is None and found.consumer.function.name == "forward"


class TestNormaliser:
    @pytest.mark.parametrize(
        ("ending", "counts"),
        [
            ("return value / args.batch_size", True),
            ("value = value / args.batch_size\nvalue.backward()", True),
            ("scaler.scale(value / args.batch_size).backward()", True),
            ("value.backward()\nreturn value / args.batch_size", False),
            ("writer.add_scalar('loss', value / args.batch_size)", False),
        ],
    )
    def test_a_scale_counts_where_the_gradient_feels_it(self, ending: str, counts: bool) -> None:
        body = indent(f"value = F.cross_entropy(z @ z.T, y)\n{ending}", "    ")
        assert bool(uses(f"{PREFIX}def train(z, y, args, scaler, writer):\n{body}")) is counts


def test_the_same_helper_sized_by_two_callers_reports_the_configured_one() -> None:
    found = uses(
        f"{PREFIX}def make(n):\n    return torch.eye(n).bool()\n"
        "def loss(z, args):\n    sim = (z @ z.T).exp()\n    return sim[~make(args.batch_size)].log().mean()\n"
        "def good(z):\n    sim = (z @ z.T).exp()\n    return sim[~make(len(z))].log().mean()\n"
    )
    assert {text: {each.consumer.function.name for each in use.engagements} for text, use in found.items()} == {
        "args.batch_size": {"loss"}
    }


def test_a_foreign_loss_reads_the_mask_it_is_handed() -> None:
    model = model_of(f"{PREFIX}def f(z, args):\n    return info_nce_loss(z, torch.eye(args.batch_size))")
    (use,) = model.losses[0].size_uses
    assert [each.kind for each in use.engagements] == [Kind.MASK]


def test_the_first_argument_of_a_foreign_loss_is_its_features() -> None:
    assert not uses(f"{PREFIX}def f(args):\n    return info_nce_loss(torch.zeros(args.batch_size, 8))")
