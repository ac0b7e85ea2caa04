"""Numbered rows: tensors that number the rows (``arange(n)``) or mark each row's own column (``eye(n)``)."""

from __future__ import annotations

from infonce_lint.semantic.graph.calls import called_name, receiver_of, tensor_of
from infonce_lint.semantic.graph.values import Op, Value
from infonce_lint.semantic.graph.walk import walk
from infonce_lint.semantic.shapes.operations import Column, has


def is_made_by(value: Value, makers: Column) -> bool:
    """Whether a tensor is what a maker gave, in another type, on another device or once for each sample."""

    def unchanged(each: Value) -> list[Value]:
        if each.op is Op.CALL and each.callee is None and has(called_name(each), Column.KEEPS_NUMBERS):
            receiver = receiver_of(each)
            return [receiver] if receiver is not None else each.inputs[1:2]
        if each.op in (Op.PHI, Op.NAME, Op.CLOSURE, Op.GLOBAL, Op.SELF, Op.STORE):
            return each.inputs
        if each.op is Op.BINOP and makers is Column.IDENTITY:
            return [part for part in each.inputs if part.op is not Op.CONST]  # ``2 * eye(n) - 1``
        return []

    behind = list(walk([value], unchanged))
    if makers is Column.IDENTITY and any(_is_diagonal_of_ones(each) for each in behind):
        return True
    return any(each.op is Op.CALL and each.callee is None and has(called_name(each), makers) for each in behind)


def _is_diagonal_of_ones(value: Value) -> bool:
    """``torch.diag(torch.ones(n))``, an identity."""
    if value.op is not Op.CALL or value.callee is not None or not has(called_name(value), Column.DIAGONAL):
        return False
    ones = tensor_of(value)
    return ones is not None and ones.op is Op.CALL and has(called_name(ones), Column.FILLS)
