"""Cones: what is computed from the entries of a similarity, up to the value of the loss."""

from __future__ import annotations

from infonce_lint.semantic.graph.calls import called_class, called_name, is_library_call, receiver_of
from infonce_lint.semantic.graph.values import Op, Value
from infonce_lint.semantic.graph.walk import walk
from infonce_lint.semantic.names import is_contrastive_name, is_loss_name
from infonce_lint.semantic.shapes.operations import Column, has

_KEEPING_OPS = frozenset(
    {
        Op.UNARY,
        Op.COMPARE,
        Op.PHI,
        Op.NAME,
        Op.CLOSURE,
        Op.STORE,
        Op.SELF,
        Op.GLOBAL,
        Op.TUPLE,
        Op.COMP,
        Op.ITEM,
        Op.DICT,
        Op.RETURN,
        Op.PARAM,
        Op.BOOL,
        Op.SETITEM,
    }
)


def cone_of(seed: Value) -> set[Value]:
    """Everything computed from the entries of ``seed``, a similarity, itself included."""
    return set(walk([seed], lambda value: [user for user in value.users if keeps_values(user, value)]))


def keeps_values(user: Value, value: Value) -> bool:
    """Whether ``user`` is computed from the entries of ``value``, a similarity or something made of one."""
    op = user.op
    if op is Op.BINOP:
        return user.name != "MatrixMultiply"
    if op is Op.SUB:
        return user.inputs[0] is value
    if op is Op.ATTR:
        return not has(user.name, Column.GIVES_NO_ENTRIES)
    if op is Op.CALL:
        return _call_keeps_values(user, value)
    return op in _KEEPING_OPS


def _call_keeps_values(call: Value, value: Value) -> bool:
    name = called_name(call)
    if has(name, Column.DECOMPOSES):
        return False
    if value is call.inputs[0]:
        return value.op is Op.ATTR  # a method of the tensor
    if call.callee is not None:
        return value is call.callee.returns
    if has(name, Column.MAKES_ANEW) or has(name, Column.COMPARES) or call.constructs is not None:
        return False
    if called_class(call) is not None:
        is_keeping = has(name, Column.OPERATOR) or has(name, Column.KEEPS_ENTRIES) or "soft" in name.lower()
        return is_keeping or is_loss_name(name) or is_contrastive_name(name)
    if is_loss_name(name) or has(name, Column.KEEPS_ROWS):
        return True
    receiver = receiver_of(call)
    if receiver is not None and receiver is not value:
        return name.endswith("_") or has(name, Column.HOLDS_ARGUMENTS)
    return is_library_call(call) or name in ("sum", "max", "min", "list")


def reduces(value: Value) -> bool:
    """Whether a call turns logits into a loss value: a cross-entropy, a mean or sum over everything."""
    if value.op is not Op.CALL:
        return False
    name = called_name(value)
    if is_loss_name(name):
        return True
    own = 0 if receiver_of(value) is not None else 1  # arguments that a reduction over everything has
    return has(name, Column.REDUCES) and len(value.keywords) <= own
