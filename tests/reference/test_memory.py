"""Tiled, the loss needs memory for N x tile numbers and not for N x N, and pays for it with no time."""

from __future__ import annotations

import math

import pytest
import torch

from tests.benchmarks.contestants import CONTESTANTS
from tests.benchmarks.measuring import Job, in_a_child, inputs, one_pass, timed

LIMIT_MIB = 170
MATRIX_MIB = 8192**2 * 4 / 2**20


def peak_mib(contestant: str, rows: int) -> float:
    """Peak above the inputs, forward and backward, in a process of its own."""
    result = in_a_child(Job(contestant, rows, repeats=0), limit=300)
    assert not result.failure, result.failure
    print(f"{contestant}, {rows} rows: {result.peak_mib:.0f} MiB")
    return result.peak_mib


def test_tiled_stays_under_the_limit_where_a_matrix_does_not() -> None:
    assert peak_mib("ours, tiled", 8192) <= LIMIT_MIB
    assert peak_mib("masked logsumexp", 8192) > 3 * MATRIX_MIB


@pytest.mark.slow
def test_memory_grows_with_the_rows_and_not_with_their_square() -> None:
    # Four times the rows: numbers for each row grow by 4, numbers for each pair by 16; allocators round by megabytes.
    assert peak_mib("ours, tiled", 16384) <= 8 * peak_mib("ours, tiled", 4096)
    assert peak_mib("ours, towers, tiled", 8192) <= LIMIT_MIB
    assert peak_mib("ours, dense", 8192) <= peak_mib("copied form", 8192)


@pytest.mark.benchmark
@pytest.mark.parametrize("rows", [4096, 8192])
def test_tiled_is_no_slower_than_masked(rows: int) -> None:
    features = inputs(Job("", rows), rows)
    best = {"masked logsumexp": math.inf, "ours, tiled": math.inf}
    for name in best:
        one_pass(CONTESTANTS[name].loss, features)
    for _ in range(5):  # in turn, so that a busy moment of the machine meets both
        for name in best:
            best[name] = min(best[name], timed(torch.device("cpu"), CONTESTANTS[name].loss, features)[1])
    print(f"{rows} rows: {best}")
    assert best["ours, tiled"] <= best["masked logsumexp"]
