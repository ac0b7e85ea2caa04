"""Two and four ranks on gloo: parameter gradients under DDP are those of the whole batch in one process."""

from __future__ import annotations

import re

import pytest
import torch
import torch.distributed as dist
from torch import Tensor

from infonce_lint.reference import info_nce_loss, view_major
from tests.reference import rank_cases as cases
from tests.reference.ranks import Run, alone, meet, ratio_and_cosine

pytestmark = pytest.mark.skipif(not dist.is_available(), reason="this torch has no torch.distributed")
SPLITS = list(cases.COUNTS[2])


@pytest.fixture(scope="module", params=[2, 4], ids=["two ranks", "four ranks"])
def ranks(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """All cases of two, then of four ranks."""
    return meet(request.param, tmp_path_factory.mktemp("ranks"))


@pytest.mark.parametrize("split", SPLITS)
@pytest.mark.parametrize("name", [*cases.CASES, "accumulated"])
def test_gradients_are_those_of_the_whole_batch(ranks: Run, split: str, name: str) -> None:
    counts = ranks.counts(split)
    expected_value, expected = alone("out" if name == "accumulated" else name, sum(counts))
    for found in ranks.ranks:
        value, gradient = found[f"{split}: {name}"]
        assert value.item() == pytest.approx(expected_value.item(), abs=1e-6)
        assert ratio_and_cosine(gradient, expected) == pytest.approx((1.0, 1.0), abs=1e-6)
        if name != "float32":
            assert torch.allclose(gradient, expected, atol=1e-12)


@pytest.mark.parametrize("split", SPLITS)
def test_the_gather_has_a_second_derivative(ranks: Run, split: str) -> None:
    counts = ranks.counts(split)
    rows = cases.whole_batch(sum(counts), cases.N_VIEWS).flatten(0, 1).requires_grad_()
    loss = ranks.world * info_nce_loss(rows)  # what the ranks' losses add up to
    (slope,) = torch.autograd.grad(loss, rows, create_graph=True)
    (expected,) = torch.autograd.grad(slope.square().sum(), rows)
    found = view_major([found[f"{split}: second derivative"] for found in ranks.ranks], cases.N_VIEWS)
    assert torch.allclose(found, expected, atol=1e-10)


def diagnose(losses: list[float], gradient: Tensor, expected: tuple[Tensor, Tensor]) -> str:
    """Which mistake the numbers of all ranks betray."""
    ratio, cosine = ratio_and_cosine(gradient, expected[1])
    same_gradient = (ratio, cosine) == pytest.approx((1.0, 1.0), abs=1e-6)
    if sum(losses) / len(losses) == pytest.approx(expected[0].item(), abs=1e-6):
        return "right" if same_gradient else "no gradient"
    # Pairs that are wrong everywhere give each rank the same loss; a missing offset spares rank 0.
    return "no offset" if losses[0] < min(losses[1:]) / 2 else "views concatenated"


@pytest.mark.parametrize("mistake", cases.MISTAKES)
def test_each_rankwise_mistake_is_told_apart(ranks: Run, mistake: str) -> None:
    reference = alone("towers, tiled, one way" if mistake == "no offset" else "out", sum(ranks.counts("equal")))
    found = [rank[f"mistake: {mistake}"] for rank in ranks.ranks]
    losses = [value.item() for value, _ in found]
    ratio, cosine = ratio_and_cosine(found[0][1], reference[1])
    print(f"{mistake:20} W={ranks.world} full {reference[0]:.4f} ranks {[round(value, 4) for value in losses]} "
          f"ratio {ratio:.4f} cosine {cosine:.4f}")  # fmt: skip
    assert diagnose(losses, found[0][1], reference) == mistake


@pytest.mark.parametrize(
    ("what", "on_the_last_rank", "elsewhere"),
    [
        (
            "rows",
            r"features dim 0 \(5\) must be divisible by n_views \(2\)",
            r"rank {last} of {world} refused its input",
        ),
        ("nan", r"32 of 32 values are NaN", r"rank {last} of {world} refused its input"),
        ("width", r"width: rank {last} has 7, rank 0 has 8", r"width: rank \d has 8, rank {last} has 7"),
        ("dtype", r"bits: rank {last} has 64, rank 0 has 32", r"bits: rank \d has 32, rank {last} has 64"),
        ("views", r"n_views: rank {last} has 3, rank 0 has 2", r"n_views: rank \d has 2, rank {last} has 3"),
        ("labels", r"labelled: rank {last} has 1, rank 0 has 0", r"labelled: rank \d has 0, rank {last} has 1"),
        ("empty", r"at least one row, got 0 on {world} rank", r"at least one row, got 0 on {world} rank"),
    ],
)
def test_bad_input_on_one_rank_is_refused_on_all(ranks: Run, what: str, on_the_last_rank: str, elsewhere: str) -> None:
    numbers = {"{last}": str(ranks.world - 1), "{world}": str(ranks.world)}
    for rank, found in enumerate(ranks.ranks):
        pattern = on_the_last_rank if rank == ranks.world - 1 else elsewhere
        for name, number in numbers.items():
            pattern = pattern.replace(name, number)
        assert re.search(pattern, found[f"refused: {what}"]), found[f"refused: {what}"]
