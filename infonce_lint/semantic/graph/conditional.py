"""Conditional parts of an expression: whether a loop over something has a round for certain."""

from __future__ import annotations

import libcst as cst

from infonce_lint.semantic.graph.nodes import nodes_in

_PAIRING = frozenset({"enumerate", "zip", "reversed", "sorted", "tqdm"})


def runs_at_least_once(iterated: cst.BaseExpression) -> bool:
    """Whether a loop over an expression has a round for certain: over a written list, or a range that counts none."""
    if isinstance(iterated, cst.Tuple | cst.List):
        return bool(iterated.elements) and not any(isinstance(each, cst.StarredElement) for each in iterated.elements)
    if not isinstance(iterated, cst.Call) or not isinstance(iterated.func, cst.Name):
        return False
    given = [each.value for each in iterated.args if each.keyword is None]
    if iterated.func.value in _PAIRING:
        return bool(given) and all(map(runs_at_least_once, given))
    if iterated.func.value != "range" or not given:
        return False
    return not any(_counts_a_list(each) or (isinstance(each, cst.Integer) and each.value == "0") for each in given[:1])


def _counts_a_list(node: cst.CSTNode) -> bool:
    calls = (each for each in nodes_in(node) if isinstance(each, cst.Call))
    return any(isinstance(each.func, cst.Name) and each.func.value == "len" for each in calls)
