"""The same entries in another arrangement: views, axes that change places, axes that go or come."""

from __future__ import annotations

from infonce_lint.semantic.graph.values import Value
from infonce_lint.semantic.graph.walk import walk
from infonce_lint.semantic.shapes.call import Call, normal_axis, total
from infonce_lint.semantic.shapes.columns import ALL, Column, has
from infonce_lint.semantic.shapes.dims import Dim, Origin
from infonce_lint.semantic.shapes.domain import Abstract, Number, Opaque, Parts, Tensor
from infonce_lint.semantic.shapes.products import last_turned, turned
from infonce_lint.semantic.shapes.table import operation


@operation("resize", "resize_", reshapes="resize")
def resized(call: Call) -> Abstract | None:
    """Another number of entries in the same memory."""
    tensor, sizes = call.tensor(0, "a"), call.shape_given(1, "new_shape")
    return Tensor(tuple(sizes), None, tensor.kind) if tensor is not None and sizes is not None else None


@operation(
    "view reshape Reshape",
    keeps_diagonal="view reshape",
    method_keeps_rows="view reshape",
    keeps_rows="reshape",
    folds="view reshape",
    reshapes=ALL,
    keeps_largest="view reshape",
    operator="Reshape",
)
def reshape(call: Call) -> Abstract | None:
    """``x.view(n, -1)``: the number of entries stays."""
    tensor = call.tensor(0, "input", "a", "tensor", "x")
    sizes = call.shape_given(1, "shape", "size", "newshape")
    if tensor is None or sizes is None:
        return None
    free = [place for place, each in enumerate(sizes) if each.integer == -1]
    if len(free) > 1:
        return None
    given = total([each for place, each in enumerate(sizes) if place not in free])
    whole, given, dims = _common(call, tensor, sizes, given)
    if whole is None:
        for place in free:
            dims[place] = call.fresh(place)
        return Tensor(tuple(dims), None, tensor.kind)
    if not free:
        call.equal(whole, given)
        return Tensor(tuple(dims), None, tensor.kind)
    remaining = whole.over(given) if not _is_guessed(call, tensor) else None
    if remaining is None:
        dims[free[0]] = call.fresh(free[0])
        call.kept(whole, given)
    else:
        dims[free[0]] = remaining
        if any(power < 0 for monomial, _ in remaining.terms for _, power in monomial) or any(
            value.denominator != 1 for _, value in remaining.terms
        ):
            call.kept(whole, given)
    return Tensor(tuple(dims), None, tensor.kind)


def _common(call: Call, tensor: Tensor, sizes: list[Dim], given: Dim) -> tuple[Dim | None, Dim, list[Dim]]:
    """The number of entries, the product of the sizes that are given, and the sizes.

    Of a tensor whose last axes are not known, they stay what they are where the code asks for them itself
    (``x.view(2, n, x.shape[-1])``) or leaves one axis free (``x.view(2, n, -1)``, the usual split of rows).
    """
    dims = list(sizes)
    if tensor.rest is None:
        return total(tensor.dims), given, dims
    last = tensor.rest.axis(-1)
    if last in sizes:
        return None, given, dims
    return None, given, dims


def _is_guessed(call: Call, tensor: Tensor) -> bool:
    """Whether how many axes a tensor has rests on a rank that is only likely; numbers that count it do not."""
    context = call.context
    if not context.rests_on_guess(tensor.dims):
        return False
    guessed = {site.value for site in context.guessed}

    def tensors_behind(value: Value) -> list[Value]:
        looks = value.op == "attr" and has(value.name, Column.GIVES_NO_ENTRIES)
        known = () if looks else value.inputs
        return [each for each in known if not isinstance(context.evaluate(each, call.frame), Number)]

    behind: set[Value] = set(walk(call.positional[:1], tensors_behind))
    return not guessed.isdisjoint(behind)


@operation("view_as", "reshape_as", method_keeps_rows="view_as", reshapes="view_as")
def view_as(call: Call) -> Abstract | None:
    """In the arrangement of another tensor."""
    tensor, other = call.tensor(0), call.tensor(1, "other")
    if tensor is None or other is None or other.rest is not None:
        return None
    if tensor.rest is None:
        call.equal(total(tensor.dims), total(other.dims))
    return other.of(tensor.kind)


@operation("flatten", "ravel", "Flatten", method_keeps_rows="flatten", keeps_rows="flatten", keeps_largest="flatten")
def flatten(call: Call) -> Abstract | None:
    """Some axes in one, all unless they are named."""
    tensor = call.tensor(0, "input", "x", "a")
    if tensor is None:
        return None
    if call.setup is not None:  # a module keeps the first axis
        first = call.setup.integer(0, "start_dim", "start_axis", default=1)
        last = call.setup.integer(1, "end_dim", "stop_axis", default=-1)
    else:
        first = call.integer(1, "start_dim", "start_axis", default=0)
        last = call.integer(2, "end_dim", "stop_axis", default=-1)
    if first is None or last is None:
        return None
    if last >= 0:
        tensor = tensor.opened(last + 1)
    elif tensor.rest is not None:
        return None if first else Tensor((call.fresh(),), None, tensor.kind)
    start, end = (normal_axis(each, max(len(tensor.dims), 1)) for each in (first, last))
    if start is None or end is None:
        return None
    guess = min(first, last) < 0 and _is_guessed(call, tensor)
    merged = call.fresh(start) if guess else total(tensor.dims[start : end + 1])
    return Tensor((*tensor.dims[:start], merged, *tensor.dims[end + 1 :]), tensor.rest, tensor.kind)


@operation("unflatten", reshapes=ALL)
def unflatten(call: Call) -> Abstract | None:
    """One axis in several."""
    tensor, axis, sizes = call.tensor(0, "input"), call.integer(1, "dim"), call.sizes(2, "sizes")
    if tensor is None or axis is None or sizes is None or (axis < 0 and tensor.rest is not None):
        return None
    tensor = tensor.opened(axis + 1) if axis >= 0 else tensor
    place = normal_axis(axis, len(tensor.dims))
    if place is None:
        return None
    free = [order for order, each in enumerate(sizes) if each.integer == -1]
    given = total([each for order, each in enumerate(sizes) if order not in free])
    if free:
        remaining = tensor.dims[place].over(given)
        call.kept(tensor.dims[place], given)
        sizes[free[0]] = remaining if remaining is not None else call.fresh()
    else:
        call.equal(tensor.dims[place], given)
    return Tensor((*tensor.dims[:place], *sizes, *tensor.dims[place + 1 :]), tensor.rest, tensor.kind)


@operation(
    "squeeze Squeeze",
    keeps_diagonal="squeeze",
    method_keeps_rows="squeeze",
    keeps_rows="squeeze",
    keeps_largest="squeeze",
    operator="Squeeze",
)
def squeeze(call: Call) -> Abstract | None:
    """Axes of one go: all of them, or the named ones."""
    tensor = call.tensor(0, "input", "a", "x")
    if tensor is None or tensor.rest is not None:
        return None
    if call.at(1, "dim", "axis") is None:
        if any(each.of(Origin.UNKNOWN) for each in tensor.dims):
            return None
        return Tensor(tuple(each for each in tensor.dims if each.number != 1), None, tensor.kind)
    several = call.known(1, "dim", "axis")
    if isinstance(several, Parts):
        return _squeezed(call, tensor, several)
    axis = normal_axis(call.integer(1, "dim", "axis"), len(tensor.dims))
    if axis is None:
        return None
    dim = tensor.dims[axis]
    if dim.number == 1:
        return Tensor(tensor.dims[:axis] + tensor.dims[axis + 1 :], None, tensor.kind)
    return tensor if not dim.symbols or not dim.of(Origin.UNKNOWN) else None


def _squeezed(call: Call, tensor: Tensor, axes: Parts) -> Tensor | None:
    sizes = call.context.sizes_of(axes)
    if sizes is None:
        return None
    places = {normal_axis(each.integer, len(tensor.dims)) for each in sizes}
    if any(place is None or tensor.dims[place].number != 1 for place in places):
        return None
    return Tensor(tuple(dim for axis, dim in enumerate(tensor.dims) if axis not in places), None, tensor.kind)


@operation("adjoint", "matrix_transpose")
def turn_last(call: Call) -> Abstract | None:
    """The last two axes change places."""
    tensor = call.tensor(0, "input", "x", "a")
    return last_turned(call.context, tensor) if tensor is not None else None


@operation("t", keeps_diagonal=ALL, method_keeps_rows=ALL, transposes=ALL)
def turn(call: Call) -> Abstract | None:
    """Rows and columns change places."""
    tensor = call.tensor(0, "input")
    if tensor is None:
        return None
    if tensor.rest is None and len(tensor.dims) == 1:
        return tensor
    return turned(call.context, tensor)


@operation(
    "transpose swapaxes swapdims Transpose",
    method_keeps_rows="transpose swapaxes",
    keeps_rows="transpose swapaxes Transpose",
    transposes="transpose swapaxes Transpose",
    operator="Transpose",
)
def transpose(call: Call) -> Abstract | None:
    """Two axes change places; numpy and TensorFlow take an order, or turn all round."""
    known = call.known(0, "input", "a", "x")
    tensor = call.context.as_tensor(known) if known is not None else None
    if tensor is None:
        return None
    order = call.at(1, "perm", "axes") if call.at(2, "dim1", "axis2") is None else None
    if order is not None:
        places = call.axes(1, "perm", "axes")
        return _ordered(call, tensor, places) if places is not None and len(places) > 1 else None
    if call.at(1, "dim0", "axis1") is None:
        return turned(call.context, tensor)
    first, second = call.integer(1, "dim0", "axis1"), call.integer(2, "dim1", "axis2")
    if first is None or second is None:
        return None
    if tensor.rest is not None:
        if first < 0 or second < 0:
            if {first, second} != {-1, -2} or len(tensor.dims) < 2:
                tensor = call.context.with_rank(tensor, max(len(tensor.dims), 2), likely=True)
        elif isinstance(known, Opaque) and {first, second} == {0, 1}:
            tensor = tensor.opened(2)
        tensor = tensor.opened(max(first, second) + 1)
    one, other = (normal_axis(each, len(tensor.dims)) for each in (first, second))
    if one is None or other is None:
        return None
    dims = list(tensor.dims)
    dims[one], dims[other] = dims[other], dims[one]
    return Tensor(tuple(dims), tensor.rest, tensor.kind)


def _ordered(call: Call, tensor: Tensor, places: list[int]) -> Tensor | None:
    tensor = call.rank(tensor, len(places))
    found = [normal_axis(each, len(tensor.dims)) for each in places]
    axes = [each for each in found if each is not None]
    if sorted(axes) != list(range(len(tensor.dims))):
        return None
    return Tensor(tuple(tensor.dims[each] for each in axes), None, tensor.kind)


@operation("permute", method_keeps_rows=ALL, keeps_rows=ALL, transposes=ALL)
def permute(call: Call) -> Abstract | None:
    """``x.permute(1, 0, 2)``."""
    tensor, places = call.tensor(0, "input"), call.axes(1, "dims")
    return _ordered(call, tensor, places) if tensor is not None and places is not None else None


@operation("movedim", "moveaxis")
def movedim(call: Call) -> Abstract | None:
    """One axis moves to another place."""
    tensor = call.tensor(0, "input", "a")
    source, target = call.integer(1, "source"), call.integer(2, "destination")
    if tensor is None or tensor.rest is not None:
        return None
    start, end = (normal_axis(each, len(tensor.dims)) for each in (source, target))
    if start is None or end is None:
        return None
    dims = list(tensor.dims)
    dims.insert(end, dims.pop(start))
    return Tensor(tuple(dims), None, tensor.kind)


@operation("rearrange", keeps_rows=ALL, reshapes=ALL)
def rearrange(call: Call) -> Abstract | None:
    """einops: ``rearrange(x, "b v d -> (v b) d")``, with sizes of axes as keywords."""
    tensor, pattern = call.tensor(0, "tensor"), call.at(1, "pattern")
    if tensor is None or pattern is None or pattern.op != "str":
        return None
    left, arrow, right = str(pattern.literal).partition("->")
    before, after = _groups(left), _groups(right)
    if not arrow or before is None or after is None:
        return None
    tensor = call.rank(tensor, len(before))
    if len(tensor.dims) != len(before):
        return None
    known: dict[str, Dim] = {}
    for name, value in call.named.items():
        size = call.context.number(value, call.frame)
        if size is not None:
            known[name] = size
    for group, dim in zip(before, tensor.dims, strict=True):
        missing = [each for each in group if each not in known]
        given = total([known[each] for each in group if each in known])
        if not missing:
            call.equal(dim, given)
        elif len(missing) == 1:
            size = dim.over(given)
            if size is None:
                return None
            if given.number != 1:
                call.kept(dim, given)
            known[missing[0]] = size
        else:
            return None
    if any(each not in known for group in after for each in group):
        return None
    return Tensor(tuple(total([known[each] for each in group]) for group in after), None, tensor.kind)


def _groups(side: str) -> list[list[str]] | None:
    """The axes of one side of a pattern, those in brackets together."""
    found: list[list[str]] = []
    inside = False
    for each in side.replace("(", " ( ").replace(")", " ) ").split():
        if each == "(":
            inside = True
            found.append([])
        elif each == ")":
            inside = False
        elif each == "1":
            found.append([]) if not inside else None
        elif not each.isidentifier():
            return None
        elif inside:
            found[-1].append(each)
        else:
            found.append([each])
    return found
