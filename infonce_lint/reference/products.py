"""Matrix products in a precision that is asked for, whatever the trainer allows: forward, backward and beyond.

=========  ==============================================  =======================================================
precision  operands of each product                        a similarity over T is off by about
=========  ==============================================  =======================================================
``ieee``   float32                                         2^-23 / T
``tf32``   float32 that CUDA's tensor cores may round      2^-10 / T on such a card, nothing elsewhere
``bf16``   rounded to bfloat16, added up in float32        2^-8 / T everywhere
=========  ==============================================  =======================================================

Under ``torch.compile`` no switch of torch can be turned: there ``ieee`` and ``tf32`` are what the program has allowed.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, Literal

import torch
from torch import Tensor

from .precision import is_compiling

Precision = Literal["ieee", "tf32", "bf16"]
PRECISIONS: tuple[Precision, ...] = ("ieee", "tf32", "bf16")


def product(left: Tensor, right: Tensor, precision: Precision) -> Tensor:
    """``left @ right`` of two float32 or float64 matrices, its derivatives in the same precision.

    float64 is left as it is: no switch touches it.
    """
    if is_compiling():
        return operand(left, precision) @ operand(right, precision)
    if not _is_controlled(left, precision):
        return left @ right
    result: Tensor = _Product.apply(left, right, precision)  # type: ignore[no-untyped-call]
    return result


def operand(matrix: Tensor, precision: Precision) -> Tensor:
    """A factor as ``precision`` lets a product see it; of the same dtype."""
    if precision == "bf16" and matrix.dtype == torch.float32:
        return matrix.to(torch.bfloat16).to(torch.float32)
    return matrix


def arithmetic(precision: Precision) -> AbstractContextManager[None]:
    """What float32 products may be rounded to inside; under ``torch.compile``, whose graph it would break, nothing."""
    return nullcontext() if is_compiling() else _switched(precision)


@contextmanager
def _switched(precision: Precision) -> Iterator[None]:
    """Set the switches of this process, and set them back."""
    wanted = "highest" if precision == "ieee" else "high"  # a product of bfloat16 numbers is exact in TF32
    before = torch.get_float32_matmul_precision()
    newer = [(place, place.fp32_precision) for place in _newer_switches()]
    if before == wanted and all(value in ("none", "ieee") for _, value in newer) == (precision == "ieee"):
        yield
        return
    # The older call sets the newer switches too; they would not follow each other the other way round.
    torch.set_float32_matmul_precision(wanted)
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(before)
        for place, value in newer:
            place.fp32_precision = value


def _newer_switches() -> list[Any]:
    """Where torch 2.9 and later keep the precision of each backend."""
    backends = (getattr(torch.backends, name, None) for name in ("cuda", "mkldnn"))
    places = (getattr(each, "matmul", None) for each in backends)
    return [each for each in places if _has_switch(each)]


def _has_switch(place: Any) -> bool:
    try:
        return isinstance(place.fp32_precision, str)
    except (AttributeError, AssertionError):  # torch 2.1 asserts that it knows an attribute
        return False


def _is_controlled(matrix: Tensor, precision: Precision) -> bool:
    if matrix.dtype != torch.float32:
        return False
    if precision == "bf16" or matrix.is_cuda:  # the backward pass comes later, when the switches may stand otherwise
        return True
    return precision == "ieee" and torch.get_float32_matmul_precision() != "highest"


class _Product(torch.autograd.Function):
    """``left @ right``; its backward pass is two more of its kind, so that second derivatives follow."""

    @staticmethod
    def forward(left: Tensor, right: Tensor, precision: Precision) -> Tensor:
        with arithmetic(precision):
            return operand(left, precision) @ operand(right, precision)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, Tensor, Precision], output: Tensor) -> None:
        left, right, ctx.precision = inputs
        ctx.save_for_backward(left, right)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, Tensor | None, None]:
        left, right = ctx.saved_tensors
        into_left, into_right = ctx.needs_input_grad[:2]
        return (
            product(gradients[0], right.transpose(0, 1), ctx.precision) if into_left else None,
            product(left.transpose(0, 1), gradients[0], ctx.precision) if into_right else None,
            None,
        )
