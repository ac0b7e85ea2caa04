"""Products and similarities of rows with rows, by whatever name."""

from __future__ import annotations

from infonce_lint.semantic.shapes.call import Call, normal_axis
from infonce_lint.semantic.shapes.columns import ALL
from infonce_lint.semantic.shapes.dims import ONE, Dim, number
from infonce_lint.semantic.shapes.domain import SCALAR, Abstract, Number, Parts, Tensor
from infonce_lint.semantic.shapes.products import last_turned, multiplied
from infonce_lint.semantic.shapes.table import operation


def _pair(call: Call) -> tuple[Tensor, Tensor] | None:
    first = call.tensor(0, "input", "x1", "a", "x", "mat1")
    second = call.tensor(1, "other", "x2", "b", "mat2", "y", "vec")
    return (first, second) if first is not None and second is not None else None


@operation("matmul", "MatMul", "BatchMatMul", "__matmul__", compares="matmul MatMul BatchMatMul")
def matmul(call: Call) -> Abstract | None:
    """``torch.matmul(a, b)``; TensorFlow turns the second where it is asked to."""
    pair = _pair(call)
    if pair is None:
        return None
    first, second = pair
    if _turns(call, 2, "transpose_a", "transpose_x", "adjoint_a"):
        turned = last_turned(call.context, first)
        if turned is None:
            return None
        first = turned
    if _turns(call, 3, "transpose_b", "transpose_y", "adjoint_b"):
        turned = last_turned(call.context, second)
        if turned is None:
            return None
        second = turned
    return multiplied(call.context, first, second, call.site)


def _turns(call: Call, position: int, *names: str) -> bool:
    """Whether an operand is asked to be turned, by the call or by the construction of the operator."""
    if call.setup is not None:
        return call.setup.truth(position - 2, *names)
    return call.library not in ("torch", "numpy", "jax") and call.truth(position, *names)


@operation("mm", compares=ALL)
def mm(call: Call) -> Abstract | None:
    """Two matrices."""
    pair = _pair(call)
    if pair is None:
        return None
    first, second = (call.rank(each, 2) for each in pair)
    return multiplied(call.context, first, second, call.site)


@operation("bmm", compares=ALL)
def bmm(call: Call) -> Abstract | None:
    """Two batches of matrices."""
    pair = _pair(call)
    if pair is None:
        return None
    first, second = (call.rank(each, 3) for each in pair)
    if len(first.dims) != 3 or len(second.dims) != 3:
        return None
    call.equal(first.dims[0], second.dims[0])
    call.equal(first.dims[2], second.dims[1])
    return Tensor((first.dims[0], first.dims[1], second.dims[2]))


@operation("addmm", "baddbmm", "addbmm")
def added_product(call: Call) -> Abstract | None:
    """A product added to what the result is broadcast with."""
    first, second = call.tensor(1, "mat1", "batch1"), call.tensor(2, "mat2", "batch2")
    if first is None or second is None:
        return None
    product = multiplied(call.context, first, second, call.site)
    if call.value.name == "addbmm" and product is not None:  # the products of a batch are added up
        product = Tensor(product.dims[1:])
    added = call.tensor(0, "input")
    return call.broadcast([product, added]) if product is not None and added is not None else product


@operation("mv", compares=ALL)
def mv(call: Call) -> Abstract | None:
    """A matrix and a vector."""
    pair = _pair(call)
    if pair is None:
        return None
    return multiplied(call.context, call.rank(pair[0], 2), call.rank(pair[1], 1), call.site)


@operation("torch:dot", "vdot", "torch:inner", "inner", "dot", compares="dot inner")
def dot(call: Call) -> Abstract | None:
    """Two vectors; numpy's ``dot`` multiplies matrices, ``inner`` meets in the last axes."""
    pair = _pair(call)
    if pair is None:
        return None
    first, second = pair
    if call.value.name == "inner":
        if first.rest is not None or second.rest is not None or not first.dims or not second.dims:
            return None
        call.equal(first.dims[-1], second.dims[-1])
        return Tensor((*first.dims[:-1], *second.dims[:-1]))
    if call.library == "torch":
        call.equal(first.axis(0), second.axis(0))
        return SCALAR
    return multiplied(call.context, first, second, call.site)


@operation("linear")
def linear(call: Call) -> Abstract | None:
    """``F.linear(x, w)``: x times w turned."""
    tensor, weight = call.tensor(0, "input"), call.tensor(1, "weight")
    if tensor is None or weight is None:
        return None
    weight = call.rank(weight, 2)
    if tensor.rest is not None:
        tensor = call.context.with_rank(tensor, max(2, len(tensor.dims)), likely=True)
    if not tensor.dims or len(weight.dims) != 2:
        return None
    call.equal(tensor.dims[-1], weight.dims[1])
    return Tensor((*tensor.dims[:-1], weight.dims[0]))


@operation("einsum", compares=ALL)
def einsum(call: Call) -> Abstract | None:
    """``einsum("nd,md->nm", a, b)``."""
    pattern = call.at(0, "equation", "subscripts")
    if pattern is None or pattern.op != "str":
        return None
    left, arrow, right = str(pattern.literal).replace(" ", "").partition("->")
    terms = left.split(",")
    if not arrow:  # the letters that stand once, in their order
        right = "".join(sorted(each for each in set(left) if each.isalpha() and left.count(each) == 1))
    if "." in left:
        return None
    known = call.known(1, "operands")
    listed = call.context.as_tensor(known) if isinstance(known, Parts) else None
    if isinstance(known, Parts) and listed is not None and len(call.positional) == 2:
        operands = [call.context.as_tensor(each) for each in known.items]
    else:
        operands = [call.tensor(place) for place in range(1, 1 + len(terms))]
    if len(operands) != len(terms):
        return None
    dims: dict[str, Dim] = {}
    for term, operand in zip(terms, operands, strict=True):
        if operand is None:
            continue
        operand = call.rank(operand, len(term))
        if len(operand.dims) != len(term):
            return None
        for letter, dim in zip(term, operand.dims, strict=True):
            if letter in dims:
                call.equal(dims[letter], dim)
            else:
                dims[letter] = dim
    if any(letter not in dims for letter in right):
        return None
    return Tensor(tuple(dims[letter] for letter in right))


@operation("tensordot", compares=ALL)
def tensordot(call: Call) -> Abstract | None:
    """Two tensors that meet in named axes; with one of each, ``[[1], [1]]``."""
    pair = _pair(call)
    axes = call.known(2, "dims", "axes")
    if pair is None:
        return None
    first, second = (call.context.with_rank(each, max(2, len(each.dims)), likely=True) for each in pair)
    if isinstance(axes, Number) and (count := axes.dim.integer) is not None and count >= 0:
        left, right = list(range(len(first.dims) - count, len(first.dims))), list(range(count))
    elif isinstance(axes, Parts) and len(axes.items) == 2:
        asked = [call.context.sizes_of(each) for each in axes.items]
        left, right = ([each.integer if each.integer is not None else 99 for each in some or ()] for some in asked)
    else:
        return None
    met = [normal_axis(each, len(first.dims)) for each in left], [normal_axis(each, len(second.dims)) for each in right]
    if not met[0] or len(met[0]) != len(met[1]) or None in met[0] or None in met[1]:
        return None
    for one, other in zip(*met, strict=True):
        call.equal(first.axis(one or 0), second.axis(other or 0))
    kept = [
        tuple(dim for axis, dim in enumerate(tensor.dims) if axis not in gone)
        for tensor, gone in zip((first, second), met, strict=True)
    ]
    return Tensor((*kept[0], *kept[1]))


@operation("cdist", compares=ALL)
def cdist(call: Call) -> Abstract | None:
    """Every row with every row."""
    pair = _pair(call)
    if pair is None:
        return None
    first, second = (call.context.with_rank(each, 2, likely=True) for each in pair)
    if len(first.dims) < 2 or len(second.dims) < 2:
        return None
    call.equal(first.dims[-1], second.dims[-1])
    batch = call.broadcast([Tensor(each.dims[:-2]) for each in (first, second)])
    return Tensor((*batch.dims, first.dims[-2], second.dims[-2])) if batch is not None else None


@operation("pdist")
def pdist(call: Call) -> Abstract | None:
    """Every pair of rows once."""
    tensor = call.tensor(0, "input", "X")
    if tensor is None:
        return None
    rows = call.rank(tensor, 2).dims[0]
    pairs = (rows * (rows - ONE)).over(number(2))
    return Tensor((pairs,)) if pairs is not None else None


@operation(
    "pairwise_cosine_similarity cos_sim pairwise_euclidean_distance",
    compares="pairwise_cosine_similarity cos_sim",
)
def pairwise(call: Call) -> Abstract | None:
    """Every row with every row; of one tensor, with itself."""
    first = call.tensor(0, "x", "a")
    second = call.tensor(1, "y", "b") if call.at(1, "y", "b") is not None else first
    if first is None or second is None:
        return None
    first, second = (call.context.with_rank(each, 2, likely=True) for each in (first, second))
    if len(first.dims) != 2 or len(second.dims) != 2:
        return None
    call.equal(first.dims[1], second.dims[1])
    return Tensor((first.dims[0], second.dims[0]))


@operation(
    "cosine_similarity CosineSimilarity pairwise_distance PairwiseDistance",
    compares="cosine_similarity CosineSimilarity pairwise_distance",
)
def cosine_similarity(call: Call) -> Abstract | None:
    """Broadcast, then one axis goes: ``cosine_similarity(x.unsqueeze(1), x.unsqueeze(0), dim=2)``."""
    pair = _pair(call)
    if pair is None:
        return None
    is_module = call.setup is not None
    source = call.setup if call.setup is not None else call
    is_cosine = call.value.name == "cosine_similarity" or (is_module and source.value.name == "CosineSimilarity")
    if call.library not in ("torch", ""):
        return None
    position = (0 if is_module else 2) if is_cosine else 99
    axis = source.integer(position, "dim", "axis", default=1 if is_cosine else -1)
    if axis is None:
        return None
    opened = []
    for tensor in pair:
        if tensor.rest is not None and axis >= 0:
            tensor = call.context.with_rank(tensor, max(axis + 1, len(tensor.dims)), likely=True)
        opened.append(tensor)
    shape = call.broadcast(opened)
    if shape is None or shape.rest is not None:
        return None
    place = normal_axis(axis, len(shape.dims))
    if place is None:
        return None
    keeps = not is_cosine and source.truth(2 if is_module else 4, "keepdim")
    return Tensor((*shape.dims[:place], *((ONE,) if keeps else ()), *shape.dims[place + 1 :]))
