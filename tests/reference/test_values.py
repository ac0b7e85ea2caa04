"""Value and gradient of every form against the definitions, over shapes, temperatures and shapes of feature space."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from infonce_lint.reference import InfoNCELoss, clip_loss, info_nce_loss
from infonce_lint.reference.forms import Form
from tests.reference.definitions import defined_loss, defined_towers, row_losses, value_and_gradient

FORMS: list[Form] = ["out", "pair", "in"]
TILES = [None, 1, 4, 1000]
EPS = torch.finfo(torch.float32).eps

batches = st.sampled_from([1, 2, 3, 4, 5, 7, 8, 11, 13])  # ragged ones, 1 and primes among them
temperatures = st.sampled_from([0.01, 0.02, 0.05, 0.07, 0.1, 0.2, 0.5])
clouds = st.sampled_from(["spread", "clustered", "equal", "antipodal"])


def cloud(kind: str, rows: int, width: int, seed: int, dtype: torch.dtype = torch.float64) -> Tensor:
    """Rows of length 1 as training meets them: spread out, collapsing, collapsed, and split in two opposite points."""
    random = torch.Generator().manual_seed(seed)
    spread = torch.randn(rows, width, generator=random, dtype=torch.float64)
    centre = torch.randn(1, width, generator=random, dtype=torch.float64)
    side = torch.where(torch.rand(rows, 1, generator=random) < 0.5, -1.0, 1.0)
    points = {
        "spread": spread,
        "clustered": centre + 1e-3 * spread,
        "equal": centre.expand(rows, width),
        "antipodal": centre * side,
    }[kind]
    return (points / points.norm(dim=1, keepdim=True)).to(dtype).requires_grad_()


def assert_close(
    got: tuple[Tensor, ...],
    expected: tuple[Tensor, ...],
    *,
    rows: int,
    temperature: float,
    dtype: torch.dtype,
    kind: str,
) -> None:
    """A value and its gradients within 1e-12 in float64, and in float32 within 2 * eps / T.

    That is twice the rounding of one similarity. To it come half a unit in the last place of the value itself; the same
    once more between opposite rows, where the loss is the difference of two large similarities; and for the gradient
    its own factor 1 / (rows * T), where few rows at a low temperature leave it above 1.
    """
    double = dtype == torch.float64
    allowed = 1e-12 if double else 2 * EPS / temperature
    holding = 0.0 if double else EPS / 2 * expected[0].abs().item()
    assert abs(got[0] - expected[0]) <= allowed * (2 if kind == "antipodal" else 1) + holding
    for gradient, wanted in zip(got[1:], expected[1:]):
        assert (gradient - wanted).abs().max() <= allowed * max(1.0, 1 / (rows * temperature))


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32], ids=["float64", "float32"])
@settings(max_examples=40, deadline=None)
@given(
    n_views=st.integers(2, 4),
    batch=batches,
    width=st.integers(2, 48),
    temperature=temperatures,
    kind=clouds,
    tile=st.sampled_from(TILES),
    seed=st.integers(0, 2**16),
)
def test_views_match_the_definition(
    form: Form, dtype: torch.dtype, n_views: int, batch: int, width: int, temperature: float, kind: str,
    tile: int | None, seed: int,
) -> None:  # fmt: skip
    features = cloud(kind, n_views * batch, width, seed, dtype)
    exact = features.detach().double().requires_grad_()
    ours = value_and_gradient(info_nce_loss(features, n_views, temperature=temperature, form=form, tile=tile), features)
    expected = value_and_gradient(defined_loss(exact, n_views, temperature, form), exact)
    assert_close(ours, expected, rows=n_views * batch, temperature=temperature, dtype=dtype, kind=kind)


@pytest.mark.parametrize("form", FORMS)
@settings(max_examples=40, deadline=None)
@given(
    data=st.data(),
    n_views=st.integers(1, 3),
    batch=batches,
    temperature=temperatures,
    kind=clouds,
    tile=st.sampled_from(TILES),
    per_row=st.booleans(),
    seed=st.integers(0, 2**16),
)
def test_labels_match_the_definition(
    form: Form, data: st.DataObject, n_views: int, batch: int, temperature: float, kind: str, tile: int | None,
    per_row: bool, seed: int,
) -> None:  # fmt: skip
    rows = n_views * batch
    size = rows if per_row else batch
    labels = torch.tensor(data.draw(st.lists(st.integers(-1, 3), min_size=size, max_size=size)))
    row_labels = labels if per_row else labels.repeat(n_views)
    features = cloud(kind, rows, 6, seed)
    loss = info_nce_loss(features, n_views, temperature=temperature, form=form, labels=labels, tile=tile)
    value, gradient = value_and_gradient(loss, features)
    if row_losses(features, n_views, temperature, form, row_labels):
        expected = value_and_gradient(defined_loss(features, n_views, temperature, form, row_labels), features)
    else:  # no row has a positive
        expected = (torch.zeros(()), torch.zeros_like(features))
    assert abs(value - expected[0]) <= 1e-12
    assert (gradient - expected[1]).abs().max() <= 1e-12


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32], ids=["float64", "float32"])
@settings(max_examples=40, deadline=None)
@given(
    batch=batches,
    width=st.integers(2, 48),
    temperature=temperatures,
    kind=clouds,
    tile=st.sampled_from(TILES),
    symmetric=st.booleans(),
    seed=st.integers(0, 2**16),
)
def test_towers_match_the_definition(
    dtype: torch.dtype, batch: int, width: int, temperature: float, kind: str, tile: int | None, symmetric: bool,
    seed: int,
) -> None:  # fmt: skip
    a, b = cloud(kind, batch, width, seed, dtype), cloud(kind, batch, width, seed + 1, dtype)
    exact = [tower.detach().double().requires_grad_() for tower in (a, b)]
    ours = value_and_gradient(clip_loss(a, b, 1 / temperature, symmetric=symmetric, tile=tile), a, b)
    theirs = value_and_gradient(defined_towers(*exact, 1 / temperature, symmetric=symmetric), *exact)
    assert_close(ours, theirs, rows=batch, temperature=temperature, dtype=dtype, kind=kind)


@pytest.mark.parametrize("n_views", [2, 3, 4])
@pytest.mark.parametrize("tile", TILES)
def test_unnormalized_rows_are_taken_as_they_are(n_views: int, tile: int | None) -> None:
    features = (cloud("spread", n_views * 5, 6, 0).detach() * 3).requires_grad_()
    for form in FORMS:
        ours = value_and_gradient(
            info_nce_loss(features, n_views, temperature=0.3, form=form, normalize=False, tile=tile), features
        )
        expected = value_and_gradient(defined_loss(features, n_views, 0.3, form, normalize=False), features)
        assert all((got - want).abs().max() <= 1e-12 for got, want in zip(ours, expected))


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("tile", [None, 4])
def test_reductions_agree(form: Form, tile: int | None) -> None:
    features = cloud("spread", 15, 6, 1)
    rows = info_nce_loss(features, 3, form=form, reduction="none", tile=tile)
    assert torch.allclose(rows, torch.stack(row_losses(features, 3, 0.1, form)), atol=1e-12)
    assert torch.allclose(info_nce_loss(features, 3, form=form, reduction="sum", tile=tile), rows.sum(), atol=1e-12)
    assert torch.allclose(info_nce_loss(features, 3, form=form, tile=tile), rows.mean(), atol=1e-12)
    weights = torch.linspace(0.0, 1.0, 15, dtype=torch.float64)
    (gradient,) = torch.autograd.grad((rows * weights).sum(), features)
    (expected,) = torch.autograd.grad((torch.stack(row_losses(features, 3, 0.1, form)) * weights).sum(), features)
    assert torch.allclose(gradient, expected, atol=1e-12)


def test_tower_reductions_agree() -> None:
    a, b = cloud("spread", 7, 6, 1), cloud("spread", 7, 6, 2)
    rows = clip_loss(a, b, 10.0, reduction="none")
    assert rows.shape == (7,)
    assert torch.allclose(clip_loss(a, b, 10.0, reduction="sum"), rows.sum(), atol=1e-12)
    assert torch.allclose(clip_loss(a, b, 10.0), rows.mean(), atol=1e-12)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("tile", [None, 2])
def test_a_learnable_temperature_gets_its_gradient(form: Form, tile: int | None) -> None:
    temperature = torch.nn.Parameter(torch.tensor(0.2, dtype=torch.float64))
    loss = InfoNCELoss(2, temperature=temperature, form=form, tile=tile)
    assert list(loss.parameters()) == [temperature]
    features = cloud("spread", 8, 4, 3)
    assert torch.autograd.gradcheck(
        lambda t: info_nce_loss(features, 2, temperature=t, form=form, tile=tile), temperature
    )
    assert torch.equal(loss(features), info_nce_loss(features, 2, temperature=0.2, form=form, tile=tile))


@pytest.mark.parametrize("tile", [None, 2])
def test_a_logit_scale_gets_its_gradient(tile: int | None) -> None:
    scale = torch.tensor(5.0, dtype=torch.float64, requires_grad=True)
    a, b = cloud("spread", 5, 4, 3), cloud("spread", 5, 4, 4)
    assert torch.autograd.gradcheck(lambda s: clip_loss(a, b, s, tile=tile), scale)


@pytest.mark.parametrize("n_views", [2, 3, 4])
@pytest.mark.parametrize("form", ["out", "pair"])
def test_collapsed_features_score_like_chance(n_views: int, form: Form) -> None:
    rows = n_views * 6
    compared = rows - 1 if form == "out" else rows - n_views + 1
    loss = info_nce_loss(torch.ones(rows, 5, dtype=torch.float64), n_views, form=form)
    assert loss.item() == pytest.approx(math.log(compared), abs=1e-12)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("n_views", [2, 3])
def test_symmetries(form: Form, n_views: int) -> None:
    batch = 5
    features = cloud("spread", n_views * batch, 6, 5).detach()
    views = features.reshape(n_views, batch, -1)
    value = info_nce_loss(features, n_views, form=form)
    order = torch.tensor([3, 0, 4, 1, 2])
    changed = {
        "samples in another order": views[:, order].flatten(0, 1),
        "views rotated": views.roll(1, dims=0).flatten(0, 1),
        "rows scaled": features * torch.logspace(-6, 20, n_views * batch, dtype=torch.float64).unsqueeze(1),
        "space rotated": features @ torch.linalg.qr(torch.randn(6, 6, dtype=torch.float64)).Q,
    }
    for what, other in changed.items():
        assert info_nce_loss(other, n_views, form=form).item() == pytest.approx(value.item(), abs=1e-12), what


@pytest.mark.parametrize("form", FORMS)
def test_a_lone_sample_has_nothing_to_learn(form: Form) -> None:
    for n_views in (2, 3):
        features = cloud("equal", n_views, 4, 6)
        value, gradient = value_and_gradient(info_nce_loss(features, n_views, form=form), features)
        at_rest = math.log(n_views - 1) if form == "out" else 0.0
        assert value.item() == pytest.approx(at_rest, abs=1e-12)
        assert gradient.abs().max() <= 1e-12


@pytest.mark.parametrize("batch", [1, 2, 5, 13])
def test_at_two_views_all_forms_are_one(batch: int) -> None:
    features = cloud("spread", 2 * batch, 6, 8)
    first, *others = (value_and_gradient(info_nce_loss(features, 2, form=form), features) for form in FORMS)
    for other in others:
        assert all((one - two).abs().max() <= 1e-12 for one, two in zip(first, other))


def test_above_two_views_no_two_forms_are_one() -> None:
    features = cloud("spread", 15, 6, 9)
    values = sorted(info_nce_loss(features, 3, form=form).item() for form in FORMS)
    assert values[0] + 0.05 < values[1] < values[2] - 0.05


@pytest.mark.parametrize("shape", [(), (1,), (1, 1, 1)])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_tensor_of_one_number_changes_neither_shape_nor_dtype(shape: tuple[int, ...], dtype: torch.dtype) -> None:
    rows = cloud("spread", 8, 4, 0, torch.float32)
    fifth = torch.full(shape, 0.2, dtype=dtype, requires_grad=True)
    loss = info_nce_loss(rows, temperature=fifth)
    assert loss.dtype == torch.float32
    assert loss.item() == pytest.approx(info_nce_loss(rows, temperature=0.2).item(), rel=1e-6)
    loss.backward()  # type: ignore[no-untyped-call]
    assert fifth.grad is not None
    assert fifth.grad.shape == fifth.shape
    towers = rows[:4], rows[4:]
    assert clip_loss(*towers, 1 / fifth).item() == pytest.approx(clip_loss(*towers, 5.0).item(), rel=1e-6)


def test_numbers_of_numpy_are_numbers() -> None:
    numpy = pytest.importorskip("numpy")
    rows = cloud("spread", 6, 4, 0)
    loss = info_nce_loss(rows, numpy.int64(3), temperature=numpy.float32(0.25), tile=numpy.int32(2))
    assert loss.item() == info_nce_loss(rows, 3, temperature=0.25, tile=2).item()
