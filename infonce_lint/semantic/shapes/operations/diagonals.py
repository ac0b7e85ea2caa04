"""Diagonals: taken out of a matrix, or laid out as one."""

from __future__ import annotations

from infonce_lint.semantic.shapes.call import Call, normal_axis, total
from infonce_lint.semantic.shapes.dims import ZERO, Dim
from infonce_lint.semantic.shapes.domain import Abstract, Tensor
from infonce_lint.semantic.shapes.table import operation


@operation(
    "diag diagonal diag_part matrix_diag_part tensor_diag_part",
    diagonal="diag diagonal diag_part matrix_diag_part",
    cuts_diagonal="diag diagonal diag_part matrix_diag_part",
)
def diagonal(call: Call) -> Abstract | None:
    """The diagonal of a matrix; of a vector, the matrix with it."""
    tensor = call.tensor(0, "input", "v", "a")
    if tensor is None:
        return None
    shift = _shift(call, "diagonal", "offset", "k")
    if tensor.rest is not None:
        tensor = call.context.with_rank(tensor, max(2, len(tensor.dims)), likely=True)
    first, second = call.integer(2, "dim1", "axis1", default=0), call.integer(3, "dim2", "axis2", default=1)
    if call.library == "tensorflow" or call.value.name == "matrix_diag_part" or _is_of_linalg(call):
        first, second = -2, -1
    if len(tensor.dims) == 1:
        if call.value.name != "diag":
            return None
        return Tensor((tensor.dims[0] + shift,) * 2, None, tensor.kind) if shift is not None else call.unknown(2)
    if call.value.name == "diag" and call.positional and call.positional[0] in call.context.rows:
        call.context.confirm(tensor)  # a similarity, which is no vector
    places = [normal_axis(each, len(tensor.dims)) for each in (first, second)]
    if None in places or places[0] == places[1] or (len(tensor.dims) > 2 and call.value.name == "diag"):
        return None
    rows, columns = (tensor.dims[each or 0] for each in places)
    rest = [dim for axis, dim in enumerate(tensor.dims) if axis not in places]
    if shift is not None and shift.terms:
        call.cut(rows, shift)
    return Tensor((*rest, _side(call, rows, columns, shift)), None, tensor.kind)


def _is_of_linalg(call: Call) -> bool:
    called = call.value.inputs[0]
    return bool(called.inputs) and called.inputs[0].name == "linalg"


def _shift(call: Call, *names: str) -> Dim | None:
    """How far a diagonal is from the main one; None where it is not known on which side of it."""
    offset = call.number(1, *names) if call.at(1, *names) is not None else ZERO
    if offset is None:
        return None
    signs = {value > 0 for _, value in offset.terms}
    return None if len(signs) > 1 else -offset if signs == {False} else offset


def _side(call: Call, rows: Dim, columns: Dim, shift: Dim | None) -> Dim:
    """The length of a diagonal: that of a rectangle ends at the shorter side, if that is seen."""
    if shift is not None and rows == columns:
        return rows - shift
    signs = {value > 0 for _, value in (columns - rows).terms}
    if shift == ZERO and len(signs) == 1:
        return rows if signs == {True} else columns
    length = call.fresh()
    if shift == ZERO:
        call.below(length, rows)
        call.below(length, columns)
    return length


@operation(
    "diag_embed diagflat matrix_diag tensor_diag tensorflow:diag",
    makes_mask="diag_embed",
    cuts_diagonal="diagflat",
)
def diag_embed(call: Call) -> Abstract | None:
    """Vectors laid out as diagonals; all entries in one by ``diagflat``."""
    tensor, shift = call.tensor(0, "input", "v", "diagonal"), _shift(call, "offset", "k")
    if tensor is None or tensor.rest is not None or not tensor.dims or shift is None:
        return None
    if call.value.name == "tensor_diag" and len(tensor.dims) > 1:
        return None
    if call.value.name == "diagflat":
        tensor = Tensor((total(tensor.dims),), None, tensor.kind)
    side = tensor.dims[-1] + shift
    return Tensor((*tensor.dims[:-1], side, side), None, tensor.kind)
