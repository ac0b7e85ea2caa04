"""Tied sizes: constructor parameters with neutral names that a loss of their class uses as the rows of its batch.

A name like ``n_org`` or ``length`` says nothing; row numbers of that length as the targets of a cross-entropy, or an
identity or a square mask of that size over a similarity of rows, say enough. A similarity of columns (``c.t() @ c``)
ties nothing: its size is the number of clusters or features.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from infonce_lint.semantic.graph.calls import called_name
from infonce_lint.semantic.graph.values import Module, Op, Value
from infonce_lint.semantic.graph.walk import walk
from infonce_lint.semantic.losses.engagement import Engagement, Engagements
from infonce_lint.semantic.losses.features import features_of
from infonce_lint.semantic.losses.roles import Roles
from infonce_lint.semantic.losses.similarity import STORED, Similarity
from infonce_lint.semantic.losses.sinks import Kind, find_sinks
from infonce_lint.semantic.losses.weights import is_turned
from infonce_lint.semantic.names import LOSS_STEMS, is_loss_name, may_count_rows
from infonce_lint.semantic.shapes.operations import Column, has
from infonce_lint.semantic.sizes.guards import Guards
from infonce_lint.semantic.sizes.origin import Origins

if TYPE_CHECKING:
    from infonce_lint.settings import Settings

_CARRIERS = frozenset({Op.NAME, Op.STORE, Op.SELF, Op.BINOP, Op.TUPLE, Op.CLOSURE, Op.PHI})


def tied_sizes(module: Module, settings: Settings, roles: Roles) -> frozenset[Value]:
    """The constructor parameters with neutral names that some loss of their class ties to its rows."""
    candidates = frozenset(_candidates(module)) if roles.similarities else frozenset()
    if not candidates:
        return candidates
    origins = Origins(module, settings, candidates)
    engagements = Engagements(origins, roles, Guards(origins))
    tied: set[Value] = set()
    for sink in find_sinks(module, origins, roles):
        if sink.kind not in (Kind.LABELS, Kind.MASK):
            continue
        for read in {read for size in sink.sizes for read in origins.sources(size)}:
            params = (origins.parameters_behind(read) & candidates) - tied
            if params and any(_ties(each, read, roles, origins) for each in engagements.of(sink, read)):
                tied |= params
    return frozenset(tied)


def _candidates(module: Module) -> list[Value]:
    """Parameters of constructors that may be the number of rows, by their names and by what else they size."""
    found = []
    for owner in module.classes:
        for method in owner.methods.values():
            if method.is_constructor:
                for name in method.positional:
                    param, default = method.parameters[name], method.defaults.get(name)
                    is_number = default is None or isinstance(default.literal, int) or default.op is Op.CALL
                    if is_number and may_count_rows(name) and not _is_width(param):
                        found.append(param)
    return found


def _is_width(param: Value) -> bool:
    """Whether a parameter sizes something trained: a layer, prototypes."""
    carried = walk([param], lambda each: [user for user in each.users if user.op in _CARRIERS])
    return any(
        user.op is Op.CALL and user.callee is None and has(called_name(user), Column.TRAINED)
        for each in carried
        for user in each.users
    )


def _ties(engagement: Engagement, read: Value, roles: Roles, origins: Origins) -> bool:
    """Whether a use of a size shows it to be the number of rows that a similarity compares."""
    made, consumer = engagement.sink.value, engagement.consumer
    near = roles.holding(consumer, *consumer.inputs)
    if not near or any(_compares_columns(each) for each in near) or made.op is not Op.CALL:
        return False
    if not any(_is_named_loss(each) for each in near):
        return False
    name = called_name(made)
    if has(name, Column.NUMBERS_ROWS):
        if name == "range" and made.inputs[0].op is not Op.ATTR:
            return False  # Python's own, a loop
        return consumer.op is Op.CALL and is_loss_name(called_name(consumer))
    if all(each.strength == STORED for each in near):
        return False
    if has(name, Column.IDENTITY):
        return not any(user.op is Op.SUB and user.inputs[0] is made for user in made.users)  # one-hot rows of classes
    return has(name, Column.FILLS) and _is_square(made, read, origins) and _is_marked(made)


def _is_named_loss(similarity: Similarity) -> bool:
    """Whether a function, its class or something called on the way to the loss's value is named after a loss."""
    functions = {each.function.qualified_name for each in similarity.cone}
    called = {called_name(each) for each in similarity.cone if each.op is Op.CALL}
    return any(LOSS_STEMS.search(name) for name in functions | called)


def _is_square(made: Value, read: Value, origins: Origins) -> bool:
    extents = [each for _, each in made.arguments()]
    if extents and extents[0].op is Op.TUPLE:
        extents = extents[0].inputs
    return len(extents) > 1 and all(read in origins.sources(each) for each in extents[:2])


def _is_marked(made: Value) -> bool:
    """Whether the diagonal of a square of ones or zeros is set afterwards: a mask."""
    steps = (Op.PHI, Op.NAME, Op.STORE, Op.SELF, Op.CALL, Op.RETURN)
    versions = walk([made], lambda each: [user for user in each.users if user.op in steps])
    return any(each.op is Op.CALL and each.name.startswith("fill_diagonal") for each in versions)


def _compares_columns(similarity: Similarity) -> bool:
    """Whether the first operand of a product was transposed on its way: its rows are features or clusters."""
    first = similarity.operands[0]
    if first is similarity.seed:
        return False
    return any(is_turned(each) for each in features_of([first]))
