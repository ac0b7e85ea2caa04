"""Tensors put together: side by side, repeated, expanded, multiplied out."""

from __future__ import annotations

from infonce_lint.semantic.shapes.call import Call, normal_axis, total, with_axis
from infonce_lint.semantic.shapes.columns import ALL
from infonce_lint.semantic.shapes.dims import ONE, ZERO, Dim, Origin, number
from infonce_lint.semantic.shapes.domain import Abstract, Kind, Opaque, Parts, Site, Tensor
from infonce_lint.semantic.shapes.table import operation

_LISTS = ("tensors", "values", "xs", "arrays", "inputs", "x")


def kind_in_common(tensors: list[Tensor]) -> Kind:
    return tensors[0].kind if all(each.kind is tensors[0].kind for each in tensors) else Kind.ANY


def _axis(call: Call, default: int) -> int | None:
    if call.setup is not None:  # ``ops.Concat(axis=1)((a, b))``
        return call.setup.integer(0, "axis", default=default)
    return call.integer(1, "dim", "axis", "concat_dim", default=default)


def _joined(call: Call, axis: int | None) -> Abstract | None:
    """Tensors one behind the other along an axis."""
    found = call.tensors(0, *_LISTS)
    if found is None or axis is None:
        return None
    tensors, times = found
    tensors = _alike(call, tensors, axis)
    first = tensors[0]
    if axis < 0 and first.rest is not None:
        return None
    place = axis if first.rest is not None else normal_axis(axis, len(first.dims))
    if place is None:
        return None
    tensors = [each.opened(place + 1) for each in tensors]
    if any(len(each.dims) != len(tensors[0].dims) for each in tensors):
        return None
    for each in tensors[1:]:
        for other, (left, right) in enumerate(zip(tensors[0].dims, each.dims, strict=True)):
            if other != place:
                call.equal(left, right)
    length = ZERO
    for each in tensors:
        length = length + each.dims[place]
    if times is not None:
        length = length * times
    return with_axis(tensors[0], place, length).of(kind_in_common(tensors))


def _alike(call: Call, tensors: list[Tensor], axis: int) -> list[Tensor]:
    """Tensors that stand in one list have equally many axes."""
    closed = next((each for each in tensors if each.rest is None), None)
    if closed is None:
        return tensors
    rank, likely = len(closed.dims), call.context.rests_on_guess(closed.dims)
    return [each if each.rest is None else call.context.with_rank(each, rank, likely=likely) for each in tensors]


@operation(
    "cat concat concatenate Concat", carries="cat", keeps_rows=ALL, joins="cat concat concatenate", operator="Concat"
)
def cat(call: Call) -> Abstract | None:
    """``cat([a, b], dim)``."""
    listed = call.known(0, *_LISTS)
    if isinstance(listed, Opaque):
        call.context.lists.add(listed.site)
        return None
    if call.library == "tensorflow" and call.at(1, "axis") is None:
        return None
    return _joined(call, _axis(call, 0))


@operation("vstack", "row_stack", keeps_rows="vstack", joins="vstack")
def vstack(call: Call) -> Abstract | None:
    """Along the rows; vectors become rows."""
    found = call.tensors(0, "tensors", "tup")
    if found is None:
        return None
    if any(each.rest is None and len(each.dims) < 2 for each in found[0]):
        return _stacked(call, found[0], found[1], 0) if all(is_vector(each) for each in found[0]) else None
    return _joined(call, 0)


def is_vector(tensor: Tensor) -> bool:
    return tensor.rest is None and len(tensor.dims) == 1


@operation("column_stack")
def column_stack(call: Call) -> Abstract | None:
    """Along the columns; vectors become columns."""
    found = call.tensors(0, "tensors", "tup")
    if found is None or any(each.rest is not None or not each.dims for each in found[0]):
        return None
    if all(is_vector(each) for each in found[0]):
        return _stacked(call, found[0], found[1], 1)
    return _joined(call, 1) if not any(is_vector(each) for each in found[0]) else None


@operation("dstack")
def dstack(call: Call) -> Abstract | None:
    """Along a third axis."""
    found = call.tensors(0, "tensors", "tup")
    if found is None or any(each.rest is not None or len(each.dims) < 2 for each in found[0]):
        return None
    if all(len(each.dims) == 2 for each in found[0]):
        return _stacked(call, found[0], found[1], 2)
    return _joined(call, 2) if all(len(each.dims) > 2 for each in found[0]) else None


@operation("hstack", keeps_rows=ALL)
def hstack(call: Call) -> Abstract | None:
    """Along the columns; vectors one behind the other."""
    found = call.tensors(0, "tensors", "tup")
    if found is None or any(each.rest is not None for each in found[0]):
        return None
    return _joined(call, 0 if len(found[0][0].dims) == 1 else 1)


@operation("stack", "Stack", keeps_rows="stack", joins="stack", operator="Stack")
def stack(call: Call) -> Abstract | None:
    """A new axis over tensors of one shape."""
    listed = call.known(0, "tensors", "values", "arrays")
    if isinstance(listed, Opaque):
        call.context.lists.add(listed.site)
        return None
    found = call.tensors(0, "tensors", "values", "arrays")
    axis = _axis(call, 0)
    if found is None or axis is None:
        return None
    return _stacked(call, *found, axis)


def _stacked(call: Call, tensors: list[Tensor], times: Dim | None, axis: int) -> Tensor | None:
    tensors = _alike(call, tensors, axis)
    first = tensors[0]
    for each in tensors[1:]:
        if len(each.dims) == len(first.dims):
            for left, right in zip(first.dims, each.dims, strict=True):
                call.equal(left, right)
        elif first.rest is not None or each.rest is not None:
            call.equal(first.axis(0), each.axis(0))
    count = times if times is not None else number(len(tensors))
    made = _inserted(first, axis, count)
    return made.of(kind_in_common(tensors)) if made is not None else None


def _inserted(tensor: Tensor, axis: int, dim: Dim) -> Tensor | None:
    """The tensor with a new axis."""
    if axis < 0:
        if tensor.rest is not None:
            return None
        axis += len(tensor.dims) + 1
    tensor = tensor.opened(axis)
    if not 0 <= axis <= len(tensor.dims):
        return None
    return Tensor((*tensor.dims[:axis], dim, *tensor.dims[axis:]), tensor.rest, tensor.kind)


@operation(
    "unsqueeze expand_dims ExpandDims",
    keeps_diagonal="unsqueeze",
    method_keeps_rows="unsqueeze",
    keeps_rows="unsqueeze expand_dims",
    keeps_numbers="unsqueeze",
    new_axis="unsqueeze expand_dims",
    keeps_largest="unsqueeze",
    operator="ExpandDims",
)
def unsqueeze(call: Call) -> Abstract | None:
    """A new axis of one."""
    tensor, axis = call.tensor(0, "input", "a", "x"), call.integer(1, "dim", "axis")
    return _inserted(tensor, axis, ONE) if tensor is not None and axis is not None else None


def _repeated(call: Call, tensor: Tensor | None, times: list[Dim] | None) -> Abstract | None:
    if tensor is None or times is None:
        return None
    if tensor.rest is not None and call.value.name != "repeat" and len(times) <= max(1, len(tensor.dims)):
        return None  # a tensor may have more axes than it is tiled along
    if tensor.rest is not None:
        tensor = call.context.with_rank(tensor, max(len(times), len(tensor.dims)), likely=True)
    more = len(times) - len(tensor.dims)
    dims = [ONE] * max(more, 0) + list(tensor.dims)
    times = [ONE] * max(-more, 0) + times
    return Tensor(tuple(a * b for a, b in zip(dims, times, strict=True)), None, tensor.kind)


@operation(
    "repeat tile Tile",
    keeps_diagonal="repeat",
    method_keeps_rows="repeat tile",
    keeps_rows="repeat tile",
    keeps_numbers="repeat",
    reshapes="repeat tile",
    lengthens="repeat tile",
    keeps_largest="repeat tile",
    operator="Tile",
)
def repeat(call: Call) -> Abstract | None:
    """Copies along each axis, new ones in front."""
    if call.value.name == "repeat" and "axis" in call.named:
        return repeat_interleave(call)  # the method of numpy
    return _repeated(call, call.tensor(0, "input", "A", "x"), call.sizes(1, "repeats", "reps", "dims", "multiples"))


@operation(
    "repeat_interleave numpy:repeat jax:repeat tensorflow:repeat",
    method_keeps_rows="repeat_interleave",
    keeps_rows="repeat_interleave",
    reshapes="repeat_interleave",
    keeps_largest="repeat_interleave",
)
def repeat_interleave(call: Call) -> Abstract | None:
    """Each entry several times along one axis; without an axis, of all entries in one row."""
    tensor, times = call.tensor(0, "input", "a", "x"), call.number(1, "repeats", "n")
    if tensor is None:
        return None
    if times is None:
        return _repeated_unevenly(call, tensor)
    given = call.at(2, "dim", "axis")
    if given is None:
        if tensor.rest is not None:
            return None
        length = times
        for each in tensor.dims:
            length = length * each
        return Tensor((length,), None, tensor.kind)
    axis = call.integer(2, "dim", "axis")
    if axis is None:
        return None
    if axis >= 0:
        tensor = tensor.opened(axis + 1)
    place = normal_axis(axis, len(tensor.dims))
    if place is None or (axis < 0 and tensor.rest is not None):
        return None
    return with_axis(tensor, place, tensor.dims[place] * times)


def _repeated_unevenly(call: Call, tensor: Tensor) -> Tensor | None:
    """Each entry as often as a tensor says: how many there are then is a number of its own."""
    counts = call.known(1, "repeats")
    axis = call.integer(2, "dim", "axis", default=0 if tensor.rest is None and len(tensor.dims) == 1 else None)
    if not isinstance(counts, Tensor) or tensor.rest is not None or axis is None:
        return None
    place = normal_axis(axis, len(tensor.dims))
    if place is None:
        return None
    if counts.rest is None and len(counts.dims) == 1 and counts.dims[0] != ONE:
        call.equal(counts.dims[0], tensor.dims[place])
    return with_axis(tensor, place, call.fresh())


@operation(
    "expand broadcast_to BroadcastTo",
    keeps_diagonal="expand",
    method_keeps_rows="expand",
    keeps_rows="broadcast_to",
    keeps_numbers="expand",
    makes_shaped="broadcast_to",
    reshapes="expand",
    lengthens="expand broadcast_to",
    keeps_largest="expand",
)
def expand(call: Call) -> Abstract | None:
    """Axes of one made longer; -1 keeps an axis."""
    tensor, sizes = call.tensor(0, "input", "array", "x"), call.shape_given(1, "size", "shape")
    if call.setup is not None:
        sizes = call.setup.sizes(0, "shape")
    if tensor is None or sizes is None:
        return None
    if tensor.rest is not None:
        tensor = call.context.with_rank(tensor, max(len(sizes), len(tensor.dims)), likely=True)
    more = len(sizes) - len(tensor.dims)
    if more < 0:
        return None
    own = [ONE] * more + list(tensor.dims)
    dims = []
    for dim, size in zip(own, sizes, strict=True):
        if size.integer == -1:
            dims.append(dim)
            continue
        if dim.number != 1 and not _may_be_one(call, dim, own):
            call.equal(dim, size)
        dims.append(size)
    return Tensor(tuple(dims), None, tensor.kind)


def _may_be_one(call: Call, dim: Dim, own: list[Dim]) -> bool:
    """Whether an axis of a tensor from elsewhere may be one of length 1: what is expanded mostly has such an axis.

    Where another axis is one for certain, that is the one to be expanded, and the rows of the features are many.
    """
    owners = [each.owner for each in dim.of(Origin.AXIS) if isinstance(each.owner, Site)]
    is_rows = any(each.value in call.context.rows for each in owners) and any(each.number == 1 for each in own)
    return bool(owners) and not is_rows


@operation(
    "expand_as", "broadcast_as", keeps_diagonal="expand_as", method_keeps_rows="expand_as", lengthens="expand_as"
)
def expand_as(call: Call) -> Abstract | None:
    """As long as another tensor."""
    tensor, other = call.tensor(0), call.tensor(1, "other")
    if tensor is None or other is None or other.rest is not None:
        return None
    call.broadcast([tensor, other])
    return other.of(tensor.kind)


@operation("numpy:append", "jax:append")
def append_array(call: Call) -> Abstract | None:
    """``np.append(a, b)``: all entries in one row; nothing is said of those along an axis."""
    first, second = call.tensor(0, "arr"), call.tensor(1, "values")
    if first is None or second is None or first.rest is not None or second.rest is not None:
        return None
    if call.at(2, "axis") is not None:
        return None
    return Tensor((total(first.dims) + total(second.dims),), None, kind_in_common([first, second]))


@operation("kron")
def kron(call: Call) -> Abstract | None:
    """Every entry of the one times the other as a block."""
    left, right = call.tensor(0, "input", "a"), call.tensor(1, "other", "b")
    if left is None or right is None or left.rest is not None or right.rest is not None:
        return None
    rank = max(len(left.dims), len(right.dims))
    first, second = ((ONE,) * (rank - len(each.dims)) + each.dims for each in (left, right))
    return Tensor(tuple(a * b for a, b in zip(first, second, strict=True)))


@operation("block_diag", makes_mask=ALL)
def block_diag(call: Call) -> Abstract | None:
    """Blocks along the diagonal."""
    found: tuple[list[Tensor], Dim | None] | None
    if call.starred is not None:
        found = call.tensors(len(call.positional))
        if call.positional:
            return None
    else:
        each = [call.tensor(place) for place in range(len(call.positional))]
        found = ([tensor for tensor in each if tensor is not None], None) if None not in each else None
    if found is None or any(each.rest is not None or len(each.dims) not in (1, 2) for each in found[0]):
        return None
    tensors, times = [Tensor((ONE,) * (2 - len(each.dims)) + each.dims, None, each.kind) for each in found[0]], found[1]
    rows, columns = ZERO, ZERO
    for tensor in tensors:
        rows, columns = rows + tensor.dims[0], columns + tensor.dims[1]
    if times is not None:
        rows, columns = rows * times, columns * times
    return Tensor((rows, columns), None, kind_in_common(tensors))


@operation("pad", "constant_pad")
def pad(call: Call) -> Abstract | None:
    """``F.pad(x, (left, right, above, below))``: from the last axis on."""
    tensor, widths = call.tensor(0, "input"), call.sizes(1, "pad")
    if call.library not in ("torch", "") or tensor is None or widths is None or len(widths) % 2:
        return None
    dims = list(tensor.dims)
    if tensor.rest is not None or len(widths) // 2 > len(dims):
        return None
    for place in range(len(widths) // 2):
        dims[-1 - place] = dims[-1 - place] + widths[2 * place] + widths[2 * place + 1]
    return Tensor(tuple(dims), None, tensor.kind)


@operation("numpy:pad", "jax:pad")
def pad_array(call: Call) -> Abstract | None:
    """``np.pad(x, ((above, below), (left, right)))``, one pair for every axis, or one number for all ends."""
    tensor, widths = call.tensor(0, "array"), call.known(1, "pad_width")
    if tensor is None or widths is None or tensor.rest is not None or isinstance(widths, Opaque):
        return None
    ends = widths.items if isinstance(widths, Parts) else (widths,)
    if not all(isinstance(each, Parts) for each in ends):
        ends = (widths,)
    pairs = [sizes * 2 if len(sizes) == 1 else sizes for each in ends if (sizes := call.context.sizes_of(each))]
    pairs = pairs * len(tensor.dims) if len(ends) == 1 else pairs
    if len(pairs) != len(tensor.dims) or any(len(each) != 2 for each in pairs):
        return None
    dims = [dim + before + behind for dim, (before, behind) in zip(tensor.dims, pairs, strict=True)]
    return Tensor(tuple(dims), None, tensor.kind)
