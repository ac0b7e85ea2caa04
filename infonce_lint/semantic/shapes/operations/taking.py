"""Parts of tensors: sections, single places, entries picked by number or by a mask, diagonals."""

from __future__ import annotations

from infonce_lint.semantic.shapes.call import Call, normal_axis, with_axis
from infonce_lint.semantic.shapes.dims import ZERO, Dim, number
from infonce_lint.semantic.shapes.domain import Abstract, Kind, Listing, Parts, Tensor
from infonce_lint.semantic.shapes.table import operation

_MOST_PARTS = 16


def _along(call: Call, tensor: Tensor, axis: int | None) -> tuple[Tensor, int] | None:
    """The tensor with an axis written out, and the axis counted from the first."""
    if axis is None or (axis < 0 and tensor.rest is not None):
        return None
    tensor = tensor.opened(axis + 1) if axis >= 0 else tensor
    place = normal_axis(axis, len(tensor.dims))
    return (tensor, place) if place is not None else None


def _unpacked(call: Call) -> int:
    """Into how many names the result is unpacked, or how many of its parts are asked for by number."""
    places = [user.literal for user in call.value.users if user.op == "item"]
    return max((each + 1 for each in places if isinstance(each, int)), default=0)


@operation("split", "split_with_sizes", "array_split", "tensor_split", "hsplit", "vsplit", "Split")
def split(call: Call) -> Abstract | None:
    """``x.split(n)``, ``x.split([n, m])``; numpy's and TensorFlow's number counts the parts."""
    tensor, sections = (
        call.tensor(0, "tensor", "input", "value", "ary", "x"),
        call.at(
            1,
            "split_size_or_sections",
            "split_size",
            "split_sizes",
            "num_or_size_splits",
            "indices_or_sections",
            "num_or_sections",
            "sections",
            "indices",
            "tensor_indices_or_sections",
        ),
    )
    if tensor is None or sections is None:
        return None
    found = _along(call, tensor, call.integer(2, "dim", "axis", default=0))
    if found is None:
        return None
    tensor, place = found
    whole = tensor.dims[place]
    known = call.evaluate(sections)
    counts_parts = call.library in ("numpy", "jax", "tensorflow", "paddle") or call.value.name in (
        "tensor_split",
        "array_split",
    )
    if isinstance(known, Parts):
        sizes = call.context.sizes_of(known)
        if sizes is None or (counts_parts and call.library not in ("tensorflow", "paddle")):
            return None
        return _in_sizes(call, tensor, place, sizes)
    size = call.context.as_number(known)
    if size is None:
        return None
    if counts_parts:
        return _in_parts(call, tensor, place, size)
    return _of_size(call, tensor, place, size, whole)


def _in_sizes(call: Call, tensor: Tensor, place: int, sizes: list[Dim]) -> Abstract:
    """Sections of given sizes, which make up the whole."""
    whole, total = tensor.dims[place], ZERO
    free = [order for order, each in enumerate(sizes) if each.integer == -1]
    for order, each in enumerate(sizes):
        total = total + each if order not in free else total
    if len(free) == 1:
        sizes[free[0]] = whole - total
    else:
        call.equal(whole, total)
    return Parts(tuple(with_axis(tensor, place, each) for each in sizes))


def _of_size(call: Call, tensor: Tensor, place: int, size: Dim, whole: Dim) -> Abstract | None:
    """Sections of one size: unpacked into k names there are k of them."""
    count = _unpacked(call)
    if whole == size:
        return Parts((tensor,))
    part = with_axis(tensor, place, size)
    if any(user.op == "item" and isinstance(user.literal, int) for user in call.value.users) and count > 1:
        # the last section may be shorter: it is what remains
        taken = size * number(count - 1)
        return Parts((*((part,) * (count - 1)), with_axis(tensor, place, whole - taken)))
    times = whole.over(size)
    exact = times.integer if times is not None else None
    if exact is not None and 0 < exact <= _MOST_PARTS:
        return Parts((part,) * exact)
    return Listing(times, part) if times is not None else None


def _in_parts(call: Call, tensor: Tensor, place: int, count: Dim) -> Abstract | None:
    """So many sections of equal size."""
    whole = tensor.dims[place]
    size = whole.over(count)
    if size is None:
        return None
    call.kept(whole, count)
    part = with_axis(tensor, place, size)
    small = count.integer
    if small is not None:
        return Parts((part,) * small) if 0 < small <= _MOST_PARTS else Listing(count, part)
    return Listing(count, part)


@operation("chunk")
def chunk(call: Call) -> Abstract | None:
    """``x.chunk(2)``."""
    tensor, count = call.tensor(0, "input", "x"), call.number(1, "chunks")
    if tensor is None or count is None:
        return None
    found = _along(call, tensor, call.integer(2, "dim", "axis", default=0))
    return _in_parts(call, found[0], found[1], count) if found is not None else None


@operation("unbind", "unstack", "Unstack")
def unbind(call: Call) -> Abstract | None:
    """Each place of an axis, that axis gone."""
    tensor = call.tensor(0, "input", "value", "x")
    position = 2 if call.library == "tensorflow" else 1
    found = _along(call, tensor, call.integer(position, "dim", "axis", default=0)) if tensor is not None else None
    if found is None:
        return None
    tensor, place = found
    count = tensor.dims[place]
    part = Tensor(tensor.dims[:place] + tensor.dims[place + 1 :], tensor.rest, tensor.kind)
    small = count.integer
    return Parts((part,) * small) if small is not None and 0 < small <= _MOST_PARTS else Listing(count, part)


@operation("narrow", "slice_in_dim")
def narrow(call: Call) -> Abstract | None:
    """``x.narrow(0, start, length)``."""
    tensor = call.tensor(0, "input")
    found = _along(call, tensor, call.integer(1, "dim", "axis")) if tensor is not None else None
    start, length = call.number(2, "start"), call.number(3, "length")
    if found is None or length is None:
        return None
    tensor, place = found
    call.cut(tensor.dims[place], start)
    call.cut(tensor.dims[place], length)
    return with_axis(tensor, place, length)


@operation("select")
def select(call: Call) -> Abstract | None:
    """``x.select(0, i)``: one place of an axis."""
    tensor = call.tensor(0, "input")
    found = _along(call, tensor, call.integer(1, "dim")) if tensor is not None else None
    if found is None or call.number(2, "index") is None:
        return None
    tensor, place = found
    return Tensor(tensor.dims[:place] + tensor.dims[place + 1 :], tensor.rest, tensor.kind)


@operation("index_select", "take", "gather_nd")
def index_select(call: Call) -> Abstract | None:
    """Rows (or places of another axis) by number."""
    if call.value.name == "gather_nd":
        return None
    tensor = call.tensor(0, "input", "a", "params")
    is_take = call.value.name == "take"
    axis = call.integer(2 if is_take else 1, "dim", "axis")
    index = call.tensor(1 if is_take else 2, "index", "indices")
    if tensor is None or index is None or index.rest is not None or axis is None:
        return None
    found = _along(call, tensor, axis)
    if found is None:
        return None
    tensor, place = found
    dims = (*tensor.dims[:place], *index.dims, *tensor.dims[place + 1 :])
    return Tensor(dims, tensor.rest, tensor.kind)


@operation("take_along_axis", "take_along_dim")
def take_along(call: Call) -> Abstract | None:
    """One entry a place of the index."""
    index = call.tensor(1, "indices", "index")
    return index.of(Kind.ANY) if index is not None and index.rest is None else None


@operation("masked_select", "boolean_mask", "MaskedSelect")
def masked_select(call: Call) -> Abstract | None:
    """The entries that a mask keeps: how many is a number of its own."""
    tensor, mask = call.tensor(0, "input", "tensor", "x"), call.tensor(1, "mask")
    if tensor is None:
        return None
    if call.value.name == "boolean_mask":
        if mask is None or mask.rest is not None:
            return None
        for axis, dim in enumerate(mask.dims):
            call.equal(dim, tensor.axis(axis))
        tensor = tensor.opened(len(mask.dims))
        return Tensor((call.fresh(), *tensor.dims[len(mask.dims) :]), tensor.rest, tensor.kind)
    if mask is not None:
        call.broadcast([tensor, mask])
    return Tensor((call.fresh(),), None, tensor.kind)


@operation("diag", "diagonal", "diag_part", "matrix_diag_part")
def diagonal(call: Call) -> Abstract | None:
    """The diagonal of a matrix; of a vector, the matrix with it."""
    tensor = call.tensor(0, "input", "v", "a")
    if tensor is None:
        return None
    offset = call.number(1, "diagonal", "offset", "k") if call.at(1, "diagonal", "offset", "k") is not None else ZERO
    if tensor.rest is not None:
        tensor = call.context.with_rank(tensor, max(2, len(tensor.dims)), likely=True)
    if offset is None:
        return None
    shift = -offset if offset.terms and all(value < 0 for _, value in offset.terms) else offset
    if len(tensor.dims) == 1:
        side = tensor.dims[0] + shift
        return Tensor((side, side), None, tensor.kind)
    if len(tensor.dims) == 2:
        call.cut(tensor.dims[0], shift) if shift.terms else None
        rows, columns = tensor.dims
        if rows == columns:
            return Tensor((rows - shift,), None, tensor.kind)
        if not shift.terms:
            return Tensor((_shorter(rows, columns),), None, tensor.kind)
        return call.unknown(1, tensor.kind)
    if call.value.name == "diagonal":
        first, second = call.integer(2, "dim1", default=0), call.integer(3, "dim2", default=1)
        places = [normal_axis(each, len(tensor.dims)) for each in (first, second)]
        if None in places or shift.terms:
            return None
        rest = [dim for axis, dim in enumerate(tensor.dims) if axis not in places]
        return Tensor((*rest, tensor.dims[places[0] or 0]), None, tensor.kind)
    return None


def _shorter(rows: Dim, columns: Dim) -> Dim:
    """The side that a diagonal of a rectangle goes to: the one that is part of the other, else the rows."""
    more = columns - rows
    return columns if more.terms and all(value < 0 for _, value in more.terms) else rows


@operation("diag_embed", "diagflat", "matrix_diag")
def diag_embed(call: Call) -> Abstract | None:
    """Vectors laid out as diagonals."""
    tensor, offset = call.tensor(0, "input", "v"), call.at(1, "offset", "k")
    shift = call.number(1, "offset", "k") if offset is not None else ZERO
    if tensor is None or tensor.rest is not None or not tensor.dims or shift is None:
        return None
    shift = -shift if shift.terms and all(value < 0 for _, value in shift.terms) else shift
    side = tensor.dims[-1] + shift
    return Tensor((*tensor.dims[:-1], side, side), None, tensor.kind)


@operation("topk", "top_k", "sort", "kthvalue", "mode")
def topk(call: Call) -> Abstract | None:
    """(values, numbers) of some entries of each row."""
    tensor = call.tensor(0, "input", "a", "x")
    if tensor is None or tensor.rest is not None or not tensor.dims:
        return None
    if call.library in ("numpy", "jax") and call.value.name == "sort":
        return tensor
    if call.value.name == "sort":
        return Parts((tensor, tensor.of(Kind.INTEGER)))
    count = call.number(1, "k")
    axis = normal_axis(call.integer(2, "dim", "axis", default=-1), len(tensor.dims))
    if call.value.name not in ("topk", "top_k") or count is None or axis is None:
        return None
    values = with_axis(tensor, axis, count)
    return Parts((values, values.of(Kind.INTEGER)))


@operation("nonzero", "argwhere")
def nonzero(call: Call) -> Abstract | None:
    """The places of entries that are not zero: how many is a number of its own."""
    tensor = call.tensor(0, "input", "a")
    if tensor is None or tensor.rest is not None:
        return None
    rank = len(tensor.dims)
    if call.truth(1, "as_tuple") or call.library == "numpy":
        return Parts(tuple(Tensor((call.fresh(),), None, Kind.INTEGER) for _ in range(rank)))
    return Tensor((call.fresh(), number(rank)), None, Kind.INTEGER)


@operation("unique")
def unique(call: Call) -> Abstract | None:
    """Each entry once: how many is a number of its own."""
    if call.named:
        return None
    return Tensor((call.fresh(),), None, Kind.ANY)
