"""Indexing: what remains of the axes of a tensor, and the facts that masks and slices need."""

from __future__ import annotations

from infonce_lint.semantic.graph.literals import is_none
from infonce_lint.semantic.graph.values import Value
from infonce_lint.semantic.shapes.context import Context
from infonce_lint.semantic.shapes.dims import ONE, ZERO, Dim, Origin, number, symbol
from infonce_lint.semantic.shapes.domain import (
    Abstract,
    Extents,
    Frame,
    Kind,
    Listing,
    Number,
    Opaque,
    Parts,
    Site,
    Tensor,
    Text,
)
from infonce_lint.semantic.shapes.facts import Relation

#: So many rows any batch is taken to have.
_FEW = 2


def subscript(context: Context, value: Value, frame: Frame) -> Abstract | None:
    """``base[index]`` of a tensor, a tuple, a shape or a list."""
    site = Site(value, frame)
    base = context.evaluate(value.inputs[0], frame)
    indices = value.inputs[1:]
    first = context.evaluate(indices[0], frame) if len(indices) == 1 and indices[0].op != "slice" else None
    if isinstance(first, Text):
        return context.read_at_path(value, frame)
    if isinstance(base, Parts | Extents) and len(indices) == 1:
        return _of_sequence(context, base, indices[0], first, site)
    if isinstance(base, Listing) and len(indices) == 1:
        place = _integer(first) if first is not None else None
        return context.element(base, context.element_site(value.inputs[0], place, site)) if first is not None else None
    if isinstance(base, Opaque) and not _takes_tensors(context, base, indices, first):
        if len(indices) == 1 and indices[0].op == "slice":
            return context.like(site, base)
        return context.read_at_path(value, frame) if isinstance(first, Number) else None
    tensor = context.as_tensor(base) if isinstance(base, Tensor | Opaque) else None
    return indexed(context, tensor, indices, site) if tensor is not None else None


def _takes_tensors(context: Context, base: Opaque, indices: list[Value], first: Abstract | None) -> bool:
    """Whether only a tensor is indexed like this: a list takes one number or one slice, a mapping takes keys."""
    several = indices[0].inputs if len(indices) == 1 and indices[0].op == "tuple" else indices
    is_proof = isinstance(first, Tensor) and bool(first.dims)
    for each in several:
        is_new = is_none(each) or each.name in ("newaxis", "Ellipsis")
        is_proof = is_proof or is_new or (len(several) > 1 and each.op == "slice")
    if is_proof:
        context.prove(base)
    return context.is_tensor(base)


def _of_sequence(
    context: Context, base: Parts | Extents, index: Value, known: Abstract | None, site: Site
) -> Abstract | None:
    if isinstance(known, Number):
        place = known.dim.integer
        if place is not None:
            return context.element(base, site, place)
        return context.element(base, site) if isinstance(base, Parts) else None
    if index.op != "slice":
        return None
    bounds = [each.dim.integer if isinstance(each, Number) else None for each in _bounds(context, index, site.frame)]
    if any(given is not None and bound is None for given, bound in zip(_given(index), bounds, strict=True)):
        return None
    start, stop, step = bounds
    part = slice(start, stop, step)
    if isinstance(base, Parts):
        return Parts(base.items[part])
    if base.tensor.rest is None:
        return Parts(tuple(Number(each) for each in base.tensor.dims[part]))
    if not start and step is None and stop is not None and stop > 0:
        return Parts(tuple(Number(each) for each in base.tensor.opened(stop).dims[part]))
    return None


def _given(index: Value) -> list[Value | None]:
    """The bounds of a slice as they are written: lower, upper, step."""
    node, left = index.node, list(index.inputs)
    return [left.pop(0) if getattr(node, name, None) is not None else None for name in ("lower", "upper", "step")]


def _bounds(context: Context, index: Value, frame: Frame) -> list[Abstract | None]:
    found = [context.evaluate(each, frame) if each is not None else None for each in _given(index)]
    return [None if each is not None and is_none(each) else known for each, known in zip(_given(index), found)]


def indexed(context: Context, tensor: Tensor, indices: list[Value], site: Site) -> Abstract | None:
    """The shape of ``tensor[indices]``; None where an index is not known well enough."""
    if len(indices) == 1 and indices[0].op == "tuple" and getattr(indices[0], "name", "") == "Tuple":
        indices = indices[0].inputs
    places = _tuple_of_places(context, indices, site)
    if places is not None:
        return _at_places(context, tensor, places, site)
    dims: list[Dim] = []
    picked: list[Tensor] = []  # advanced indices, broadcast together
    place = None
    axis = 0
    for order, index in enumerate(indices):
        if is_none(index) or (index.op == "attr" and index.name == "newaxis"):
            dims.append(ONE)
            continue
        if index.op == "other" and index.name == "Ellipsis":
            behind = sum(not is_none(each) and each.name != "newaxis" for each in indices[order + 1 :])
            if tensor.rest is not None:
                return None
            end = len(tensor.dims) - behind
            dims += tensor.dims[axis:end]
            axis = end
            continue
        if index.op == "slice":
            whole = tensor.axis(axis)
            if whole is None:
                return None
            dims.append(_sliced(context, index, whole, site))
            axis += 1
            continue
        known = context.evaluate(index, site.frame)
        if isinstance(known, Number):
            if known.dim.of(Origin.SIZE):
                context.note(Relation.CUT, tensor.axis(axis), known.dim, site)
            axis += 1
            continue
        if isinstance(known, Tensor) and known.kind is Kind.BOOL and known.rest is None and known.dims:
            dims.append(_masked(context, tensor, known, axis, site))
            axis += len(known.dims)
            continue
        entries = _entries(context, known)
        if entries is None:
            return None
        place = len(dims) if place is None else place
        picked.append(entries)
        axis += 1
    tensor = tensor.opened(axis)
    if tensor.rest is None and axis > len(tensor.dims):
        return None
    if picked and place is not None:
        together = context.broadcast(picked, site)
        if together is None:
            return None
        dims[place:place] = together.dims
    return context.seen(Tensor((*dims, *tensor.dims[axis:]), tensor.rest, tensor.kind), tensor)


def _tuple_of_places(context: Context, indices: list[Value], site: Site) -> list[Tensor] | None:
    """The rows and columns of ``x[np.triu_indices(n)]``; None for any other index."""
    if len(indices) != 1 or indices[0].op in ("slice", "tuple"):
        return None
    known = context.evaluate(indices[0], site.frame)
    if not isinstance(known, Parts) or not known.items:
        return None
    found = [each for each in known.items if isinstance(each, Tensor) and each.dims]
    return found if len(found) == len(known.items) else None


def _at_places(context: Context, tensor: Tensor, places: list[Tensor], site: Site) -> Tensor | None:
    if any(each.kind is not Kind.INTEGER or each.rest is not None for each in places):
        return None
    tensor = tensor.opened(len(places))
    together = context.broadcast(places, site)
    if together is None or len(tensor.dims) < len(places):
        return None
    return Tensor((*together.dims, *tensor.dims[len(places) :]), tensor.rest, tensor.kind)


def _entries(context: Context, known: Abstract) -> Tensor | None:
    """The shape of an index that picks entries by number; None where it may as well be a mask."""
    if isinstance(known, Tensor) and known.kind is not Kind.INTEGER:
        is_place = not known.dims and known.rest is None and known.kind is Kind.ANY
        return known if is_place else None
    if isinstance(known, Tensor | Listing | Parts):
        found = context.as_tensor(known)
        return found if found is not None and found.rest is None else None
    return None


def _masked(context: Context, tensor: Tensor, mask: Tensor, axis: int, site: Site) -> Dim:
    """How many entries a mask keeps is its own number; its axes must be those of the tensor."""
    if len(mask.dims) > 1:
        context.confirm(tensor)
    for offset, dim in enumerate(mask.dims):
        context.note(Relation.EQUAL, dim, tensor.axis(axis + offset), site)
    return symbol(Origin.UNKNOWN, site, axis)


def _sliced(context: Context, index: Value, whole: Dim, site: Site) -> Dim:
    """The length of a slice, and the facts that its bounds part the axis."""
    lower, upper, step = _bounds(context, index, site.frame)
    unknown = symbol(Origin.UNKNOWN, site, 100)
    if any(each is not None and not isinstance(each, Number | Opaque) for each in (lower, upper, step)):
        return unknown
    if whole.integer is not None and all(each is None or _integer(each) is not None for each in (lower, upper, step)):
        places = slice(*(None if each is None else _integer(each) for each in (lower, upper, step)))
        return number(len(range(whole.integer)[places]))
    low, high, stride = (context.as_number(each) if each is not None else None for each in (lower, upper, step))
    for bound in (low, high):
        if bound is not None and bound.of(Origin.SIZE):
            context.note(Relation.CUT, whole, bound, site)
    if any(bound is not None and abs(bound.integer or 0) > _FEW for bound in (low, high)):
        return unknown  # it may well be behind the end
    if any(bound is not None and _is_elsewhere(bound, whole) for bound in (low, high)):
        return unknown
    start = ZERO if low is None else whole + low if _is_negative(low) else low
    end = whole if high is None else whole + high if _is_negative(high) else high
    length = end - start
    if stride is None:
        return length
    part = _strided(whole, start, high, stride)
    if part is not None and any(value.denominator != 1 for _, value in part.terms):
        context.note(Relation.KEPT, whole, stride, site)
        context.shares.setdefault((whole, stride), set()).add(start)
    return part or unknown


def _integer(known: Abstract) -> int | None:
    return known.dim.integer if isinstance(known, Number) else None


def _strided(whole: Dim, start: Dim, high: Dim | None, stride: Dim) -> Dim | None:
    """The length of ``x[start::stride]`` where the stride divides the axis."""
    first, every = start.integer, stride.integer
    if first is None or every is None or every < 1 or first >= every or high is not None:
        return None
    return whole.over(number(every))


def _is_elsewhere(bound: Dim, whole: Dim) -> bool:
    """Whether a bound is counted by another tensor, which may well have more rows: a slice ends where its axis does."""
    axes = bound.of(Origin.AXIS)
    for each in bound.of(Origin.UNKNOWN):
        if isinstance(each.owner, tuple) and each.owner[0] == "floor" and isinstance(each.owner[1], Dim):
            axes |= each.owner[1].of(Origin.AXIS)
    return not axes <= whole.of(Origin.AXIS)


def _is_negative(dim: Dim) -> bool:
    """Whether a bound counts from the end."""
    return bool(dim.terms) and all(value < 0 for _, value in dim.terms)


def _with_item(base: Parts, place: Abstract | None, item: Abstract) -> Parts | None:
    """``zs[0] = x`` of a list whose elements are told apart."""
    at = _integer(place) if place is not None else None
    if at is None or not -len(base.items) <= at < len(base.items):
        return None
    items = list(base.items)
    items[at] = item
    return Parts(tuple(items))


def assignment(context: Context, value: Value, frame: Frame) -> Abstract | None:
    """``base[index] = entries``: the base keeps its shape, the entries must fit the place."""
    site = Site(value, frame)
    base = context.evaluate(value.inputs[0], frame)
    indices = value.inputs[1:-1]
    first = context.evaluate(indices[0], frame) if len(indices) == 1 and indices[0].op != "slice" else None
    if isinstance(base, Parts):
        return _with_item(base, first, context.evaluate(value.inputs[-1], frame))
    if isinstance(base, Opaque) and not _takes_tensors(context, base, indices, first):
        return context.like(site, base)
    tensor = context.as_tensor(base) if isinstance(base, Tensor | Opaque) else None
    if tensor is None:
        return None
    place = indexed(context, tensor, indices, site)
    entries = context.evaluate(value.inputs[-1], frame)
    if isinstance(place, Tensor) and isinstance(entries, Tensor) and entries.rest is None and place.rest is None:
        for dim, room in zip(reversed(entries.dims), reversed(place.dims), strict=False):
            if dim.number != 1:
                context.note(Relation.EQUAL, room, dim, site)
    return tensor
