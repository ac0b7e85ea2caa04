"""Losses that run one another: one without a fix holds back the others."""

from __future__ import annotations

from textwrap import dedent

from infonce_lint import fix_source, lint_source
from tests.repair.snippets import PREFIX

INNER = """
class Contrast(torch.nn.Module):
    def __init__(self, batch_size):
        super().__init__()
        self.batch_size = batch_size

    def forward(self, z):
        sim = z @ z.t() / 0.5
        eye = torch.eye(2 * self.batch_size, dtype=torch.bool)
        n = self.batch_size
        return F.cross_entropy(sim.masked_fill(eye, -1e9), torch.cat([torch.arange(n) + n, torch.arange(n)]))
"""
OUTER = """
class Both(torch.nn.Module):
    def __init__(self, batch_size):
        super().__init__()
        self.batch_size = batch_size
        self.instances = Contrast(batch_size)
        self.clusters = Contrast(2 * batch_size)

    def forward(self, z_i, z_j):
        z = torch.cat([z_i, z_j])
        return self.instances(z) + self.clusters(torch.cat([z, z])) / self.batch_size
"""


def _verdicts(code: str) -> set[tuple[str, str]]:
    """For each finding the applicability of its fix, or "none", and the reason for none."""
    found = lint_source((PREFIX + dedent(code)).encode(), "loss.py")
    return {(each.fix.applicability.value if each.fix else "none", each.withheld) for each in found}


def test_a_loss_alone_is_repaired() -> None:
    assert _verdicts(INNER) == {("safe", "")}


def test_what_divides_the_repaired_loss_by_its_own_size_holds_it_back() -> None:
    verdicts = _verdicts(INNER + OUTER)
    assert {applicability for applicability, _ in verdicts} == {"none"}
    assert any("the two losses run together" in why for _, why in verdicts)
    source = (PREFIX + INNER + OUTER).encode()
    assert fix_source(source, "loss.py", unsafe=True).data == source


def test_an_unsafe_fix_makes_those_around_it_unsafe() -> None:
    code = """
    def spread(q, k, cfg):
        return (q @ k.t()).logsumexp(1).sum() / cfg.batch_size

    def step(q, k, args, cfg):
        return F.cross_entropy(q @ k.t(), torch.arange(args.batch_size)) + spread(q, k, cfg)
    """
    assert {applicability for applicability, _ in _verdicts(code)} == {"unsafe"}


def test_losses_that_do_not_run_each_other_are_apart() -> None:
    code = """
    def frozen(x, bank, args):
        keys = torch.cat([x, bank])
        logits = x @ keys.t()
        return F.cross_entropy(logits.view(args.batch_size, -1)[:, :4], torch.zeros(4).long())

    def contrast(z, args):
        return F.cross_entropy(z @ z.t(), torch.arange(args.batch_size))
    """
    found = lint_source((PREFIX + dedent(code)).encode(), "loss.py")
    assert found[-1].fix is not None and found[-1].fix.applicability.value == "safe"
