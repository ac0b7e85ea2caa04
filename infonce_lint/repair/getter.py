"""Getters: helpers that only give the configured size; the loss asks its tensors instead of them."""

from __future__ import annotations

from infonce_lint.finding import Edit
from infonce_lint.repair.proof import Proof
from infonce_lint.repair.repeatable import replaced
from infonce_lint.repair.rewrite import Refused, Rewriter
from infonce_lint.semantic.graph.values import Function
from infonce_lint.semantic.shapes.dims import Origin
from infonce_lint.semantic.shapes.domain import Number


def gives_size(function: Function, proof: Proof) -> bool:
    """Whether a function returns nothing but a number computed from a configured size."""
    if function.is_module or function.is_constructor or not function.returns.inputs:
        return False
    known = proof.interpreter.evaluate(function.returns, proof.frame(function))
    return isinstance(known, Number) and bool(known.dim.of(Origin.SIZE))


def at_calls(function: Function, rewriter: Rewriter) -> list[Edit]:
    """Replace each call in the loss by the number of rows that the batch really has there."""
    problem = replaced(function, function.owner, rewriter.loss.model) if function.owner is not None else ""
    if problem:
        raise Refused(f"`{function.qualified_name}` gives the size, and {problem}; derive the size in the loss by hand")
    edits: list[Edit] = []
    functions = rewriter.loss.functions
    inside = [
        call
        for call in function.callers
        if call.function in functions or call.function.parent in functions or gives_size(call.function, rewriter.proof)
    ]
    if not inside:
        raise Refused(f"`{function.qualified_name}` gives the size, and no loss of this file asks it by a call")
    for call in inside:
        if gives_size(call.function, rewriter.proof):
            edits += at_calls(call.function, rewriter)  # a getter of a getter
        else:
            edits += rewriter.rewrite(call)
    return edits
