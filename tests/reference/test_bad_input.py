"""Input without a loss is refused with a ValueError that names the numbers."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from infonce_lint.reference import InfoNCELoss, cached_backward, clip_loss, info_nce_loss, view_major

ROWS = torch.randn(6, 4)
HOLED = ROWS.clone()
HOLED[2, 1], HOLED[4, 0] = torch.nan, torch.inf

REFUSED: list[tuple[Any, dict[str, Any], str]] = [
    (torch.randn(7, 4), {}, r"features dim 0 \(7\) must be divisible by n_views \(2\)"),
    (torch.randn(8, 4), {"n_views": 3}, r"features dim 0 \(8\) must be divisible by n_views \(3\)"),
    (ROWS, {"n_views": 1}, r"n_views must be at least 2 without labels, got 1"),
    (ROWS, {"n_views": 0}, r"n_views must be a whole number of at least 1, got 0"),
    (ROWS, {"n_views": -2}, r"n_views .* got -2"),
    (ROWS, {"n_views": 2.0}, r"n_views .* got 2\.0"),
    (ROWS, {"n_views": True}, r"n_views .* got True"),
    (torch.randn(0, 4), {}, r"features must have at least one row, got 0"),
    (torch.randn(6, 0), {}, r"features must have at least one column, got \[6, 0\]"),
    (ROWS, {"temperature": 0.0}, r"temperature must be a positive finite number, got 0\.0"),
    (ROWS, {"temperature": -0.1}, r"temperature .* got -0\.1"),
    (ROWS, {"temperature": float("nan")}, r"temperature .* got nan"),
    (ROWS, {"temperature": float("inf")}, r"temperature .* got inf"),
    (ROWS, {"temperature": "0.1"}, r"temperature .* got '0\.1'"),
    (ROWS, {"temperature": torch.tensor(-1.0)}, r"temperature .* got -1\.0"),
    (ROWS, {"temperature": torch.ones(3)}, r"temperature must be one floating-point number, got \[3\]"),
    (torch.ones(6, 4, dtype=torch.int64), {}, r"features must be floating point, got torch\.int64"),
    (torch.ones(6, 4, dtype=torch.bool), {}, r"features must be floating point, got torch\.bool"),
    (torch.ones(6, 4, dtype=torch.complex64), {}, r"features must be floating point, got torch\.complex64"),
    (torch.randn(6), {}, r"features must have 2 dimensions \[rows, width\], got 1: \[6\]"),
    (torch.randn(3, 2, 4), {}, r"2 dimensions .* got 3: \[3, 2, 4\]; bring \[B, V, D\] to view-major rows"),
    ([[1.0, 2.0]], {}, r"features must be a torch\.Tensor, got list"),
    (ROWS, {"form": "sum"}, r"form must be one of 'out', 'pair', 'in', got 'sum'"),
    (ROWS, {"reduction": "max"}, r"reduction must be one of 'mean', 'sum', 'none', got 'max'"),
    (ROWS, {"tile": 0}, r"tile must be a whole number of at least 1, got 0"),
    (ROWS, {"gather": "all"}, r"gather must be None, a bool or a process group, got str"),
    (ROWS, {"labels": torch.arange(4)}, r"labels must have shape \[3\] .* or \[6\] .*, got \[4\]"),
    (ROWS, {"labels": torch.zeros(3, 1, dtype=torch.int64)}, r"labels must have shape .* got \[3, 1\]"),
    (ROWS, {"labels": torch.randn(3)}, r"labels must be a tensor of whole numbers, got torch\.float32"),
    (ROWS, {"labels": [0, 1, 2]}, r"labels must be a tensor of whole numbers, got list"),
    (HOLED, {"check_finite": True}, r"features: 2 of 24 values are NaN or infinite, the first in row 2 of 6"),
]


@pytest.mark.parametrize(("features", "settings", "message"), REFUSED, ids=range(len(REFUSED)))
def test_a_bad_batch_is_refused(features: Any, settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        info_nce_loss(features, **settings)


@pytest.mark.parametrize(
    ("a", "b", "settings", "message"),
    [
        (torch.randn(6, 4), torch.randn(5, 4), {}, r"a and b must have one shape, got \[6, 4\] and \[5, 4\]"),
        (torch.randn(6, 4), torch.randn(6, 4).double(), {}, r"got torch\.float32 on cpu and torch\.float64 on cpu"),
        (torch.randn(6, 4), torch.randn(6), {}, r"b must have 2 dimensions"),
        (torch.randn(0, 4), torch.randn(0, 4), {}, r"at least one row, got 0"),
        (torch.randn(6, 4), torch.randn(6, 4), {"logit_scale": 0.0}, r"logit_scale must be a positive .* got 0\.0"),
        (torch.randn(6, 4), torch.randn(6, 4), {"tile": -1}, r"tile .* got -1"),
        (ROWS, HOLED, {"check_finite": True}, r"b: 2 of 24 values are NaN or infinite"),
    ],
)
def test_bad_towers_are_refused(a: Any, b: Any, settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        clip_loss(a, b, **{"logit_scale": 10.0, **settings})


@pytest.mark.parametrize(
    "settings", [{"n_views": 0}, {"temperature": 0}, {"form": "x"}, {"reduction": "x"}, {"tile": 0}, {"gather": "x"}]
)
def test_the_module_refuses_bad_settings_when_it_is_built(settings: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(settings))):
        InfoNCELoss(**settings)


def test_accumulation_without_chunks_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one chunk, got 0"):
        cached_backward(nn.Linear(4, 4), [], InfoNCELoss())
    with pytest.raises(ValueError, match=r"chunk 1: rows \(3\) must be divisible by n_views \(2\)"):
        cached_backward(nn.Linear(4, 4), [torch.randn(4, 4), torch.randn(3, 4)], InfoNCELoss())
    with pytest.raises(ValueError, match=r"loss must return one number, got \[4\]"):
        cached_backward(nn.Linear(4, 4), [torch.randn(4, 4)], InfoNCELoss(reduction="none"))


def test_chunks_that_are_no_whole_views_are_refused() -> None:
    with pytest.raises(ValueError, match=r"chunk 1: rows \(3\) must be divisible by n_views \(2\)"):
        view_major([torch.randn(4, 4), torch.randn(3, 4)], 2)


def test_gathering_in_a_single_process_is_the_local_loss() -> None:
    assert torch.equal(info_nce_loss(ROWS, gather=True), info_nce_loss(ROWS))
