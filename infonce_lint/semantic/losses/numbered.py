"""Numbered rows: tensors that number the rows (``arange(n)``) or mark each row's own column (``eye(n)``)."""

from __future__ import annotations

from infonce_lint.semantic.graph.calls import called_name, receiver_of
from infonce_lint.semantic.graph.values import Op, Value
from infonce_lint.semantic.graph.walk import walk

ROW_NUMBERS = frozenset({"arange", "range"})
IDENTITIES = frozenset({"eye", "identity", "Eye"})
FILLERS = frozenset({"zeros", "ones", "full"})
#: What makes the labels and masks whose size can be tied to the rows of a batch.
TYING_MAKERS = ROW_NUMBERS | IDENTITIES | FILLERS
#: Steps that leave the numbers of the rows, or the identity, what it is.
_RENUMBERING = frozenset(
    "to cuda long type int tensor as_tensor LongTensor Variable list array cast device contiguous float expand "
    "repeat unsqueeze clone detach type_as double half astype bool".split()
)


def is_made_by(value: Value, makers: frozenset[str]) -> bool:
    """Whether a tensor is what one of ``makers`` gave, in another type, on another device or once for each sample."""

    def unchanged(each: Value) -> list[Value]:
        if each.op is Op.CALL and each.callee is None and called_name(each) in _RENUMBERING:
            receiver = receiver_of(each)
            return [receiver] if receiver is not None else each.inputs[1:2]
        if each.op in (Op.PHI, Op.NAME, Op.CLOSURE, Op.GLOBAL, Op.SELF, Op.STORE):
            return each.inputs
        if each.op is Op.BINOP and makers is IDENTITIES:
            return [part for part in each.inputs if part.op is not Op.CONST]  # ``2 * eye(n) - 1``
        return []

    behind = walk([value], unchanged)
    return any(each.op is Op.CALL and each.callee is None and called_name(each) in makers for each in behind)
