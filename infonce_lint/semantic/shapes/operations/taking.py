"""Parts of tensors: sections, single places, entries picked by number, by a mask or by their value."""

from __future__ import annotations

from infonce_lint.semantic.shapes.call import Call, normal_axis, with_axis
from infonce_lint.semantic.shapes.columns import ALL
from infonce_lint.semantic.shapes.dims import ONE, ZERO, Dim, Origin, number
from infonce_lint.semantic.shapes.domain import Abstract, Kind, Listing, Opaque, Parts, Tensor
from infonce_lint.semantic.shapes.operations.meeting import places_of_truth
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
    """Into how many names the result is unpacked, at once or from the name that it was given."""
    return max((place + 1 for place in _taken_places(call)), default=0)


def _taken_places(call: Call) -> set[int]:
    """Which places of the result are taken, at once or from the name that it was given."""
    waiting, found = [call.value], set[int]()
    for value in waiting:
        found |= {user.literal for user in value.users if user.op == "item" and isinstance(user.literal, int)}
        waiting += [user for user in value.users if user.op == "name" and len(user.inputs) == 1 and user not in waiting]
    return found


_COUNT_OR_SIZES = (
    *("split_size_or_sections", "split_size", "split_sizes", "num_or_size_splits", "indices_or_sections"),
    *("num_or_sections", "sections", "indices", "tensor_indices_or_sections"),
)
_AT_PLACES = frozenset({"tensor_split", "array_split", "hsplit", "vsplit", "dsplit"})


@operation(
    "split split_with_sizes array_split tensor_split hsplit vsplit dsplit Split",
    method_keeps_rows="split",
    keeps_rows="split split_with_sizes",
    splits="split split_with_sizes array_split tensor_split",
)
def split(call: Call) -> Abstract | None:
    """``x.split(n)``, ``x.split([n, m])``; numpy's and TensorFlow's number counts parts, numpy's list holds places."""
    tensor, sections = call.tensor(0, "tensor", "input", "value", "ary", "x"), call.at(1, *_COUNT_OR_SIZES)
    if tensor is None or (sections is None and call.setup is None):
        return None
    axis = _FIXED_AXES.get(call.value.name)
    if axis is None:
        axis = call.integer(2, "dim", "axis", default=0)
        if call.setup is not None:  # ``ops.Split(axis, parts)(x)``
            axis, parts = call.setup.integer(0, "axis", default=0), call.setup.number(1, "output_num")
            found = _along(call, tensor, axis) if tensor is not None else None
            return _in_parts(call, *found, parts) if found is not None and parts is not None else None
    elif tensor.rest is None and len(tensor.dims) == 1:
        axis = 0
    found = _along(call, tensor, axis)
    if found is None:
        return None
    tensor, place = found
    if sections is None:
        return None
    known = call.evaluate(sections)
    at_places = call.value.name in _AT_PLACES or call.library in ("numpy", "jax")
    if isinstance(known, Parts):
        sizes = call.context.sizes_of(known)
        if sizes is None:
            return None
        return _at_places(call, tensor, place, sizes) if at_places else _in_sizes(call, tensor, place, sizes)
    size = call.context.as_number(known)
    if size is None or isinstance(known, Opaque):
        return None
    if at_places or call.library in ("tensorflow", "paddle"):
        return _in_parts(call, tensor, place, size)
    return _of_size(call, tensor, place, size)


_FIXED_AXES = {"hsplit": 1, "vsplit": 0, "dsplit": 2}


def _at_places(call: Call, tensor: Tensor, place: int, bounds: list[Dim]) -> Abstract | None:
    """The parts between places of an axis."""
    whole = tensor.dims[place]
    for each in bounds:
        call.cut(whole, each)
    starts, ends = [ZERO, *bounds], [*bounds, whole]
    return Parts(tuple(with_axis(tensor, place, b - a) for a, b in zip(starts, ends, strict=True)))


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


def _of_size(call: Call, tensor: Tensor, place: int, size: Dim) -> Abstract | None:
    """Sections of one size: unpacked into k names there are k of them, the last of which may be shorter."""
    whole, count = tensor.dims[place], _unpacked(call)
    if whole == size:
        return Parts((tensor,))
    part = with_axis(tensor, place, size)
    if count > 1:
        taken = size * number(count - 1)
        call.below(whole, size * number(count))
        call.below(taken + ONE, whole)
        return Parts((*((part,) * (count - 1)), with_axis(tensor, place, whole - taken)))
    times = whole.over(size)
    exact = times.integer if times is not None else None
    if exact is not None and 0 < exact <= _MOST_PARTS:
        return Parts((part,) * exact)
    if times is not None and all(
        value.denominator == 1 and all(power > 0 for _, power in monomial) for monomial, value in times.terms
    ):
        return Listing(times, part)
    call.cut(whole, size)
    return Listing(call.fresh(1), with_axis(tensor, place, call.fresh()))


def _in_parts(call: Call, tensor: Tensor, place: int, count: Dim) -> Abstract | None:
    """So many sections of equal size."""
    whole = tensor.dims[place]
    size = whole.over(count)
    if size is None:
        return None
    call.kept(whole, count)
    if whole.of(Origin.SIZE) and any(value.denominator != 1 for _, value in size.terms):
        call.context.shares.setdefault((whole, count), set()).update(map(number, _taken_places(call)))
    part = with_axis(tensor, place, size)
    small = count.integer
    if small is not None:
        return Parts((part,) * small) if 0 < small <= _MOST_PARTS else Listing(count, part)
    return Listing(count, part)


@operation("chunk", method_keeps_rows=ALL, keeps_rows=ALL, splits=ALL)
def chunk(call: Call) -> Abstract | None:
    """``x.chunk(2)``."""
    tensor, count = call.tensor(0, "input", "x"), call.number(1, "chunks")
    if tensor is None or count is None:
        return None
    found = _along(call, tensor, call.integer(2, "dim", "axis", default=0))
    return _in_parts(call, found[0], found[1], count) if found is not None else None


@operation("unbind", "unstack", "Unstack", method_keeps_rows="unbind", keeps_rows="unbind")
def unbind(call: Call) -> Abstract | None:
    """Each place of an axis, that axis gone."""
    tensor = call.tensor(0, "input", "value", "x")
    position = 2 if call.library == "tensorflow" else 1
    source, position = (call, position) if call.setup is None else (call.setup, 0)
    found = _along(call, tensor, source.integer(position, "dim", "axis", default=0)) if tensor is not None else None
    if found is None:
        return None
    tensor, place = found
    count = tensor.dims[place]
    part = call.context.seen(Tensor(tensor.dims[:place] + tensor.dims[place + 1 :], tensor.rest, tensor.kind), tensor)
    if part is None:
        return None
    small = count.integer
    return Parts((part,) * small) if small is not None and 0 < small <= _MOST_PARTS else Listing(count, part)


@operation("narrow", "slice_in_dim", method_keeps_rows="narrow", splits="narrow")
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


@operation("select", method_keeps_rows=ALL)
def select(call: Call) -> Abstract | None:
    """``x.select(0, i)``: one place of an axis."""
    tensor = call.tensor(0, "input")
    found = _along(call, tensor, call.integer(1, "dim")) if tensor is not None else None
    if found is None or call.number(2, "index") is None:
        return None
    tensor, place = found
    return call.context.seen(Tensor(tensor.dims[:place] + tensor.dims[place + 1 :], tensor.rest, tensor.kind), tensor)


@operation(
    "index_select take gather_nd",
    holds_arguments="index_select",
    selects="index_select",
    method_keeps_rows="index_select",
    keeps_rows="index_select",
    indexes=ALL,
)
def index_select(call: Call) -> Abstract | None:
    """Rows (or places of another axis) by number."""
    if call.value.name == "gather_nd":
        return None
    tensor = call.tensor(0, "input", "a", "params")
    is_take = call.value.name == "take"
    if is_take and call.at(2, "axis") is None:
        index = call.tensor(1, "index", "indices")
        return index.of(tensor.kind) if tensor is not None and index is not None and index.rest is None else None
    if is_take or call.library == "paddle":
        axis, index = call.integer(2, "axis", default=0), call.tensor(1, "index", "indices")
    else:
        axis, index = call.integer(1, "dim", "axis"), call.tensor(2, "index", "indices")
    if tensor is None or index is None or index.rest is not None or axis is None:
        return None
    found = _along(call, tensor, axis)
    if found is None:
        return None
    tensor, place = found
    dims = (*tensor.dims[:place], *index.dims, *tensor.dims[place + 1 :])
    return Tensor(dims, tensor.rest, tensor.kind)


@operation("take_along_axis", "take_along_dim", indexes="take_along_axis")
def take_along(call: Call) -> Abstract | None:
    """One entry a place of the index; the other axes are broadcast."""
    tensor, index = call.tensor(0, "input", "arr", "x"), call.tensor(1, "indices", "index")
    if tensor is None or index is None or index.rest is not None or tensor.rest is not None:
        return None
    if call.at(2, "dim", "axis") is None:
        return index.of(tensor.kind)
    axis = normal_axis(call.integer(2, "dim", "axis"), len(tensor.dims))
    if axis is None or len(index.dims) != len(tensor.dims):
        return None
    others = [Tensor(each.dims[:axis] + each.dims[axis + 1 :]) for each in (tensor, index)]
    shape = call.broadcast(others)
    return Tensor((*shape.dims[:axis], index.dims[axis], *shape.dims[axis:]), None, tensor.kind) if shape else None


@operation(
    "gather Gather GatherD gather_elements",
    selects="gather",
    method_keeps_rows="gather",
    keeps_rows="gather",
    indexes="gather",
)
def gather(call: Call) -> Abstract | None:
    """torch's ``x.gather(1, index)`` gives an entry for each of the index; others pick rows by number."""
    tensor = call.tensor(0, "input", "params", "x", "input_params")
    if tensor is None:
        return None
    if call.value.name in ("GatherD", "gather_elements") or call.library in ("torch", ""):
        axis, index = call.integer(1, "dim"), call.tensor(2, "index")
        if index is None or axis is None or index.rest is not None:
            return None
        if tensor.rest is None and len(tensor.dims) == len(index.dims):
            place = normal_axis(axis, len(tensor.dims))
            for other, (asked, whole) in enumerate(zip(index.dims, tensor.dims, strict=True)):
                if other != place and place is not None:
                    call.below(asked, whole)
        return index.of(tensor.kind)
    index = call.tensor(1, "indices", "index", "input_indices")
    if index is None or index.rest is not None or "batch_dims" in call.named:
        return None
    found = _along(call, tensor, call.integer(2, "axis", default=0))
    if found is None:
        return None
    tensor, place = found
    return Tensor((*tensor.dims[:place], *index.dims, *tensor.dims[place + 1 :]), tensor.rest, tensor.kind)


@operation(
    "masked_select boolean_mask MaskedSelect",
    holds_arguments="masked_select",
    selects="masked_select boolean_mask",
    selects_by_mask="masked_select boolean_mask",
    operator="MaskedSelect",
)
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


@operation("topk", "top_k", "sort", neighbours="topk top_k")
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
    if count is None or axis is None:
        return None
    call.below(count, tensor.dims[axis])
    values = with_axis(tensor, axis, count)
    return Parts((values, values.of(Kind.INTEGER)))


@operation("nonzero", "argwhere")
def nonzero(call: Call) -> Abstract | None:
    """The places of entries that are not zero: how many is a number of its own."""
    tensor = call.tensor(0, "input", "a")
    if tensor is None or tensor.rest is not None:
        return None
    is_listed = call.truth(1, "as_tuple") or call.library in ("numpy", "jax")
    if is_listed and call.value.name != "argwhere":
        return places_of_truth(call, tensor)
    return Tensor((call.fresh(), number(len(tensor.dims))), None, Kind.INTEGER)


@operation("flatnonzero")
def flatnonzero(call: Call) -> Abstract | None:
    """The places of entries that are not zero, counted through all."""
    return Tensor((call.fresh(),), None, Kind.INTEGER)


@operation("unique")
def unique(call: Call) -> Abstract | None:
    """Each entry once: how many is a number of its own."""
    if call.named or len(call.positional) > 1:
        return None
    return Tensor((call.fresh(),), None, Kind.ANY)
