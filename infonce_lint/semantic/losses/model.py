"""Contrastive losses of a module: each loss unit with the configured sizes that it reads and what they size."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Set
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, TypeAlias

from infonce_lint.semantic.graph.flow import GraphBuilder
from infonce_lint.semantic.graph.linking import link
from infonce_lint.semantic.graph.paths import key, path_text
from infonce_lint.semantic.graph.values import Function, Module, Op, Value
from infonce_lint.semantic.losses.directory import Directory
from infonce_lint.semantic.losses.drawn import is_drawn
from infonce_lint.semantic.losses.engagement import Engagement, Engagements
from infonce_lint.semantic.losses.features import features_of
from infonce_lint.semantic.losses.roles import Roles
from infonce_lint.semantic.losses.sinks import Kind, Sink, find_sinks
from infonce_lint.semantic.losses.tied import tied_sizes
from infonce_lint.semantic.shapes.operations import Column, has
from infonce_lint.semantic.sizes.guards import Guards
from infonce_lint.semantic.sizes.origin import Origins

if TYPE_CHECKING:
    import libcst as cst

    from infonce_lint.settings import Settings


class Purpose(enum.Enum):
    """What the sizes of a loss are used for, gravest first."""

    FROZEN = 0
    LABELS = 1
    MASK = 2
    LAYOUT = 3
    NORMALISER = 4


Reads: TypeAlias = "tuple[frozenset[object] | None, list[Value]]"
"""The reads of configured sizes in a function, and what tells these sizes from others; None where that is not known."""

_PURPOSES = {
    Kind.LABELS: Purpose.LABELS,
    Kind.MASK: Purpose.MASK,
    Kind.RESHAPE: Purpose.LAYOUT,
    Kind.SPLIT: Purpose.LAYOUT,
    Kind.INDEX: Purpose.LAYOUT,
    Kind.LOOP: Purpose.LAYOUT,
    Kind.NORMALISER: Purpose.NORMALISER,
    Kind.OFFSET: Purpose.NORMALISER,
}


@dataclass(slots=True, eq=False)
class SizeUse:
    """One read of a configured batch size, and every place in the loss that it sizes."""

    read: Value
    engagements: list[Engagement] = field(default_factory=list)

    @property
    def purpose(self) -> Purpose:
        """The gravest use of the size: what a finding is filed under."""
        if self.frozen:
            return Purpose.FROZEN
        return min((_PURPOSES[each.kind] for each in self.engagements), key=lambda each: each.value)

    @property
    def frozen(self) -> list[Engagement]:
        """The uses in objects that were built before the loss runs."""
        return [each for each in self.engagements if each.frozen is not None]

    @property
    def text(self) -> str:
        """How the read is written."""
        return path_text(self.read)


@dataclass(slots=True, eq=False)
class ContrastiveLoss:
    """One loss unit: every function of the file through which the size or the mask flows."""

    number: int
    size_uses: list[SizeUse]
    functions: list[Function]
    model: SemanticModel

    @property
    def name(self) -> str:
        """The function where the loss is computed, as messages name it."""
        consumers = [each.consumer.function for use in self.size_uses for each in use.engagements]
        return consumers[0].qualified_name if consumers else self.functions[0].qualified_name


class SemanticModel:
    """All that is known of one module; built once, read by rules and by the planner of fixes."""

    def __init__(self, tree: cst.Module, settings: Settings) -> None:
        self.module: Module = GraphBuilder(settings.size_names).build(tree)
        link(self.module)
        self.directory = Directory(self.module)
        self.roles = Roles(self.module)
        self.origins = Origins(self.module, settings, tied_sizes(self.module, settings, self.roles))
        self.guards = Guards(self.origins)
        self.size_reads: dict[Function, Reads] | None = None  # found with the first fix, for those of all losses
        self.losses: list[ContrastiveLoss] = self._find_losses() if self._may_hold_a_loss() else []

    @property
    def values_by_function(self) -> dict[Function, list[Value]]:
        """The values that each function computes, in their order."""
        return self.directory.values

    @cached_property
    def unit_of(self) -> dict[Function, ContrastiveLoss]:
        """The loss unit that each function is part of."""
        return {function: loss for loss in self.losses for function in loss.functions}

    @cached_property
    def reported_nodes(self) -> frozenset[int]:
        """The `id` of every node that is a read of a configured size in some loss."""
        return frozenset(id(use.read.node) for loss in self.losses for use in loss.size_uses)

    def _may_hold_a_loss(self) -> bool:
        return bool(self.roles.similarities or self.roles.loss_calls)

    def _find_losses(self) -> list[ContrastiveLoss]:
        engagements = Engagements(self.origins, self.roles, self.guards)
        uses: dict[int, SizeUse] = {}
        for sink in find_sinks(self.module, self.origins, self.roles):
            reads = {read for size in sink.sizes for read in self.origins.sources(size)}
            for read in self._in_order(reads):
                kept = [
                    each
                    for each in engagements.of(sink, read)
                    if not self._is_guarded(read, each) and not self._sizes_features(read, each)
                ]
                if kept:
                    use = uses.setdefault(id(read.node), SizeUse(read))
                    use.engagements.extend(kept)
        self._add_modular_indices(uses)
        return self._group(list(uses.values()))

    def _in_order(self, reads: Set[Value]) -> Iterable[Value]:
        """Reads by how they are written, and in the order of the file where that is the same."""
        if len(reads) < 2:
            return reads
        order = self.directory.order
        return sorted(reads, key=lambda each: (path_text(each), order[each]))

    def _add_modular_indices(self, uses: dict[int, SizeUse]) -> None:
        """``(i + self.batch_size) % N`` picks partners in a loss even where it only steers the control flow."""
        known = {(use.read.function, key(use.read)) for use in uses.values()}
        for value in self.module.values:
            if value.op is not Op.BINOP or value.name != "Modulo" or value.inputs[0].op is Op.STR:
                continue
            for read in self.origins.sources(value):
                if id(read.node) not in uses and (value.function, key(read)) in known:
                    sink = Sink(value, Kind.INDEX, (value,))
                    uses[id(read.node)] = SizeUse(read, [Engagement(sink, Kind.INDEX, value, None)])

    def _sizes_features(self, read: Value, engagement: Engagement) -> bool:
        """Whether the same function makes or draws the features at the same size, which is then its tensors' own.

        A call of the loss from elsewhere, a demonstration, says nothing of the batches that training brings.
        """
        consumer = engagement.consumer
        features: set[Value] = set()
        near = self.roles.holding(consumer, *consumer.inputs)
        for similarity in near:
            features |= similarity.features
        if self.roles.calls_loss(consumer):
            features |= features_of([argument for _, argument in consumer.arguments()][:1])
        wanted = key(read)

        def is_size(value: Value) -> bool:
            sources = self.origins.sources(value)
            return any(key(each) == wanted and each.function is read.function for each in sources)

        if (
            near
            and self.directory.draws
            and all(any(is_drawn(each, is_size) for each in similarity.features) for similarity in near)
        ):
            return True
        is_filled = any(each.op is Op.SETITEM for each in features)  # round by round: a matrix of scores
        return any(
            each.op is Op.CALL
            and has(each.name, Column.MAKES_INPUTS)
            and not (is_filled and has(each.name, Column.FILLED))
            and each.function is read.function
            and any(key(source) == wanted for _, size in each.arguments() for source in self.origins.sources(size))
            for each in features
        )

    def _is_guarded(self, read: Value, engagement: Engagement) -> bool:
        keys = {key(read), *self.origins.slots_of(read)}
        frozen = engagement.frozen
        if frozen is not None:
            keys.add(key(frozen))
        protected = frozenset(keys)
        if self.guards.protects(engagement.sink.value, protected) or self.guards.protects_here(read, protected):
            return True
        return frozen is not None and (
            self.guards.protects(engagement.consumer, protected) or self.guards.protects(frozen, protected)
        )

    def _group(self, uses: list[SizeUse]) -> list[ContrastiveLoss]:
        """Uses that share a function belong to one unit."""
        units: dict[int, tuple[set[Function], list[SizeUse]]] = {}  # by the number of the use that made them
        unit_of: dict[Function, int] = {}
        for made, use in enumerate(uses):
            functions = {use.read.function}
            for each in use.engagements:
                functions |= {each.sink.value.function, each.consumer.function}
            functions = {each for each in functions if not each.is_module} or functions
            members = [use]
            for known in sorted({unit_of[each] for each in functions if each in unit_of}):
                joined, earlier = units.pop(known)
                functions |= joined
                members = earlier + members
            units[made] = (functions, members)
            unit_of.update(dict.fromkeys(functions, made))
        return [
            ContrastiveLoss(number, members, sorted(functions, key=lambda each: each.qualified_name), self)
            for number, (functions, members) in enumerate(units.values())
        ]
