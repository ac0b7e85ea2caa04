"""The proof of a fix: what the facts of a loss unit say that its configured sizes really are."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

from infonce_lint.repair.covering import Place, calls_of, covers, forces, ways_to
from infonce_lint.semantic.graph.paths import path_text, shown
from infonce_lint.semantic.graph.values import Block, Function, Value
from infonce_lint.semantic.losses.model import ContrastiveLoss
from infonce_lint.semantic.shapes.dims import WORLD, Dim, Origin, Symbol, symbol
from infonce_lint.semantic.shapes.domain import Frame, Number, Opaque, Site, Tensor
from infonce_lint.semantic.shapes.facts import Fact, Relation
from infonce_lint.semantic.shapes.interpreter import Interpreter
from infonce_lint.semantic.shapes.theory import Theory


class Proof:
    """The facts of a loss unit and what they say of the configured sizes that it reads.

    A fact is a condition that holds whenever the loss, configured for the batch at hand, runs. So a tensor whose axis
    the facts give as ``2 * size`` has that size at every batch: it can stand in for the configured one.
    """

    def __init__(self, loss: ContrastiveLoss) -> None:
        self.loss = loss
        model = loss.model
        self.interpreter = Interpreter(
            model.origins,
            model.roles.rows,
            lambda each: model.values_by_function.get(each, []),
            model.roles.compared,
        )
        self.interpreter.run(self._functions())
        self._taken: list[Fact] = []  # guesses
        self._theories: dict[tuple[int, ...], tuple[list[Fact], Theory]] = {}  # by the `id` of the facts, kept with it
        self.theory = self._theory_of(self._all())

    def take(self, fact: Fact) -> None:
        """Count one more fact as certain."""
        self._taken.append(fact)
        self.theory = self._theory_of(self._all())

    def drop(self, fact: Fact) -> None:
        """Take a fact back."""
        self._taken.remove(fact)
        self.theory = self._theory_of(self._all())

    @cached_property
    def _certain(self) -> list[Fact]:
        """The facts but those that count all entries of a tensor of which the rank is a guess: one may be missing."""
        known = (self._compared(fact) for fact in self.facts)
        return [fact for fact in known if not self._counts_guessed(fact) and not self._is_rounded(fact)]

    def _is_rounded(self, fact: Fact) -> bool:
        """Whether a side is a share of an axis of which only some places are taken: what is left over is unseen."""
        if not self.interpreter.shares:
            return False
        shares = [
            monomial
            for (whole, every), starts in self.interpreter.shares.items()
            if every.integer != len(starts)
            for monomial, _ in whole.terms
        ]
        terms = (*fact.left.terms, *fact.right.terms) if shares else ()
        return any(value.denominator != 1 and monomial in shares for monomial, value in terms)

    def _compared(self, fact: Fact) -> Fact:
        """Rows that are compared one by one, each with its own partner, are equally many."""
        if fact.relation is Relation.MET and fact.site.value in self.loss.model.roles.row_by_row:
            return Fact(Relation.EQUAL, fact.left, fact.right, fact.site)
        return fact

    def _counts_guessed(self, fact: Fact) -> bool:
        """Whether a side multiplies axes of a tensor of guessed rank, beyond the first ones that it surely has."""
        context = self.interpreter
        is_unguessed = (fact.relation, fact.left, fact.right) in context.unguessed
        for monomial, _ in (*fact.left.terms, *fact.right.terms):
            axes: dict[object, list[int]] = {}
            for each, _ in monomial:
                if each.origin is Origin.AXIS and each.owner in context.guessed:
                    axes.setdefault(each.owner, []).append(each.axis)
            for owner, places in axes.items():
                is_whole = not isinstance(owner, Site) or max(places) + 1 >= context.ranks.get(owner, 0)
                if len(places) > 1 and (is_whole or not is_unguessed or min(places) < 0):
                    return True
        return False

    def _functions(self) -> list[Function]:
        """Every function that takes part: those of the unit, and the constructors that build what it reads."""
        found = dict.fromkeys(self.loss.functions)
        for use in self.loss.size_uses:
            for reach in use.engagements:
                if reach.store is not None:
                    found.setdefault(reach.store.function)
        return [each for each in found if not each.is_module] or list(found)

    @cached_property
    def sizes(self) -> frozenset[Symbol]:
        """The configured sizes of the unit."""
        found: set[Symbol] = set()
        for use in self.loss.size_uses:
            for each in (use.read, self.target(use.read)):
                dim = self.number(each)
                if dim is not None:
                    found |= dim.of(Origin.SIZE)
        return frozenset(found)

    @property
    def facts(self) -> list[Fact]:
        """Every fact of the unit."""
        return self.interpreter.facts

    def frame(self, function: Function) -> Frame:
        """The run of a function by itself."""
        return self.interpreter.root(function)

    def number(self, read: Value) -> Dim | None:
        """The number that an expression stands for, as the code says it; in a branch, as in a run that takes it."""
        known = self.interpreter.evaluate(read, self.frame(read.function))
        if not isinstance(known, Number):
            return None
        marked = {size: self._in_branch(size, read) for size in known.dim.of(Origin.SIZE)}
        return known.dim.put({size: dim for size, dim in marked.items() if dim is not None})

    def _in_branch(self, size: Symbol, read: Value) -> Dim | None:
        """The size of a run that takes the branch in which it is read, where the facts speak of that."""
        for marked in self._marked:
            if isinstance(marked.owner, tuple) and marked.owner[2] == size.owner and _stands_in(read, marked.owner[1]):
                return symbol(marked.origin, marked.owner)
        return None

    @cached_property
    def _marked(self) -> list[Symbol]:
        """The sizes that facts know of one branch only."""
        symbols = {each for fact in self.facts for each in (*fact.left.of(Origin.SIZE), *fact.right.of(Origin.SIZE))}
        return [each for each in symbols if isinstance(each.owner, tuple) and each.owner[0] == "branch"]

    def target(self, read: Value) -> Value:
        """The expression to replace: the read, or the part of the size that the code takes of it.

        Where the facts know ``args.batch_size // args.n_gpu`` only, that quotient is what the batch has.
        """
        dim = self.number(read)
        if dim is not None and self.is_determined(self.theory.of(dim)):
            return read
        for user in read.users:
            if user.op == "binop" and user.name == "FloorDivide" and user.inputs[0] is read:
                quotient = self.number(user)
                if quotient is not None and quotient.of(Origin.SIZE) and self.is_determined(self.theory.of(quotient)):
                    return user
        return read

    def wanted(self, read: Value) -> Dim | None:
        """The number that a read stands for, with everything put in that the facts say."""
        dim = self.number(read)
        return self.theory.of(dim) if dim is not None else None

    def tensor(self, value: Value, function: Function) -> Tensor | None:
        """The shape of a value that is certain to be a tensor; None for anything else."""
        known = self.interpreter.evaluate(value, self.frame(function))
        if isinstance(known, Opaque):
            is_tensor = known.site in self.interpreter.tensors and known.site not in self.interpreter.lists
            return self.interpreter.as_tensor(known) if is_tensor else None
        return known if isinstance(known, Tensor) else None

    def conflict(self) -> Fact | None:
        """A fact about the unit's sizes that cannot hold together with the others."""
        for fact in self.theory.conflicts:
            solved = self.theory.of(fact.left - fact.right)
            if self.sizes & (fact.left.symbols | fact.right.symbols | solved.symbols):
                return fact
        return None

    def is_determined(self, wanted: Dim) -> bool:
        """Whether the facts tie every configured size in a number to an axis of a tensor from elsewhere."""
        return _ties(self.theory, wanted.of(Origin.SIZE))

    def holds_on_every_way(self, at: Value, written: Dim, wanted: Dim) -> bool:
        """Whether a number that is written for another one is that number, by what runs whenever ``at`` is read."""
        ways = ways_to(at)
        if ways is None:
            return False
        theories = (self._theory_of([fact for fact in self._all() if covers(fact.site, way)]) for way in ways)
        return all(theory.of(written) == theory.of(wanted) for theory in theories)

    def is_forced(self, place: Place, sizes: frozenset[Symbol]) -> bool:
        """Whether what runs whenever a statement does ties some sizes to tensors, so that it may assert them."""
        for way in calls_of(place[0].function):
            holding = [fact for fact in self._all() if forces(fact.site, place, way)]
            if not _ties(self._theory_of(holding), sizes):
                return False
        return True

    def _all(self) -> list[Fact]:
        return [*self._certain, *self._taken]

    def _theory_of(self, facts: list[Fact]) -> Theory:
        """What some of the facts say together."""
        chosen = tuple(map(id, facts))
        if chosen not in self._theories:
            self._theories[chosen] = (facts, Theory(facts))
        return self._theories[chosen][1]

    def evidence(self, wanted: Dim) -> Fact | None:
        """The fact that a message shows for a size: of those that were used, the simplest."""
        sizes = wanted.of(Origin.SIZE)
        found = [each for each in self.theory.used if sizes & (each.left.symbols | each.right.symbols)]
        return min(found, key=lambda each: len(each.left.terms) + len(each.right.terms), default=None)

    def sums(self) -> Iterator[tuple[Dim, Dim]]:
        """Sums of axes that the facts equate with something, and what they come to."""
        for fact in self.facts:
            if fact.relation is Relation.EQUAL:
                for side in (fact.left, fact.right):
                    if len(side.terms) > 1 and not side.of(Origin.SIZE):
                        yield side, self.theory.of(side)
                        own = side.over(symbol(Origin.WORLD, WORLD))
                        if own is not None and not own.of(Origin.WORLD):
                            yield own, self.theory.of(own)  # before the gather, a rank's own

    def told(self, fact: Fact) -> str:
        """A fact as an equation in the words of the code, tensors first and nothing subtracted."""
        rest = fact.left - fact.right
        left = Dim(frozenset((each, value) for each, value in rest.terms if value > 0))
        right = Dim(frozenset((each, -value) for each, value in rest.terms if value < 0))
        if not left.terms or not right.terms:
            left, right = fact.left, fact.right
        if right.of(Origin.AXIS) and not left.of(Origin.AXIS):
            left, right = right, left
        return f"{left.shown(self.name)} == {right.shown(self.name)}"

    def name(self, named: Symbol) -> str:
        """How messages write a symbol."""
        owner = named.owner
        if named.origin is Origin.WORLD:
            return "world_size"
        if isinstance(owner, Site):
            text = shown(owner.value) or "..."
            return f"{text}.shape[{named.axis}]" if named.origin is Origin.AXIS else text
        read = self.interpreter.size_reads.get(owner)
        if read is not None:
            return path_text(read)
        if isinstance(owner, tuple) and owner[0] == "branch":
            return self.name(Symbol(Origin.SIZE, owner[2]))
        if isinstance(owner, tuple) and owner[0] == "quotient":
            return f"({owner[1].shown(self.name)} // {owner[2].shown(self.name)})"
        return "..."


def _ties(theory: Theory, sizes: frozenset[Symbol]) -> bool:
    """Whether what is solved ties each of some sizes to something that is no configured size."""
    solved = [dim for each, dim in theory.solved.items() if each.origin is not Origin.SIZE]
    return all(any(_is_part_of(size, dim) for dim in solved) for size in sizes)


def _is_part_of(size: Symbol, dim: Dim) -> bool:
    """Whether a number is so many times a size, and not a share of it: views that are computed as ``rows / size``."""
    return any(symbol == size and power > 0 for monomial, _ in dim.terms for symbol, power in monomial)


def _stands_in(read: Value, branch: Value) -> bool:
    """Whether a read stands in the statement, or the conditional expression, whose branches meet in a value."""
    if branch.name == "ifexp":
        return read.block is branch.block and read.index == branch.index
    block: Block | None = read.block
    while block is not None:
        if block.statement is branch.node:
            return True
        block = block.parent
    return False
