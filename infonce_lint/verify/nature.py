"""What kind of loss a run shows: which operations it is made of, whether it draws lots, which views stand still.

Judged by what torch recorded of it and not by the text, so that helpers, criterions and other spellings count alike.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from typing import Any

import torch
from torch import Tensor

SOFTMAX = "softmax"
_SOFTMAX = frozenset("Softmax LogSoftmax Logsumexp LogAddExp Logaddexp Logcumsumexp SafeSoftmax".split())
_SIGMOID = frozenset("Sigmoid LogSigmoid Softplus BinaryCrossEntropy BinaryCrossEntropyWithLogits".split())
_MARGIN = frozenset("Relu Threshold Hardtanh Maximum".split())


def nature_of(value: Tensor) -> str:
    """``softmax``, ``a sigmoid loss``, ``a margin loss`` or ``a loss without a softmax``, by the value's own graph.

    Empty where that does not tell: without a gradient, and behind a function that brings its own backward pass.
    """
    names = set()
    for node in _graph(value):
        kind = type(node).__name__.rstrip("0123456789").removesuffix("Backward")
        names.add(kind)
        if kind in ("Exp", "Exp2") and _numbers(node) > 1:  # the ``exp`` of a learned scale makes no softmax
            return SOFTMAX
        if isinstance(node, torch.autograd.function.BackwardCFunction):
            names.add("")
    if names & _SOFTMAX:
        return SOFTMAX
    if not names or "" in names:
        return ""
    if names & _SIGMOID:
        return "a sigmoid loss"
    return "a margin loss" if names & _MARGIN else "a loss without a softmax"


def _graph(value: Tensor) -> Iterator[Any]:
    """The nodes that a value was computed by."""
    seen: set[Any] = set()
    stack: list[Any] = [value.grad_fn]
    while stack:
        node = stack.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        yield node
        stack.extend(each for each, _ in node.next_functions)


def _numbers(node: Any) -> int:
    result = getattr(node, "_saved_result", None)
    return result.numel() if isinstance(result, Tensor) else 2


def still_views(value: Tensor, views: Iterable[Tensor]) -> tuple[int, ...]:
    """The views, from 0, that the gradient of ``value`` does not reach."""
    given = list(views)
    gradients = torch.autograd.grad(value, given, allow_unused=True, retain_graph=True)
    return tuple(number for number, each in enumerate(gradients) if each is None or not each.abs().max() > 0)


def detaching_rows(text: str, name: str) -> list[int]:
    """The rows of a function of ``text`` on which it says that something learns nothing: ``.detach()``, ``no_grad``."""
    tree = ast.parse(text) if text else ast.Module([], [])
    last = name.rpartition(".")[2]
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name == last]
    if not functions:  # a class that was handed over as it is
        functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name == "forward"]
    return sorted({row for function in functions for row in _detaching(function)})


def _detaching(function: ast.FunctionDef) -> Iterator[int]:
    for node in ast.walk(function):
        name = node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
        if name in ("detach", "detach_", "no_grad", "inference_mode", "stop_gradient"):
            yield getattr(node, "lineno", 0)
