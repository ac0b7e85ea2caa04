"""Numbered rows: tensors that number the rows (``arange(n)``) or mark each row's own column (``eye(n)``)."""

from __future__ import annotations

from infonce_lint.semantic.graph.calls import called_name, receiver_of
from infonce_lint.semantic.graph.values import Value

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
    seen: set[Value] = set()
    stack = [value]
    while stack:
        each = stack.pop()
        if each in seen:
            continue
        seen.add(each)
        if each.op == "call" and each.callee is None:
            if called_name(each) in makers:
                return True
            if called_name(each) in _RENUMBERING:
                receiver = receiver_of(each)
                stack.extend([receiver] if receiver is not None else each.inputs[1:2])
        elif each.op in ("phi", "name", "closure", "global", "self", "store"):
            stack.extend(each.inputs)
        elif each.op == "binop" and makers is IDENTITIES:
            stack.extend(part for part in each.inputs if part.op != "const")  # ``2 * eye(n) - 1``
    return False
