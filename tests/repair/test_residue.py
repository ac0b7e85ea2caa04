"""Residue: a fix rewrites every read of the size that reaches the loss, or it is withheld; it is never half."""

from __future__ import annotations

from textwrap import dedent

import pytest

from infonce_lint.engine.linter import fix_bytes
from infonce_lint.settings import Settings
from tests.repair.snippets import is_safe, new_rows, refusal, repaired

LOSS = """
def loss(z, w, args):
    sim = z @ w.T / args.temperature
    total = F.cross_entropy(sim, torch.arange(args.batch_size))
    {more}
    return total
"""


class TestRewrittenAlong:
    @pytest.mark.parametrize(
        "more",
        [
            "for i in range(args.batch_size): total = total + sim[i, i]",
            "total = total + sum(sim[i, i] for i in range(args.batch_size))",
            "total = total + sim[: args.batch_size].mean()",
            "total = total / args.batch_size",
            "n = args.batch_size\n    total = total + sim.sum() / n",
            "sim.diagonal()[: args.batch_size].fill_(0.0)\n    total = total + sim.sum()",
        ],
    )
    def test_no_read_stays_behind(self, more: str) -> None:
        code = LOSS.format(more=more)
        text = repaired(code)
        assert "args.batch_size" not in text
        assert text.count("z.shape[0]") == 2
        assert is_safe(code)

    def test_a_loop_bound(self) -> None:
        code = LOSS.format(more="for i in range(args.batch_size):\n        total = total + sim[i, i]")
        assert "for i in range(z.shape[0]):" in new_rows(code)

    def test_a_diagonal_that_is_filled_where_it_lies(self) -> None:
        code = """
        def loss(z, args):
            sim = z @ z.T / args.temperature
            pos = torch.zeros(2 * args.batch_size, 2 * args.batch_size, dtype=torch.bool)
            pos.diagonal(args.batch_size).fill_(True)
            pos.diagonal(-args.batch_size).fill_(True)
            return -sim.log_softmax(dim=1)[pos].mean()
        """
        rows = new_rows(code)
        assert "pos.diagonal(actual_batch_size).fill_(True)" in rows
        assert "pos.diagonal(-actual_batch_size).fill_(True)" in rows
        assert is_safe(code)

    def test_an_alias_that_a_closure_reads(self) -> None:
        code = """
        def loss(z, w, args):
            size = args.batch_size
            sim = z @ w.T / args.temperature
            def target():
                return torch.arange(size)
            return F.cross_entropy(sim, target()) / size
        """
        assert new_rows(code) == ["size = z.shape[0]"]

    def test_a_closure_that_reads_the_size_itself(self) -> None:
        code = """
        def loss(z, w, args):
            sim = z @ w.T / args.temperature
            def target():
                return torch.arange(args.batch_size)
            return F.cross_entropy(sim, target(), reduction="sum") / args.batch_size
        """
        rows = new_rows(code)
        assert "return torch.arange(batch_size)" in rows
        assert 'return F.cross_entropy(sim, target(batch_size=z.shape[0]), reduction="sum") / z.shape[0]' in rows

    def test_labels_are_repaired_with_the_divisor_in_a_closure(self) -> None:
        code = """
            import torch
            import torch.nn.functional as F

            def loss(z, w, args):
                sim = z @ w.T / args.temperature
                def mean(total{parameter}):
                    {default}return total / {divisor}
                return mean(F.cross_entropy(sim, torch.arange({size}), reduction="sum"){argument})
            """
        old = {"parameter": "", "default": "", "argument": ""}
        before = dedent(code).format(divisor="args.batch_size", size="args.batch_size", **old)
        after = dedent(code).format(
            parameter=", batch_size=None",
            default="if batch_size is None:\n            batch_size = args.batch_size\n        ",
            divisor="batch_size",
            size="z.shape[0]",
            argument=", batch_size=z.shape[0]",
        )
        assert fix_bytes(before.encode(), "loss.py", Settings(), unsafe=False).data.decode() == after

    def test_statements_that_share_a_row(self) -> None:
        code = """
        def loss(z, args):
            sim = z @ z.T / args.t; labels = torch.arange(args.batch_size).repeat(2); n = args.batch_size
            return F.cross_entropy(sim, labels, reduction="sum") / n
        """
        rows = new_rows(code)
        assert rows[1] == "actual_batch_size = z.shape[0] // 2"
        assert rows[2] == (
            "sim = z @ z.T / args.t; labels = torch.arange(actual_batch_size).repeat(2); n = actual_batch_size"
        )

    def test_statements_that_share_the_row_that_binds_the_features(self) -> None:
        code = """
        def loss(net, x, args):
            z = net(x); labels = torch.arange(args.batch_size)
            return F.cross_entropy(z @ z.T / args.temperature, labels)
        """
        assert new_rows(code) == ["z = net(x); labels = torch.arange(z.shape[0])"]

    def test_a_local_cannot_stand_between_statements_of_one_row(self) -> None:
        code = """
        def loss(net, x, args):
            z = net(x); labels = torch.arange(args.batch_size).repeat(2)
            return F.cross_entropy(z @ z.T / args.temperature, labels)
        """
        assert "`z.shape[0]` is not known before every use of the size" in refusal(code)


class TestLeftAlone:
    @pytest.mark.parametrize(
        "more",
        [
            "print(args.batch_size)",
            'writer.log({"loss": total.item() * args.batch_size})',
            "loader = DataLoader(data, args.batch_size)",
        ],
    )
    def test_what_is_no_part_of_the_loss(self, more: str) -> None:
        code = LOSS.format(more=more)
        assert new_rows(code) == ["total = F.cross_entropy(sim, torch.arange(z.shape[0]))"]
        assert more in repaired(code)


KEPT = """
class Loss:
    def __init__(self, batch_size):
        self.batch_size = batch_size
        {built}

    def forward(self, z, w):
        sim = z @ w.T / 0.1
        return F.cross_entropy(sim, torch.arange(self.batch_size)) + {used}
"""


class TestKeptTensors:
    @pytest.mark.parametrize(
        ("name", "built", "used"),
        [
            ("memory", "self.memory = torch.randn(batch_size, 16)", "(z @ self.memory.T).logsumexp(1).mean()"),
            ("noise", "self.noise = torch.rand(batch_size, 4)", "(z * self.noise).sum()"),
            (
                "rows",
                "rows = torch.arange(batch_size)\n        self.rows = rows + 1",
                "(z[:, 0] * self.rows).sum()",
            ),
        ],
    )
    def test_a_second_tensor_of_the_size_withholds_the_fix(self, name: str, built: str, used: str) -> None:
        reason = refusal(KEPT.format(built=built, used=used))
        assert f"`self.{name}` is built in the constructor from the same size in another way" in reason

    def test_a_second_mask_is_rebuilt_along(self) -> None:
        code = KEPT.format(
            built="self.ramp = torch.linspace(0, 1, batch_size)", used="(sim.diagonal() * self.ramp).sum()"
        )
        rows = new_rows(code)
        assert "ramp = torch.linspace(0, 1, z.shape[0]).to(z.device, ramp.dtype)" in rows
        assert rows[-1].endswith("torch.arange(z.shape[0])) + (sim.diagonal() * ramp).sum()")

    def test_a_tensor_of_another_size_is_none_of_the_fix(self) -> None:
        code = KEPT.format(built="self.scale = torch.ones(16)", used="(z * self.scale).sum()")
        assert new_rows(code) == ["return F.cross_entropy(sim, torch.arange(z.shape[0])) + (z * self.scale).sum()"]

    def test_a_weight_divided_by_the_size_is_no_size(self) -> None:
        code = """
        class Loss:
            def __init__(self, batch_size):
                self.mask = ~torch.eye(batch_size, dtype=torch.bool)
                self.weight = torch.ones(batch_size) / batch_size

            def forward(self, z, w):
                sim = (z @ w.T).exp()
                return (sim[self.mask].log().mean() * self.weight).sum()
        """
        assert "what `self.weight` counts is computed in a way that is not followed" in refusal(code)
