"""Operators: sums and products of numbers, and tensors that meet in one."""

from __future__ import annotations

from infonce_lint.semantic.graph.values import Value
from infonce_lint.semantic.shapes.context import Context
from infonce_lint.semantic.shapes.dims import Dim, Origin, number, symbol
from infonce_lint.semantic.shapes.domain import (
    Abstract,
    Frame,
    Kind,
    Listing,
    Number,
    Opaque,
    Parts,
    Site,
    Tensor,
    Text,
    joined,
)
from infonce_lint.semantic.shapes.facts import Relation
from infonce_lint.semantic.shapes.products import multiplied

_LONGEST_LIST = 16
_LARGEST_POWER = 4
_LOGICAL = frozenset({"BitAnd", "BitOr", "BitXor"})
_ON_NUMBERS = frozenset("Add Subtract Multiply FloorDivide Modulo Power".split())


def binary(context: Context, value: Value, frame: Frame) -> Abstract | None:
    """An operator with two operands."""
    site = Site(value, frame)
    left, right = context.evaluate(value.inputs[0], frame), context.evaluate(value.inputs[1], frame)
    if value.name == "MatrixMultiply":
        context.prove(left)
        context.prove(right)
        first, second = context.as_tensor(left), context.as_tensor(right)
        return multiplied(context, first, second, site) if first is not None and second is not None else None
    if isinstance(left, Text) or isinstance(right, Text):
        return Text("")
    if value.name == "Multiply":
        repeated = _repeated(context, left, right)
        if repeated is not None:
            return repeated
    elif value.name == "Add" and isinstance(left, Parts | Listing) and isinstance(right, Parts | Listing):
        if isinstance(left, Parts) and isinstance(right, Parts):
            return Parts(left.items + right.items)
        return _one_list(context, left, right, site)
    if _are_numbers(context, value, left, right):
        first_number, second_number = context.as_number(left), context.as_number(right)
        if first_number is not None and second_number is not None:
            return computed(context, value.name, first_number, second_number, site)
    if value.name == "Multiply" and (one := _may_be_list(context, left, right)) is not None:
        return context.like(site, one)
    tensors = _tensors(context, value, left, right)
    kind = _kind_of_result(value.name, left, right)
    _note_scale(context, value, left, right, site)
    return context.broadcast(tensors, site, kind)


def _may_be_list(context: Context, left: Abstract, right: Abstract) -> Opaque | None:
    """What ``zs * 2`` may repeat, as long as nothing tells that it is no list."""
    for one, other in ((left, right), (right, left)):
        if isinstance(one, Opaque) and isinstance(other, Number) and not context.is_tensor(one):
            return one
    return None


def _tensors(context: Context, value: Value, left: Abstract, right: Abstract) -> list[Tensor]:
    """The operands that decide the shape: beside one that holds rows, one of unknown rank is taken for a scale."""
    # a list is added to another one and repeated, but takes no tensor for that
    is_proof = value.name not in ("Add", "Multiply") or any(isinstance(each, Tensor | Number) for each in (left, right))
    found = [_operand(context, each, is_proof=is_proof) for each in (left, right)]
    holds_rows = [each in context.rows for each in value.inputs[:2]]
    if holds_rows[0] != holds_rows[1]:
        other = found[holds_rows.index(False)]
        if other is not None and other.rest is not None and not other.dims:
            found[holds_rows.index(False)] = None
    return [each for each in found if each is not None]


def _kind_of_result(operator: str, left: Abstract, right: Abstract) -> Kind:
    kinds = {_kind(left), _kind(right)}
    if operator in _LOGICAL and len(kinds) == 1 and kinds <= {Kind.BOOL, Kind.INTEGER}:
        return kinds.pop()
    if operator == "Multiply" and kinds == {Kind.BOOL}:
        return Kind.BOOL
    if operator in ("Add", "Subtract", "Multiply", "Modulo", "FloorDivide") and kinds == {Kind.INTEGER}:
        return Kind.INTEGER
    if operator in ("Add", "Subtract", "Multiply", "Divide") and Kind.FLOAT in kinds and Kind.ANY not in kinds:
        return Kind.FLOAT
    return Kind.ANY


def _kind(known: Abstract) -> Kind:
    if isinstance(known, Number):
        return Kind.INTEGER if all(value.denominator == 1 for _, value in known.dim.terms) else Kind.ANY
    return known.kind if isinstance(known, Tensor) else Kind.ANY


def _one_list(context: Context, left: Parts | Listing, right: Parts | Listing, site: Site) -> Abstract | None:
    """Two lists one behind the other, of elements that are all alike."""
    first, second = context.count(left), context.count(right)
    if first is None or second is None:
        return None
    item = joined(context.element(left, site), context.element(right, site), site)
    return Listing(first + second, item, varied=True)


def _operand(context: Context, known: Abstract, *, is_proof: bool) -> Tensor | None:
    if is_proof:
        context.prove(known)
    return context.as_tensor(known) if isinstance(known, Tensor | Opaque) else None


def _note_scale(context: Context, value: Value, left: Abstract, right: Abstract, site: Site) -> None:
    """A tensor that is divided or multiplied by a number."""
    if value.name not in ("Divide", "FloorDivide", "Multiply"):
        return
    for tensor, factor in ((left, right), (right, left)):
        if isinstance(tensor, Tensor | Opaque) and isinstance(factor, Number) and factor.dim.of(Origin.SIZE):
            context.note(Relation.SCALE, factor.dim, number(1), site)


def _are_numbers(context: Context, value: Value, left: Abstract, right: Abstract) -> bool:
    """Whether an operator works on numbers: a value from elsewhere is one beside a number, unless it holds rows."""
    kinds = [isinstance(each, Number) for each in (left, right)]
    if all(kinds):
        return True
    if not any(kinds) or value.name not in _ON_NUMBERS:
        return False
    other, operand = (right, value.inputs[1]) if kinds[0] else (left, value.inputs[0])
    return isinstance(other, Opaque) and operand not in context.rows


def computed(context: Context, operator: str, left: Dim, right: Dim, site: Site) -> Number | Opaque | None:
    """A number computed from two others."""
    if operator == "Add":
        return Number(left + right)
    if operator == "Subtract":
        return Number(left - right)
    if operator == "Multiply":
        return Number(left * right)
    if operator == "Divide":
        quotient = left.over(right)
        return Number(quotient) if quotient is not None else None
    if operator == "FloorDivide":
        return _floored(context, left, right, site)
    if operator == "Power" and (power := right.integer) is not None and 0 < power <= _LARGEST_POWER:
        result = left
        for _ in range(power - 1):
            result = result * left
        return Number(result)
    if operator == "Modulo" and left.integer is not None and right.integer:
        return Number(number(left.integer % right.integer))
    return Number(symbol(Origin.UNKNOWN, site))


def _floored(context: Context, left: Dim, right: Dim, site: Site) -> Number | None:
    """``left // right``: exact where it can be seen, else a number of its own, the same for the same operands.

    A part of a configured size is a size of its own: ``args.batch_size // args.n_gpu``.
    """
    if left.integer is not None and right.integer:
        return Number(number(left.integer // right.integer))
    quotient = left.over(right)
    if quotient is None:
        return Number(symbol(Origin.UNKNOWN, site))
    if all(value.denominator == 1 and all(power > 0 for _, power in monomial) for monomial, value in quotient.terms):
        return Number(quotient)
    if left.of(Origin.SIZE) or right.of(Origin.SIZE):
        return Number(symbol(Origin.SIZE, ("quotient", left, right)))
    return Number(symbol(Origin.UNKNOWN, ("floor", left, right)))


def _repeated(context: Context, left: Abstract, right: Abstract) -> Abstract | None:
    """``[x] * n``."""
    for many, times in ((left, right), (right, left)):
        number_of_times = context.as_number(times) if isinstance(many, Parts | Listing) else None
        if isinstance(many, Parts | Listing) and number_of_times is not None:
            small = number_of_times.integer
            if isinstance(many, Listing):
                return Listing(many.count * number_of_times, many.item, many.varied)
            if small is not None and 0 < small * len(many.items) <= _LONGEST_LIST:
                return Parts(many.items * small)
            if many.items and all(each == many.items[0] for each in many.items):
                return Listing(number(len(many.items)) * number_of_times, many.items[0])
            if many.items and all(isinstance(each, Number) for each in many.items):
                return Listing(number(len(many.items)) * number_of_times, many.items[0])
    return None


def unary(context: Context, value: Value, frame: Frame) -> Abstract | None:
    """An operator with one operand."""
    known = context.evaluate(value.inputs[0], frame)
    if isinstance(known, Number):
        if value.name in ("Minus", "Plus"):
            return Number(-known.dim) if value.name == "Minus" else known
        return Tensor((), None, Kind.BOOL) if value.name == "Not" else None
    if value.name == "Not":
        return Tensor((), None, Kind.BOOL)
    if isinstance(known, Opaque):
        return known if value.name == "Plus" else context.as_tensor(known)
    return known


def comparison(context: Context, value: Value, frame: Frame) -> Abstract | None:
    """``==`` and the like: entries that are true or false."""
    known = [context.evaluate(each, frame) for each in value.inputs]
    if value.name in ("Is", "IsNot", "In", "NotIn"):
        return Tensor((), None, Kind.BOOL)
    unlike = [each for each in known if isinstance(each, Opaque) and not context.is_tensor(each)]
    if len(unlike) == 1 and not any(isinstance(each, Tensor) and (each.dims or each.rest) for each in known):
        return context.like(Site(value, frame), unlike[0])  # a list compared with anything is one truth value
    tensors = [
        each for each in (context.as_tensor(each) for each in known if isinstance(each, Tensor | Opaque)) if each
    ]
    if not tensors:
        return Tensor((), None, Kind.BOOL)
    return context.broadcast(tensors, Site(value, frame), Kind.BOOL)
