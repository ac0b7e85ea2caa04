"""Gather order: a size fix must not hide that the rows of the ranks are interleaved with the views."""

from __future__ import annotations

from infonce_lint.repair.solve import Solution
from infonce_lint.semantic.extents.extents import Extents
from infonce_lint.semantic.graph.calls import called_name, is_gather
from infonce_lint.semantic.graph.values import Value
from infonce_lint.semantic.losses.model import ContrastiveLoss

_REASON = (
    "the views are concatenated before the gather, so the rows come rank by rank and a size fix would hide that "
    "they are mis-paired; gather each view first, then concatenate"
)


def gather_problem(loss: ContrastiveLoss, extents: Extents, solutions: dict[str, Solution]) -> str:
    """Why a loss that gathers over processes must be reordered by hand; empty when its order is right."""
    for value in loss.model.roles.features | loss.model.roles.cone:
        if value.op == "call" and is_gather(value) and value.callee is None and len(value.keywords) == 1:
            first = value.argument(0)
            if first is not None and (_holds_views(first) or _is_stacked(first, extents, solutions)):
                return _REASON
    return ""


def _is_stacked(value: Value, extents: Extents, solutions: dict[str, Solution]) -> bool:
    """Whether what is gathered has several rows for each sample: the views came stacked."""
    rows = extents.rows(value)
    if rows is None:
        return False
    ratios = [rows / each.extent for each in solutions.values()]
    return any(ratio.number > 1 or any(name.startswith("named:") for name, _ in ratio.symbols) for ratio in ratios)


def _holds_views(value: Value) -> bool:
    """Whether a tensor is a concatenation of two views already."""
    seen: set[Value] = set()
    stack = [value]
    while stack:
        each = stack.pop()
        if each in seen:
            continue
        seen.add(each)
        if each.op == "call" and each.callee is None:
            name = called_name(each)
            parts = each.argument(0)
            if (
                name in ("cat", "concat", "concatenate")
                and parts is not None
                and parts.op == "tuple"
                and len(parts.inputs) > 1
            ):
                return True
            if name in ("normalize", "contiguous", "detach", "float"):
                stack.extend(each.inputs[:2] if name == "normalize" else each.inputs[0].inputs)
        elif each.op in ("phi", "name", "store", "closure"):
            stack.extend(each.inputs)
    return False
