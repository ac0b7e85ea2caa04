"""Cones: what is computed from the entries of a similarity, up to the value of the loss."""

from __future__ import annotations

from infonce_lint.semantic.graph.calls import OPERATORS, called_class, called_name, is_library_call, receiver_of
from infonce_lint.semantic.graph.values import Op, Value
from infonce_lint.semantic.graph.walk import walk
from infonce_lint.semantic.losses.features import FEATURE_FUNCTIONS
from infonce_lint.semantic.names import is_contrastive_name, is_loss_name

#: Functions and modules that compare every row with every row.
PRODUCTS = frozenset(
    "mm matmul einsum bmm tensordot inner cosine_similarity pairwise_cosine_similarity cdist MatMul BatchMatMul "
    "batch_dot CosineSimilarity dot cos_sim pairwise_distance".split()
)
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
#: Asking a tensor for one of these does not give a tensor computed from its values.
_NOT_VALUES = frozenset(
    "shape size dim ndim device dtype item tolist numpy backward get_shape numel requires_grad grad is_cuda type_as "
    "data_ptr new_zeros new_ones new_full new_empty new_tensor __class__ layout".split()
)
_CREATIONS = frozenset(
    "eye zeros ones full arange range empty identity zeros_like ones_like full_like empty_like rand randn rand_like "
    "randn_like randint randperm len print isinstance str format type id hasattr getattr enumerate DataLoader".split()
)
#: Linear algebra on a matrix as a whole: its result has no rows of pairs.
_DECOMPOSITIONS = frozenset(
    "inverse inv pinverse pinv solve cholesky lstsq svd eig eigh det logdet slogdet trace".split()
)
_KEEPING_MODULES = frozenset("Softmax LogSoftmax Sigmoid LogSigmoid Identity ReLU Softplus".split())
#: Methods whose result holds the entries of an argument: of a tensor (``mask.where(x)``), of a list.
_METHODS_OF_OTHERS = frozenset(
    "append masked_fill where add sub eq masked_select scatter gradient index_select".split()
)
_REDUCTIONS = frozenset({"mean", "sum", "reduce_mean", "reduce_sum"})


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
        return user.name not in _NOT_VALUES
    if op is Op.CALL:
        return _call_keeps_values(user, value)
    return op in _KEEPING_OPS


def _call_keeps_values(call: Value, value: Value) -> bool:
    name = called_name(call)
    if name in _DECOMPOSITIONS:
        return False
    if value is call.inputs[0]:
        return value.op is Op.ATTR  # a method of the tensor
    if call.callee is not None:
        return value is call.callee.returns
    if name in _CREATIONS or name in PRODUCTS or call.constructs is not None:
        return False
    if called_class(call) is not None:
        is_keeping = name in OPERATORS or name in _KEEPING_MODULES or "soft" in name.lower()
        return is_keeping or is_loss_name(name) or is_contrastive_name(name)
    if is_loss_name(name) or name in FEATURE_FUNCTIONS:
        return True
    receiver = receiver_of(call)
    if receiver is not None and receiver is not value:
        return name.endswith("_") or name in _METHODS_OF_OTHERS
    return is_library_call(call) or name in ("sum", "max", "min", "list")


def reduces(value: Value) -> bool:
    """Whether a call turns logits into a loss value: a cross-entropy, a mean or sum over everything."""
    if value.op is not Op.CALL:
        return False
    name = called_name(value)
    if is_loss_name(name):
        return True
    own = 0 if receiver_of(value) is not None else 1  # arguments that a reduction over everything has
    return name in _REDUCTIONS and len(value.keywords) <= own
