"""A call as an operation sees it: its arguments by place and name, as numbers, tensors and axes."""

from __future__ import annotations

from infonce_lint.semantic.graph.values import Value
from infonce_lint.semantic.shapes.context import Context
from infonce_lint.semantic.shapes.dims import ONE, Dim, Origin, symbol
from infonce_lint.semantic.shapes.domain import (
    Abstract,
    Frame,
    Kind,
    Listing,
    Opaque,
    Parts,
    Site,
    Tensor,
)
from infonce_lint.semantic.shapes.facts import Relation

#: Libraries whose functions take lists of numbers where they expect arrays.
_CONVERTING = frozenset({"numpy", "tensorflow"})


class Arguments:
    """What a call is given, by place and name: the same in every run."""

    __slots__ = ("behind", "is_open", "named", "positional", "receiver", "starred")

    def __init__(self, value: Value, receiver: Value | None = None) -> None:
        self.receiver = receiver
        self.positional: list[Value] = [] if receiver is None else [receiver]
        self.starred: Value | None = None  # ``f(*parts)``: arguments that are not told apart
        self.behind: list[Value] = []  # arguments after those
        self.is_open = False  # several starred arguments
        self.named: dict[str, Value] = {}
        for keyword, argument in value.arguments():
            if keyword is None:
                (self.positional if self.starred is None else self.behind).append(argument)
            elif keyword == "*":
                self.is_open = self.starred is not None
                self.starred = self.starred or argument
            else:
                self.named[keyword] = argument


class Call:
    """One call in one run of its function.

    The receiver of a method is argument 0, so that ``x.view(2, -1)`` and ``torch.reshape(x, (2, -1))`` read alike.
    ``setup`` is the call that constructed the module, where a module is called: ``nn.CosineSimilarity(dim=2)``.
    """

    def __init__(self, context: Context, value: Value, frame: Frame, given: Arguments, *, library: str = "") -> None:
        self.context = context
        self.value = value
        self.frame = frame
        self.library = library
        self.receiver = given.receiver
        self.site = Site(value, frame)
        self.setup: Call | None = None
        self.positional = given.positional
        self.starred = given.starred
        self.behind = given.behind
        self.is_open = given.is_open
        self.named = given.named

    # -- arguments ---------------------------------------------------------------------------------------------------

    def at(self, position: int, *names: str) -> Value | None:
        """The argument at a place, or under one of ``names``."""
        for name in names:
            if name in self.named:
                return self.named[name]
        return self.positional[position] if 0 <= position < len(self.positional) else None

    def evaluate(self, value: Value) -> Abstract:
        """What is known of an argument."""
        return self.context.evaluate(value, self.frame)

    def known(self, position: int, *names: str) -> Abstract | None:
        """What is known of the argument at a place; None when it is not given."""
        value = self.at(position, *names)
        return self.evaluate(value) if value is not None else None

    def tensor(self, position: int, *names: str) -> Tensor | None:
        """An argument's shape; None when it is not given or no tensor."""
        known = self.known(position, *names)
        if self.library not in _CONVERTING or (position == 0 and self.receiver is not None):
            self.context.prove(known)
        return self.context.as_tensor(known) if known is not None else None

    def number(self, position: int, *names: str) -> Dim | None:
        """An argument as a number; None when it is not given or none."""
        value = self.at(position, *names)
        return self.context.number(value, self.frame) if value is not None else None

    def integer(self, position: int, *names: str, default: int | None = None) -> int | None:
        """An argument that is a whole number in the code, such as an axis; ``default`` when it is not given."""
        value = self.at(position, *names)
        if value is None:
            return default
        dim = self.context.number(value, self.frame)
        return dim.integer if dim is not None else None

    def truth(self, position: int, *names: str) -> bool:
        """Whether a flag is given as True."""
        value = self.at(position, *names)
        return value is not None and value.name == "True"

    def sizes(self, position: int, *names: str) -> list[Dim] | None:
        """The numbers of ``f(a, b)`` or ``f((a, b))`` from a place on; None when one is not known.

        A free axis (-1) stays the number -1.
        """
        named = next((self.named[name] for name in names if name in self.named), None)
        values = [named] if named is not None else self.positional[position:]
        if named is None and self.starred is not None:
            if self.is_open:
                return None
            values = [*values, self.starred, *self.behind]
        found: list[Dim] = []
        for each in values:
            known = self.evaluate(each)
            dims = self.context.sizes_of(known) if each is not self.starred or not isinstance(known, Opaque) else None
            if dims is None:
                return None
            found += dims
        return found if found else None

    def shape_given(self, position: int, *names: str) -> list[Dim] | None:
        """Like `sizes`, where a single argument from elsewhere may as well be a whole shape: then None."""
        named = next((self.named[name] for name in names if name in self.named), None)
        values = [named] if named is not None else self.positional[position:]
        if len(values) == 1 and self.starred is None and isinstance(self.evaluate(values[0]), Opaque):
            return None
        return self.sizes(position, *names)

    def axes(self, position: int, *names: str) -> list[int] | None:
        """Axes that are whole numbers in the code: ``permute(1, 0)``, ``dims=(1, 2)``."""
        sizes = self.sizes(position, *names)
        found = [each.integer for each in sizes] if sizes is not None else [None]
        return None if None in found else [each for each in found if each is not None]

    def tensors(self, position: int, *names: str) -> tuple[list[Tensor], Dim | None] | None:
        """The tensors of a list argument: all of them, or one that stands ``count`` times.

        Returns (tensors, None) or ([tensor], count); None when the list is not known.
        """
        if self.starred is not None and (self.is_open or self.behind):
            return None
        value = self.starred if self.starred is not None and position >= len(self.positional) else None
        value = value or self.at(position, *names)
        if value is None:
            return None
        known = self.evaluate(value)
        if isinstance(known, Parts):
            for each in known.items:
                self.context.prove(each)
            found = [self.context.as_tensor(each) for each in known.items]
            tensors = [each for each in found if each is not None]
            return (tensors, None) if tensors and len(tensors) == len(found) else None
        if isinstance(known, Listing):
            one = self.context.as_tensor(known.item)
            return ([one], known.count) if one is not None else None
        if isinstance(known, Tensor) and (known.dims or known.rest is not None):
            known = known.opened(1)
            return ([Tensor(known.dims[1:], known.rest, known.kind)], known.dims[0])
        return None

    # -- results -----------------------------------------------------------------------------------------------------

    def equal(self, left: Dim | None, right: Dim | None) -> None:
        """Note that the operation raises unless two dimensions agree."""
        self.context.note(Relation.EQUAL, left, right, self.site)

    def kept(self, left: Dim | None, right: Dim | None) -> None:
        """Note that the operation raises unless ``right`` divides ``left``."""
        self.context.note(Relation.KEPT, left, right, self.site)

    def below(self, left: Dim | None, right: Dim | None) -> None:
        """Note that the operation raises unless ``left`` is at most ``right``."""
        self.context.note(Relation.BELOW, left, right, self.site)

    def cut(self, axis: Dim | None, place: Dim | None) -> None:
        """Note that the operation parts an axis at ``place``, wherever that is."""
        self.context.note(Relation.CUT, axis, place, self.site)

    def scaled(self, factor: Dim) -> None:
        """Note that the operation scales what it works on by a number."""
        self.context.note(Relation.SCALE, factor, ONE, self.site)

    def fresh(self, axis: int = 0) -> Dim:
        """A dimension that this call alone decides."""
        return symbol(Origin.UNKNOWN, self.site, axis)

    def unknown(self, rank: int, kind: Kind = Kind.ANY) -> Tensor:
        """A tensor of which only the number of axes is known."""
        return Tensor(tuple(self.fresh(axis) for axis in range(rank)), None, kind)

    def broadcast(self, tensors: list[Tensor], kind: Kind = Kind.ANY) -> Tensor | None:
        """The shape that tensors are broadcast to; dimensions that meet are noted as equal."""
        return self.context.broadcast(tensors, self.site, kind)

    def rank(self, tensor: Tensor, rank: int) -> Tensor:
        """The tensor, known from now on to have so many axes, because the operation takes no other."""
        return self.context.with_rank(tensor, rank)


def normal_axis(axis: int | None, rank: int) -> int | None:
    """An axis counted from the first one; None when there is no such axis."""
    if axis is None or not -rank <= axis < rank:
        return None
    return axis % rank if rank else None


def with_axis(tensor: Tensor, axis: int, dim: Dim) -> Tensor:
    """The tensor with one axis of another size."""
    dims = list(tensor.dims)
    dims[axis] = dim
    return Tensor(tuple(dims), tensor.rest, tensor.kind)


def total(dims: tuple[Dim, ...] | list[Dim]) -> Dim:
    """The product of dimensions: the number of entries."""
    result = ONE
    for each in dims:
        result = result * each
    return result
