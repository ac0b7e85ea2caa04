"""Plans: one fix for a whole loss unit, where its statements stand, and the reasons for none."""

from __future__ import annotations

import os
import subprocess
import sys
from textwrap import dedent

import pytest

from infonce_lint.finding import Applicability, Fix
from tests.repair.snippets import fix, is_safe, new_rows, plan, refusal, repaired


def test_all_reads_of_a_unit_are_rewritten_together() -> None:
    code = """
    def loss(z, w, args):
        sim = z @ w.T / args.temperature
        labels = torch.arange(args.batch_size)
        mask = torch.eye(args.batch_size).bool()
        return (F.cross_entropy(sim, labels) + sim[mask].mean()) / args.batch_size
    """
    planned = fix(code)
    assert planned.applicability is Applicability.SAFE
    assert len(planned.edits) == 3
    assert repaired(code).count("z.shape[0]") == 3
    assert planned.message == "Derive the batch size from the features"
    assert "does not change" in planned.why


def test_a_branch_asserts_only_what_it_needs() -> None:
    code = """
    def loss(features, args):
        sim = features @ features.T / args.temperature
        if args.hard:
            labels = torch.cat([torch.arange(args.batch_size) for _ in range(args.n_views)])
        else:
            labels = torch.cat([torch.arange(args.batch_size) for _ in range(args.n_views)])
        return F.cross_entropy(sim, labels)
    """
    text = repaired(code)
    assert text.index("if args.hard") < text.index("actual_batch_size = ") < text.index("else:")
    assert text.index("else:") < text.index("actual_batch_size_2 = ")


def test_one_local_serves_every_use_behind_it() -> None:
    code = """
    def loss(features, args):
        sim = features @ features.T / args.temperature
        labels = torch.cat([torch.arange(args.batch_size) for _ in range(args.n_views)])
        if args.hard:
            sim = sim.masked_fill(torch.eye(args.n_views * args.batch_size, dtype=torch.bool), -9.0)
        return F.cross_entropy(sim, labels)
    """
    text = repaired(code)
    assert text.count("actual_batch_size = ") == 1
    assert text.index("actual_batch_size = ") < text.index("if args.hard")


def test_an_assertion_before_a_conditional_expression_is_for_a_person_to_judge() -> None:
    code = """
    def loss(features, args):
        sim = features @ features.T / args.temperature
        labels = args.labels if args.known else torch.cat([torch.arange(args.batch_size) for _ in range(args.n_views)])
        return F.cross_entropy(sim, labels)
    """
    assert not is_safe(code)


def test_a_local_stands_outside_one_row_suites_and_elif() -> None:
    code = """
    def loss(features, args):
        sim = features @ features.T / args.temperature
        labels = None
        if args.a: labels = torch.cat([torch.arange(args.batch_size)] * args.n_views)
        elif args.b:
            labels = torch.cat([torch.arange(args.batch_size)] * args.n_views)
        return F.cross_entropy(sim, labels)
    """
    text = repaired(code)
    assert text.index("actual_batch_size = ") < text.index("if args.a")


def test_a_local_keeps_the_indentation() -> None:
    code = (
        "class Loss:\n\tdef forward(self, x):\n\t\tsim = x @ x.T / self.t\n"
        "\t\ty = torch.cat([torch.arange(self.batch_size)] * self.n_views)\n\t\treturn F.cross_entropy(sim, y)\n"
    )
    assert "\n\t\tactual_batch_size = x.shape[0] // self.n_views\n" in repaired(code)


def test_a_local_stands_before_a_shared_row() -> None:
    code = (
        "def loss(x, args):\n    sim = x @ x.T / args.t; "
        "y = torch.cat([torch.arange(args.batch_size)] * args.n_views)\n    return F.cross_entropy(sim, y)\n"
    )
    text = repaired(code)
    assert text.index("actual_batch_size = ") < text.index("sim =")


def test_a_lambda_takes_the_rows_of_its_parameter() -> None:
    code = "loss = lambda z, w, args: F.cross_entropy(z @ w.T, torch.arange(args.batch_size))"
    assert new_rows(code) == ["loss = lambda z, w, args: F.cross_entropy(z @ w.T, torch.arange(z.shape[0]))"]


def test_a_lambda_cannot_hold_a_local() -> None:
    code = (
        "loss = lambda z, args: F.cross_entropy(z @ z.T, "
        "torch.cat([torch.arange(args.batch_size) for _ in range(args.n_views)]))"
    )
    assert "no statement can be put before the use" in refusal(code)


def test_tensorflow_is_left_to_its_author() -> None:
    code = """
    import tensorflow as tf

    def loss(z, w, args):
        sim = tf.matmul(z, w, transpose_b=True) / args.temperature
        return tf.nn.sparse_softmax_cross_entropy_with_logits(tf.range(args.batch_size), sim)
    """
    assert "tf.shape(x)[0]" in refusal(code, imports="")


def test_a_constructor_that_uses_its_own_tensor() -> None:
    code = """
    class Loss:
        def __init__(self, batch_size, z, args):
            self.mask = torch.eye(batch_size).bool()
            sim = z @ z.T / args.temperature
            self.first = sim[torch.eye(batch_size).bool()].mean()
        def forward(self, z):
            sim = (z @ z.T).exp()
            return sim[~self.mask].log().mean() + self.first
    """
    assert "uses it itself" in refusal(code)


def test_a_view_of_a_foreign_loss_is_refused_with_a_reason() -> None:
    code = "def step(net, x, args):\n    return info_nce_loss(net(x), torch.eye(args.batch_size))"
    assert "no tensor of the loss shows how many rows a batch has" in refusal(code)


def test_a_lambda_of_the_class_that_reads_the_size_withholds_the_fix() -> None:
    code = """
    class Loss(torch.nn.Module):
        scale = property(lambda self: 2.0 / self.batch_size)

        def __init__(self, batch_size):
            super().__init__()
            self.batch_size = batch_size

        def forward(self, a, b):
            sim = a @ b.T / 0.1
            return F.cross_entropy(sim, torch.arange(self.batch_size)) * self.scale
    """
    assert "a lambda of the class" in refusal(code)


TWO_SIZES = """
def loss(z, w, args, cfg):
    sim = z @ w.T / args.temperature * torch.eye(args.batch_size)
    return F.cross_entropy(sim, torch.arange(cfg.bs))
"""
SIZE_IN_A_WEIGHT = """
class Loss:
    def __init__(self, batch_size):
        self.mask = ~torch.eye(batch_size, dtype=torch.bool)
        self.weight = torch.ones(batch_size) / batch_size

    def forward(self, z, w):
        sim = (z @ w.T).exp()
        return (sim[self.mask].log().mean() * self.weight).sum()
"""


@pytest.mark.parametrize("code", [TWO_SIZES, SIZE_IN_A_WEIGHT], ids=["two sizes", "a size in a weight"])
def test_the_plan_does_not_depend_on_the_order_of_sets(code: str) -> None:
    script = f"from tests.repair.snippets import plan; print(plan({dedent(code)!r})[0])"
    told = {
        subprocess.run(
            [sys.executable, "-c", script],
            env={**os.environ, "PYTHONHASHSEED": str(seed), "PYTHONPATH": os.pathsep.join(sys.path)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in range(4)
    }
    assert len(told) == 1


class TestGuessedRanks:
    LOSS = """
    def loss(features, args):
        z = {rows}
        sim = z @ z.t() / args.temperature
        eye = torch.eye(2 * args.batch_size, dtype=torch.bool)
        labels = torch.arange(2 * args.batch_size)
        return F.cross_entropy(sim.masked_fill(eye, -1e9), labels)
    """

    @pytest.mark.parametrize("rows", ["features.flatten(0, 1)", "torch.cat(torch.unbind(features, dim=1), dim=0)"])
    def test_the_first_axes_count_the_rows_whatever_comes_behind_them(self, rows: str) -> None:
        assert is_safe(self.LOSS.format(rows=rows))

    def test_all_axes_but_the_last_may_be_more_than_two(self) -> None:
        planned, _ = plan(self.LOSS.format(rows="features.reshape(-1, features.shape[-1])"))
        assert not isinstance(planned, Fix) or "features.shape[0] * features.shape[1]" not in planned.why


def test_a_helper_that_reads_the_configuration_it_is_given() -> None:
    code = """
    config = load()

    def size_of(c):
        return c.batch_size

    def loss(z, w):
        n = size_of(config)
        return F.cross_entropy(z @ w.t(), torch.arange(n)) / 2
    """
    assert "n = z.shape[0]" in repaired(code)


def test_rows_of_the_features_are_not_what_is_expanded() -> None:
    code = """
    def loss(a, b, args):
        n = args.batch_size
        x = a.unsqueeze(1).expand(n, n, -1)
        y = b.unsqueeze(0).expand(n, n, -1)
        return F.cross_entropy((x * y).sum(-1), torch.arange(n))
    """
    assert "n = a.shape[0]" in repaired(code)
    assert "how many axes" in fix(code).why


def test_the_equation_names_tensors_first_and_subtracts_nothing() -> None:
    code = """
    def loss(views, args):
        z = torch.cat(views)
        a, b = z[: args.batch_size], z[args.batch_size :]
        return F.cross_entropy(a @ b.t(), torch.arange(args.batch_size)) + (a * b).mean()
    """
    assert "needs z.shape[0] == 2 * args.batch_size)" in fix(code).why
