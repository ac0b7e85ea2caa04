"""Python's own functions: ranges, lists, numbers."""

from __future__ import annotations

from math import lcm

from infonce_lint.semantic.shapes.arithmetic import computed
from infonce_lint.semantic.shapes.call import Call
from infonce_lint.semantic.shapes.columns import ALL
from infonce_lint.semantic.shapes.dims import ONE, ZERO, Dim, Origin, number, symbol
from infonce_lint.semantic.shapes.domain import (
    SCALAR,
    Abstract,
    Extents,
    Kind,
    Listing,
    Number,
    Opaque,
    Parts,
    Tensor,
    joined,
)
from infonce_lint.semantic.shapes.table import operation


@operation(
    "range python:trange",
    makes_anew="range",
    stops="range",
    numbers_rows="range",
    filled="range",
    makes_labels="range",
)
def counted(call: Call) -> Abstract | None:
    """``range(n)``: its numbers are not told apart."""
    first = call.number(0)
    start, end = (ZERO, first) if call.at(1) is None else (first, call.number(1))
    if start is None or end is None:
        return None
    length: Dim | None = end - start
    if call.at(2) is not None:
        step = call.number(2)
        length = length.over(step) if step is not None and length is not None else None
        if length is not None and any(value.denominator != 1 or value < 0 for _, value in length.terms):
            length = call.fresh(1)
    return Listing(length, Number(call.fresh())) if length is not None else None


@operation("len", makes_anew=ALL, stops=ALL)
def length(call: Call) -> Abstract | None:
    """How many elements or rows there are."""
    known = call.known(0)
    dim = call.context.count(known) if known is not None else None
    return Number(dim) if dim is not None else None


@operation("python:sorted", carries=ALL, keeps_rows=ALL)
def sorted_(call: Call) -> Abstract | None:
    """The same elements in another order."""
    known = call.known(0)
    count = call.context.count(known) if known is not None else None
    if isinstance(known, Parts | Listing) and count is not None:
        element = call.context.element(known, call.site)
        return Listing(count, Number(call.fresh()) if isinstance(element, Number) else element, varied=True)
    return None


@operation(
    "python:list python:tuple tolist python:iter Size TensorShape",
    gives_list="list tuple tolist iter",
    gives_no_entries="tolist",
    asks_about="tolist",
    carries="list tuple",
    keeps_rows="list tuple iter",
    keeps_numbers="list",
)
def listed(call: Call) -> Abstract | None:
    """The same elements in a list."""
    known = call.known(0)
    return known if isinstance(known, Parts | Listing | Opaque | Tensor | Extents) else None


@operation("python:reversed", carries=ALL, keeps_rows=ALL)
def reversed_(call: Call) -> Abstract | None:
    """The elements from the last on."""
    known = call.known(0)
    return Parts(tuple(reversed(known.items))) if isinstance(known, Parts) else known


@operation("python:int", "python:float", "python:round", "floor", "ceil", "trunc")
def converted_number(call: Call) -> Abstract | None:
    """A whole number stays what it is; a part of one is taken to be exact where it is cut down."""
    known = call.known(0, "input", "x", "a")
    if isinstance(known, Number):
        parts = lcm(*(value.denominator for _, value in known.dim.terms))
        if call.value.name == "float" or (parts == 1 and _has_no_quotient(known.dim)):
            return known
        if call.value.name in ("int", "floor", "trunc") and _has_no_quotient(known.dim):
            divisor = number(parts)
            return computed(call.context, "FloorDivide", known.dim * divisor, divisor, call.site)
        return Number(call.fresh())
    if isinstance(known, Tensor) and call.library != "python":
        return known
    if isinstance(known, Opaque) and call.library != "python":
        return call.tensor(0, "input", "x", "a")
    return known if isinstance(known, Opaque) else SCALAR if known is not None else None


def _has_no_quotient(dim: Dim) -> bool:
    return all(power > 0 for monomial, _ in dim.terms for _, power in monomial)


@operation("abs", "absolute", "python:abs")
def absolute(call: Call) -> Abstract | None:
    """A number without its sign, if all its parts have one."""
    known = call.known(0, "input", "x", "a")
    if isinstance(known, Number):
        signs = {value > 0 for _, value in known.dim.terms}
        return Number(call.fresh()) if len(signs) > 1 else Number(-known.dim) if signs == {False} else known
    return call.tensor(0, "input", "x", "a")


@operation("python:bool")
def truth(call: Call) -> Abstract | None:
    """True or false."""
    return Tensor((), None, Kind.BOOL)


@operation("python:enumerate", makes_anew=ALL, carries=ALL)
def enumerated(call: Call) -> Abstract | None:
    """Pairs of a number and an element."""
    known = call.known(0)
    count = call.context.count(known) if known is not None else None
    if known is None or count is None:
        return None
    if isinstance(known, Parts) and call.at(1, "start") is None:
        return Parts(tuple(Parts((Number(number(place)), each)) for place, each in enumerate(known.items)))
    element = call.context.element(known, call.site)
    return Listing(count, Parts((Number(call.fresh()), element)), varied=True)


@operation("python:zip", carries=ALL)
def zipped(call: Call) -> Abstract | None:
    """Tuples of the elements that stand at one place."""
    known = [call.evaluate(each) for each in call.positional]
    if not known or call.starred is not None:
        return None
    counts = [call.context.count(each) for each in known]
    if all(isinstance(each, Parts) for each in known):
        rows = zip(*(each.items for each in known if isinstance(each, Parts)), strict=False)
        return Parts(tuple(Parts(each) for each in rows))
    elements = tuple(call.context.element(each, call.site) for each in known)
    first = next((each for each in counts if each is not None), None)
    return Listing(first, Parts(elements), varied=True) if first is not None else None


@operation("python:sum")
def summed(call: Call) -> Abstract | None:
    """Of tensors of one shape, that shape."""
    known = call.known(0)
    if isinstance(known, Parts) and known.items:
        result = known.items[0]
        for each in known.items[1:]:
            if isinstance(result, Number) and isinstance(each, Number):
                result = Number(result.dim + each.dim)
            else:
                result = joined(result, each, call.site)
        return result
    if isinstance(known, Listing):
        if isinstance(known.item, Number):
            same = not known.item.dim.of(Origin.UNKNOWN)
            return Number(known.item.dim * known.count) if same else Number(call.fresh())
        return known.item
    if isinstance(known, Tensor) and (known.dims or known.rest is not None):
        known = known.opened(1)
        return Tensor(known.dims[1:], known.rest)
    return None


@operation("python:max", "python:min")
def greatest(call: Call) -> Abstract | None:
    """Of several numbers, one that is not told."""
    known = [call.evaluate(each) for each in call.positional]
    if len(known) > 1 and all(isinstance(each, Number) for each in known):
        return known[0] if all(each == known[0] for each in known) else Number(symbol(Origin.UNKNOWN, call.site))
    return None


@operation("append", "extend", holds_arguments="append", accumulates=ALL)
def appended(call: Call) -> Abstract | None:
    """A list with one element more."""
    known, more = call.known(0), call.known(1)
    if isinstance(known, Parts) and more is not None:
        if call.value.name == "append":
            return Parts((*known.items, more))
        return Parts(known.items + more.items) if isinstance(more, Parts) else None
    if isinstance(known, Listing) and more is not None:
        return Listing(known.count + ONE, joined(known.item, more, call.site), varied=True)
    return None


@operation(
    "python:isinstance python:hasattr python:callable",
    makes_anew="isinstance hasattr",
    stops="isinstance",
    ends="isinstance",
)
def asked(call: Call) -> Abstract | None:
    """True or false."""
    return Tensor((), None, Kind.BOOL)
