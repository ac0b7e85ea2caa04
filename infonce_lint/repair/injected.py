"""Injected masks: a tensor that the constructor is handed has the size it was made with, whatever a fix does."""

from __future__ import annotations

from infonce_lint.semantic.graph.values import Value
from infonce_lint.semantic.losses.model import ContrastiveLoss
from infonce_lint.semantic.shapes.operations import Column, has


def injected_mask_problem(loss: ContrastiveLoss) -> str:
    """Why a loss that selects with a mask from outside cannot be repaired here; empty when it does not."""
    cone, values = loss.model.roles.cone, loss.model.values_by_function
    for value in (each for function in loss.functions for each in values.get(function, ())):
        if value not in cone or not _selects(value):
            continue
        for each in value.inputs[1:]:
            if each.op == "self" and any(_is_handed_in(store) for store in each.inputs):
                return (
                    f"`self.{each.name}` is handed in from outside and keeps its size; "
                    "build it in the loss from the features' rows, then fix the rest"
                )
    return ""


def _selects(value: Value) -> bool:
    return value.op == "sub" or (value.op == "call" and has(value.name, Column.SELECTS_BY_MASK))


def _is_handed_in(store: Value) -> bool:
    """Whether an attribute keeps a parameter of the constructor as it came."""
    if store.op != "store" or not store.function.is_constructor:
        return False
    kept = store.inputs[0]
    return kept.op == "name" and bool(kept.inputs) and kept.inputs[0].op == "param"
