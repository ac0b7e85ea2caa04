"""Facts of what need not run: an operation speaks for a read only where it runs whenever the read does."""

from __future__ import annotations

from textwrap import dedent, indent

import pytest

from infonce_lint import lint_source
from tests.repair.snippets import PREFIX

#: A loss whose divisor is read beside an operation that tells the size, but may not run.
AROUND = """
def loss(z, extra, args, flag=False):
    sim = z @ z.t() / 0.5
    total = sim.exp().sum(1).log().sum() / args.batch_size
{operation}
    return total
"""


def is_safe(code: str) -> bool:
    """Whether every finding of a program has a SAFE fix."""
    found = lint_source((PREFIX + dedent(code)).encode(), "loss.py")
    assert found, code
    return all(each.fix is not None and each.fix.applicability.value == "safe" for each in found)


def around(operation: str) -> str:
    return AROUND.format(operation=indent(dedent(operation).strip("\n"), "    "))


@pytest.mark.parametrize(
    "operation",
    [
        """
        for keys in extra:
            total = total + F.cross_entropy(z @ keys.t(), torch.arange(args.batch_size))
        """,
        """
        while flag:
            total = total + F.cross_entropy(sim, torch.arange(args.batch_size))
            flag = False
        """,
        """
        try:
            total = total + F.cross_entropy(sim, torch.arange(args.batch_size))
        except ValueError:
            pass
        """,
        """
        with contextlib.suppress(ValueError):
            total = total + F.cross_entropy(sim, torch.arange(args.batch_size))
        """,
        "total = total + F.cross_entropy(sim, torch.arange(args.batch_size)) if flag else total",
        "flag and total.add_(F.cross_entropy(sim, torch.arange(args.batch_size)))",
        "parts = [F.cross_entropy(sim, torch.arange(args.batch_size)) for _ in extra]",
        "later = lambda: F.cross_entropy(sim, torch.arange(args.batch_size))",
        """
        def later():
            return F.cross_entropy(sim, torch.arange(args.batch_size))
        if flag:
            total = total + later()
        """,
    ],
)
def test_an_operation_that_may_not_run_says_nothing(operation: str) -> None:
    assert not is_safe(around(operation))


@pytest.mark.parametrize(
    "operation",
    [
        """
        for temperature in (0.1, 0.5):
            total = total + F.cross_entropy(sim / temperature, torch.arange(args.batch_size))
        """,
        """
        try:
            total = total + F.cross_entropy(sim, torch.arange(args.batch_size))
        except ValueError:
            raise RuntimeError("sizes")
        """,
        """
        with torch.autocast("cpu"):
            total = total + F.cross_entropy(sim, torch.arange(args.batch_size))
        """,
        "total = total + sum([F.cross_entropy(sim, torch.arange(args.batch_size)) for _ in range(3)])",
    ],
)
def test_an_operation_that_runs_for_certain_does(operation: str) -> None:
    assert is_safe(around(operation))


def test_a_sibling_that_runs_on_another_way() -> None:
    code = """
    class Loss:
        def __init__(self, batch_size):
            self.batch_size = batch_size

        def pairs(self, z):
            return F.cross_entropy(z @ z.t(), torch.arange(self.batch_size))

        def single(self, z):
            return (z @ z.t()).exp().sum(1).log().sum() / self.batch_size
    """
    assert not is_safe(code)


def test_what_is_called_is_chosen_by_a_branch() -> None:
    code = """
    def pairs(z, n):
        return F.cross_entropy(z @ z.t(), torch.arange(n))

    def single(z, n):
        return (z @ z.t()).exp().sum(1).log().sum() / n

    def loss(z, args, one=False):
        n = args.batch_size
        run = single if one else pairs
        return run(z, n)
    """
    assert not is_safe(code)


class TestChangedSizes:
    LOSS = """
    def set_up(cfg):
        {setter}

    def loss(q, k, cfg):
        labels = torch.arange(cfg.batch_size)
        total = F.cross_entropy(q @ k.t(), labels, reduction="sum")
        {between}
        return total / cfg.batch_size
    """

    def test_a_size_that_stays(self) -> None:
        assert is_safe(self.LOSS.format(setter="pass", between="set_up(cfg)"))
        assert is_safe(self.LOSS.format(setter="cfg.batch_size *= 2", between="pass"))

    @pytest.mark.parametrize("between", ["cfg.batch_size = cfg.batch_size * cfg.steps", "cfg.batch_size = 100"])
    def test_a_size_that_is_set_anew_between_two_reads(self, between: str) -> None:
        assert not is_safe(self.LOSS.format(setter="pass", between=between))

    def test_a_size_that_a_called_function_sets_anew(self) -> None:
        assert not is_safe(self.LOSS.format(setter="cfg.batch_size *= 2", between="set_up(cfg)"))

    def test_two_objects_of_one_class(self) -> None:
        code = """
        class Sizes:
            def __init__(self, batch_size):
                self.batch_size = batch_size

            def labels(self):
                return torch.arange(self.batch_size)

            def mean(self, total):
                return total / self.batch_size

        class Loss:
            def __init__(self, batch_size):
                self.near = Sizes(batch_size)
                self.far = Sizes({other})

            def forward(self, q, k):
                total = F.cross_entropy(q @ k.t(), self.near.labels(), reduction="sum")
                return self.far.mean(total)
        """
        assert not is_safe(code.format(other=64))


class TestSharesOfAnAxis:
    def test_every_third_row_leaves_a_rest(self) -> None:
        code = """
        def loss(q, k, args):
            labels = torch.arange(args.batch_size)
            return F.cross_entropy(q[::3] @ k.t(), labels[::3])
        """
        assert not is_safe(code)

    def test_all_places_make_up_the_whole(self) -> None:
        code = """
        def loss(z, args):
            z = F.normalize(z, dim=1)
            a, b = z[0::2], z[1::2]
            return F.cross_entropy(a @ b.t(), torch.arange(args.batch_size)) + (a * b).sum(1).mean()
        """
        assert is_safe(code)

    def test_one_section_of_two_is_the_longer_one(self) -> None:
        code = """
        def loss(q, k, args):
            labels = torch.arange(args.batch_size)
            return F.cross_entropy(q @ k.t(), labels.chunk(2)[0])
        """
        assert not is_safe(code)

    def test_all_sections_make_up_the_whole(self) -> None:
        code = """
        def loss(q, k, args):
            first, second = torch.arange(args.batch_size).chunk(2)
            logits = q @ k.t()
            return F.cross_entropy(logits, first) + F.cross_entropy(logits.t(), second - second.min())
        """
        assert is_safe(code)

    def test_a_slice_may_end_before_its_bound(self) -> None:
        code = """
        def loss(z, bank, args):
            keys = bank[: len(z)]
            return F.cross_entropy(keys @ bank.t(), torch.arange(args.batch_size)) + z.mean()
        """
        source = (PREFIX + dedent(code)).encode()
        texts = [edit.content for each in lint_source(source, "loss.py") if each.fix for edit in each.fix.edits]
        assert not any("z.shape" in text for text in texts)
