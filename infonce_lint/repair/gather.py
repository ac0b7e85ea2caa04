"""Gather order: a size fix must not hide that the rows of the ranks are interleaved with the views."""

from __future__ import annotations

from infonce_lint.repair.proof import Proof
from infonce_lint.semantic.graph.calls import called_name
from infonce_lint.semantic.graph.values import Value
from infonce_lint.semantic.losses.model import ContrastiveLoss
from infonce_lint.semantic.shapes.dims import Dim, Origin

_REASON = (
    "the views are concatenated before the gather, so the rows come rank by rank and a size fix would hide that "
    "they are mis-paired; gather each view first, then concatenate"
)


def gather_problem(loss: ContrastiveLoss, proof: Proof) -> str:
    """Why a loss that gathers over processes must be reordered by hand; empty when its order is right."""
    for value in loss.model.roles.gathers:
        if value.callee is None and len(value.keywords) == 1:
            first = value.argument(0)
            if first is not None and (_holds_views(first) or _is_stacked(first, proof)):
                return _REASON
    return ""


def _is_stacked(value: Value, proof: Proof) -> bool:
    """Whether what is gathered has several rows for each sample: the views came stacked."""
    tensor = proof.tensor(value, value.function)
    rows = tensor.axis(0) if tensor is not None else None
    if rows is None:
        return False
    solved = proof.theory.of(rows)
    for size in proof.sizes:
        ratio = solved.over(Dim(frozenset({(frozenset({(size, 1)}), 1)})))
        number = ratio.number if ratio is not None else None
        if ratio is not None and (ratio.of(Origin.NAMED) or (number is not None and number > 1)):
            return True
    return False


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
