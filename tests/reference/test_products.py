"""What matrix products may be rounded to is the caller's word, in each derivative, and nobody waits for a device."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from infonce_lint.reference import InfoNCELoss, clip_loss, info_nce_logits, info_nce_loss
from infonce_lint.reference.products import PRECISIONS, Precision, operand, product
from tests.reference.test_gradients import whole_graphs

LOSSES: dict[str, Callable[[Tensor, Precision], Tensor]] = {
    "dense": lambda z, p: info_nce_loss(z, 3, precision=p),
    "tiled": lambda z, p: info_nce_loss(z, 3, tile=4, precision=p),
    "pairs": lambda z, p: info_nce_loss(z, 3, form="pair", precision=p),
    "labels": lambda z, p: info_nce_loss(z, 1, labels=torch.arange(12) % 4, precision=p),
    "labels, tiled": lambda z, p: info_nce_loss(z, 1, labels=torch.arange(12) % 4, tile=5, precision=p),
    "towers": lambda z, p: clip_loss(z[:6], z[6:], 10.0, precision=p),
    "module": lambda z, p: InfoNCELoss(3, precision=p)(z),
    "logits": lambda z, p: torch.nn.functional.cross_entropy(*info_nce_logits(z, 3, precision=p)),
}


def rows(dtype: torch.dtype = torch.float32) -> Tensor:
    random = torch.Generator().manual_seed(0)
    return torch.randn(12, 16, generator=random, dtype=torch.float64).to(dtype).requires_grad_()


class Watched(TorchDispatchMode):
    """Notes which rounding is allowed at every float32 product."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        if func.overloadpacket.__name__ in ("mm", "addmm", "addmm_", "bmm") and args[-1].dtype == torch.float32:
            self.seen.append(torch.get_float32_matmul_precision())
        return func(*args, **(kwargs or {}))


@pytest.fixture(params=["highest", "high", "medium"])
def allowed(request: pytest.FixtureRequest) -> Iterator[str]:
    """What the trainer allows."""
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision(request.param)
    yield request.param
    torch.set_float32_matmul_precision(before)


@pytest.mark.parametrize("name", LOSSES)
def test_ieee_holds_forward_and_backward_whatever_is_allowed(name: str, allowed: str) -> None:
    with Watched() as watched:
        features = rows()
        (first,) = torch.autograd.grad(LOSSES[name](features, "ieee"), features, create_graph=True)
        first.square().sum().backward()
    assert len(watched.seen) >= 3
    assert set(watched.seen) == {"highest"}
    assert torch.get_float32_matmul_precision() == allowed, "set back"


def test_tf32_is_allowed_for_bf16_factors_and_set_back(allowed: str) -> None:
    with Watched() as watched:
        features = rows()
        info_nce_loss(features, 3, precision="bf16").backward()
    assert set(watched.seen) == {"high"}
    assert torch.get_float32_matmul_precision() == allowed


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("precision", PRECISIONS)
def test_error_is_that_of_the_precision(name: str, precision: Precision) -> None:
    exact = LOSSES[name](rows(torch.float64), "ieee")
    features = rows()
    loss = LOSSES[name](features, precision)
    assert loss.dtype == torch.float32
    step = 2**-8 if precision == "bf16" else 2 * torch.finfo(torch.float32).eps
    assert abs(float((loss.double() - exact).detach())) <= step / 0.1
    (gradient,) = torch.autograd.grad(loss, features)
    wide = rows(torch.float64)
    (wanted,) = torch.autograd.grad(LOSSES[name](wide, "ieee"), wide)
    assert float((gradient - wanted).norm() / wanted.norm()) <= 20 * step


def test_bf16_is_the_product_of_rounded_factors() -> None:
    left, right = rows().detach(), rows().detach().T
    got = product(left, right, "bf16")
    assert torch.equal(got, left.bfloat16().float() @ right.bfloat16().float())
    assert not torch.equal(got, left @ right)
    assert operand(left.double(), "bf16").dtype == torch.float64, "float64 is left alone"


def test_second_derivative_of_a_controlled_product(allowed: str) -> None:
    left, right = rows(), rows().detach().T.clone().requires_grad_()
    twice = []
    for how in (lambda: product(left, right, "ieee"), lambda: left @ right):
        (first,) = torch.autograd.grad(how().exp().sum(), left, create_graph=True)
        twice.append(torch.autograd.grad(first.sum(), (left, right)))
    for mine, wanted in zip(*twice):
        torch.testing.assert_close(mine, wanted, rtol=2e-2 if allowed == "medium" else 1e-4, atol=1e-3)


@pytest.mark.parametrize("loss", [info_nce_loss, InfoNCELoss, info_nce_logits])
def test_unknown_precision_is_refused(loss: Callable[..., object]) -> None:
    arguments = () if loss is InfoNCELoss else (rows(),)
    with pytest.raises(ValueError, match="precision must be one of 'ieee', 'tf32', 'bf16', got 'fp8'"):
        loss(*arguments, precision="fp8")


@pytest.mark.parametrize("tile", [None, 4])
def test_a_temperature_on_a_device_is_not_read(tile: int | None) -> None:
    # A meta tensor has no value: whoever reads one, as `.item()` of a tensor on a GPU waits for it, raises.
    features = torch.empty(12, 16, device="meta")
    scale = torch.empty((), device="meta")
    assert clip_loss(features[:6], features[6:], scale, tile=tile).shape == ()
    assert info_nce_loss(features, 3, temperature=scale, tile=tile).shape == ()
    assert info_nce_logits(features, 3, scale)[0].shape == (24, 11)
    with pytest.raises(RuntimeError):
        info_nce_loss(features, 3, temperature=scale, check_finite=True)


def test_a_temperature_on_the_cpu_is_checked_as_before() -> None:
    with pytest.raises(ValueError, match=r"temperature must be a positive finite number, got 0\.0"):
        info_nce_loss(rows(), temperature=torch.tensor(0.0))


@pytest.mark.slow
@whole_graphs
@pytest.mark.parametrize("precision", PRECISIONS)
def test_compiles_without_a_graph_break(precision: Precision) -> None:
    compiled = torch.compile(lambda z: info_nce_loss(z, 3, precision=precision), fullgraph=True, backend="eager")
    value = compiled(rows())
    step = 2**-7 if precision == "bf16" else 1e-5
    assert float(value.detach()) == pytest.approx(float(info_nce_loss(rows(), 3).detach()), abs=10 * step)
