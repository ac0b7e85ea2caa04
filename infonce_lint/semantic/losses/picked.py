"""Picked rows: a row that a loop picks is compared with all rows, and the matrix is put together round by round."""

from __future__ import annotations

from infonce_lint.semantic.graph.callables import resolve
from infonce_lint.semantic.graph.calls import called_name, is_library_call, option, receiver_of
from infonce_lint.semantic.graph.values import Function, Module, Op, Value
from infonce_lint.semantic.graph.walk import walk
from infonce_lint.semantic.losses.cone import cone_of
from infonce_lint.semantic.losses.evidence import SELF, TOWERS
from infonce_lint.semantic.losses.features import feature_inputs, roots
from infonce_lint.semantic.losses.seeds import Similarity
from infonce_lint.semantic.names import is_config_name
from infonce_lint.semantic.shapes.operations import Column, has

_COMBINED = frozenset({"Add", "Subtract", "Multiply", "Divide"})


def picked_seeds(module: Module) -> list[Similarity]:
    """The values of a module at which a row of a round meets all rows."""
    found: dict[Value, Similarity] = {}
    for value in module.values:
        if _is_row(value):
            for each in _meetings(value):
                found.setdefault(each.seed, each)
        elif value.op is Op.SETITEM and (filled := _filled_by_pairs(value)) is not None:
            found.setdefault(value, filled)
        elif value.op is Op.CALL and (mapped := _mapped_twice(value)) is not None:
            found.setdefault(value, mapped)
    return list(found.values())


def _is_row(value: Value) -> bool:
    """``x[i]`` and ``x[i : i + 1]`` with the variable of a loop, or that of ``for row in x``."""
    if value.op is Op.ITEM:
        around = value.inputs[0]
        return value.literal is None and around.op in _TENSORS and not is_config_name(around.name)
    if value.op is not Op.SUB:
        return False
    index = value.inputs[1].inputs if value.inputs[1].op is Op.TUPLE else value.inputs[1:]
    return bool(index) and not value.name and bool(_rounds(index[0]))


def _rounds(index: Value) -> set[Value]:
    """The variables of loops that an index is computed of."""
    numbers = walk([index], lambda each: each.inputs if each.op in _NUMBERS else ())
    return {each for each in numbers if each.op is Op.ITEM}


def _filled_by_pairs(store: Value) -> Similarity | None:
    """``d[i, j] = f(p[i], q[j])``: a score for each pair, whatever gives it."""
    index = [each for part in store.inputs[1:-1] for each in (part.inputs if part.op is Op.TUPLE else [part])]
    variables = [_rounds(each) for each in index]
    scored = store.inputs[-1]
    if len(index) != 2 or not all(variables) or variables[0] & variables[1] or scored.op not in _SCORES:
        return None
    if _is_recurrent(store):
        return None
    picked = [each for each in _computed_of(scored) if each.op is Op.SUB and _is_row(each)]
    rows = [next((each for each in picked if _rounds(each.inputs[1]) & own), None) for own in variables]
    first, second = rows
    if first is None or second is None:
        return None
    return Similarity(store, [first, second], SELF if roots(first) & roots(second) else TOWERS)


def _computed_of(scored: Value) -> list[Value]:
    return list(walk([scored], lambda each: each.inputs if each.op in _SCORES or each.op is Op.ATTR else ()))


def _is_recurrent(store: Value) -> bool:
    """Whether an entry is computed of others of the same matrix, as in the alignment of two sequences."""
    base = store.inputs[0]
    return any(each.op is Op.SUB and each.inputs[0] is base for each in _computed_of(store.inputs[-1]))


_NUMBERS = frozenset({Op.SLICE, Op.BINOP})
_SCORES = frozenset({Op.CALL, Op.BINOP, Op.UNARY})
_TENSORS = frozenset({Op.NAME, Op.CLOSURE, Op.BINOP, Op.SELF})


def _meetings(row: Value) -> list[Similarity]:
    """Where a row is combined with a tensor that is no row of the same round."""
    versions = set(walk([row], lambda each: [user for user in each.users if _keeps_row(user, each)]))
    found = []
    for each in versions:
        for user in each.users:
            others = [part for part in _combined(user) if part not in versions]
            if each not in _combined(user) or len(others) != 1 or others[0].op in (Op.CONST, Op.SINGLETON):
                continue
            is_pair = _is_picked_otherwise(others[0], row)
            if not (is_pair or _is_whole(others[0])) or not _is_gathered(user, by_axis=not is_pair):
                continue
            shared = roots(row) & roots(others[0])
            found.append(Similarity(user, [row, others[0]], SELF if shared else TOWERS))
    return found


def _keeps_row(user: Value, row: Value) -> bool:
    """Whether ``user`` is the row again: in another form, or computed of it entry by entry."""
    if user.op is Op.BINOP:
        return all(each is row or each.op is Op.CONST for each in user.inputs)
    if user.op is Op.ATTR:
        return any(call.inputs[0] is user for call in user.users)
    if user.op is Op.CALL and user.callee is None:
        if row is user.inputs[0]:
            return has(user.name, Column.METHOD_KEEPS_ROWS) or has(user.name, Column.LOGARITHM)
        return row in feature_inputs(user) or (has(called_name(user), Column.LOGARITHM) and row in _tensors(user))
    return user.op not in (Op.SUB, Op.PARAM) and row in feature_inputs(user)


def _combined(user: Value) -> list[Value]:
    """The tensors that an operation combines entry by entry: ``a - b``, ``kl_div(a, b)``."""
    if user.op is Op.BINOP:
        return user.inputs if user.name in _COMBINED else []
    if user.op is Op.CALL and user.callee is None and has(called_name(user), Column.COMBINES):
        return _tensors(user)
    return []


def _tensors(call: Value) -> list[Value]:
    receiver = receiver_of(call)
    positional = [each for keyword, each in call.arguments() if keyword in (None, "input", "target")]
    return positional if receiver is None or is_library_call(call) else [receiver, *positional]


def _is_whole(value: Value) -> bool:
    """Whether a tensor is one that rounds share, and no row of its own."""
    steps = walk([value], lambda each: each.inputs if each.op in (Op.BINOP, Op.UNARY) else feature_inputs(each))
    found = list(steps)
    return not any(_is_row(each) or each.op is Op.ITEM for each in found)


def _is_picked_otherwise(value: Value, row: Value) -> bool:
    """Whether a tensor is a row that another loop picks."""
    own = _rounds(row.inputs[1]) if row.op is Op.SUB else {row}
    picked = [each for each in walk([value], feature_inputs) if each.op is Op.SUB and _is_row(each)]
    return bool(picked) and bool(own) and all(own.isdisjoint(_rounds(each.inputs[1])) for each in picked)


def _is_gathered(value: Value, *, by_axis: bool) -> bool:
    """Whether what is summed up of a value for each row comes into a list or a matrix of all rounds."""
    cone = cone_of(value)
    sums = any(
        each.op is Op.CALL
        and has(called_name(each), Column.SUMS_AXIS)
        and (not by_axis or option(each, 0, "dim", "axis") is not None)
        for each in cone
    )
    return sums and any(
        (each.op is Op.SETITEM and not _is_recurrent(each))
        or (each.op is Op.CALL and has(called_name(each), Column.JOINS))
        for each in cone
    )


def _mapped_twice(call: Value) -> Similarity | None:
    """``vmap(lambda a: vmap(lambda b: f(a, b))(ys))(xs)``: every row with every row."""
    if not _is_mapping(call) or not call.arguments():
        return None
    function = resolve(call.inputs[0].inputs[1])
    if not isinstance(function, Function):
        return None
    inner = [each for each in function.returns.inputs if each.op is Op.CALL and _is_mapping(each) and each.arguments()]
    if not inner:
        return None
    operands = [call.arguments()[0][1], inner[0].arguments()[0][1]]
    shared = roots(operands[0]) & roots(operands[1])
    return Similarity(call, operands, SELF if shared else TOWERS)


def _is_mapping(call: Value) -> bool:
    made = call.inputs[0]
    return made.op is Op.CALL and has(made.name, Column.MAPS_ROWS) and len(made.inputs) > 1
