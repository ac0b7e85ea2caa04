"""What the configured size of a loss really is: the extents of labels and masks equated with those they meet."""

from __future__ import annotations

from dataclasses import dataclass

from infonce_lint.semantic.extents.extent import WORLD, Extent, number
from infonce_lint.semantic.extents.extents import Extents
from infonce_lint.semantic.graph.calls import receiver_of
from infonce_lint.semantic.graph.values import Value
from infonce_lint.semantic.losses.engagement import Engagement
from infonce_lint.semantic.losses.model import ContrastiveLoss, SizeUse
from infonce_lint.semantic.losses.similarity import SELF, TOWERS, Similarity
from infonce_lint.semantic.losses.sinks import Kind, Sink


@dataclass(frozen=True, slots=True)
class Solution:
    """The configured size ``symbol`` as an extent over the features' rows; ``proven`` by an equation of the code."""

    symbol: str
    extent: Extent
    proven: bool
    doubt: str = ""


class Solver:
    """Solves the size equations of one loss unit."""

    def __init__(self, loss: ContrastiveLoss, extents: Extents) -> None:
        self.loss = loss
        self.extents = extents
        self.similarities = loss.model.roles.similarities

    def solve(self) -> dict[str, Solution] | str:
        """A solution for each configured size of the unit, or why there is none."""
        symbols = {self.extents.size_symbol(use.read): use for use in self.loss.size_uses}
        solutions: dict[str, Solution] = {}
        for name in symbols:
            uses = [use for use in self.loss.size_uses if self.extents.size_symbol(use.read) == name]
            found = self._solve_one(name, uses)
            if isinstance(found, str):
                return found
            solutions[name] = found
        return solutions

    def _solve_one(self, name: str, uses: list[SizeUse]) -> Solution | str:
        answers: list[Extent] = []
        for use in uses:
            for engagement in use.engagements:
                answer = self._equation(name, engagement, use.read)
                if answer is not None and answer not in answers:
                    answers.append(answer)
        if answers:
            first = answers[0].without(WORLD)
            others = [each.without(WORLD) for each in answers[1:]]
            if any(not self._agree(first, each) for each in others):
                return (
                    "the places that this size flows into disagree on what it counts; derive each from its own tensor"
                )
            # before the gather the size is a rank's own, after it all ranks': the rank's own is what was configured
            answers = [answers[0], *(each for each in answers[1:] if each.without(WORLD) == first)]
            answer = min(answers, key=lambda each: each.power(WORLD))
            doubt = ""
            if answer.power(WORLD) < 0:
                doubt = "the sizes count several processes but nothing is gathered here"
            return Solution(name, answer, not doubt, doubt)
        return self._infer(name, uses)

    def _agree(self, first: Extent, other: Extent) -> bool:
        """Whether two answers are the same count, of the same tensor or of two whose rows may be taken to be equal."""
        return first == other or (first.number == other.number and self.extents.make_twins(first, other))

    # -- equations ---------------------------------------------------------------------------------------------------

    def _equation(self, name: str, engagement: Engagement, read: Value) -> Extent | None:
        """The size that makes one engagement fit: rows of the similarity / (rows of what is made, per size)."""
        sink = engagement.sink
        if engagement.kind is Kind.NORMALISER:
            return None
        if engagement.kind is Kind.RESHAPE and sink.base is not None:
            made, rows = self._reshape(sink)
        elif (
            engagement.kind is Kind.INDEX
            and sink.base is not None
            and sink.value.op == "call"
            and sink.base in self.loss.model.roles.cone
        ):
            return self._diagonal(name, sink.value, sink.sizes, sink.base)
        elif engagement.kind in (Kind.SPLIT, Kind.INDEX):
            return None
        else:
            made, rows = self._meeting(name, engagement, read)
        if made is None or rows is None or made.power(name) != 1 or rows.size_symbols:
            return None
        return rows / made.without(name)

    def _meeting(self, name: str, engagement: Engagement, read: Value) -> tuple[Extent | None, Extent | None]:
        """The rows of a made tensor and of the similarity where the two come together."""
        consumer = engagement.consumer
        inputs = [*consumer.inputs]
        if consumer.op == "call" and inputs[0].op == "attr":
            inputs = [*inputs[0].inputs, *inputs[1:]]
        made = next(
            (rows for each in inputs if (rows := self.extents.rows(each)) is not None and rows.power(name)), None
        )
        partners = [each for each in inputs if each in self.loss.model.roles.cone]
        for each in partners:
            # a helper's parameter that several callers fill: the similarity next to the read is the one meant
            here = [found for found in self._behind(each) if found.seed.function is read.function]
            if read.function is not consumer.function and len(here) == 1:
                rows = self._operand_rows(here[0])
                if rows is not None:
                    return made, rows
        rows = next((found for each in partners if (found := self._similarity_rows(each)) is not None), None)
        return made, rows

    def _similarity_rows(self, value: Value) -> Extent | None:
        """The rows of a similarity or of what is computed from it row by row."""
        known = self.extents.rows(value)
        if known is not None and not known.size_symbols and known.symbols:
            return known
        for similarity in self._behind(value):
            rows = self._operand_rows(similarity)
            if rows is not None:
                return rows
        return None

    def _behind(self, value: Value) -> list[Similarity]:
        found = [each for each in self.similarities if value in each.cone]
        return sorted(found, key=lambda each: -each.strength)

    def _operand_rows(self, similarity: Similarity) -> Extent | None:
        """The rows that a similarity compares."""
        rows = self.extents.compared_rows(similarity)
        return rows if rows is not None and rows.symbols else None

    def _reshape(self, sink: Sink) -> tuple[Extent | None, Extent | None]:
        """The rows that a reshape gives, and those of what it reshapes.

        Of a similarity the first axis is the rows. Features ``view(views, size, -1)`` keep their last axis, so that
        all axes before it count rows; ``view(size, -1, dim)`` regroups them and says nothing.
        """
        assert sink.base is not None
        shape = self._shape(sink.value)
        if not shape:
            return None, None
        if sink.base in self.loss.model.roles.cone:
            if is_concatenation(sink.base):
                return None, None  # of diagonals, say: not the rows of the similarity
            return self.extents.integer(shape[0]), self._similarity_rows(sink.base)
        if sink.value.name not in ("view", "reshape", "unflatten") or shape[-1].op != "unary":
            return None, None
        made: Extent | None = number(1)
        for each in shape[:-1]:
            factor = self.extents.integer(each)
            made = made * factor if made is not None and factor is not None else None
        return made, self.extents.rows(sink.base)

    def _shape(self, call: Value) -> list[Value]:
        """The axes that a reshape is given."""
        arguments = [each for keyword, each in call.arguments() if keyword in (None, "shape", "size")]
        if receiver_of(call) is None:
            arguments = arguments[1:]
        return arguments[0].inputs if arguments and arguments[0].op == "tuple" else arguments

    def _diagonal(self, name: str, call: Value, sizes: tuple[Value, ...], base: Value) -> Extent | None:
        """``diag(sim, N)`` starts the other view's rows: N is half of two views' rows."""
        rows, offset = self._similarity_rows(base), self.extents.integer(sizes[0])
        if rows is None or offset is None or offset.power(name) != 1 or rows.size_symbols:
            return None
        half = rows / number(2)
        if not _views_are_known(rows):
            return None  # one stacked tensor: the offset alone does not say how many views it holds
        answer = half / offset.without(name)
        return answer if answer.number > 0 else answer * number(-1)

    # -- inference without an equation -------------------------------------------------------------------------------

    def _infer(self, name: str, uses: list[SizeUse]) -> Solution | str:
        kinds = {each.kind for use in uses for each in use.engagements}
        for proof in (self._complementary_slices(uses), self._sections(uses), self._beside_rows(uses)):
            if proof is not None:
                return Solution(name, proof, True)
        consumers = [each.consumer for use in uses for each in use.engagements]
        rows = next((found for each in consumers if (found := self._similarity_rows(each)) is not None), None)
        if rows is None:
            return "no tensor of the loss shows how many rows a batch has; derive the size from the features by hand"
        towers = [found for each in consumers for found in self._behind(each)]
        paired = bool(towers) and all(each.strength == TOWERS for each in towers)
        if kinds == {Kind.NORMALISER}:
            is_stacked = bool(towers) and all(each.strength == SELF for each in towers)
            return self._divisor(name, uses, rows, paired, is_stacked)
        if Kind.RESHAPE in kinds and any(
            each.sink.base not in self.loss.model.roles.cone for use in uses for each in use.engagements
        ):
            return (
                "the rows are regrouped and the number per group is not in the code; "
                "pass the batch size of the features in, or derive it with an assertion"
            )
        if _views_are_known(rows):
            return Solution(
                name, Extent(rows.number / rows.number, rows.symbols), False, "the number of views is inferred"
            )
        if Kind.LOOP in kinds and paired:
            return Solution(name, rows, True)  # two towers, one row for each round of the loop
        if kinds <= {Kind.INDEX, Kind.SPLIT, Kind.NORMALISER, Kind.LOOP}:
            return Solution(name, rows / number(2), False, "two views are inferred from the convention")
        return "how the rows of this loss depend on the size is not in the code; derive it from the features by hand"

    def _divisor(self, name: str, uses: list[SizeUse], rows: Extent, paired: bool, is_stacked: bool) -> Solution | str:
        """The size in a divisor that should count the rows: ``/ (2 * S)`` over stacked rows, ``/ S`` over a pair."""
        if not all(self._is_plain(use.read) for use in uses):
            return "the divisor is computed from the size before the loss; compute it from the rows in the loss by hand"
        doubt = "a constant scale of the gradient can be meant"
        divisors = {self.extents.integer(size) for use in uses for each in use.engagements for size in each.sink.sizes}
        factors = {each.without(name) for each in divisors if each is not None and each.power(name) == 1}
        factor = factors.pop() if len(factors) == 1 else number(1)
        if _views_are_known(rows):
            return Solution(name, rows / number(rows.number), False, doubt)
        if paired:
            return Solution(name, rows, False, doubt)
        if rows.number < 1:
            return Solution(name, rows, False, doubt)  # a half that the code cuts itself
        if is_stacked and factor == number(2):
            return Solution(name, rows / factor, False, doubt)
        return (
            "how many views the rows hold is not in the code; divide by the number of rows that the loss sums by hand"
        )

    def _is_plain(self, read: Value) -> bool:
        """Whether a read gives the size itself, and not a number that was computed from it and stored."""
        if read.op not in ("self", "global"):
            return True
        origins = self.loss.model.origins
        stored = [each.inputs[0] if each.op == "store" else each for each in read.inputs]
        return all(each.op == "const" or origins.configured(each) is not None for each in stored)

    def _complementary_slices(self, uses: list[SizeUse]) -> Extent | None:
        """``x[:S]`` and ``x[S:]`` are the two views of x."""
        below: list[Value] = []
        above: list[Value] = []
        for use in uses:
            for engagement in use.engagements:
                sink = engagement.sink
                if sink.kind is not Kind.SPLIT or sink.value.op != "sub" or sink.base is None:
                    return None
                cut = sink.value.inputs[1].node
                if getattr(cut, "lower", None) is None:
                    below.append(_without_name(sink.base))
                if getattr(cut, "upper", None) is None:
                    above.append(_without_name(sink.base))
        answers = [self.extents.rows(base) for base in dict.fromkeys(below) if base in above]
        first = answers[0] if answers else None
        if first is None:
            return None
        for rows in answers[1:]:
            if rows is None or (rows != first and not self.extents.make_twins(first, rows)):
                return None
        return first / number(2)

    def _sections(self, uses: list[SizeUse]) -> Extent | None:
        """``a, b = split(x, S)``, ``split(x, [S, S])``, or two ``narrow``: as many views of x as there are sections."""
        answers: set[Extent | None] = set()
        narrowed: dict[Value, set[int]] = {}
        for use in uses:
            for engagement in use.engagements:
                call, base = engagement.sink.value, engagement.sink.base
                if engagement.kind is not Kind.SPLIT or call.op != "call" or base is None:
                    return None
                rows = self.extents.rows(base)
                if call.name == "narrow":
                    narrowed.setdefault(_without_name(base), set()).add(call.index)
                    continue
                listed = next((each for _, each in call.arguments() if each.op == "tuple"), None)
                items = {user.literal for user in call.users if user.op == "item" and isinstance(user.literal, int)}
                count = len(listed.inputs) if listed is not None else len(items)
                if rows is None or count < 2:
                    return None
                answers.add(rows / number(count))
        for tensor, parts in narrowed.items():
            rows = self.extents.rows(tensor)
            answers.add(rows / number(len(parts)) if rows is not None and len(parts) == 2 else None)
        return answers.pop() if len(answers) == 1 else None

    def _beside_rows(self, uses: list[SizeUse]) -> Extent | None:
        """``cat([k.unsqueeze(1), bank.expand(S, -1, -1)], dim=1)``: what stands side by side has equal rows."""
        answers: set[Extent] = set()
        for use in uses:
            for engagement in use.engagements:
                made = engagement.sink.value
                if engagement.kind is not Kind.RESHAPE or made.name not in ("expand", "repeat", "tile", "broadcast_to"):
                    return None
                besides = [
                    each for user in made.users if user.op == "tuple" for each in user.inputs if each is not made
                ]
                found = [rows for each in besides if (rows := self.extents.rows(each)) is not None]
                if not found or any(self.extents.integer(each) is None for each in engagement.sink.sizes):
                    return None
                answers.add(found[0])
        return answers.pop() if len(answers) == 1 else None


def _without_name(value: Value) -> Value:
    """The value itself behind reads of a parameter."""
    while value.op == "name" and value.inputs:
        value = value.inputs[0]
    return value


def _views_are_known(rows: Extent) -> bool:
    """Whether the code concatenates the views itself, so that one view's tensor gives the batch."""
    return rows.number > 1


def is_concatenation(value: Value) -> bool:
    """Whether a tensor is put together from parts, so that its rows are not those of its similarity."""
    seen: set[Value] = set()
    stack = [value]
    while stack:
        each = stack.pop()
        if each in seen:
            continue
        seen.add(each)
        if each.op == "call" and each.name in ("cat", "concat", "concatenate", "stack", "hstack", "vstack"):
            return True
        if each.op in ("phi", "name", "store", "closure"):
            stack.extend(each.inputs)
    return False
