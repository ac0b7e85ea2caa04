"""Tensors made here: of sizes, of the shape of another one, of a list of numbers."""

from __future__ import annotations

from infonce_lint.semantic.shapes.call import Call
from infonce_lint.semantic.shapes.columns import ALL
from infonce_lint.semantic.shapes.dims import ONE, ZERO, Dim, Origin, number, symbol
from infonce_lint.semantic.shapes.domain import Abstract, Extents, Kind, Listing, Number, Opaque, Parts, Tensor
from infonce_lint.semantic.shapes.kinds import kind_named
from infonce_lint.semantic.shapes.table import operation


def kind_of(call: Call, default: Kind, position: int = 99) -> Kind:
    """The kind of entries that ``dtype`` asks for."""
    value = call.at(position, "dtype")
    return default if value is None else kind_named(value) or Kind.ANY


def _made(sizes: list[Dim] | None, kind: Kind) -> Tensor | None:
    return Tensor(tuple(sizes), None, kind) if sizes is not None else None


@operation(
    "zeros ones empty rand randn Zeros Ones",
    makes_anew="zeros ones empty rand randn",
    fills="zeros ones",
    filled="zeros ones empty",
    makes_shaped="zeros ones empty Zeros Ones",
    makes_inputs="zeros ones empty rand randn",
    trained="rand randn",
    draws="rand randn",
    operator="Zeros Ones",
)
def filled_with_one_number(call: Call) -> Abstract | None:
    """``zeros(n, m)``, ``zeros((n, m))``, ``zeros(size=...)``."""
    if call.library not in ("torch", "") and call.value.name not in (
        "rand",
        "randn",
    ):  # their second argument is a type
        known = call.known(0, "shape", "size")
        sizes = call.context.sizes_of(known) if known is not None else None
    else:
        sizes = call.shape_given(0, "size", "shape")
    is_typed = call.library not in ("torch", "") and call.value.name not in ("rand", "randn")
    return _made(sizes, kind_of(call, Kind.FLOAT, 1 if is_typed else 99))


@operation("new_zeros", "new_ones", "new_empty", gives_no_entries=ALL, makes_shaped=ALL)
def of_the_type_of(call: Call) -> Abstract | None:
    """``x.new_zeros(n)``."""
    tensor = call.tensor(0)
    return _made(call.shape_given(1, "size"), kind_of(call, tensor.kind if tensor is not None else Kind.ANY))


@operation("full", "fill", "constant", makes_anew="full", fills="full", filled="full", makes_shaped=ALL)
def filled_with_a_number(call: Call) -> Abstract | None:
    """``full((n, m), 0.5)``."""
    known = call.known(0, "size", "shape", "dims")
    if call.value.name == "constant" and call.at(2, "shape") is None:
        return converted(call)
    sizes = call.context.sizes_of(known) if known is not None else None
    filled = call.at(1, "fill_value", "value")
    is_flag = filled is not None and filled.name in ("True", "False")
    return _made(sizes, kind_of(call, Kind.BOOL if is_flag else Kind.ANY))


@operation("new_full", gives_no_entries=ALL, makes_shaped=ALL)
def filled_of_the_type_of(call: Call) -> Abstract | None:
    """``x.new_full((n,), 1)``."""
    known, tensor = call.known(1, "size"), call.tensor(0)
    sizes = call.context.sizes_of(known) if known is not None else None
    return _made(sizes, kind_of(call, tensor.kind if tensor is not None else Kind.ANY))


@operation("randint", makes_anew=ALL, makes_labels=ALL, makes_inputs=ALL, draws=ALL)
def drawn_numbers(call: Call) -> Abstract | None:
    """``randint(high, (n,))`` and ``randint(low, high, (n,))``."""
    place = call.at(2, "size", "shape") or call.at(1)
    sizes = call.context.sizes_of(call.evaluate(place)) if place is not None else None
    return _made(sizes, Kind.INTEGER)


@operation("randperm", "permutation", makes_anew="randperm", makes_labels="randperm", draws_order=ALL)
def drawn_order(call: Call) -> Abstract | None:
    """``randperm(n)``."""
    size = call.number(0, "n", "x")
    return Tensor((size,), None, Kind.INTEGER) if size is not None else None


@operation(
    "zeros_like ones_like full_like empty_like rand_like randn_like randint_like ZerosLike OnesLike",
    makes_anew="zeros_like ones_like full_like empty_like rand_like randn_like",
    filled="zeros_like ones_like full_like",
)
def like(call: Call) -> Abstract | None:
    """``zeros_like(x)``."""
    shape = call.tensor(0, "input", "a", "x")
    return shape.of(kind_of(call, shape.kind)) if shape is not None else None


@operation(
    "eye identity Eye",
    makes_anew="eye identity",
    keeps_rows="identity",
    identity=ALL,
    filled="eye",
    makes_mask=ALL,
    operator="Eye",
)
def identity(call: Call) -> Abstract | None:
    """``eye(n)``, ``eye(n, m)``."""
    rows = call.number(0, "n", "N", "num_rows")
    if rows is None:
        return None
    has_columns = call.value.name != "identity" and call.at(1, "m", "M", "num_columns") is not None
    columns = call.number(1, "m", "M", "num_columns") if has_columns else rows
    offset = call.number(2, "k")
    if offset is not None:
        call.cut(rows, offset)
    return Tensor((rows, columns), None, kind_of(call, Kind.FLOAT)) if columns is not None else None


@operation(
    "arange tensorflow:range mindspore:range Range iota torch:range",
    makes_anew="arange",
    numbers_rows="arange",
    filled="arange",
    makes_labels="arange Range",
)
def numbers(call: Call) -> Abstract | None:
    """``arange(end)``, ``arange(start, end, step)``."""
    kind = kind_of(call, Kind.INTEGER)
    if call.value.name == "iota":
        length = call.number(1, "size")
        return Tensor((length,), None, Kind.INTEGER) if length is not None else None
    first, second = call.number(0, "start"), call.number(1, "end", "stop", "limit")
    if call.at(0, "start") is None:
        first = ZERO
    elif call.at(1, "end", "stop", "limit") is None:
        first, second = ZERO, first
    if first is None or second is None:
        return None
    length = second - first
    if call.library == "torch" and call.value.name == "range":  # which goes up to its end
        length, kind = length + ONE, kind_of(call, Kind.FLOAT)
    if call.at(2, "step", "delta") is not None:
        step = call.number(2, "step", "delta")
        if step is None or not step.terms:
            return None
        whole = length.over(step)
        if whole is None or any(value.denominator != 1 or value < 0 for _, value in whole.terms):
            return Tensor((call.fresh(),), None, kind)
        length = whole
    return Tensor((length,), None, kind)


@operation("linspace", "logspace", filled="linspace", makes_labels="linspace")
def evenly_spaced(call: Call) -> Abstract | None:
    """``linspace(start, end, steps)``."""
    steps = call.number(2, "steps", "num")
    return Tensor((steps,), None, Kind.FLOAT) if steps is not None else None


@operation("tril_indices", "triu_indices", makes_mask=ALL)
def triangle(call: Call) -> Abstract | None:
    """The rows and columns of a triangle: how many they are is a number of its own, the same for the same triangle."""
    is_torch = call.library in ("torch", "paddle")
    rows = call.number(0, "row", "n")
    columns = call.number(1, "col") if call.at(1, "col") is not None or is_torch else rows
    if not is_torch:
        columns = call.number(2, "m") if call.at(2, "m") is not None else rows
    offset = call.number(2 if is_torch else 1, "offset", "diagonal", "k")
    if call.at(2 if is_torch else 1, "offset", "diagonal", "k") is None:
        offset = ZERO
    if rows is None or columns is None or offset is None:
        return None
    count = _entries_of_triangle(rows, columns, offset if call.value.name == "triu_indices" else -offset)
    count = count if count is not None else symbol(Origin.UNKNOWN, (call.value.name, rows, columns, offset))
    if is_torch:
        return Tensor((number(2), count), None, Kind.INTEGER)
    return Parts((Tensor((count,), None, Kind.INTEGER),) * 2)


def _entries_of_triangle(rows: Dim, columns: Dim, shift: Dim) -> Dim | None:
    """How many entries a triangle of a square has, ``shift`` places off the diagonal; None where it holds more."""
    if rows != columns or shift.integer not in (0, 1):
        return None
    side = rows - shift
    return (side * (side + ONE)).over(number(2))


@operation("diag_indices", "diag_indices_from", makes_mask="diag_indices")
def diagonal_places(call: Call) -> Abstract | None:
    """The rows and columns of the diagonal of a square."""
    known = call.known(0, "n", "arr")
    size = known.axis(0) if isinstance(known, Tensor) else call.number(0, "n")
    if size is None or len(call.positional) > 1 or call.named.keys() - {"n", "arr"}:
        return None
    return Parts((Tensor((size,), None, Kind.INTEGER),) * 2)


@operation("numpy:indices", "jax:indices", makes_mask=ALL)
def indices(call: Call) -> Abstract | None:
    """``np.indices((n, m))``: for each axis the places along it, in a grid of that shape."""
    known = call.known(0, "dimensions")
    sizes = call.context.sizes_of(known) if known is not None and not isinstance(known, Opaque) else None
    if sizes is None or call.at(2, "sparse") is not None:
        return None
    return Tensor((number(len(sizes)), *sizes), None, Kind.INTEGER)


@operation("tri", makes_mask=ALL)
def triangle_of_ones(call: Call) -> Abstract | None:
    """``np.tri(n)``."""
    rows = call.number(0, "N")
    columns = call.number(1, "M") if call.at(1, "M") is not None else rows
    return (
        Tensor((rows, columns), None, kind_of(call, Kind.FLOAT)) if rows is not None and columns is not None else None
    )


@operation(
    "numpy:normal numpy:uniform numpy:random numpy:random_sample numpy:choice numpy:standard_normal",
    makes_inputs="normal uniform random standard_normal",
    draws="normal uniform random random_sample choice standard_normal",
)
def drawn(call: Call) -> Abstract | None:
    """Random numbers of numpy, as many as ``size`` says."""
    place = {"normal": 2, "uniform": 2, "choice": 1}.get(call.value.name, 0)
    known = call.known(place, "size")
    sizes = call.context.sizes_of(known) if known is not None and not isinstance(known, Opaque) else None
    return _made(sizes, Kind.FLOAT if call.value.name != "choice" else Kind.ANY)


@operation(
    """tensor as_tensor Tensor array asarray LongTensor FloatTensor IntTensor HalfTensor BoolTensor DoubleTensor
    ByteTensor to_tensor convert_to_tensor from_numpy Variable Parameter""",
    carries="Tensor array Variable Parameter",
    makes_of_sizes="Tensor LongTensor FloatTensor IntTensor HalfTensor BoolTensor DoubleTensor ByteTensor",
    keeps_rows="as_tensor array asarray to_tensor convert_to_tensor",
    stored="Variable Parameter",
    keeps_numbers="tensor as_tensor array LongTensor Variable",
    filled="tensor",
    trained="Parameter",
)
def converted(call: Call) -> Abstract | None:
    """``tensor([1, 2])``, ``LongTensor(n)``: a list, a number, or for the legacy constructors sizes."""
    name = call.value.name
    legacy = name.endswith("Tensor")
    known = call.known(0, "data", "a", "object", "value")
    if legacy and isinstance(known, Number):
        return _made(call.sizes(0), _KINDS.get(name, Kind.ANY))
    if known is None:
        return None
    if isinstance(known, Number) and call.at(0) is not None:
        return known
    if isinstance(known, Extents):
        return Tensor((number(len(known.tensor.dims)),), None, Kind.INTEGER) if known.tensor.rest is None else None
    shape = call.context.as_tensor(known)
    if shape is None:
        return None
    kind = _KINDS.get(name) or kind_of(call, shape.kind)
    if kind is Kind.ANY and not isinstance(known, Tensor) and _holds_numbers(call, known):
        kind = Kind.INTEGER
    return shape.of(kind)


def _holds_numbers(call: Call, known: Abstract) -> bool:
    if isinstance(known, Parts):
        return bool(known.items) and all(_holds_numbers(call, each) for each in known.items)
    if isinstance(known, Listing):
        return _holds_numbers(call, known.item)
    return isinstance(known, Number)


_KINDS = {
    "LongTensor": Kind.INTEGER, "IntTensor": Kind.INTEGER, "BoolTensor": Kind.BOOL, "ByteTensor": Kind.BOOL,
    "Tensor": Kind.FLOAT, "FloatTensor": Kind.FLOAT, "DoubleTensor": Kind.FLOAT, "HalfTensor": Kind.FLOAT,
}  # fmt: skip


@operation("one_hot", "OneHot", "to_categorical", makes_labels=ALL, operator="OneHot")
def one_hot(call: Call) -> Abstract | None:
    """A new last axis of as many classes as are asked for, or as there are."""
    labels = call.tensor(0, "tensor", "indices", "input", "x")
    if labels is None or labels.rest is not None:
        return None
    classes = call.number(1, "num_classes", "depth", "nb_classes")
    return Tensor((*labels.dims, classes if classes is not None else call.fresh(9)), None, Kind.INTEGER)
