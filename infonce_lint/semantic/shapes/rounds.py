"""Comprehensions: what each of their rounds computes, evaluated in a frame of its own where the elements are known."""

from __future__ import annotations

from infonce_lint.semantic.graph.values import Value
from infonce_lint.semantic.graph.walk import walk
from infonce_lint.semantic.shapes.context import Context
from infonce_lint.semantic.shapes.dims import Origin, Symbol, number, symbol
from infonce_lint.semantic.shapes.domain import Abstract, Frame, Listing, Number, Opaque, Parts, Site, Tensor
from infonce_lint.semantic.shapes.reads import has_condition

_LONGEST_LIST = 16
#: What stands there before a round begins.
_BEFORE = frozenset("param selfparam func class import store".split())


def comprehension(context: Context, value: Value, frame: Frame) -> Abstract | None:
    """``[f(x) for x in xs]``: element by element, or so many that are alike in kind only."""
    element, *containers = value.inputs
    item = context.evaluate(element, frame)
    inside = _computed_in_a_round(value)
    known = [context.evaluate(each, frame) for each in containers]
    if len(known) == 1 and not has_condition(value):
        rounds = _rounds(context, value, frame, known[0], inside)
        if rounds is not None:
            return rounds
    count = number(1)
    for each in known:
        times = context.count(each)
        if times is None:
            return None
        count = count * times
    if has_condition(value):
        count = symbol(Origin.UNKNOWN, Site(value, frame))
    listing = Listing(count, item, varied=_varies(item, value, inside))
    small = count.integer
    if small is not None and 0 < small <= _LONGEST_LIST:
        return Parts(tuple(context.element(listing, Site(value, frame, (place,)), place) for place in range(small)))
    return listing


def _rounds(
    context: Context, value: Value, frame: Frame, container: Abstract, inside: frozenset[Value]
) -> Abstract | None:
    """The elements one by one; None where it is not known how many there are."""
    count = context.count(container) if isinstance(container, Parts | Listing) else None
    times = count.integer if count is not None else None
    taken = _taken(value)
    if times is None or taken is None or not 0 < times <= _LONGEST_LIST:
        return None
    items = []
    for place in range(times):
        given = {**frame.given, taken: context.element(container, Site(taken, frame, (place,)), place)}
        inner = Frame(frame.function, given, frame.outer, frame.running, frame.call, frame.caller, inside, frame)
        items.append(context.evaluate(value.inputs[0], context.kept_frame(value, inner, place)))
    return Parts(tuple(items))


def _taken(value: Value) -> Value | None:
    """The value that stands for what a round takes from the container."""
    target = getattr(getattr(value.node, "for_in", None), "target", None)
    users = value.inputs[1].users
    return next((each for each in users if each.op == "item" and each.node is target and target is not None), None)


def _computed_in_a_round(value: Value) -> frozenset[Value]:
    """All that the element is computed from in the comprehension itself."""
    containers = set(value.inputs[1:])

    def behind(each: Value) -> list[Value]:
        if each.op == "item" and each.inputs[0] in containers:
            return []
        return [other for other in each.inputs if _is_here(other)]

    def _is_here(other: Value) -> bool:
        return other.block is value.block and other.index == value.index and other.op not in _BEFORE

    return frozenset(walk([value.inputs[0]], behind)) if _is_here(value.inputs[0]) else frozenset()


def _varies(item: Abstract, value: Value, inside: frozenset[Value]) -> bool:
    """Whether an element is computed anew in each round, so that no two are known to be of one size."""
    if isinstance(item, Parts):
        return any(_varies(each, value, inside) for each in item.items)
    if isinstance(item, Listing):
        return item.varied or _varies(item.item, value, inside)
    if isinstance(item, Number | Tensor):
        dims = item.dims if isinstance(item, Tensor) else (item.dim,)
        owners = [each for dim in dims for each in dim.symbols if each.origin in (Origin.AXIS, Origin.UNKNOWN)]
        rest = item.rest if isinstance(item, Tensor) else None
        return any(_is_of_round(each, value, inside) for each in owners) or (
            rest is not None and _is_of_round(rest.site, value, inside)
        )
    return isinstance(item, Opaque) and _is_of_round(item.site, value, inside)


def _is_of_round(owner: Symbol | Site, value: Value, inside: frozenset[Value]) -> bool:
    site = owner.owner if isinstance(owner, Symbol) else owner
    return not isinstance(site, Site) or site.value in inside or site.value.function is not value.function
