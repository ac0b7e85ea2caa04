"""Operations entry by entry: of one tensor, and of several that are broadcast."""

from __future__ import annotations

from infonce_lint.semantic.shapes.call import Call, total
from infonce_lint.semantic.shapes.columns import ALL
from infonce_lint.semantic.shapes.dims import Origin
from infonce_lint.semantic.shapes.domain import Abstract, Kind, Listing, Number, Opaque, Parts, Tensor
from infonce_lint.semantic.shapes.kinds import kind_named
from infonce_lint.semantic.shapes.table import operation


@operation("exp Exp", exponential=ALL, operator="Exp")
@operation(
    "log log1p log_softmax logsigmoid log_sigmoid Log LogSoftmax",
    keeps_entries="LogSoftmax",
    stops="log",
    logarithm=ALL,
    ends="log",
    operator="Log",
)
@operation("softmax Softmax", keeps_entries="Softmax", softmax=ALL)
@operation("relu ReLU clamp clamp_ clamp_min clip", keeps_entries="ReLU", margin=ALL, margin_step="relu clamp")
@operation(
    "Sigmoid Identity LayerNorm Cast Neg LogicalNot",
    keeps_entries="Sigmoid Identity",
    trained="LayerNorm",
    operator="Cast Neg LogicalNot",
)
@operation("normalize l2_normalize L2Normalize nan_to_num stop_gradient", keeps_rows=ALL, operator="L2Normalize")
@operation("fill_diagonal_ tril triu set_diag", cuts_diagonal=ALL, keeps_head="fill_diagonal_ tril triu")
@operation(
    "scatter scatter_ scatter_add index_fill index_fill_ index_add_ roll",
    holds_arguments="scatter",
    indexes=ALL,
    keeps_largest="roll",
)
@operation("flip", keeps_largest=ALL)
@operation(
    "cuda cpu to clone detach contiguous requires_grad_",
    keeps_diagonal="contiguous",
    method_keeps_rows=ALL,
    keeps_numbers="cuda to clone detach contiguous",
    keeps_largest="cuda cpu to clone detach contiguous",
    wraps="cuda to",
    moves="cuda cpu to",
    looks="cuda cpu to",
    keeps_stored="requires_grad_",
)
@operation(
    "half double float bfloat16 float32 long int bool type type_as astype cast numpy",
    gives_no_entries="type_as numpy",
    makes_anew="type",
    carries="bool",
    method_keeps_rows="half double float bfloat16 type type_as astype numpy",
    keeps_rows="float32 cast",
    keeps_numbers="half double float long int bool type type_as astype cast",
    keeps_largest="long int type",
    wraps="half double float",
)
@operation(
    """expm1 log2 relu_ sqrt rsqrt clamp_max clamp_min_ pow square sigmoid tanh sigmoid_ softplus exp_ log_ sqrt_
    neg neg_ detach_ fill_diagonal fill_ zero_ normal_ uniform_ stop_grad tril_ triu_ cumsum cumprod fliplr
    flipud dropout elu gelu leaky_relu hardtanh masked_scatter bernoulli bitwise_not copy retain_grad
    pin_memory reciprocal sign round isnan isinf isfinite logical_not byte char short Dropout Tanh
    share_memory_ argsort sin cos int32 int64 record_stream coalesce to_dense index_add index_copy index_copy_
    scatter_add_ copy_ random_ bernoulli_ logit abs_ floor_ ceil_ round_ scatter_reduce scatter_reduce_ erf
    mish silu selu celu softsign tan hardsigmoid sinh cosh log10 exp2 cbrt layer_norm hardshrink softmin
    Softmin rint negative invert band_part clip_by_value clip_by_norm float64 float16 GELU LeakyReLU""",
)
def kept(call: Call) -> Abstract | None:
    """The shape of the first argument; conversions change what the entries are."""
    known = call.known(0, "input", "x", "a", "tensor", "value", "features")
    name = call.value.name
    if isinstance(known, Number) and name in ("float", "int", "long", "to", "cast", "round"):
        return known
    if name in ("cumsum", "cumprod") and call.at(1, "axis", "dim") is None:
        shape = call.tensor(0, "input", "x", "a")
        return Tensor((total(shape.dims),)) if shape is not None and shape.rest is None else None
    if name == "roll":
        _note_roll(call)
    if isinstance(known, Opaque):
        call.context.prove(known)
        shape = call.context.as_tensor(known)
        if name in ("normalize", "log_softmax", "softmax") and shape is not None:
            shape = _with_named_axis(call, shape)
            if name == "normalize" and _of_last_axis(call, shape):
                call.context.confirm(shape)
        return shape.of(_kind(call, name, shape.kind)) if shape is not None else None
    if isinstance(known, Tensor):
        if name == "fill_diagonal_" or (name == "normalize" and _of_last_axis(call, known)):
            call.context.confirm(known)
        known = _with_named_axis(call, known) if name == "normalize" else known
        return known.of(_kind(call, name, known.kind))
    if isinstance(known, Parts | Listing):
        shape = call.context.as_tensor(known)
        return shape.of(_kind(call, name, Kind.ANY)) if shape is not None and name in _OF_LISTS else None
    return None


def _of_last_axis(call: Call, shape: Tensor) -> bool:
    """Whether rows are brought to length 1 along the axis that is taken for the last one, named from the front."""
    axis = call.integer(2 if call.receiver is None else 1, "dim", "axis")
    return axis is not None and axis == len(shape.dims) - 1


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


#: A number that these are given scales what they work on.
_SCALING = frozenset("div divide true_divide truediv mul multiply div_no_nan".split())
_TO_KIND = {
    "bool": Kind.BOOL, "byte": Kind.BOOL, "logical_not": Kind.BOOL, "LogicalNot": Kind.BOOL, "isnan": Kind.BOOL,
    "isinf": Kind.BOOL, "isfinite": Kind.BOOL, "long": Kind.INTEGER, "int": Kind.INTEGER, "argsort": Kind.INTEGER,
    "short": Kind.INTEGER, "float": Kind.FLOAT, "half": Kind.FLOAT, "double": Kind.FLOAT, "bfloat16": Kind.FLOAT,
    "int32": Kind.INTEGER, "int64": Kind.INTEGER, "char": Kind.INTEGER,
}  # fmt: skip
#: What is computed with a fraction, whatever it is computed from.
_TO_FLOAT = frozenset(
    """normalize exp log log1p expm1 log2 log_softmax softmax sqrt rsqrt sigmoid tanh logsigmoid softplus reciprocal
    sin cos logit Softmax LogSoftmax Sigmoid Tanh L2Normalize LayerNorm Exp Log l2_normalize elu gelu erf tan sinh cosh
    log10""".split()
)
#: What changes the kind of truth values.
_COUNTING = frozenset(
    """cumsum cumprod square neg Neg sign round clamp clip pow relu clamp_min clamp_max leaky_relu hardtanh nan_to_num
    negative rint bernoulli dropout mish silu selu celu softsign hardsigmoid log10 exp2 cbrt hardshrink softmin
    clip_by_value clip_by_norm""".split()
)
_OF_LISTS = frozenset({"exp", "log", "sqrt", "flip", "roll", "square", "float32"})


def _computed_kind(name: str, kind: Kind) -> Kind:
    if name in _TO_FLOAT:
        return Kind.FLOAT if kind is Kind.FLOAT else Kind.ANY
    return Kind.ANY if name in _COUNTING and kind is not Kind.FLOAT else kind


def _kind(call: Call, name: str, kind: Kind) -> Kind:
    if name in _TO_KIND:
        return _TO_KIND[name] if name != "byte" or call.library != "numpy" else Kind.INTEGER
    if name in ("to", "cast", "astype", "type", "Cast"):
        asked = [kind_named(each) for each in (*call.positional[1:], *call.named.values())]
        return next((each for each in asked if each is not None), kind)
    if name == "type_as":
        other = call.tensor(1, "other")
        return other.kind if other is not None else Kind.ANY
    return _computed_kind(name, kind)


def _operands(call: Call, count: int) -> list[Tensor]:
    values = [call.at(place, *names) for place, names in enumerate(_NAMES[:count])]
    known = [call.evaluate(each) for each in values if each is not None]
    for each in known:
        call.context.prove(each)
    found = [call.context.as_tensor(each) for each in known]
    return [each for each in found if each is not None]


_NAMES = (("input", "x", "x1", "a", "condition"), ("other", "y", "x2", "b", "mask"), ("value", "z"))


@operation(
    """mul multiply add sub subtract div divide true_divide truediv maximum minimum fmod remainder floor_divide
    mul_ add_ sub_ div_ multiply_ subtract_ Mul Add Sub Div atan2 fmax fmin pow_ power div_no_nan remainder_
    mod hypot divide_no_nan squared_difference bitwise_and bitwise_or bitwise_xor floordiv floormod logaddexp
    lerp addcmul addcdiv rsub floor_divide_ arctan2 bitwise_and_ bitwise_or_ Pow xlogy""",
    holds_arguments="add sub",
    accumulates="add",
    margin="maximum",
    margin_step="maximum",
    method_keeps_rows="mul div",
    keeps_rows="mul multiply div divide truediv",
    scales="mul multiply div divide true_divide truediv mul_ div_ div_no_nan",
    operator="Mul Add Sub Div Pow",
)
def combined(call: Call) -> Abstract | None:
    """Two tensors, broadcast."""
    values = [call.at(place, *names) for place, names in enumerate(_NAMES[:2])]
    known = [call.evaluate(each) for each in values if each is not None]
    if not known or all(isinstance(each, Number) for each in known):
        return None
    if call.value.name.rstrip("_") in _SCALING:
        for factor in known[1:]:
            if isinstance(factor, Number) and factor.dim.of(Origin.SIZE):
                call.scaled(factor.dim)
    operands = _operands(call, 3 if call.value.name in ("lerp", "addcmul", "addcdiv") else 2)
    if call.value.name.endswith("_"):
        kind = operands[0].kind if operands else Kind.ANY
    else:
        kinds = {each.kind for each in operands}
        kind = kinds.pop() if len(kinds) == 1 else Kind.ANY
        if call.value.name not in {Kind.BOOL: _ON_TRUTH, Kind.INTEGER: _ON_WHOLE}.get(kind, {call.value.name}):
            kind = Kind.ANY
    return call.broadcast(operands, kind)


_ON_TRUTH = frozenset("mul multiply Mul maximum minimum fmax fmin bitwise_and bitwise_or bitwise_xor".split())
_ON_WHOLE = _ON_TRUTH | frozenset("add sub subtract Add Sub fmod remainder floor_divide rsub mod floordiv".split())


@operation("add_n", "AddN", "accumulate_n")
def added_up(call: Call) -> Abstract | None:
    """The sum of the tensors of a list."""
    found = call.tensors(0, "inputs", "x")
    return call.broadcast(found[0]) if found is not None else None


@operation(
    """eq ne ge le gt lt equal not_equal greater less greater_equal less_equal logical_and logical_or logical_xor
    isclose Equal NotEqual LogicalAnd LogicalOr logical_and_ logical_or_ logical_xor_ eq_ ne_ ge_ le_ gt_ lt_
    Greater Less GreaterEqual LessEqual""",
    holds_arguments="eq",
    selects="logical_and",
    operator="Equal",
)
def compared(call: Call) -> Abstract | None:
    """Two tensors, broadcast, entry by entry true or false."""
    if call.value.name == "equal" and call.library == "torch":
        return Tensor((), None, Kind.BOOL)
    operands = _operands(call, 2)
    in_place = call.value.name.endswith("_") and operands
    return call.broadcast(operands, operands[0].kind if in_place else Kind.BOOL)


@operation("where", "Select", holds_arguments="where", selects="where", selects_by_mask="where", operator="Select")
def where(call: Call) -> Abstract | None:
    """One or the other, by a condition."""
    if len(call.positional) == 1 and not call.named:
        return places_of_truth(call, call.tensor(0, "condition", "input"))
    operands = [call.tensor(place, *names) for place, names in enumerate(_CHOICE)]
    if call.receiver is not None:  # ``x.where(condition, other)``
        operands[:2] = reversed(operands[:2])
    tensors = [each for each in operands if each is not None]
    if call.at(1, *_CHOICE[1]) is None or None in operands:
        return None
    chosen = {each.kind for each in tensors[1:]}
    return call.broadcast(tensors, chosen.pop() if len(chosen) == 1 else Kind.ANY)


_CHOICE = (("condition",), ("input", "x", "self"), ("other", "y"))


def places_of_truth(call: Call, tensor: Tensor | None) -> Abstract | None:
    """The places of entries that are not zero, an index an axis: how many is a number of its own."""
    if tensor is None or tensor.rest is not None:
        return None
    return Parts(tuple(Tensor((call.fresh(),), None, Kind.INTEGER) for _ in tensor.dims))


@operation("index_put", "index_put_", indexes="index_put_")
def index_put(call: Call) -> Abstract | None:
    """``x.index_put((rows, columns), values)``: the values fit the places."""
    tensor, places, values = call.tensor(0, "input"), call.known(1, "indices"), call.tensor(2, "values")
    if tensor is None:
        return None
    if isinstance(places, Parts) and values is not None and values.rest is None:
        indices = [call.context.as_tensor(each) for each in places.items]
        picked = [each for each in indices if each is not None and each.rest is None and each.kind is Kind.INTEGER]
        if picked and len(picked) == len(places.items):
            room = call.broadcast(picked)
            if room is not None and room.rest is None and len(values.dims) == len(room.dims):
                call.broadcast([room, values])
    return tensor


@operation(
    "masked_fill masked_fill_ MaskedFill",
    holds_arguments="masked_fill",
    selects="masked_fill masked_fill_",
    selects_by_mask="masked_fill masked_fill_",
    operator="MaskedFill",
)
def masked_fill(call: Call) -> Abstract | None:
    """The tensor, the mask broadcast to it."""
    tensor, mask = call.tensor(0, "input"), call.tensor(1, "mask")
    if tensor is None:
        return None
    return call.broadcast([tensor, mask], tensor.kind) if mask is not None else tensor
