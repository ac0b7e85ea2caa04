"""What operations may ask of the interpreter: what is known of a value, as a tensor or a number, and noting facts."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Set
from typing import TYPE_CHECKING

from infonce_lint.semantic.graph.values import Value
from infonce_lint.semantic.shapes.dims import Dim, Origin, number, symbol
from infonce_lint.semantic.shapes.domain import (
    SCALAR,
    Abstract,
    Extents,
    Frame,
    Kind,
    Listing,
    Number,
    Opaque,
    Parts,
    Rest,
    Site,
    Tensor,
    joined,
)
from infonce_lint.semantic.shapes.facts import Fact, Relation

if TYPE_CHECKING:
    from infonce_lint.semantic.sizes.origin import Origins


class Context(ABC):
    """The part of the interpreter that does not depend on how values are evaluated.

    ``facts`` holds what the operations needed so far; ``tensors`` and ``lists`` are the values from elsewhere that an
    operation takes which takes nothing else.
    """

    def __init__(self, origins: Origins, rows: Set[Value]) -> None:
        self.origins = origins
        self.rows = rows  # values that are known to hold rows: features, similarities
        self.facts: list[Fact] = []
        self.tensors: set[Site] = set()
        self.lists: set[Site] = set()
        self.kin: dict[Site, Site] = {}  # slices and copies: each is a tensor if, and only if, the other is one
        self.undecided: set[Site] = set()  # asked for before anything told that they are tensors
        self.ranks: dict[Site, int] = {}
        self.likely_ranks: dict[Site, int] = {}
        self.guessed: set[Site] = set()  # whose rank is only likely
        self.confirmed: set[object] = set()  # whose rank an operation takes that knows no other
        # Which shares of an axis are taken, by axis and their number: every n-th place, or one of n sections.
        self.shares: dict[tuple[Dim, Dim], set[Dim]] = {}
        self.unguessed: set[tuple[Relation, Dim, Dim]] = set()  # what facts said before a likely rank was put in
        self.size_reads: dict[object, Value] = {}  # the first read of each configured size, by what tells its symbol
        self._frames: dict[tuple[Value, Frame, int], Frame] = {}  # the last run that each call or round started
        self._elements: dict[tuple[Value, Frame, int], Site] = {}  # what stands at a place of a list, by its first read
        self.learned = False  # whether a rank was learned since this was reset

    @abstractmethod
    def evaluate(self, value: Value, frame: Frame) -> Abstract:
        """What is known of a value in one run of its function."""

    def kept_frame(self, value: Value, frame: Frame, place: int = 0) -> Frame:
        """The run that a call or a round starts: that of an earlier pass, so that what was learned in it counts."""
        around = frame.around or frame.caller
        assert around is not None
        earlier = self._frames.get((value, around, place))
        if earlier is None or earlier.given != frame.given or earlier.outer is not frame.outer:
            earlier = self._frames[value, around, place] = frame
        return earlier

    def element_site(self, container: Value, position: int | None, site: Site) -> Site:
        """What tells an element of a list, however it is taken from it."""
        if position is None:
            return site
        return self._elements.setdefault((container, site.frame, position), site)

    @abstractmethod
    def read_at_path(self, value: Value, frame: Frame) -> Abstract:
        """A read that nothing in the file fills: the same thing wherever it is read in the same way."""

    def prove(self, known: Abstract | None) -> None:
        """Note that an operation was given something that takes tensors only, and no list in their place."""
        site = known.site if isinstance(known, Opaque) else None
        while site is not None and site not in self.tensors:
            self.tensors.add(site)
            self.learned = self.learned or site in self.undecided
            site = self.kin.get(site)

    def is_tensor(self, known: Opaque) -> bool:
        """Whether a value from elsewhere is certain to be a tensor: what is indexed or cut may as well be a list."""
        if known.site in self.tensors and known.site not in self.lists:
            return True
        self.undecided.add(known.site)
        return False

    def like(self, site: Site, base: Opaque) -> Opaque:
        """A value of its own that is a tensor if, and only if, what it is a slice or a copy of is one."""
        if site != base.site:
            self.kin.setdefault(site, base.site)
            if site in self.tensors:
                self.prove(base)
        return Opaque(site)

    def joined(self, first: Abstract, other: Abstract, site: Site) -> Abstract:
        """What is known where two branches meet: a list may stand beside a tensor, until something tells."""
        if isinstance(first, Opaque) and isinstance(other, Opaque) and first != other:
            roots = {self._root(first.site), self._root(other.site)}
            if len(roots) == 1 and site not in roots:
                return self.like(site, Opaque(roots.pop()))
        if isinstance(first, Tensor) and isinstance(other, Opaque) and self.is_tensor(other):
            other = self.as_tensor(other) or other
        elif isinstance(first, Opaque) and isinstance(other, Tensor) and self.is_tensor(first):
            first = self.as_tensor(first) or first
        return joined(first, other, site)

    def _root(self, site: Site) -> Site:
        """What a chain of slices and copies began with."""
        seen = {site}
        while (base := self.kin.get(site)) is not None and base not in seen:
            site = base
            seen.add(site)
        return site

    def tensor(self, value: Value, frame: Frame) -> Tensor | None:
        """A value as a tensor; None when it is none."""
        return self.as_tensor(self.evaluate(value, frame))

    def as_tensor(self, known: Abstract) -> Tensor | None:
        """The shape of what is known, if it is or may be a tensor."""
        if isinstance(known, Tensor):
            return known
        if isinstance(known, Number):
            return None if known.dim.of(Origin.NAMED) else SCALAR
        if isinstance(known, Opaque):
            rank = self.ranks.get(known.site)
            whole = Tensor((), Rest(known.site, 0))
            return whole if rank is None else Tensor(whole.opened(rank).dims)
        if isinstance(known, Parts) and known.items:
            first = self.as_tensor(known.items[0])
            return Tensor((number(len(known.items)), *first.dims), first.rest, first.kind) if first else None
        if isinstance(known, Listing):
            inner = self.as_tensor(known.item)
            return Tensor((known.count, *inner.dims), inner.rest, inner.kind) if inner is not None else None
        return None

    def number(self, value: Value, frame: Frame) -> Dim | None:
        """A value as a number; None when it is none."""
        return self.as_number(self.evaluate(value, frame))

    def as_number(self, known: Abstract) -> Dim | None:
        """What is known as a number, if it is or may be one."""
        if isinstance(known, Number):
            return known.dim
        if isinstance(known, Opaque):
            return symbol(Origin.NAMED, known.site)
        return None

    def sizes_of(self, known: Abstract) -> list[Dim] | None:
        """The numbers of one argument: itself, or those of a tuple or a shape."""
        if isinstance(known, Parts):
            found = [self.as_number(each) for each in known.items]
            return None if None in found else [each for each in found if each is not None]
        if isinstance(known, Extents):
            return list(known.tensor.dims) if known.tensor.rest is None else None
        single = self.as_number(known)
        return [single] if single is not None else None

    def count(self, known: Abstract) -> Dim | None:
        """How many elements something has that can be gone through."""
        if isinstance(known, Parts):
            return number(len(known.items))
        if isinstance(known, Listing):
            return known.count
        if isinstance(known, Extents):
            return number(len(known.tensor.dims)) if known.tensor.rest is None else None
        found = self.as_tensor(known) if isinstance(known, Tensor | Opaque) else None
        return found.axis(0) if found is not None else None

    def element(self, known: Abstract, site: Site, position: int | None = None) -> Abstract:
        """One element of something that can be gone through or unpacked."""
        if isinstance(known, Parts) and known.items:
            if position is not None:
                return known.items[position] if -len(known.items) <= position < len(known.items) else Opaque(site)
            result = known.items[0]
            for each in known.items[1:]:
                result = self.joined(result, each, site)
            return result
        if isinstance(known, Listing):
            return self.renewed(known.item, site) if known.varied else known.item
        if isinstance(known, Extents) and position is not None:
            axis = known.tensor.axis(position)
            return Number(axis) if axis is not None else Opaque(site)
        if isinstance(known, Tensor) and (known.dims or known.rest is not None):
            known = known.opened(1)
            return Tensor(known.dims[1:], known.rest, known.kind)
        return Opaque(site)

    def renewed(self, known: Abstract, site: Site) -> Abstract:
        """One element of a list whose elements are alike in kind only: it has axes of its own."""
        if isinstance(known, Parts):
            parts = enumerate(known.items)
            return Parts(tuple(self.renewed(each, site._replace(part=(*site.part, place))) for place, each in parts))
        if isinstance(known, Listing):
            return Listing(_renewed(known.count, site, 0), known.item, varied=True)
        if isinstance(known, Number):
            return Number(_renewed(known.dim, site, 0))
        if isinstance(known, Tensor):
            dims = tuple(_renewed(dim, site, axis) for axis, dim in enumerate(known.dims))
            return Tensor(dims, Rest(site, len(dims)) if known.rest is not None else None, known.kind)
        if isinstance(known, Opaque):
            if self.is_tensor(known):
                self.prove(Opaque(site))
            return Opaque(site)
        return Opaque(site) if isinstance(known, Extents) else known

    # -- facts -------------------------------------------------------------------------------------------------------

    def note(self, relation: Relation, left: Dim | None, right: Dim | None, site: Site) -> None:
        """Note a fact; one that says nothing is left out."""
        if left is not None and right is not None and left != right:
            self.facts.append(Fact(relation, left, right, site))

    def broadcast(self, tensors: list[Tensor], site: Site, kind: Kind = Kind.ANY) -> Tensor | None:
        """The shape that tensors are broadcast to; dimensions that meet are noted as equal."""
        if not tensors:
            return None
        closed = [each for each in tensors if each.rest is None]
        opened = [each for each in tensors if each.rest is not None]
        if opened and all(len(each.dims) < 2 for each in closed):
            # a vector meets the last axis, whatever stands before it
            return self._side_by_side(opened, site, kind)
        sites = [each.rest.site for each in opened if each.rest is not None]
        if any(site.value in self.rows for site in sites):
            return None  # features may well have more axes
        dims: list[Dim] = []
        for place in range(1, max(len(each.dims) for each in closed) + 1):
            here = [each.dims[-place] for each in closed if place <= len(each.dims)]
            wide = list(dict.fromkeys(each for each in here if each.number != 1))
            if len(wide) > 1 and all(map(_may_be_one, wide)):
                met = symbol(Origin.UNKNOWN, site, -place)
                for other in wide:
                    self.note(Relation.MET, met, other, site)
                dims.append(met)
                continue
            for other in wide[1:]:
                self.note(Relation.EQUAL, wide[0], other, site)
            if not wide and opened:  # an axis of one takes the length of what it meets
                length = opened[0].axis(-place) if len(opened) == 1 else None
                dims.append(length if length is not None else symbol(Origin.UNKNOWN, site, -place))
                continue
            given = [each for each in wide if not each.of(Origin.SIZE) and not each.of(Origin.UNKNOWN)]
            dims.append((given or wide or here)[0])
        return Tensor(tuple(reversed(dims)), None, kind)

    def _side_by_side(self, opened: list[Tensor], site: Site, kind: Kind) -> Tensor | None:
        """Tensors of unknown rank: only those whose unknown axes are the same ones stand side by side."""
        first = opened[0]
        for other in opened[1:]:
            if other.rest != first.rest or len(other.dims) != len(first.dims):
                return None
            pairs = list(zip(first.dims, other.dims, strict=True))
            if any(a != b and 1 in (a.number, b.number) for a, b in pairs):
                return None  # which axes meet is not seen
            for left, right in pairs:
                self.note(Relation.EQUAL, left, right, site)
        return first.of(kind)

    @staticmethod
    def likely_rank(tensor: Tensor, least: int) -> int:
        """How many axes a tensor of unknown rank most likely has: what axes were put before has two of its own."""
        if tensor.rest is None:
            return len(tensor.dims)
        own = tensor.rest.start
        return max(least, len(tensor.dims) - own + max(own, 2))

    def rests_on_guess(self, dims: Iterable[Dim]) -> bool:
        """Whether dimensions belong to a tensor whose rank is only likely, so that there may be more of them."""
        return any(symbol.owner in self.guessed for dim in dims for symbol in dim.of(Origin.AXIS))

    def is_likely(self, dims: Iterable[Dim]) -> bool:
        """Whether dimensions are those of a tensor whose rank is only likely, and that no operation has confirmed."""
        owners = {symbol.owner for dim in dims for symbol in dim.of(Origin.AXIS)}
        return any(each in self.guessed and each not in self.confirmed for each in owners)

    def seen(self, left: Tensor, tensor: Tensor) -> Tensor | None:
        """What is left of a tensor without an axis; None where it would not show that there may be more axes."""
        hides = left.rest is None and left.dims and self.is_likely(tensor.dims) and not self.is_likely(left.dims)
        return None if hides else left

    def confirm(self, tensor: Tensor) -> None:
        """Note that an operation takes a tensor with just the axes that it is known to have."""
        for dim in tensor.dims:
            self.confirmed.update([symbol.owner for symbol in dim.of(Origin.AXIS)])

    def with_rank(self, tensor: Tensor, rank: int, *, likely: bool = False) -> Tensor:
        """A tensor whose rank an operation decides (or, ``likely``, mostly has)."""
        if tensor.rest is None:
            if not likely and len(tensor.dims) == rank:
                self.confirm(tensor)
            return tensor
        own = rank - len(tensor.dims) + tensor.rest.start
        site = tensor.rest.site
        if own >= 0 and likely:
            self.likely_ranks.setdefault(site, own)
        elif own >= 0 and site not in self.ranks:
            self.ranks[site] = own
            self.learned = True
        return Tensor(tensor.opened(rank).dims[:rank], None, tensor.kind)


def _renewed(dim: Dim, site: Site, axis: int) -> Dim:
    """A dimension of one element, where those of the others may differ."""
    if dim.of(Origin.AXIS):
        return symbol(Origin.AXIS, site, axis)
    return symbol(Origin.UNKNOWN, site, axis) if dim.of(Origin.UNKNOWN) else dim


def _may_be_one(dim: Dim) -> bool:
    """Whether an axis may be one of length 1 that is broadcast: of a tensor from elsewhere nothing else is known."""
    if len(dim.terms) != 1:
        return False
    ((monomial, value),) = dim.terms
    return value == 1 and len(monomial) == 1 and all(each.origin is Origin.AXIS for each, _ in monomial)
