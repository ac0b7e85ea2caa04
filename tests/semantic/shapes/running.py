"""Runs a snippet twice: through the interpreter of shapes with symbols, and for real with tensors of certain sizes."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from textwrap import indent
from typing import Any

import libcst as cst
import numpy as np
import torch

from infonce_lint.semantic.losses.model import SemanticModel
from infonce_lint.semantic.shapes.dims import Dim, Origin, Symbol, number, symbol
from infonce_lint.semantic.shapes.domain import Abstract, Extents, Frame, Kind, Listing, Number, Parts, Tensor
from infonce_lint.semantic.shapes.facts import Fact, Relation
from infonce_lint.semantic.shapes.interpreter import Interpreter
from infonce_lint.settings import Settings

#: Numbers that snippets may use: rows, width, views, other rows, and ``S``, the size that was configured for the rows.
SYMBOLS = {name: symbol(Origin.SIZE if name == "S" else Origin.AXIS, name) for name in "NDVMS"}
N, D, V, M, S = (SYMBOLS[name] for name in "NDVMS")

#: Tensors that snippets may use.
TENSORS = {
    "z": Tensor((N, D), None, Kind.FLOAT),
    "w": Tensor((N, D), None, Kind.FLOAT),
    "q": Tensor((M, D), None, Kind.FLOAT),
    "x": Tensor((V, N, D), None, Kind.FLOAT),
    "sim": Tensor((N, N), None, Kind.FLOAT),
    "t": Tensor((N,), None, Kind.FLOAT),
    "col": Tensor((N, number(1)), None, Kind.FLOAT),
    "y": Tensor((N,), None, Kind.INTEGER),
    "idx": Tensor((M,), None, Kind.INTEGER),
    "mask": Tensor((N, N), None, Kind.BOOL),
    "keep": Tensor((N,), None, Kind.BOOL),
}

IMPORTS = """import math
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from einops import rearrange
import tensorflow as tf
import jax
import jax.numpy as jnp
import paddle
import mindspore
import mindspore.ops as ops
import optax
import scipy
"""

SIZES = (
    {"N": 6, "D": 5, "V": 3, "M": 4},
    {"N": 4, "D": 7, "V": 2, "M": 9},
    {"N": 7, "D": 4, "V": 3, "M": 5},
)


class Unmet(Exception):
    """A dimension holds a number that only the code's run would tell."""


@dataclass(frozen=True)
class Understood:
    """What the interpreter makes of a snippet."""

    result: Abstract
    facts: tuple[Fact, ...]


@cache
def understood(snippet: str) -> Understood:
    """The shape of a snippet's value with symbols, and the facts noted on the way."""
    parameters = [*SYMBOLS, *TENSORS]
    *before, last = snippet.split("\n")
    body = "\n".join([*before, f"return {last}"])
    code = f"{IMPORTS}\ndef f({', '.join(parameters)}):\n{indent(body, '    ')}\n"
    model = SemanticModel(cst.parse_module(code), Settings())
    (function,) = [each for each in model.module.functions if each.name == "f"]
    interpreter = Interpreter(model.origins, frozenset(), lambda each: model.values_by_function.get(each, []))
    given: dict[Any, Abstract] = {function.parameters[name]: Number(dim) for name, dim in SYMBOLS.items()}
    given |= {function.parameters[name]: tensor for name, tensor in TENSORS.items()}
    frame = Frame(function, given, None)
    interpreter.run_body(frame)
    return Understood(interpreter.evaluate(function.returns, frame), tuple(interpreter.facts))


def environments() -> Iterator[dict[str, int]]:
    """Choices of all numbers: the configured size right, and wrong in several ways."""
    for sizes in SIZES:
        n = sizes["N"]
        for wrong in (n, n - 1, n // 2, 2 * n):
            if wrong > 1:
                yield {**sizes, "S": wrong}


def inputs(numbers: Mapping[str, int], library: str) -> dict[str, Any]:
    """The names of a snippet with numbers and real tensors."""
    generator = torch.Generator().manual_seed(0)
    found: dict[str, Any] = dict(numbers)
    for name, tensor in TENSORS.items():
        sizes = [int(valued(dim, numbers)) for dim in tensor.dims]
        if tensor.kind is Kind.FLOAT:
            found[name] = torch.rand(sizes, generator=generator) * 0.8 + 0.1
        elif tensor.kind is Kind.INTEGER:
            found[name] = torch.arange(sizes[0]) % 2
        else:
            found[name] = ~torch.eye(*sizes).bool() if len(sizes) == 2 else torch.arange(*sizes) % 2 == 0
    if library == "numpy":
        return {name: each.numpy() if isinstance(each, torch.Tensor) else each for name, each in found.items()}
    return found


def executed(snippet: str, numbers: Mapping[str, int], library: str) -> Any:
    """The value of a snippet for certain numbers."""
    scope: dict[str, Any] = {"math": math, "torch": torch, "np": np, "F": torch.nn.functional, "nn": torch.nn}
    scope |= inputs(numbers, library)
    *before, last = snippet.split("\n")
    torch.manual_seed(0)
    exec("\n".join(before), scope)  # the tests' own snippets
    return eval(last, scope)


def valued(dim: Dim, numbers: Mapping[str, int], unknown: Mapping[Symbol, int] | None = None) -> Fraction:
    """A dimension as a number; `Unmet` where it holds one that only a run tells."""
    total = Fraction(0)
    for monomial, factor in dim.terms:
        for each, power in monomial:
            if isinstance(each.owner, str) and each.owner in numbers:
                factor *= Fraction(numbers[each.owner]) ** power
            elif unknown is not None and each in unknown:
                factor *= Fraction(unknown[each]) ** power
            elif isinstance(each.owner, tuple) and each.owner[0] in ("quotient", "floor"):
                above, below = (valued(part, numbers, unknown) for part in each.owner[1:])
                factor *= Fraction(above // below) ** power
            else:
                raise Unmet(each)
        total += factor
    return total


def holds(fact: Fact, numbers: Mapping[str, int], unknown: Mapping[Symbol, int] | None = None) -> bool:
    """Whether a fact is true for certain numbers; one that holds unknown numbers may be."""
    try:
        left, right = valued(fact.left, numbers, unknown), valued(fact.right, numbers, unknown)
    except Unmet:
        return True
    if fact.relation is Relation.EQUAL:
        return left == right
    if fact.relation.name == "BELOW":
        return left <= right
    if fact.relation is Relation.KEPT:
        return right != 0 and (left / right).denominator == 1
    if fact.relation is Relation.CUT:
        counts_from_the_end = all(value < 0 for _, value in fact.right.terms)
        return abs(right) <= left if counts_from_the_end else 0 <= right <= left
    return True


def needs(facts: tuple[Fact, ...], *relations: str) -> list[Fact]:
    """The facts of some relations."""
    return [each for each in facts if each.relation.name in relations]


def problems(known: Abstract, real: Any, numbers: Mapping[str, int], unknown: dict[Symbol, int]) -> Iterator[str]:
    """Where what is known contradicts the real value; numbers that only the run tells are learned."""
    if isinstance(known, Tensor):
        shape = getattr(real, "shape", None)
        if shape is None and isinstance(real, int | float | bool):
            shape = ()
        if shape is None:
            try:
                shape = np.asarray(real).shape
            except ValueError:
                yield f"one tensor, really {len(real)} of several shapes"
                return
        yield from _differing(known, tuple(shape), numbers, unknown)
        kinds = {"bool": Kind.BOOL, "uint8": Kind.BOOL, "int": Kind.INTEGER, "float": Kind.FLOAT}
        name = str(getattr(real, "dtype", type(real).__name__)).removeprefix("torch.")
        kind = next((kind for text, kind in kinds.items() if name.startswith(text)), None)
        if kind is not None and known.kind is not Kind.ANY and known.kind is not kind:
            yield f"{known.kind} entries, really {name}"
    elif isinstance(known, Number):
        yield from _differing_number(known.dim, float(real), numbers, unknown)
    elif isinstance(known, Parts):
        if len(known.items) != len(real):
            yield f"{len(known.items)} parts, really {len(real)}"
            return
        for item, each in zip(known.items, real, strict=True):
            yield from problems(item, each, numbers, unknown)
    elif isinstance(known, Listing):
        yield from _differing_number(known.count, len(real), numbers, unknown)
        for each in real:
            yield from problems(known.item, each, numbers, {})
    elif isinstance(known, Extents):
        yield from _differing(known.tensor, tuple(real), numbers, unknown)


def _differing(
    known: Tensor, shape: tuple[int, ...], numbers: Mapping[str, int], unknown: dict[Symbol, int]
) -> Iterator[str]:
    if known.rest is not None:
        shape = shape[: len(known.dims)]
    if len(known.dims) != len(shape):
        yield f"{len(known.dims)} axes, really {shape}"
        return
    for dim, size in zip(known.dims, shape, strict=True):
        yield from _differing_number(dim, size, numbers, unknown)


def _differing_number(dim: Dim, real: float, numbers: Mapping[str, int], unknown: dict[Symbol, int]) -> Iterator[str]:
    alone = next(iter(dim.symbols)) if len(dim.symbols) == 1 else None
    if alone is not None and alone.origin is Origin.UNKNOWN and dim == symbol(alone.origin, alone.owner, alone.axis):
        unknown.setdefault(alone, int(real))
    try:
        said = valued(dim, numbers, unknown)
    except Unmet:
        return
    if said != real:
        yield f"{dim.shown(lambda each: str(each.owner))} = {said}, really {real}"
