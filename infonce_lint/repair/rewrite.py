"""Rewriting reads: the text that stands for the configured size where it is read, from the tensors bound there."""

from __future__ import annotations

from dataclasses import dataclass, field

from infonce_lint.finding import Edit
from infonce_lint.repair.place import delete, encloses, free_name, home_of, is_bracketed, needs_brackets, replace
from infonce_lint.repair.solve import Solution
from infonce_lint.semantic.extents.extent import WORLD, Extent, symbol
from infonce_lint.semantic.extents.extents import Extents
from infonce_lint.semantic.graph.values import Block, Function, Value
from infonce_lint.semantic.losses.model import ContrastiveLoss, SizeUse
from infonce_lint.semantic.names import words
from infonce_lint.settings import Settings
from infonce_lint.sources.source import SourceFile

_LABEL_WORDS = frozenset(
    {"label", "labels", "target", "targets", "mask", "masks"}
)  # their rows follow, they do not lead
_ROW_LIMIT = 110


class Refused(Exception):
    """A part of the unit cannot be repaired; the message says why and what to do."""


@dataclass(slots=True)
class Derived:
    """A local size of one function: ``name = tensor.shape[0] // views``, with the places that use it."""

    name: str
    tensor: str
    value: Value
    views: str
    places: list[tuple[Block, int]] = field(default_factory=list)

    def lines(self, settings: Settings) -> list[str]:
        """The assertion and the definition."""
        rows = f"{self.tensor}.shape[0]"
        message = self._message(rows)
        if settings.guard == "raise":
            check = f"if {rows} % {self._factor} != 0:\n    raise ValueError({message})"
        else:
            check = f"assert {rows} % {self._factor} == 0, {message}"
            if len(check) > _ROW_LIMIT:
                check = f"assert {rows} % {self._factor} == 0, (\n    {message}\n)"
        return [check, f"{self.name} = {rows} // {self._factor}"]

    @property
    def _factor(self) -> str:
        return f"({self.views})" if " " in self.views else self.views

    def _message(self, rows: str) -> str:
        quote = "'" if '"' in self.views else '"'
        shown = self.views if self.views.isdigit() else f"{{{self.views}}}"
        if quote == "'" and "'" in self.views:
            return '"Features dim 0 must be divisible by the number of views"'  # no quotes are left for an f-string
        label = "n_views" if not self.views.isdigit() else "the number of views"
        return f"f{quote}Features dim 0 ({{{rows}}}) must be divisible by {label} ({shown}){quote}"


class Rewriter:
    """Writes a loss unit's configured sizes in terms of the tensors in scope."""

    def __init__(
        self,
        loss: ContrastiveLoss,
        source: SourceFile,
        settings: Settings,
        extents: Extents,
        solutions: dict[str, Solution],
    ) -> None:
        self.loss = loss
        self.source = source
        self.settings = settings
        self.extents = extents
        self.solutions = solutions
        self.derived: dict[tuple[Function, Value, str, str, Block], Derived] = {}
        self.doubts: list[str] = []
        self.insertions: dict[tuple[Block, int], list[str]] = {}  # statements to put before others

    def solution(self, read: Value) -> Extent:
        """The extent of the size that a read stands for."""
        return self.solutions[self.extents.size_symbol(read)].extent

    def sees_features(self, uses: list[SizeUse]) -> bool:
        """Whether every read has a tensor in scope from which the size follows."""
        return all(
            self.best(self._localised(self.solution(use.read), use.read), use.read.scope or {}) is not None
            for use in uses
        )

    def _localised(self, wanted: Extent, read: Value) -> Extent:
        """A solution over a helper's parameters, in terms of what this very call hands to it."""
        calls = [user for user in read.users if user.op == "call" and user.callee is not None]
        for name, power in wanted.symbols:
            param = self.extents.tensors.get(name)
            if param is None or param.op != "param" or power != 1:
                continue
            for call in calls:
                passed = call.argument_for(param.function, param.name) if call.callee is param.function else None
                rows = self.extents.rows(passed) if passed is not None else None
                if rows is not None:
                    wanted = wanted.without(name) * rows
        return wanted

    def rewrite(self, read: Value) -> list[Edit]:
        """The edits that replace a read; a factor of the world size next to it goes when the rows are gathered."""
        assert read.node is not None
        wanted = self._localised(self.solution(read), read)
        scope = read.scope or {}
        dropped = self._drop_world_factor(read)
        gathered = self.best(wanted * symbol(WORLD), scope) if dropped is not None else None
        if gathered is not None and gathered[2].power(WORLD) == 0:
            # the rows of all ranks are there already: the factor beside the read goes
            return [*self._edits(read, *gathered), dropped] if dropped is not None else []
        found = self.best(wanted, scope)
        if found is None:
            raise Refused(
                f"no tensor with the batch's rows is bound where `{read.name}` is read; derive the size there by hand"
            )
        return self._edits(read, *found)

    def _edits(self, read: Value, name: str, value: Value, ratio: Extent) -> list[Edit]:
        assert read.node is not None
        text = self.text(name, value, ratio, read)
        if " " in text and (needs_brackets(read) and not is_bracketed(read.node)):
            text = f"({text})"
        return [replace(self.source, read.node, text)]

    # -- candidates --------------------------------------------------------------------------------------------------

    def best(self, wanted: Extent, scope: dict[str, Value]) -> tuple[str, Value, Extent] | None:
        """The variable in scope whose rows are nearest to ``wanted``: (name, value, wanted / rows)."""
        ranked = []
        roles = self.loss.model.roles
        for order, (name, value) in enumerate(scope.items()):
            if "." in name or value in roles.reduced or not (value in roles.features or value in roles.cone):
                continue
            rows = self.extents.rows(value)
            if rows is None or rows.size_symbols:
                continue
            ratio = wanted / rows
            rank = None if ratio.row_symbols else self._rank(ratio)
            if rank is not None:
                is_label = not _LABEL_WORDS.isdisjoint(words(name))
                ranked.append((rank, is_label or value in roles.cone, value.op != "param", order, name, value, ratio))
        if not ranked:
            return None
        *_, name, value, ratio = min(ranked, key=lambda each: each[:4])
        return name, value, ratio

    @staticmethod
    def _rank(ratio: Extent) -> int | None:
        """How far a ratio is from one; None when no text can be written for it."""
        world = ratio.power(WORLD)
        rest = ratio.without(WORLD)
        if abs(world) > 1 or any(abs(power) > 1 for _, power in rest.symbols):
            return None
        if not rest.symbols and rest.number == 1:
            return abs(world)
        if not rest.symbols and rest.number.denominator == 1:
            return 4 + abs(world)
        if rest.number.numerator == 1 and all(power == -1 for _, power in rest.symbols):
            return 2 + abs(world)
        return None

    def text(self, name: str, value: Value, ratio: Extent, read: Value) -> str:
        """The text of ``rows(name) * ratio``; a division by views becomes a local with its assertion."""
        rows = f"{name}.shape[0]"
        world = self._named_text(WORLD, read) if ratio.power(WORLD) else ""
        rest = ratio.without(WORLD)
        if rest.symbols or rest.number.denominator != 1:
            rows = self._local(name, value, self._views(rest, read), read)
        elif rest.number != 1:
            rows = f"{rest.number.numerator} * {rows}"
        if ratio.power(WORLD) == 1:
            return f"{rows} * {world}"
        if ratio.power(WORLD) == -1:
            return f"{rows} // {world}"
        return rows

    def _named_text(self, symbol: str, read: Value) -> str:
        """How a named size is written, if that means the same where ``read`` stands."""
        text = self.extents.texts.get(symbol, symbol)
        first = text.split(".")[0].split("[")[0].split("(")[0]
        scope = read.scope or {}
        if first != "self" and first not in scope and first not in self.loss.model.module.main.final:
            raise Refused(f"`{text}` is not known in `{read.function.qualified_name}`; derive the size there by hand")
        return text

    def _views(self, rest: Extent, read: Value) -> str:
        parts = [self._named_text(each, read) for each, _ in rest.symbols]
        if rest.number.denominator != 1:
            parts.insert(0, str(rest.number.denominator))
        return " * ".join(parts)

    def _local(self, tensor: str, value: Value, views: str, read: Value) -> str:
        """The name of the local size of a function, defined once for each count of rows and views."""
        function = read.function
        home = home_of(read.block)
        key = (function, value, tensor, views, home)
        derived = self.derived.get(key) or self._same_size(value, tensor, views, read)
        if derived is None:
            if not views.isdigit():
                self._doubt_views(value, views)
            derived = Derived(
                free_name(self.settings.local_name, function, self._locals(function)), tensor, value, views
            )
            self.derived[key] = derived
        derived.places.append((read.block, read.index))
        if _is_conditional(read):
            self.doubts.append("the assertion stands before a conditional expression of which one side alone needs it")
        return derived.name

    def _same_size(self, value: Value, tensor: str, views: str, read: Value) -> Derived | None:
        """A local that counts the same rows already, from an earlier value of the tensor that reaches ``read``."""
        for (owner, earlier, name, factor, home), derived in self.derived.items():
            is_same = owner is read.function and name == tensor and factor == views and encloses(home, read.block)
            if (
                is_same
                and self.extents.rows(earlier) == self.extents.rows(value)
                and encloses(earlier.block, read.block)
            ):
                return derived
        return None

    def _locals(self, function: Function) -> set[str]:
        """The names that this fix has given to sizes of a function already (a tensor may be rebound between them)."""
        return {each.name for (owner, *_), each in self.derived.items() if owner is function}

    def _doubt_views(self, value: Value, views: str) -> None:
        """The view count is a name: doubtful when the file shows how many views are really stacked."""
        shown = self._stacked_views(value, set())
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
            extent = self.extents.integer(other)
            if extent is not None and extent.symbols == ((WORLD, 1),) and extent.number == 1:
                assert left.node is not None and right.node is not None and product.node is not None
                if is_bracketed(left.node) or is_bracketed(right.node):
                    return None
                ours, theirs = self.source.span(left.node), self.source.span(right.node)
                if other is right:
                    return delete(ours.end, theirs.end)
                return delete(ours.start, theirs.start)
            current = product
        return None


def _is_conditional(read: Value) -> bool:
    """Whether a read stands in one side of a conditional expression."""
    stack, seen = list(read.users), set()
    while stack:
        user = stack.pop()
        if user in seen or user.block is not read.block or user.index != read.index:
            continue
        seen.add(user)
        if user.op == "phi" and user.name == "ifexp":
            return True
        stack.extend(user.users)
    return False
