"""Half precision, autocast, low temperatures and extreme rows: finite, and as exact as the features allow."""

from __future__ import annotations

import pytest
import torch

from infonce_lint.reference import clip_loss, info_nce_logits, info_nce_loss
from infonce_lint.reference.forms import Form
from tests.reference.definitions import defined_loss, value_and_gradient

HALVES = [torch.float16, torch.bfloat16]


def half_rows(rows: int, dtype: torch.dtype) -> torch.Tensor:
    return torch.randn(rows, 16, generator=torch.Generator().manual_seed(0)).to(dtype).requires_grad_()


@pytest.mark.parametrize("dtype", HALVES)
@pytest.mark.parametrize("temperature", [0.01, 0.1])
@pytest.mark.parametrize("tile", [None, 5])
@pytest.mark.parametrize("form", ["out", "pair", "in"])
def test_half_precision_features_give_a_float32_loss(
    dtype: torch.dtype, temperature: float, tile: int | None, form: Form
) -> None:
    features = half_rows(18, dtype)
    loss = info_nce_loss(features, 3, temperature=temperature, form=form, tile=tile)
    assert loss.dtype == torch.float32
    exact = features.detach().double().requires_grad_()
    value, gradient = value_and_gradient(loss, features)
    expected, expected_gradient = value_and_gradient(defined_loss(exact, 3, temperature, form), exact)
    assert abs(value - expected) <= 2 * torch.finfo(torch.float32).eps / temperature
    # The gradient goes back in the features' own dtype, half a unit in its last place away.
    allowed = torch.finfo(dtype).eps * expected_gradient.abs() + torch.finfo(dtype).smallest_normal
    assert ((gradient - expected_gradient).abs() <= allowed + 2 * torch.finfo(torch.float32).eps / temperature).all()


@pytest.mark.parametrize("dtype", HALVES)
@pytest.mark.parametrize("tile", [None, 5])
def test_autocast_changes_nothing(dtype: torch.dtype, tile: int | None) -> None:
    features = half_rows(18, torch.float32)
    a, b = features[:9], features[9:]
    try:
        with torch.autocast("cpu", dtype=dtype):
            pass
    except RuntimeError as refusal:  # torch 2.1 has no float16 there
        pytest.skip(str(refusal))
    with torch.autocast("cpu", dtype=dtype):
        inside = [info_nce_loss(features, 3, tile=tile), clip_loss(a, b, 10.0, tile=tile)]
        logits = info_nce_logits(features, 3)[0]
    outside = [info_nce_loss(features, 3, tile=tile), clip_loss(a, b, 10.0, tile=tile)]
    assert all(torch.equal(one, other) for one, other in zip(inside, outside))
    assert torch.equal(logits, info_nce_logits(features, 3)[0])


@pytest.mark.parametrize("dtype", [*HALVES, torch.float32, torch.float64])
@pytest.mark.parametrize("tile", [None, 5])
@pytest.mark.parametrize("form", ["out", "pair", "in"])
def test_a_very_low_temperature_stays_finite(dtype: torch.dtype, tile: int | None, form: Form) -> None:
    features = half_rows(12, dtype)
    value, gradient = value_and_gradient(info_nce_loss(features, 2, temperature=1e-4, form=form, tile=tile), features)
    assert value.isfinite()
    assert gradient.isfinite().all()


def test_rows_too_long_for_their_own_square_are_still_compared() -> None:
    features = half_rows(12, torch.float32).detach()
    for factor in (1e-10, 1e30):
        assert info_nce_loss(features * factor).item() == pytest.approx(info_nce_loss(features).item(), rel=1e-6)


@pytest.mark.parametrize("tile", [None, 5])
def test_nan_is_never_hidden(tile: int | None) -> None:
    features = half_rows(12, torch.float32).detach()
    features[3, 2] = torch.nan
    for form in ("out", "pair", "in"):
        assert info_nce_loss(features, 3, form=form, tile=tile).isnan()
