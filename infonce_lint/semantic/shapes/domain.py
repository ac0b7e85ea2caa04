"""What the interpreter knows of a value: a number, a tensor's shape, a tuple of such, a list of so many of one kind."""

from __future__ import annotations

import enum
from dataclasses import dataclass, replace
from typing import NamedTuple, TypeAlias

from infonce_lint.semantic.graph.values import Function, Value
from infonce_lint.semantic.shapes.dims import WORLD, Dim, Origin, symbol


class Kind(enum.Enum):
    """What the entries of a tensor are, as far as indexing with it differs."""

    BOOL = "bool"
    INTEGER = "integer"
    FLOAT = "float"
    ANY = "any"

    __hash__ = object.__hash__  # that of an Enum is a Python function, which takes its time


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One run of a function: what its parameters are given, and the run of the function around it."""

    function: Function
    given: dict[Value, Abstract]
    outer: Frame | None
    running: tuple[Function, ...] = ()  # the functions that wait for this run to end
    call: Value | None = None  # that started it
    caller: Frame | None = None  # the run in which that call stands
    inside: frozenset[Value] = frozenset()  # of one round of a comprehension: the values that are computed in it
    around: Frame | None = None  # the run in which the others are

    def holding(self, function: Function) -> Frame | None:
        """The frame of ``function`` among this one and those around it."""
        frame: Frame | None = self
        while frame is not None and frame.function is not function:
            frame = frame.outer
        return frame


class Site(NamedTuple):
    """A value in one run of its function: two runs give two sites."""

    value: Value
    frame: Frame
    part: tuple[int, ...] = ()  # of several elements that one value stands for

    @property
    def name(self) -> str:
        """How messages call it."""
        return self.value.bound or self.value.name


@dataclass(frozen=True, slots=True)
class Rest:
    """The further axes of a tensor whose rank is open: those of ``site`` from ``start`` on."""

    site: Site
    start: int

    def axis(self, number: int) -> Dim:
        """One of them, counted from the first (or with a negative number from the last)."""
        return symbol(Origin.AXIS, self.site, self.start + number if number >= 0 else number)


@dataclass(frozen=True, slots=True)
class Number:
    """An integer, as a dimension."""

    dim: Dim


@dataclass(frozen=True, slots=True)
class Tensor:
    """A tensor or array: all its axes, or with ``rest`` at least these."""

    dims: tuple[Dim, ...]
    rest: Rest | None = None
    kind: Kind = Kind.ANY

    def axis(self, number: int) -> Dim | None:
        """One axis; None when the tensor has no such axis, or it is not known which one is meant."""
        if number < 0 and self.rest is not None:
            return self.rest.axis(number)
        if self.rest is not None and number >= len(self.dims):
            return self.rest.axis(number - len(self.dims))
        return self.dims[number] if -len(self.dims) <= number < len(self.dims) else None

    def opened(self, axes: int) -> Tensor:
        """The tensor with at least so many axes written out."""
        if self.rest is None or len(self.dims) >= axes:
            return self
        more = axes - len(self.dims)
        dims = (*self.dims, *(self.rest.axis(each) for each in range(more)))
        return Tensor(dims, Rest(self.rest.site, self.rest.start + more), self.kind)

    def of(self, kind: Kind) -> Tensor:
        """The same shape with other entries."""
        return self if kind is self.kind else replace(self, kind=kind)


@dataclass(frozen=True, slots=True)
class Parts:
    """A tuple or list whose elements are told apart."""

    items: tuple[Abstract, ...]


@dataclass(frozen=True, slots=True)
class Listing:
    """A list, range or generator of ``count`` elements: all alike, or ``varied``, each with a size of its own."""

    count: Dim
    item: Abstract
    varied: bool = False


@dataclass(frozen=True, slots=True)
class Extents:
    """What ``x.shape`` gives: the axes of a tensor as numbers."""

    tensor: Tensor


@dataclass(frozen=True, slots=True)
class Opaque:
    """A value that comes from elsewhere: it may be a tensor, a number or anything else."""

    site: Site


@dataclass(frozen=True, slots=True)
class Nothing:
    """None."""


@dataclass(frozen=True, slots=True)
class Text:
    """A string."""

    text: str


Abstract: TypeAlias = Number | Tensor | Parts | Listing | Extents | Opaque | Nothing | Text

NOTHING = Nothing()
SCALAR = Tensor(())


def has_size(known: Abstract) -> bool:
    """Whether a configured size decides a number or an axis of a tensor."""
    if isinstance(known, Number):
        return bool(known.dim.of(Origin.SIZE))
    return isinstance(known, Tensor) and any(each.of(Origin.SIZE) for each in known.dims)


def joined(first: Abstract, other: Abstract, site: Site) -> Abstract:
    """What is known where two branches meet at ``site``."""
    if first == other or isinstance(other, Nothing):
        return first
    if isinstance(first, Nothing):
        return other
    if isinstance(first, Number) and isinstance(other, Number):
        return Number(_met(first.dim, other.dim, site, -1))
    if isinstance(first, Tensor) and isinstance(other, Tensor):
        return _joined_tensors(first, other, site)
    if isinstance(first, Parts) and isinstance(other, Parts) and len(first.items) == len(other.items):
        pairs = zip(first.items, other.items, strict=True)
        return Parts(tuple(joined(a, b, site) for a, b in pairs))
    return Opaque(site)


def _joined_tensors(first: Tensor, other: Tensor, site: Site) -> Abstract:
    kind = first.kind if first.kind is other.kind else Kind.ANY
    if first.rest is None and other.rest is None and len(first.dims) == len(other.dims):
        dims = enumerate(zip(first.dims, other.dims, strict=True))
        return Tensor(tuple(_met(a, b, site, axis) for axis, (a, b) in dims), None, kind)
    axes = max(len(first.dims), len(other.dims))
    first, other = first.opened(axes), other.opened(axes)
    if first.rest == other.rest and len(first.dims) == len(other.dims):
        dims = enumerate(zip(first.dims, other.dims, strict=True))
        return Tensor(tuple(_met(a, b, site, axis) for axis, (a, b) in dims), first.rest, kind)
    return Opaque(site)


def _met(first: Dim, other: Dim, site: Site, axis: int) -> Dim:
    """A dimension where branches meet: a gather that only several processes run counts all of them."""
    if first == other:
        return first
    for many, one in ((first, other), (other, first)):
        ratio = many.over(one)
        if ratio is not None and len(ratio.symbols) == 1 and ratio == symbol(Origin.WORLD, WORLD):
            return many
    return symbol(Origin.UNKNOWN, site, axis)
