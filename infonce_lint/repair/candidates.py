"""Candidates: the variables in scope whose axes give a configured size, and how named factors are written there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from infonce_lint.repair.proof import Proof
from infonce_lint.semantic.graph.literals import alternatives, is_none
from infonce_lint.semantic.graph.paths import path_text
from infonce_lint.semantic.graph.values import Function, Value
from infonce_lint.semantic.graph.walk import walk
from infonce_lint.semantic.names import words
from infonce_lint.semantic.shapes.dims import ONE, Coefficient, Dim, Origin, Symbol, symbol
from infonce_lint.semantic.shapes.domain import Number, Site
from infonce_lint.semantic.shapes.operations import Column, has

_LABEL_WORDS = frozenset(
    {"label", "labels", "target", "targets", "mask", "masks"}
)  # their rows follow, they do not lead
_NO_TENSORS = frozenset({"func", "class", "import", "const", "str", "selfparam", "dict"})
_MOST_AXES = 4


@dataclass(frozen=True, slots=True)
class Ratio:
    """wanted / rows: ``number`` times named counts to their powers, and the number of processes to its power."""

    number: Coefficient
    named: tuple[tuple[Symbol, int], ...] = ()
    world: int = 0
    dim: Dim = field(default=ONE, compare=False)  # all of it

    @property
    def is_plain(self) -> bool:
        """Whether nothing but the number of processes stands beside the rows."""
        return self.number == 1 and not self.named


def is_stored_rows(symbol: Symbol) -> bool:
    """Whether an axis is that of a tensor that is kept between batches: a queue, prototypes, a bank."""
    if not isinstance(symbol.owner, Site):
        return False
    value = symbol.owner.value
    return value.op in ("self", "global", "attr") or value.function.is_constructor or value.function.is_module


def ratio_of(wanted: Dim, rows: Dim) -> Ratio | None:
    """What the rows must be multiplied by; None where that is no product of numbers and named counts."""
    quotient = wanted.over(rows)
    if quotient is None or len(quotient.terms) != 1:
        return None
    ((monomial, number),) = quotient.terms
    named, world = [], 0
    for each, power in sorted(monomial, key=repr):
        if each.origin is Origin.WORLD:
            world = power
        elif each.origin is Origin.NAMED:
            named.append((each, power))
        else:
            return None
    return Ratio(number, tuple(named), world, quotient)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A text that counts rows: ``name.shape[axis]``, or a local that holds the number already (``axis`` is None)."""

    name: str
    value: Value
    axis: int | None
    ratio: Ratio
    text: str
    number: Dim  # what it comes to, times the ratio
    gathered: bool = False  # whether its rows are those of all processes
    doubt: str = ""  # why the axis may be another one


class Candidates:
    """Finds the best text for a number where it is read."""

    def __init__(self, proof: Proof) -> None:
        self.proof = proof
        self.roles = proof.loss.model.roles
        self.foreign: str = ""  # rows that also stand in a tensor that would do otherwise
        self._best: dict[tuple[Dim, int, Function], tuple[dict[str, Value], Candidate | None]] = {}
        self._of_variables: dict[tuple[Dim, str, Value, Function], list[Candidate]] = {}
        self._ratios: dict[tuple[Dim, Dim], tuple[Ratio | None, str]] = {}
        self._reshaped: dict[Function, bool] = {}

    def best(self, wanted: Dim, scope: dict[str, Value], function: Function) -> Candidate | None:
        """The variable in scope that is nearest to ``wanted``."""
        place = (wanted, id(scope), function)
        if place not in self._best:
            self._best[place] = (scope, self._find_best(wanted, scope, function))  # kept, so that its id stays its own
        return self._best[place][1]

    def _find_best(self, wanted: Dim, scope: dict[str, Value], function: Function) -> Candidate | None:
        ranked = []
        for order, candidate in enumerate(self._all(wanted, scope, function)):
            rank = _rank(candidate)
            if rank is not None:
                value = candidate.value
                is_label = not _LABEL_WORDS.isdisjoint(words(candidate.name))
                is_known = value in self.roles.features
                key = (
                    rank,
                    bool(candidate.doubt),
                    not is_known,
                    is_label or value in self.roles.cone,
                    value.op != "param",
                    order,
                )
                ranked.append((key, candidate))
        return min(ranked, key=lambda each: each[0])[1] if ranked else None

    def tensor_name(self, scope: dict[str, Value], function: Function) -> str | None:
        """A tensor in scope that holds features or what is computed from them, whose device a mask belongs to."""
        names = [
            (value not in self.roles.features, value.op != "param", order, name)
            for order, (name, value) in enumerate(scope.items())
            if "." not in name
            and value not in self.roles.reduced
            and not value.maybe_unbound
            and not (_may_be_none(value) or _may_be_list(value))
            and (value in self.roles.features or value in self.roles.cone)
            and self.proof.tensor(value, function) is not None
        ]
        return min(names)[-1] if names else None

    def _all(self, wanted: Dim, scope: dict[str, Value], function: Function) -> Iterator[Candidate]:
        changed = self._changed_from_within(function)
        for name, value in scope.items():
            if "." in name or value.op in _NO_TENSORS or value in self.roles.reduced or value.maybe_unbound:
                continue
            if name in changed:
                continue
            place = (wanted, name, value, function)
            known = self._of_variables.get(place)
            if known is None:
                known = self._of_variables[place] = list(self._of_variable(*place))
            yield from known

    def _of_variable(self, wanted: Dim, name: str, value: Value, function: Function) -> Iterator[Candidate]:
        """What one variable has to offer, wherever it holds this very value."""
        if _may_be_none(value) or _may_be_list(value):
            return
        known = self.proof.interpreter.evaluate(value, self.proof.frame(function))
        if not isinstance(known, Number):
            yield from self._axes(wanted, name, value, function)
        elif self._is_pure(known.dim) and self.proof.theory.of(known.dim) == wanted:
            yield Candidate(name, value, None, Ratio(1), name, known.dim)

    def _changed_from_within(self, function: Function) -> set[str]:
        """The names that a nested function binds anew: what they hold after a call of it is not followed."""
        inner = self.proof.loss.model.directory.nested.get(function, ())
        return {name for each in inner for name in each.nonlocals}

    def _axes(self, wanted: Dim, name: str, value: Value, function: Function) -> Iterator[Candidate]:
        tensor = self.proof.tensor(value, function)
        if tensor is None:
            return
        if tensor.rest is not None:
            tensor = tensor.opened(1)
        dims = tensor.dims[:_MOST_AXES]
        for axis, dim in enumerate(dims):
            ratio = self._ratio(wanted, dim, name)
            if ratio is not None:
                doubt = self._doubt(name, dim, function)
                text = f"{name}.shape[{axis}]"
                yield Candidate(name, value, axis, ratio, text, dim * ratio.dim, bool(dim.of(Origin.WORLD)), doubt)
                continue
            floored = self._floored(wanted, dim)
            if floored is not None:
                quotient, divisor = floored
                text = f"{name}.shape[{axis}] // {divisor}"
                yield Candidate(name, value, axis, Ratio(1), text, quotient, doubt=self._doubt(name, dim, function))
        if len(dims) > 1 and (ratio := self._ratio(wanted, dims[0] * dims[1], name)) is not None:
            both = f"{name}.shape[0] * {name}.shape[1]"
            yield Candidate(name, value, 0, ratio, both, dims[0] * dims[1] * ratio.dim)

    def _doubt(self, name: str, dim: Dim, function: Function) -> str:
        """Why the axis may not be the rows: it may have changed, or how many axes the tensor has is only likely."""
        if self._is_reshaped(function):
            return f"`{function.name}` gives a tensor another shape in place"
        context = self.proof.interpreter
        owners = {symbol.owner for symbol in dim.of(Origin.AXIS)}
        open_sites = context.guessed - context.confirmed
        # a number that the code computes may rest on a guess as well
        computed = [each.owner.value for each in dim.of(Origin.UNKNOWN) if isinstance(each.owner, Site)]
        if owners & open_sites or self._rest_on_guess(computed):
            return f"how many axes `{name}` has is not in the code"
        used = (fact for fact in self.proof.theory.used if (fact.left.symbols | fact.right.symbols) & dim.symbols)
        if self._rest_on_guess([fact.site.value for fact in used]):
            return f"how many axes there are in what tells the rows of `{name}` is not in the code"
        return ""

    def _rest_on_guess(self, computed: list[Value]) -> bool:
        """Whether a tensor whose rank is only likely takes part in what is computed."""
        context = self.proof.interpreter
        open_sites = [each for each in context.guessed if each not in context.confirmed]
        open_values = {each.value for each in open_sites if each.value.op != "param"}
        if not computed or not open_values:
            return False
        behind: set[Value] = set(walk(computed, lambda value: value.inputs))
        return not open_values.isdisjoint(behind)

    def _is_reshaped(self, function: Function) -> bool:
        """Whether a function changes a tensor's shape in place; which names hold that tensor is not followed."""
        if function not in self._reshaped:
            is_stored = function in self.proof.interpreter.changes.of_data
            calls = any(_changes_own_shape(call) for call in function.calls)
            self._reshaped[function] = is_stored or calls
        return self._reshaped[function]

    def _floored(self, wanted: Dim, dim: Dim) -> tuple[Dim, int] | None:
        """What is wanted as an axis that the code divides, rounding down, and the number by which it does."""
        for named, solved in self.proof.theory.solved.items():
            owner = named.owner
            if isinstance(owner, tuple) and owner[0] == "floor" and owner[1] == dim and solved == wanted:
                divisor = owner[2].integer
                if isinstance(divisor, int):
                    return symbol(named.origin, named.owner, named.axis), divisor
        return None

    def _ratio(self, wanted: Dim, rows: Dim, name: str) -> Ratio | None:
        if (wanted, rows) not in self._ratios:
            self._ratios[wanted, rows] = self._find_ratio(wanted, rows)
        ratio, foreign = self._ratios[wanted, rows]
        if foreign:
            self.foreign = self.foreign or f"`{name}` holds the rows of {foreign}, and not all are known to be views"
        return ratio

    def _find_ratio(self, wanted: Dim, rows: Dim) -> tuple[Ratio | None, str]:
        """The ratio, or why the rows must not stand for the number though they have one."""
        if not self._is_pure(rows):
            return None, ""
        solved = self.proof.theory.of(rows)
        ratio = ratio_of(wanted, solved) if solved.of(Origin.SIZE) else None
        foreign = self._foreign_part(rows, solved) if ratio is not None and not ratio.is_plain else ""
        return (None, foreign) if foreign else (ratio, "")

    @staticmethod
    def _is_pure(dim: Dim) -> bool:
        """Whether a number is asked of tensors that are really there, and of no configuration."""
        return bool(dim.of(Origin.AXIS) or dim.of(Origin.UNKNOWN)) and not dim.of(Origin.SIZE)

    def _foreign_part(self, rows: Dim, solved: Dim) -> str:
        """What a sum of rows is put together from, where a part may be no view of the batch; empty where all are.

        Parts that the facts give one by one are what they are; parts that only their sum is known of are views when
        there are as many as the sum holds sizes, and none of them is kept between batches.
        """
        if len(rows.terms) < 2:
            return ""
        count = sum(number for _, number in rows.terms)
        names: list[str] = []
        is_foreign = False
        for monomial, number in rows.terms:
            axes = [symbol for symbol, _ in monomial if symbol.origin is Origin.AXIS]
            names += [self.proof.name(axis).partition(".shape")[0] for axis in axes]
            part = self.proof.theory.of(Dim(frozenset({(monomial, number)})))
            if len(part.terms) == 1 and part.of(Origin.SIZE) and not part.of(Origin.AXIS):
                continue
            is_stored = any(is_stored_rows(axis) for axis in axes)
            if len(axes) != 1 or is_stored or sum(value for _, value in solved.terms) != count:
                is_foreign = True
        return " and ".join(f"`{name}`" for name in sorted(names)) or "others" if is_foreign else ""

    def sum_text(self, wanted: Dim, scope: dict[str, Value], function: Function) -> tuple[str, Dim, int] | None:
        """``z_i.shape[0] + z_j.shape[0]``, what it comes to, and how often that holds the number wanted."""
        for side, solved in self.proof.sums():
            ratio = ratio_of(solved, wanted)
            if ratio is None or ratio.named or ratio.world or ratio.number != len(side.terms):
                continue
            texts = [self._axis_text(monomial, number, scope, function) for monomial, number in side.terms]
            if all(texts):
                return " + ".join(sorted(text for text in texts if text)), side, len(side.terms)
        return None

    def _axis_text(
        self, monomial: frozenset[tuple[Symbol, int]], number: Coefficient, scope: dict[str, Value], function: Function
    ) -> str | None:
        if number != 1 or len(monomial) != 1:
            return None
        ((symbol, power),) = monomial
        if power != 1 or symbol.origin is not Origin.AXIS or not isinstance(symbol.owner, Site):
            return None
        if is_stored_rows(symbol):
            return None
        for name, value in scope.items():
            if "." in name or value.op in _NO_TENSORS or value.maybe_unbound or _may_be_none(value):
                continue
            if _may_be_list(value):
                continue
            tensor = self.proof.tensor(value, function)
            dim = tensor.axis(0) if tensor is not None else None
            if dim is not None and dim == Dim(frozenset({(monomial, number)})):
                return f"{name}.shape[0]"
        return None

    # -- how counts are written --------------------------------------------------------------------------------------

    def text_of(self, symbol: Symbol, scope: dict[str, Value], function: Function) -> str | None:
        """How a named count is written where ``scope`` is in force; None where it is not known there."""
        if symbol.origin is Origin.WORLD:
            reads = self.proof.interpreter.world_reads
        elif isinstance(symbol.owner, Site):
            site = symbol.owner
            for name, value in scope.items():
                if value is site.value and "." not in name and not value.maybe_unbound:
                    return name
            reads = [*self.proof.interpreter.reads.get(site, ()), site.value]
            kept = _attribute_of(site.value, function)
            if kept is not None:
                return kept
        else:
            return None
        for read in sorted(reads, key=lambda each: each.function is not function):
            text = path_text(read)
            if text and self._means_the_same(text, read, scope, function):
                return text
        return None

    def _means_the_same(self, text: str, read: Value, scope: dict[str, Value], function: Function) -> bool:
        first = text.split(".")[0].split("[")[0].split("(")[0]
        if first == "self":
            ours, theirs = function.enclosing_class, read.function.enclosing_class
            if ours is None and theirs is None:  # a method shown without its class
                return function is read.function
            return ours is not None and theirs is not None and ours in theirs.family()
        if first in scope:
            theirs_bound = (read.scope or {}).get(first)
            return read.function is not function or theirs_bound is None or theirs_bound is scope[first]
        return first in self.proof.loss.model.module.main.final and first not in function.bindings


def _attribute_of(value: Value, function: Function) -> str | None:
    """The attribute that keeps a constructor's parameter, for functions that do not have the parameter itself."""
    owner = function.enclosing_class
    param = value.inputs[0] if value.op == "name" and value.inputs else value
    if owner is None or param.op != "param" or param.function is function:
        return None
    for each in owner.family():
        for name, stores in each.slots.items():
            if len(stores) == 1 and stores[0].inputs:
                kept = stores[0].inputs[0]
                if kept is param or (kept.op == "name" and kept.inputs and kept.inputs[0] is param):
                    return f"self.{name}"
    return None


def _may_be_none(value: Value) -> bool:
    """Whether a branch before, or a caller that does not give it, may have left None in its place."""
    found = alternatives(value)
    defaults = [each.function.defaults.get(each.name) for each in found if each.op == "param"]
    return any(is_none(each) for each in (*found, *defaults) if each is not None)


def _changes_own_shape(call: Value) -> bool:
    """``x.t_()``, ``torch.Tensor.t_(x)`` or ``getattr(x, "t_")``."""
    names = [call.name]
    if call.name == "getattr":
        names += [str(each.literal) for _, each in call.arguments() if each.op == "str"]
    return any(has(each, Column.CHANGES_OWN_SHAPE) for each in names)


def _may_be_list(value: Value) -> bool:
    """Whether a list of a tensor's entries, which has no shape, may stand in its place."""
    return any(each.op == "call" and has(each.name, Column.GIVES_LIST) for each in alternatives(value))


def _rank(candidate: Candidate) -> int | None:
    """How far a text is from the number itself; None when none can be written."""
    ratio = candidate.ratio
    if candidate.axis is None:
        return -1 if ratio.is_plain and not ratio.world else None
    if abs(ratio.world) > 1 or any(abs(power) > 1 for _, power in ratio.named):
        return None
    own = (6 if "*" in candidate.text else 0) + abs(ratio.world)
    if ratio.is_plain:
        return own
    if not ratio.named and ratio.number.denominator == 1:
        return 4 + own
    if ratio.number.numerator == 1 and all(power == -1 for _, power in ratio.named):
        return 2 + own
    return None
