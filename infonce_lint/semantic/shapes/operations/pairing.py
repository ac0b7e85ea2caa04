"""Vectors whose entries meet in all combinations: grids, outer products, lists of pairs."""

from __future__ import annotations

from infonce_lint.semantic.shapes.call import Call
from infonce_lint.semantic.shapes.columns import ALL
from infonce_lint.semantic.shapes.dims import ONE, number
from infonce_lint.semantic.shapes.domain import Abstract, Kind, Parts, Tensor
from infonce_lint.semantic.shapes.operations.joining import is_vector, kind_in_common
from infonce_lint.semantic.shapes.table import operation


@operation("meshgrid")
def meshgrid(call: Call) -> Abstract | None:
    """One grid for each vector, ``ij`` unless numpy's ``xy`` is meant."""
    tensors = _vectors(call)
    if tensors is None:
        return None
    dims = [each.dims[0] for each in tensors]
    indexing = call.named.get("indexing")
    is_xy = indexing.literal == "xy" if indexing is not None else call.library in ("numpy", "jax", "tensorflow")
    if is_xy and len(dims) > 1:
        dims[0], dims[1] = dims[1], dims[0]
    return Parts(tuple(Tensor(tuple(dims), None, each.kind) for each in tensors))


def _vectors(call: Call) -> list[Tensor] | None:
    """Vectors, given one by one or in one list."""
    listed = call.known(0) if len(call.positional) == 1 else None
    if call.starred is not None:
        return None
    if isinstance(listed, Parts):
        found = [call.context.as_tensor(each) for each in listed.items]
    else:
        found = [call.tensor(place) for place in range(len(call.positional))]
    tensors = [each for each in found if each is not None and is_vector(each)]
    return tensors if tensors and len(tensors) == len(found) else None


@operation("outer", "ger")
def outer(call: Call) -> Abstract | None:
    """Every entry times every entry."""
    left, right = call.tensor(0, "input", "a"), call.tensor(1, "vec2", "b")
    if left is None or right is None or left.rest is not None or right.rest is not None:
        return None
    if len(left.dims) != 1 or len(right.dims) != 1:
        return None
    return Tensor((left.dims[0], right.dims[0]), None, left.kind if left.kind is right.kind else Kind.ANY)


@operation("cartesian_prod")
def cartesian_product(call: Call) -> Abstract | None:
    """All tuples of the entries of some vectors."""
    tensors = _vectors(call)
    if tensors is None:
        return None
    rows = ONE
    for each in tensors:
        rows = rows * each.dims[0]
    return Tensor((rows, number(len(tensors))) if len(tensors) > 1 else (rows,), None, kind_in_common(tensors))


@operation("combinations", keeps_rows=ALL, carries=ALL)
def combinations(call: Call) -> Abstract | None:
    """All pairs of the entries of a vector."""
    tensor = call.tensor(0, "input")
    if tensor is None or not is_vector(tensor) or len(call.positional) > 1 or call.named or call.library != "torch":
        return None
    rows = tensor.dims[0]
    pairs = (rows * (rows - ONE)).over(number(2))
    return Tensor((pairs, number(2)), None, tensor.kind) if pairs is not None else None
