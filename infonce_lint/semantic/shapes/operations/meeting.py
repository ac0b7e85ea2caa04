"""Operations entry by entry: of one tensor, and of several that are broadcast."""

from __future__ import annotations

from infonce_lint.semantic.shapes.call import Call
from infonce_lint.semantic.shapes.domain import Abstract, Kind, Number, Opaque, Tensor
from infonce_lint.semantic.shapes.kinds import kind_named
from infonce_lint.semantic.shapes.table import operation


@operation(
    *"""normalize exp log log1p expm1 log2 log_softmax softmax relu relu_ sqrt rsqrt abs clamp clamp_ clamp_min
    clamp_max clamp_min_ clip pow square sigmoid tanh sigmoid_ logsigmoid softplus exp_ log_ sqrt_ neg neg_
    l2_normalize cuda cpu clone detach detach_ contiguous requires_grad_ fill_diagonal_ fill_diagonal fill_
    zero_ normal_ uniform_ nan_to_num stop_gradient stop_grad tril triu tril_ triu_ cumsum cumprod flip fliplr
    flipud sort_ half double float bfloat16 type_as to cast astype type dropout elu gelu leaky_relu hardtanh
    softmax_ masked_scatter bernoulli bitwise_not copy retain_grad detach_and_clone pin_memory identity_
    reciprocal sign floor ceil round isnan isinf isfinite logical_not numpy long int bool byte char short
    Softmax LogSoftmax Sigmoid ReLU Identity L2Normalize LayerNorm Dropout Tanh LogicalNot Cast Exp Log Neg
    share_memory_ set_diag roll argsort sin cos float32 int32 int64 record_stream numpy_ coalesce to_dense
    fliplr_ add_n_ standardize index_fill index_fill_ index_add index_add_ index_copy index_copy_ scatter
    scatter_ scatter_add scatter_add_ fill_diagonal_copy copy_ random_ bernoulli_ logit
    """.split()
)
def kept(call: Call) -> Abstract | None:
    """The shape of the first argument; conversions change what the entries are."""
    known = call.known(0, "input", "x", "a", "tensor", "value", "features")
    name = call.value.name
    if isinstance(known, Number) and name in ("float", "int", "long", "to", "abs", "cast", "round", "clip", "floor"):
        return known
    if name == "roll":
        _note_roll(call)
    if isinstance(known, Opaque):
        call.context.tensors.add(known.site)
        shape = call.context.as_tensor(known)
        if name in ("normalize", "log_softmax", "softmax") and shape is not None:
            shape = _with_named_axis(call, shape)
        return shape.of(_kind(call, name, shape.kind)) if shape is not None else None
    if isinstance(known, Tensor):
        known = _with_named_axis(call, known) if name == "normalize" else known
        return known.of(_kind(call, name, known.kind))
    return None


def _with_named_axis(call: Call, shape: Tensor) -> Tensor:
    """``normalize(x, dim=1)``: rows are mostly vectors of a matrix."""
    axis = call.integer(2 if call.value.name == "normalize" and call.receiver is None else 1, "dim", "axis")
    if shape.rest is not None and axis is not None and axis >= 0:
        return call.context.with_rank(shape, max(axis + 1, 2), likely=True) if axis <= 1 else shape
    return shape


def _note_roll(call: Call) -> None:
    tensor, shift = call.tensor(0), call.number(1, "shifts", "shift")
    axis = call.integer(2, "dims", "axis", default=0)
    if tensor is not None and axis is not None:
        call.cut(tensor.axis(axis), shift)


_TO_KIND = {
    "bool": Kind.BOOL, "byte": Kind.BOOL, "logical_not": Kind.BOOL, "LogicalNot": Kind.BOOL, "isnan": Kind.BOOL,
    "isinf": Kind.BOOL, "isfinite": Kind.BOOL, "long": Kind.INTEGER, "int": Kind.INTEGER, "argsort": Kind.INTEGER,
    "short": Kind.INTEGER, "float": Kind.FLOAT, "half": Kind.FLOAT, "double": Kind.FLOAT, "bfloat16": Kind.FLOAT,
    "int32": Kind.INTEGER, "int64": Kind.INTEGER,
}  # fmt: skip


def _kind(call: Call, name: str, kind: Kind) -> Kind:
    if name in _TO_KIND:
        return _TO_KIND[name]
    if name in ("to", "cast", "astype", "type", "Cast"):
        asked = [kind_named(each) for each in (*call.positional[1:], *call.named.values())]
        return next((each for each in asked if each is not None), kind)
    if name == "type_as":
        other = call.tensor(1, "other")
        return other.kind if other is not None else Kind.ANY
    return kind


def _operands(call: Call, count: int) -> list[Tensor]:
    values = [call.at(place, *names) for place, names in enumerate(_NAMES[:count])]
    known = [call.evaluate(each) for each in values if each is not None]
    for each in known:
        if isinstance(each, Opaque):
            call.context.tensors.add(each.site)
    found = [call.context.as_tensor(each) for each in known]
    return [each for each in found if each is not None]


_NAMES = (("input", "x", "x1", "a", "condition"), ("other", "y", "x2", "b", "mask"), ("value", "z"))


@operation(
    *"""mul multiply add sub subtract div divide true_divide truediv maximum minimum fmod remainder floor_divide mul_
    add_ sub_ div_ multiply_ subtract_ Mul Add Sub Div atan2 fmax fmin pow_ power div_no_nan remainder_ mod dist_ hypot
    divide_no_nan squared_difference bitwise_and bitwise_or bitwise_xor floordiv logaddexp lerp addcmul addcdiv rsub
    floor_divide_ bitwise_and_ bitwise_or_ Pow xlogy""".split()
)
def combined(call: Call) -> Abstract | None:
    """Two tensors, broadcast."""
    known = call.known(0, "input", "x", "a")
    if isinstance(known, Number):
        return None
    operands = _operands(call, 2)
    same = operands[0].kind if operands and all(each.kind is operands[0].kind for each in operands) else Kind.ANY
    return call.broadcast(operands, same)


@operation(
    *"""eq ne ge le gt lt equal not_equal greater less greater_equal less_equal logical_and logical_or logical_xor
    isclose Equal NotEqual LogicalAnd LogicalOr logical_and_ logical_or_ eq_ ne_""".split()
)
def compared(call: Call) -> Abstract | None:
    """Two tensors, broadcast, entry by entry true or false."""
    if call.value.name == "equal" and call.library == "torch":
        return Tensor((), None, Kind.BOOL)
    return call.broadcast(_operands(call, 2), Kind.BOOL)


@operation("where", "Select", "select_where", "masked_where")
def where(call: Call) -> Abstract | None:
    """One or the other, by a condition."""
    operands = [call.tensor(place) for place in range(3)]
    tensors = [each for each in operands if each is not None]
    if call.at(1) is None:
        return None
    return call.broadcast(tensors, tensors[-1].kind if tensors else Kind.ANY)


@operation("masked_fill", "masked_fill_", "MaskedFill")
def masked_fill(call: Call) -> Abstract | None:
    """The tensor, the mask broadcast to it."""
    tensor, mask = call.tensor(0, "input"), call.tensor(1, "mask")
    if tensor is None:
        return None
    return call.broadcast([tensor, mask], tensor.kind) if mask is not None else tensor
