"""Reductions: axes that go, or stay as one."""

from __future__ import annotations

from infonce_lint.semantic.shapes.call import Call, normal_axis, total
from infonce_lint.semantic.shapes.columns import ALL
from infonce_lint.semantic.shapes.dims import ONE, number
from infonce_lint.semantic.shapes.domain import SCALAR, Abstract, Extents, Kind, Number, Parts, Tensor
from infonce_lint.semantic.shapes.table import operation


def reduced(call: Call, tensor: Tensor, axes: list[int] | None, *, keeps: bool) -> Tensor | None:
    """The tensor without some of its axes, or with those as one."""
    if axes is None:
        return SCALAR
    if tensor.rest is not None:
        if any(each < 0 for each in axes):
            if len(axes) > 1 or tensor.rest.site.value.op == "binop":
                return None  # of what is computed here in a way that is not followed, nothing is likely
            tensor = call.context.with_rank(tensor, call.context.likely_rank(tensor, 2), likely=True)
        else:
            tensor = call.context.with_rank(tensor, call.context.likely_rank(tensor, max(axes) + 1), likely=True)
    places = {normal_axis(each, len(tensor.dims)) for each in axes}
    if None in places:
        return None
    dims = [(ONE if axis in places else dim, axis in places) for axis, dim in enumerate(tensor.dims)]
    left = tuple(dim for dim, gone in dims if keeps or not gone)
    return call.context.seen(Tensor(left, tensor.rest, Kind.ANY), tensor)


@operation(
    """sum mean amax amin prod any all logsumexp reduce_sum reduce_mean reduce_max reduce_min reduce_logsumexp
    norm var std nansum nanmean argmax argmin count_nonzero vector_norm ReduceSum ReduceMean reduce_any
    reduce_all reduce_prod median nanmedian quantile numpy:max numpy:min jax:max jax:min""",
    reduces="sum mean reduce_sum reduce_mean",
    logarithm="logsumexp reduce_logsumexp",
    method_keeps_rows="norm",
    sums_axis="sum mean reduce_sum reduce_mean norm ReduceSum",
    sums_rows="sum reduce_sum ReduceSum",
    operator="ReduceSum ReduceMean",
)
def reduce(call: Call) -> Abstract | None:
    """``x.sum(dim=1, keepdim=True)``; without an axis, of all entries."""
    known = call.known(0, "input", "a", "x", "input_tensor")
    if isinstance(known, Number) or known is None:
        return None
    tensor = call.tensor(0, "input", "a", "x", "input_tensor")
    if tensor is None:
        return None
    place = 2 if call.value.name in ("norm", "vector_norm", "quantile") else 1
    asked = call.known(1, "q") if call.value.name == "quantile" else None
    if asked is not None and asked != SCALAR.of(Kind.FLOAT):
        return None  # an axis more, if several are asked for
    given = call.at(place, "dim", "axis", "axes", "reduction_indices")
    axes = None
    if given is not None and given.name not in ("None", "True", "False"):
        sizes = call.context.sizes_of(call.evaluate(given))
        if sizes is None or any(each.integer is None for each in sizes):
            return None
        axes = [each.integer for each in sizes if each.integer is not None]
    if call.value.name in ("var", "std") and call.library != "numpy":
        place += 1  # after how it is divided
    if len(call.positional) > place + 2:
        return None
    is_numpy = call.library in ("numpy", "jax")
    keeps = call.setup is not None and call.setup.truth(0, "keep_dims")
    keeps = keeps or call.truth(99 if is_numpy else place + 1, "keepdim", "keepdims", "keep_dims")
    result = reduced(call, tensor, axes, keeps=keeps)
    if result is not None and call.value.name in ("any", "all", "reduce_any", "reduce_all"):
        return result.of(Kind.BOOL)
    if result is not None and call.value.name in ("argmax", "argmin"):
        return result.of(Kind.INTEGER)
    if call.value.name in ("median", "nanmedian") and axes is not None and not is_numpy:
        return Parts((result, result.of(Kind.INTEGER))) if result is not None else None
    return result


@operation("max", "min", "cummax", "cummin", margin="max")
def extreme(call: Call) -> Abstract | None:
    """torch's ``x.max(dim)`` gives values and numbers, ``max(x, y)`` the greater entries."""
    tensor = call.tensor(0, "input", "x")
    if tensor is None or call.library == "python":
        return None
    if call.value.name.startswith("cum"):
        return Parts((tensor, tensor.of(Kind.INTEGER)))
    if not call.library and call.named.keys() & {"axis", "keepdims"}:
        return None  # it may as well be numpy's
    given = call.at(1, "dim", "axis", "other")
    if given is None:
        return SCALAR
    axis = call.integer(1, "dim", "axis")
    if axis is None or "other" in call.named:
        other = call.tensor(1, "other")
        return call.broadcast([tensor, other]) if other is not None else None
    values = reduced(call, tensor, [axis], keeps=call.truth(2, "keepdim"))
    return Parts((values, values.of(Kind.INTEGER))) if values is not None else None


@operation("kthvalue", "mode")
def one_of_each(call: Call) -> Abstract | None:
    """(value, number) of one entry of each row."""
    tensor = call.tensor(0, "input", "x")
    place = 2 if call.value.name == "kthvalue" else 1
    axis = call.integer(place, "dim", "axis", default=-1)
    if tensor is None or axis is None or call.library not in ("torch", ""):
        return None
    values = reduced(call, tensor, [axis], keeps=call.truth(place + 1, "keepdim"))
    return Parts((values, values.of(Kind.INTEGER))) if values is not None else None


@operation("std_mean", "var_mean")
def deviation_and_mean(call: Call) -> Abstract | None:
    """Two numbers of each row."""
    tensor, axis = call.tensor(0, "input"), call.integer(1, "dim")
    if tensor is None or axis is None or len(call.positional) > 2:
        return None
    values = reduced(call, tensor, [axis], keeps=call.truth(9, "keepdim"))
    return Parts((values, values)) if values is not None else None


@operation("numel", "nelement", "tensorflow:size", "paddle:numel", gives_no_entries="numel")
def entries(call: Call) -> Abstract | None:
    """How many entries there are."""
    tensor = call.tensor(0, "input", "x")
    return Number(total(tensor.dims)) if tensor is not None and tensor.rest is None else None


@operation("trace", decomposes=ALL)
def trace(call: Call) -> Abstract | None:
    """The sum of the diagonal of a matrix."""
    tensor = call.tensor(0, "input", "a", "x")
    return SCALAR if tensor is not None and tensor.rest is None and len(tensor.dims) == 2 else None


@operation("item", gives_no_entries=ALL, stops=ALL, asks_about=ALL)
def item(call: Call) -> Abstract | None:
    """The only entry."""
    return SCALAR


@operation("size", gives_no_entries=ALL, asks_about=ALL, looks=ALL)
def size(call: Call) -> Abstract | None:
    """``x.size()`` and ``x.size(0)``; numpy's is the number of entries."""
    tensor = call.tensor(0, "input", "a")
    if tensor is None or call.library == "numpy":
        return None
    if call.at(1, "dim", "axis") is None:
        return Extents(tensor)
    axis = call.integer(1, "dim", "axis")
    dim = tensor.axis(axis) if axis is not None else None
    return Number(dim) if dim is not None else None


@operation("shape get_shape shape_list as_list", gives_no_entries="shape get_shape", asks_about="shape", looks="shape")
def shape(call: Call) -> Abstract | None:
    """``tf.shape(x)``."""
    known = call.known(0, "input", "a", "x")
    if isinstance(known, Extents):
        return known
    tensor = call.tensor(0, "input", "a", "x")
    return Extents(tensor) if tensor is not None and call.value.name != "size" else None


@operation("dim", "ndimension", gives_no_entries="dim")
def rank(call: Call) -> Abstract | None:
    """How many axes there are."""
    tensor = call.tensor(0)
    return Number(number(len(tensor.dims))) if tensor is not None and tensor.rest is None else None
