"""Rewriting reads: the text that stands for the configured size where it is read, from the tensors bound there."""

from __future__ import annotations

from dataclasses import dataclass, field

from infonce_lint.finding import Edit
from infonce_lint.repair.candidates import Candidate, Candidates
from infonce_lint.repair.covering import Place, runs_with
from infonce_lint.repair.layout import string_rows
from infonce_lint.repair.place import (
    delete,
    encloses,
    free_name,
    home_of,
    is_bound_before,
    is_bracketed,
    needs_brackets,
    replace,
    span_of,
)
from infonce_lint.repair.proof import Proof
from infonce_lint.semantic.graph.paths import path_text, shown
from infonce_lint.semantic.graph.values import Block, Function, Value
from infonce_lint.semantic.losses.model import ContrastiveLoss, SizeUse
from infonce_lint.semantic.shapes.dims import WORLD, Dim, Origin, Symbol, number, symbol
from infonce_lint.settings import Settings
from infonce_lint.sources.source import SourceFile


class Refused(Exception):
    """A part of the unit cannot be repaired; the message says why and what to do."""


@dataclass(slots=True)
class Derived:
    """A local size of one function: ``name = rows // views``, with the places that use it.

    ``rows`` is a text such as ``features.shape[0]``, ``values`` the tensors that it asks.
    """

    name: str
    rows: str
    values: tuple[Value, ...]
    views: str
    places: list[Place] = field(default_factory=list)
    conditional: set[Place] = field(default_factory=set)  # those of which one side alone needs the size
    sizes: set[Symbol] = field(default_factory=set)  # the configured ones that it stands for

    def doubt(self, place: Place) -> str:
        """Why the assertion must not stand at ``place``, before ways on which no size is needed; or empty."""
        inline = {each for each in self.places if each[0].inline}
        certain = [each for each in self.places if each not in inline and each not in self.conditional]
        if any(runs_with(each, place) for each in certain):
            return ""
        if inline:
            return "the assertion stands before a one-row branch that alone needs it"
        if self.conditional:
            return "the assertion stands before a conditional expression of which one side alone needs it"
        return ""

    def lines(self, settings: Settings, quote: str, room: int) -> list[str]:
        """The assertion and the definition; a row of more than ``room`` characters is broken where it can be."""
        rows = f"({self.rows})" if " " in self.rows else self.rows
        if settings.guard == "raise":
            opening, closing = f"if {rows} % {self._factor} != 0:\n    raise ValueError(", ")"
            depth = 2
        else:
            opening, closing, depth = f"assert {rows} % {self._factor} == 0, ", "", 1
        prefix, parts, quote = self._message(quote)
        (whole,) = string_rows(prefix, ["".join(parts)], quote, room)
        if len((opening + whole + closing).rpartition("\n")[2]) > room:
            step, back = "    " * depth, "    " * (depth - 1)
            rows_of_text = string_rows(prefix, parts, quote, room - len(step))
            opening = opening if closing else f"{opening}("
            whole, closing = "".join(f"\n{step}{part}" for part in rows_of_text), f"\n{back})"
        return [opening + whole + closing, f"{self.name} = {rows} // {self._factor}"]

    @property
    def _factor(self) -> str:
        return f"({self.views})" if " " in self.views else self.views

    def _message(self, quote: str) -> tuple[str, list[str], str]:
        """What the assertion says: the prefix of its literal, its parts, and the quote, which what is shown has not."""
        quote = "'\""[quote == "'"] if quote in self.views else quote
        if quote in self.views:  # no quotes are left
            return "", ["Features dim 0 ", "must be divisible by the number of views"], '"'
        shown = self.views if self.views.isdigit() else f"{{{self.views}}}"
        label = "n_views" if not self.views.isdigit() else "the number of views"
        axis = self.rows[-2] if self.rows.count("shape[") == 1 else "0"
        return "f", [f"Features dim {axis} ({{{self.rows}}}) ", f"must be divisible by {label} ({shown})"], quote


class Rewriter:
    """Writes a loss unit's configured sizes in terms of the tensors in scope."""

    def __init__(self, loss: ContrastiveLoss, source: SourceFile, settings: Settings, proof: Proof) -> None:
        self.loss = loss
        self.source = source
        self.settings = settings
        self.proof = proof
        self.candidates = Candidates(proof)
        self.derived: dict[tuple[Function, tuple[Value, ...], str, str, Block], Derived] = {}
        self.doubts: list[str] = []
        self.insertions: dict[tuple[Block, int], list[str]] = {}  # statements to put before others

    def wanted(self, read: Value) -> Dim:
        """The number that a read stands for, as the facts give it."""
        dim = self.proof.wanted(read)
        if dim is None:
            raise Refused(f"what `{path_text(read)}` counts is computed in a way that is not followed")
        return dim

    def sees_features(self, uses: list[SizeUse]) -> bool:
        """Whether every read has a tensor in scope from which the size follows."""
        return all(self.can_write(self.wanted(self.proof.target(use.read)), use.read) for use in uses)

    def can_write(self, wanted: Dim, at: Value) -> bool:
        """Whether a number can be written where ``at`` is read."""
        scope = at.scope or {}
        return (
            self.candidates.best(wanted, scope, at.function) is not None
            or self.candidates.sum_text(wanted, scope, at.function) is not None
        )

    def rewrite(self, read: Value) -> list[Edit]:
        """The edits that replace a read; a factor of the world size next to it goes when the rows are gathered."""
        assert read.node is not None
        target = self.proof.target(read)
        wanted = self.wanted(target)
        dropped = self._drop_world_factor(read)
        if dropped is not None:
            gathered = self.candidates.best(wanted * symbol(Origin.WORLD, WORLD), read.scope or {}, read.function)
            if gathered is not None and gathered.ratio.world == 0:
                # the rows of all ranks are there already: the factor beside the read goes
                return [self._edit(read, self.text(gathered, wanted, read)), dropped]
        return [self._edit(target, self.write(wanted, read))]

    def refuse(self, uses: list[SizeUse]) -> None:
        """Say why the first of some reads that cannot be written cannot."""
        for use in uses:
            self.write(self.wanted(self.proof.target(use.read)), use.read)

    def write(self, wanted: Dim, at: Value, place: Place | None = None) -> str:
        """The text of a number where ``at`` is read, or for a statement that is put before ``place``."""
        scope = at.scope or {}
        if place is not None:
            scope = {name: value for name, value in scope.items() if is_bound_before(value, place)}
        found = self.candidates.best(wanted, scope, at.function)
        if found is not None:
            self._check_ways(at, found.number, wanted)
            return self.text(found, wanted, at, place)
        total = self.candidates.sum_text(wanted, scope, at.function)
        if total is not None:
            rows, count, views = total
            self._check_ways(at, count, wanted * number(views))
            names = [each.partition(".")[0] for each in rows.split(" + ")]
            return self._local(rows, tuple(scope[each] for each in names), str(views), wanted, at, place)
        if self.candidates.foreign:
            raise Refused(f"{self.candidates.foreign}; derive the size from the batch's own rows by hand")
        where = f"`{_called(at)}` is called" if at.callee is not None else f"`{shown(at)}` is read"
        raise Refused(f"no tensor with the batch's rows is bound where {where}; derive the size there by hand")

    def _check_ways(self, at: Value, written: Dim, wanted: Dim) -> None:
        if not self.proof.holds_on_every_way(at, written, wanted):
            self.doubts.append("the loss shows the size on another way than the one that reads it")

    def _edit(self, read: Value, text: str) -> Edit:
        assert read.node is not None
        asked = next((user for user in read.users if user.op == "attr" and user.inputs[0] is read), None)
        if asked is not None:
            raise Refused(f"`{path_text(read)}` is no plain number here: `.{asked.name}` is asked of it")
        if " " in text and needs_brackets(read) and not is_bracketed(read.node):
            text = f"({text})"
        return replace(self.source, read, text)

    def text(self, candidate: Candidate, wanted: Dim, at: Value, place: Place | None = None) -> str:
        """The text of a candidate times its ratio; a division by views becomes a local with its assertion."""
        ratio = candidate.ratio
        if candidate.axis is None:
            return candidate.name
        rows = candidate.text
        if candidate.doubt:
            self.doubts.append(candidate.doubt)
        world = self._named_text([symbol(Origin.WORLD, WORLD)], at) if ratio.world else ""
        if ratio.named or ratio.number.denominator != 1:
            views = self._views(candidate, at)
            rows = self._local(rows, (candidate.value,), views, wanted, at, place)
        elif ratio.number != 1:
            rows = f"{ratio.number.numerator} * {rows}"
        if ratio.world == 1:
            return f"{rows} * {world}"
        if ratio.world == -1:
            if not candidate.gathered:
                self.doubts.append("the sizes count several processes but nothing is gathered here")
            return f"{rows} // {world}"
        return rows

    def _named_text(self, symbols: list[Dim], at: Value) -> str:
        """How named counts are written, if that means the same where ``at`` stands."""
        texts = []
        for each in (one for dim in symbols for one in dim.symbols):
            text = self.candidates.text_of(each, at.scope or {}, at.function)
            if text is None:
                shown = self.proof.name(each)
                raise Refused(
                    f"`{shown}` is not known in `{at.function.qualified_name}`; derive the size there by hand"
                )
            texts.append(text)
        return " * ".join(texts)

    def _views(self, candidate: Candidate, at: Value) -> str:
        parts = [
            self._named_text([symbol(each.origin, each.owner, each.axis)], at) for each, _ in candidate.ratio.named
        ]
        if candidate.ratio.number.denominator != 1:
            parts.insert(0, str(candidate.ratio.number.denominator))
        return " * ".join(parts)

    def _local(
        self, rows: str, values: tuple[Value, ...], views: str, wanted: Dim, read: Value, place: Place | None = None
    ) -> str:
        """The name of the local size of a function, defined once for each count of rows and views."""
        function = read.function
        place = place or (read.block, read.index)
        home = home_of(place[0])
        key = (function, values, rows, views, home)
        derived = self.derived.get(key) or self._same_size(rows, values, views, function, place[0])
        if derived is None:
            if not views.isdigit():
                for value in values:
                    self._doubt_views(value, views)
            name = free_name(self.settings.local_name, function, self._locals(function))
            derived = Derived(name, rows, values, views)
            self.derived[key] = derived
        derived.places.append(place)
        derived.sizes |= wanted.of(Origin.SIZE)
        if self._is_conditional(read):
            derived.conditional.add(place)
        return derived.name

    def _same_size(
        self, rows: str, values: tuple[Value, ...], views: str, function: Function, block: Block
    ) -> Derived | None:
        """A local that counts the same rows already, from an earlier value of the tensor that reaches ``block``."""
        for (owner, earlier, text, factor, home), derived in self.derived.items():
            is_same = owner is function and text == rows and factor == views and encloses(home, block)
            if not is_same or not all(encloses(each.block, block) for each in earlier):
                continue
            if earlier == values or [self._rows(each, owner) for each in earlier] == [
                self._rows(each, owner) for each in values
            ]:
                return derived
        return None

    def _is_conditional(self, read: Value) -> bool:
        """Whether a read stands in one side of a conditional expression, and the other does without its number."""
        stack, seen = list(read.users), set()
        while stack:
            user = stack.pop()
            if user in seen or user.block is not read.block or user.index != read.index:
                continue
            seen.add(user)
            if user.op == "phi" and user.name == "ifexp":
                sides = {self.proof.number(each) for each in user.inputs}
                if None in sides or len(sides) > 1:
                    return True
            stack.extend(user.users)
        return False

    def _rows(self, value: Value, function: Function) -> object:
        tensor = self.proof.tensor(value, function)
        return (tensor.axis(0), tensor.axis(1)) if tensor is not None else value

    def _locals(self, function: Function) -> set[str]:
        """The names that this fix has given to sizes of a function already (a tensor may be rebound between them)."""
        return {each.name for (owner, *_), each in self.derived.items() if owner is function}

    def _doubt_views(self, value: Value, views: str) -> None:
        """The view count is a name: doubtful when the file shows how many views are really stacked."""
        shown = self._stacked_views(value, set()) or self.loss.model.directory.generated_views
        if shown:
            self.doubts.append(f"the file stacks {shown} views where the loss trusts `{views}`")

    def _stacked_views(self, value: Value, seen: set[Value]) -> int:
        if value in seen:
            return 0
        seen.add(value)
        if value.op == "call" and value.name in ("cat", "concat", "concatenate"):
            parts = value.argument(0)
            if parts is not None and parts.op == "tuple" and len(parts.inputs) > 1:
                return len(parts.inputs)
        if value.op in ("param", "name", "phi", "store", "closure"):
            return max((self._stacked_views(each, seen) for each in value.inputs), default=0)
        if value.op == "call" and value.callee is None:
            called = value.inputs[0]
            behind = [each for _, each in value.arguments()][:1]
            behind += called.inputs if called.op == "attr" else []
            return max((self._stacked_views(each, seen) for each in behind), default=0)
        if value.op == "item":
            return self._stacked_views(value.inputs[0], seen)
        return 0

    # -- the world size ----------------------------------------------------------------------------------------------

    def _drop_world_factor(self, read: Value) -> Edit | None:
        """The edit that strikes ``* world_size`` out of the product around a read."""
        current = read
        for _ in range(4):
            product = next((user for user in current.users if user.op == "binop" and user.name == "Multiply"), None)
            if product is None:
                product = next((user for user in current.users if user.op == "unary"), None)
                if product is None:
                    return None
                current = product
                continue
            left, right = product.inputs
            other = right if left is current else left
            if self.proof.number(other) == symbol(Origin.WORLD, WORLD):
                assert left.node is not None and right.node is not None
                if is_bracketed(left.node) or is_bracketed(right.node):
                    return None
                ours, theirs = span_of(self.source, left), span_of(self.source, right)
                if other is right:
                    return delete(ours.end, theirs.end)
                return delete(ours.start, theirs.start)
            current = product
        return None


def _called(call: Value) -> str:
    return shown(call.inputs[0]) or call.name
