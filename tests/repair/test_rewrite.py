"""Rewriting: which tensor names the size, and the text and assertion that it takes."""

from __future__ import annotations

import pytest

from infonce_lint.repair.rewrite import Derived
from infonce_lint.semantic.graph.values import Value
from infonce_lint.settings import Settings
from tests.repair.snippets import fix, is_safe, new_rows, refusal, repaired

STACKED = """
def loss(features, args):
    sim = features @ features.T / args.temperature
    labels = torch.cat([torch.arange(args.batch_size) for i in range({views})], dim=0)
    mask = labels.unsqueeze(0) == labels.unsqueeze(1)
    return sim[mask].mean()
"""
PAIR = """
def loss(z_i, z_j, args):
    z = torch.cat([z_i, z_j])
    sim = z @ z.T / args.temperature
    return F.cross_entropy(sim, {labels})
"""


class TestStackedViews:
    def test_an_assertion_stands_before_the_local(self) -> None:
        assert new_rows(STACKED.format(views="args.n_views")) == [
            "assert features.shape[0] % args.n_views == 0, "
            'f"Features dim 0 ({features.shape[0]}) must be divisible by n_views ({args.n_views})"',
            "actual_batch_size = features.shape[0] // args.n_views",
            "labels = torch.cat([torch.arange(actual_batch_size) for i in range(args.n_views)], dim=0)",
        ]

    def test_a_number_of_views(self) -> None:
        rows = new_rows(STACKED.format(views="2"))
        assert rows[-2] == "actual_batch_size = features.shape[0] // 2"
        assert any("must be divisible by the number of views (2)" in row for row in rows)

    def test_a_raise_by_settings(self) -> None:
        rows = new_rows(STACKED.format(views="args.n_views"), Settings(guard="raise", line_length=140))
        assert rows[0] == "if features.shape[0] % args.n_views != 0:"
        assert rows[1].startswith('raise ValueError(f"Features dim 0')

    def test_a_local_of_another_name_by_settings(self) -> None:
        rows = new_rows(STACKED.format(views="2"), Settings(local_name="rows_per_view"))
        assert "rows_per_view = features.shape[0] // 2" in rows

    def test_a_taken_name_gets_a_number(self) -> None:
        code = STACKED.format(views="2").replace("args):", "args, actual_batch_size):")
        assert "actual_batch_size_2 = features.shape[0] // 2" in new_rows(code)

    def test_the_file_shows_another_count_of_views(self) -> None:
        code = STACKED.format(views="args.n_views") + "\ndef train(a, b, args):\n    loss(torch.cat([a, b]), args)\n"
        assert not is_safe(code)
        assert "stacks 2 views" in fix(code).why


class TestPairs:
    @pytest.mark.parametrize(
        ("labels", "row"),
        [
            ("torch.arange(2 * args.batch_size)", "torch.arange(2 * actual_batch_size)"),
            ("torch.arange(args.batch_size * 2)", "torch.arange(actual_batch_size * 2)"),
            ("torch.cat([torch.arange(args.batch_size)] * 2)", "torch.cat([torch.arange(actual_batch_size)] * 2)"),
            (
                "torch.arange(args.batch_size + args.batch_size)",
                "torch.arange(actual_batch_size + actual_batch_size)",
            ),
        ],
    )
    def test_towers_that_are_only_concatenated_are_halved(self, labels: str, row: str) -> None:
        rows = new_rows(PAIR.format(labels=labels))
        assert rows[0].startswith("assert z.shape[0] % 2 == 0")
        assert rows[1:] == ["actual_batch_size = z.shape[0] // 2", f"return F.cross_entropy(sim, {row})"]
        assert is_safe(PAIR.format(labels=labels))

    def test_a_tower_names_the_size_where_the_loss_needs_its_rows(self) -> None:
        own = "own = torch.bmm(z_i[:, None], z_j[..., None])\n    sim = "
        code = PAIR.format(labels="torch.arange(2 * args.batch_size)").replace("sim = ", own)
        assert new_rows(code) == ["return F.cross_entropy(sim, torch.arange(2 * z_i.shape[0]))"]
        assert is_safe(code)

    def test_only_what_is_bound_at_the_read_is_named(self) -> None:
        code = """
        def loss(net, x, w, args):
            labels = torch.arange(args.batch_size)
            z = net(x)
            return F.cross_entropy(z @ w.T, labels)
        """
        assert "no tensor with the batch's rows is bound where `args.batch_size` is read" in refusal(code)

    def test_the_nearest_rows_are_named(self) -> None:
        assert new_rows(PAIR.format(labels="torch.arange(args.batch_size // 1)")) == [
            "return F.cross_entropy(sim, torch.arange(z.shape[0] // 1))"
        ]

    def test_the_alias_is_rewritten_and_not_its_uses(self) -> None:
        code = PAIR.format(labels="torch.arange(2 * n)").replace("    z = ", "    n = args.batch_size\n    z = ")
        rows = new_rows(code)
        assert rows[-2:] == ["actual_batch_size = (z_i.shape[0] + z_j.shape[0]) // 2", "n = actual_batch_size"]
        assert rows[0].startswith("assert (z_i.shape[0] + z_j.shape[0]) % 2 == 0")


class TestWorldSize:
    CODE = """
    def loss(z, w, args, world_size):
        z_all = all_gather(z)
        sim = {similarity} / args.temperature
        return F.cross_entropy(sim, torch.arange(args.batch_size{factor}))
    """

    def test_gathered_rows_that_are_bound_drop_the_factor(self) -> None:
        rows = new_rows(self.CODE.format(similarity="z_all @ z_all.T", factor=" * world_size"))
        assert rows == ["return F.cross_entropy(sim, torch.arange(z_all.shape[0]))"]

    def test_before_a_gather_the_local_rows_count(self) -> None:
        rows = new_rows(self.CODE.format(similarity="z @ z_all.T", factor=""))
        assert rows == ["return F.cross_entropy(sim, torch.arange(z.shape[0]))"]


class TestRefusals:
    def test_nothing_with_the_rows_is_bound(self) -> None:
        code = """
        def loss(net, x, w, args):
            def build():
                return torch.arange(args.batch_size)
            return F.cross_entropy(net(x) @ w.T, build())
        """
        assert "no tensor with the batch's rows is bound where `build` is called" in refusal(code)


class TestRebound:
    def test_one_local_serves_all_values_of_the_same_rows(self) -> None:
        code = """
        def loss(z, args):
            y = torch.cat([torch.arange(args.batch_size) for _ in range(args.n_views)])
            first = F.cross_entropy(z @ z.T, y)
            z = F.normalize(z, dim=1)
            y = torch.cat([torch.arange(args.batch_size) for _ in range(args.n_views)])
            return first + F.cross_entropy(z @ z.T, y)
        """
        text = repaired(code)
        assert text.count("actual_batch_size = z.shape[0] // args.n_views") == 1
        assert text.count("torch.arange(actual_batch_size)") == 2

    def test_values_of_two_branches_get_a_local_each(self) -> None:
        code = """
        def step(net, x, y, args):
            if args.mixed:
                both = net(torch.cat([x, y]))
                loss = F.cross_entropy(both @ both.T / args.t, torch.arange(args.batch_size).repeat(2))
            else:
                both = net(torch.cat([y, x]))
                loss = F.cross_entropy(both @ both.T / args.t, torch.arange(args.batch_size).repeat(2))
            return loss
        """
        text = repaired(code)
        assert text.count("actual_batch_size = both.shape[0] // 2") == 1
        assert text.count("torch.arange(actual_batch_size).repeat(2)") == 1
        assert text.count("actual_batch_size_2 = both.shape[0] // 2") == 1
        assert text.count("torch.arange(actual_batch_size_2).repeat(2)") == 1
        assert is_safe(code)

    def test_slices_of_values_of_two_branches_are_left_to_the_author(self) -> None:
        code = """
        from losses import NTXentLoss

        criterion = NTXentLoss()

        def step(net, x, y, args):
            if args.mixed:
                both = F.normalize(net(torch.cat([x, y])))
                a, b = both[: args.batch_size], both[args.batch_size :]
            else:
                both = F.normalize(net(torch.cat([y, x])))
                a, b = both[: args.batch_size], both[args.batch_size :]
            return criterion(a, b)
        """
        assert "no tensor with the batch's rows is bound where `args.batch_size` is read" in refusal(code)


class TestDerived:
    def derived(self, views: str) -> Derived:
        return Derived("n", "z.shape[0]", (Value.__new__(Value),), views)

    def test_quotes_of_the_view_count(self) -> None:
        (check, _) = self.derived('cfg["n_views"]').lines(Settings(), '"', 140)
        assert check.count("f'Features dim 0") == 1
        compile(check, "<check>", "exec")

    def test_both_quotes(self) -> None:
        (check, _) = self.derived("cfg[\"a\"]['b']").lines(Settings(), '"', 140)
        compile(check, "<check>", "exec")

    def test_a_product_of_views_is_one_divisor(self) -> None:
        (check, local) = self.derived("2 * k").lines(Settings(), '"', 140)
        assert local == "n = z.shape[0] // (2 * k)"
        compile(check, "<check>", "exec")


class TestConditionalReads:
    TERNARY = """
    def loss(features, args):
        size = args.batch_size if torch.is_grad_enabled() else {other}
        sim = features @ features.T / args.temperature
        labels = torch.arange(size).repeat({views})
        return F.cross_entropy(sim, labels)
    """

    def test_both_sides_need_the_size(self) -> None:
        assert is_safe(self.TERNARY.format(other="args.batch_size", views=2))

    def test_one_side_alone_needs_it(self) -> None:
        assert "one side alone" in fix(self.TERNARY.format(other="len(features) // 2", views=2)).why

    BRANCH = """
    def loss(features, args):
        size = None
        if args.plain: size = args.batch_size
        {between}
        sim = features @ features.T / args.temperature
        labels = torch.arange({size}).repeat(2)
        return F.cross_entropy(sim, labels)
    """

    def test_a_later_use_needs_it_on_every_way(self) -> None:
        assert is_safe(self.BRANCH.format(between="pass", size="args.batch_size"))

    def test_the_branch_alone_needs_it(self) -> None:
        code = self.BRANCH.format(between="pass", size="size")
        assert "one-row branch" in fix(code.replace("size = None", "size = len(features) // 2")).why


class TestEarlyReturns:
    """What returns between the read of a size and the operation that needs it may see batches of any size."""

    LOSS = """
    def loss(features, other, args):
        size = args.batch_size
        if args.plain:
            return {returned}
        sim = features @ {other}.T / args.temperature
        return F.cross_entropy(sim, torch.arange({rows}))
    """

    def test_a_size_that_is_not_used_before_the_return(self) -> None:
        assert is_safe(self.LOSS.format(returned="features.mean()", other="other", rows="size"))

    def test_a_size_that_is_used_before_the_return(self) -> None:
        code = self.LOSS.format(returned="features.mean() * size", other="other", rows="size")
        assert "on another way" in fix(code).why

    def test_an_assertion_stands_before_the_return(self) -> None:
        code = self.LOSS.format(returned="features.mean()", other="features", rows="2 * size")
        assert "nothing needs it to hold" in fix(code).why

    def test_an_assertion_behind_the_return(self) -> None:
        code = self.LOSS.format(returned="features.mean()", other="features", rows="2 * args.batch_size")
        assert is_safe(code.replace("size = args.batch_size", "size = 1"))

    def test_a_raise_is_no_way_out(self) -> None:
        code = self.LOSS.format(returned="features.mean()", other="features", rows="2 * size")
        assert is_safe(code.replace("return features.mean()", "raise ValueError"))

    @pytest.mark.parametrize("word", ["continue", "break"])
    def test_a_round_that_is_left(self, word: str) -> None:
        code = """
        def train(loader, args):
            for features in loader:
                size = args.batch_size
                if args.plain:
                    {word}
                sim = features @ features.T / args.temperature
                F.cross_entropy(sim, torch.arange(2 * size)).backward()
        """
        assert "nothing needs it to hold" in fix(code.format(word=word)).why
        inner = "for _ in range(3):\n                        break"
        assert is_safe(code.replace("{word}", inner))
