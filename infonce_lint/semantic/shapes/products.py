"""Matrix products: which axes meet in one and which remain."""

from __future__ import annotations

from infonce_lint.semantic.shapes.context import Context
from infonce_lint.semantic.shapes.domain import Site, Tensor
from infonce_lint.semantic.shapes.facts import Relation


def turned(context: Context, tensor: Tensor) -> Tensor | None:
    """``x.T``: of a matrix, rows and columns change places; of a tensor with more axes, all are reversed."""
    tensor = context.with_rank(tensor, 2)
    return Tensor(tuple(reversed(tensor.dims)), None, tensor.kind)


def last_turned(context: Context, tensor: Tensor) -> Tensor | None:
    """``x.mT``: the last two axes change places; what is open is taken for a matrix."""
    if tensor.rest is not None:
        tensor = context.with_rank(tensor, max(2, len(tensor.dims)), likely=True)
    if len(tensor.dims) < 2:
        return None
    *front, rows, columns = tensor.dims
    return Tensor((*front, columns, rows), None, tensor.kind)


def multiplied(context: Context, left: Tensor, right: Tensor, site: Site) -> Tensor | None:
    """``left @ right``: vectors, matrices, or batches of matrices; what is open is taken for a matrix."""
    if left.rest is not None and left.rest == right.rest and left.dims == right.dims[::-1] and len(left.dims) == 2:
        # a tensor and itself with the first two axes turned: with a third one, all three would have to be equal
        left, right = context.with_rank(left, 2), context.with_rank(right, 2)
    if left.rest is not None:
        left = context.with_rank(left, context.likely_rank(left, 2), likely=True)
    if right.rest is not None:
        right = context.with_rank(right, context.likely_rank(right, 2), likely=True)
    if not left.dims or not right.dims:
        return None
    if any(len(each.dims) == 1 and context.is_likely(each.dims) for each in (left, right)):
        return None  # a vector only if it has no more axes than is likely
    inner = right.dims[-2] if len(right.dims) > 1 else right.dims[0]
    context.note(Relation.EQUAL, left.dims[-1], inner, site)
    rows = left.dims[-2:-1]
    columns = right.dims[-1:] if len(right.dims) > 1 else ()
    batches = [Tensor(each.dims[:-2]) for each in (left, right) if len(each.dims) > 2]
    batch = context.broadcast(batches, site) if batches else Tensor(())
    return Tensor((*batch.dims, *rows, *columns)) if batch is not None else None
