"""The harness itself: it accepts a right repair, and sees a careless one."""

from __future__ import annotations

import pytest

pytest.importorskip("torch")

import torch

from tests.execution.batch import Batch
from tests.execution.cases import CASES
from tests.execution.running import as_tensors, configure_constants, run_text, same

CASE = next(case for case in CASES if case.fixture == "configured-normaliser/constant_twice_batch.py")


def repaired_with(divisor: str) -> bytes:
    text = CASE.data.decode()
    assert text.count("(2 * BATCH_SIZE)") == 1
    return text.replace("(2 * BATCH_SIZE)", divisor).encode()


def test_right_repair_has_the_value_of_a_loss_made_for_the_batch() -> None:
    right = repaired_with("z.shape[0]")
    for rows in (8, 5):
        assert same(run_text(CASE, CASE.data, rows, Batch(rows)), run_text(CASE, right, 8, Batch(rows)), exact=True)


@pytest.mark.parametrize("divisor", ["(z.shape[0] // 2)", "z.shape[1]", "(2 * BATCH_SIZE)"])
def test_careless_repair_is_seen(divisor: str) -> None:
    careless = repaired_with(divisor)
    values = [run_text(CASE, CASE.data, rows, Batch(rows)) for rows in (8, 5)]
    others = [run_text(CASE, careless, 8, Batch(rows)) for rows in (8, 5)]
    assert not all(same(a, b, exact=False) for a, b in zip(values, others, strict=True))


def test_same_compares_bits_or_a_tolerance() -> None:
    one, near, far = torch.tensor(1.0), torch.tensor(1.0 + 5e-7), torch.tensor(1.001)
    assert same((one,), (near,), exact=False)
    assert not same((one,), (near,), exact=True)
    assert not same((one,), (far,), exact=False)
    assert not same((one,), (one, one), exact=False)
    assert not same((torch.ones(2),), (torch.ones(3),), exact=False)


def test_values_of_any_shape_become_tensors() -> None:
    assert same(as_tensors((1.5, [torch.ones(2), 3])), (torch.tensor(1.5), torch.ones(2), torch.tensor(3)), exact=True)


def test_batches_of_one_size_are_equal_and_views_agree() -> None:
    first, second = Batch(5).pair()
    assert torch.equal(first, Batch(5).pair()[0])
    assert (first * second).sum() > (first * second.flip(0)).sum()
    assert Batch(5, extra=1).stacked(3).shape == (16, 16)
    assert Batch(5).per_image(2).shape == (5, 2, 16)


def test_missing_constant_is_an_error() -> None:
    assert configure_constants("N = 8  # rows\n", ("N",), 5) == "N = 5  # rows\n"
    with pytest.raises(ValueError, match="SIZE has 0 literal definitions, expected 1"):
        configure_constants("N = 8\n", ("SIZE",), 5)
