"""Candidates: the variable that counts the batch's rows, and what stands beside it in the text."""

from __future__ import annotations

from fractions import Fraction

import pytest

from infonce_lint.repair.candidates import Ratio, ratio_of
from infonce_lint.semantic.shapes.dims import WORLD, Dim, Origin, number, symbol
from tests.repair.snippets import is_safe, new_rows, refusal

SIZE = symbol(Origin.SIZE, "args.batch_size")
ROWS = symbol(Origin.AXIS, "z")
VIEWS = symbol(Origin.NAMED, "args.n_views")
(VIEWS_SYMBOL,) = VIEWS.symbols
RANKS = symbol(Origin.WORLD, WORLD)


@pytest.mark.parametrize(
    ("wanted", "rows", "ratio"),
    [
        (SIZE, SIZE, Ratio(Fraction(1))),
        (number(2) * SIZE, SIZE, Ratio(Fraction(2))),
        (SIZE, number(2) * SIZE, Ratio(Fraction(1, 2))),
        (SIZE, VIEWS * SIZE, Ratio(Fraction(1), ((VIEWS_SYMBOL, -1),))),
        (SIZE * RANKS, SIZE, Ratio(Fraction(1), (), 1)),
        (SIZE, number(2) * SIZE * RANKS, Ratio(Fraction(1, 2), (), -1)),
        (SIZE, SIZE + VIEWS, None),  # a bank beside the batch
        (SIZE, ROWS, None),  # an axis that no fact ties to the size
        (SIZE, SIZE * ROWS, None),
        (SIZE, number(8), None),
    ],
)
def test_what_rows_are_multiplied_by(wanted: Dim, rows: Dim, ratio: Ratio | None) -> None:
    assert ratio_of(wanted, rows) == ratio


def test_only_the_rows_themselves_are_plain() -> None:
    assert Ratio(Fraction(1)).is_plain and Ratio(Fraction(1), (), 1).is_plain
    assert not Ratio(Fraction(1, 2)).is_plain
    assert not Ratio(Fraction(1), ((VIEWS_SYMBOL, -1),)).is_plain


class TestChoice:
    def test_a_local_that_holds_the_number_is_taken(self) -> None:
        code = """
        def loss(z, args):
            rows = z.shape[0]
            sim = z @ z.T / args.temperature
            return F.cross_entropy(sim, torch.arange(args.batch_size))
        """
        assert new_rows(code) == ["return F.cross_entropy(sim, torch.arange(rows))"]

    def test_a_parameter_goes_before_what_is_computed_from_it(self) -> None:
        code = """
        def loss(z, w, args):
            sim = z @ w.T / args.temperature
            return F.cross_entropy(sim, torch.arange(args.batch_size))
        """
        assert new_rows(code) == ["return F.cross_entropy(sim, torch.arange(z.shape[0]))"]

    def test_labels_do_not_lead(self) -> None:
        code = """
        def loss(labels, z, args):
            sim = z @ z.T / args.temperature
            same = z * labels
            return F.cross_entropy(sim, torch.arange(args.batch_size)) + same.mean()
        """
        assert new_rows(code)[0] == "return F.cross_entropy(sim, torch.arange(z.shape[0])) + same.mean()"

    def test_the_batch_may_be_the_second_axis(self) -> None:
        code = """
        def loss(z, w, args):
            sim = z.t() @ w / args.temperature
            return F.cross_entropy(sim, torch.arange(args.batch_size))
        """
        assert new_rows(code) == ["return F.cross_entropy(sim, torch.arange(z.shape[1]))"]

    def test_rows_are_found_where_only_the_similarity_has_them(self) -> None:
        code = """
        def loss(net, x, args):
            sim = net(x) @ net(x).T / args.temperature
            return F.cross_entropy(sim, torch.arange(args.batch_size))
        """
        assert new_rows(code) == ["return F.cross_entropy(sim, torch.arange(sim.shape[0]))"]


class TestScope:
    def test_a_name_bound_in_one_branch_only_is_not_used(self) -> None:
        code = """
        def loss(net, x, args):
            if args.warm:
                z = net(x)
                print(z.shape)
            labels = torch.arange(args.batch_size)
            z = net(x)
            return F.cross_entropy(z @ z.T / args.temperature, labels)
        """
        assert "no tensor with the batch's rows is bound where `args.batch_size` is read" in refusal(code)

    def test_a_number_bound_in_one_branch_only_is_not_used(self) -> None:
        code = """
        def loss(z, args):
            if args.warm:
                rows = z.shape[0]
            labels = torch.arange(args.batch_size)
            return F.cross_entropy(z @ z.T / args.temperature, labels)
        """
        assert new_rows(code) == ["labels = torch.arange(z.shape[0])"]

    def test_a_name_that_both_branches_bind_is_used(self) -> None:
        code = """
        def loss(net, x, args):
            if args.warm:
                z = net(x)
            else:
                z = net(x.flip(0))
            labels = torch.arange(args.batch_size)
            return F.cross_entropy(z @ z.T / args.temperature, labels)
        """
        assert new_rows(code) == ["labels = torch.arange(z.shape[0])"]
        assert is_safe(code)


class TestForeignRows:
    def test_a_bank_on_the_module_is_no_view(self) -> None:
        code = """
        class Loss:
            def forward(self, z, args):
                every = torch.cat([z, self.queue])
                sim = every @ every.T / args.temperature
                return F.cross_entropy(sim, torch.arange(2 * args.batch_size))
        """
        assert "`every` holds the rows of `self.queue` and `z`, and not all are known to be views" in refusal(code)

    def test_a_bank_that_the_constructor_makes_is_no_view(self) -> None:
        code = """
        class Loss:
            def __init__(self):
                self.queue = load_bank()

            def forward(self, z, args):
                every = torch.cat([z, self.queue])
                sim = every @ every.T / args.temperature
                return F.cross_entropy(sim, torch.arange(2 * args.batch_size))
        """
        assert "`every` holds the rows of `load_bank()` and `z`, and not all are known to be views" in refusal(code)
