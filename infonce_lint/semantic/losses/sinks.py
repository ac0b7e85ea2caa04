"""Sinks: the places where an integer becomes the extent of a tensor, a cut, an index, a loop bound or a divisor."""

from __future__ import annotations

import enum
from collections.abc import Iterator
from dataclasses import dataclass

from infonce_lint.semantic.graph.calls import called_class, called_name, is_library_call, receiver_of
from infonce_lint.semantic.graph.values import Module, Op, Value
from infonce_lint.semantic.graph.walk import walk
from infonce_lint.semantic.losses.features import feature_inputs
from infonce_lint.semantic.losses.numbered import is_made_by
from infonce_lint.semantic.losses.roles import Roles
from infonce_lint.semantic.names import is_world_size, words
from infonce_lint.semantic.shapes.operations import Column, has
from infonce_lint.semantic.sizes.origin import Origins
from infonce_lint.semantic.sizes.scalars import SCALAR_CALLS


class Kind(enum.Enum):
    """What a size is used for; the value is how messages say it."""

    LABELS = "labels"
    MASK = "a mask"
    RESHAPE = "a reshape"
    SPLIT = "a split"
    INDEX = "an index"
    LOOP = "a loop"
    NORMALISER = "a normaliser"
    OFFSET = "an offset"


@dataclass(frozen=True, slots=True, eq=False)
class Sink:
    """``value`` uses the integers ``sizes``; ``base`` is the tensor that is cut, reshaped or divided, if any."""

    value: Value
    kind: Kind
    sizes: tuple[Value, ...]
    base: Value | None = None


_NUMBERS = frozenset({Op.CONST, Op.SINGLETON, Op.ATTR, Op.SELF, Op.GLOBAL})
_NOT_A_SIZE = frozenset({"dtype", "device", "dim", "axis", "requires_grad", "name", "seed"})


_QUEUE_WORDS = frozenset({"queue", "ptr", "pointer", "bank", "memory"})
_VIEW_WORDS = frozenset({"view", "views", "aug", "augs", "augmentations", "crop", "crops"})
_MOST_VIEWS = 16
_MASK_WORDS = frozenset({"mask", "masks", "label", "labels", "target", "targets"})
_MAKERS = (Column.MAKES_LABELS, Column.MAKES_SHAPED, Column.MAKES_MASK)


def find_sinks(module: Module, origins: Origins, roles: Roles) -> Iterator[Sink]:
    """Every place of the module where a configured size is used to size something."""
    for value in module.values:
        op = value.op
        if op is Op.CALL:
            sink = _call_sink(value, origins, roles)
        elif op in (Op.SUB, Op.SETITEM):
            sink = _subscript_sink(value, origins)
        elif op is Op.BINOP:
            sink = _operator_sink(value, origins, roles)
        elif op is Op.WHILE:
            sink = _counted_loop(value, origins)
        else:
            continue
        if sink is not None:
            yield sink


def _sized(values: list[Value], origins: Origins) -> tuple[Value, ...]:
    return tuple(each for each in values if origins.sources(each))


def _call_sink(call: Value, origins: Origins, roles: Roles) -> Sink | None:
    if call.callee is not None or call.constructs is not None:
        return None
    arguments = [each for keyword, each in call.arguments() if keyword not in _NOT_A_SIZE]
    sizes = _sized(arguments, origins)
    if not sizes:
        return None
    name = called_name(call)
    receiver = receiver_of(call)
    base = receiver if receiver is not None else arguments[0] if arguments else None
    if base in sizes:
        base = None
    if name == "range" and receiver is None and not _is_tensor_range(call):
        bounds = _sized(arguments[:2], origins)  # a configured step only cuts into chunks
        return Sink(call, Kind.LABELS if _becomes_tensor(call) else Kind.LOOP, bounds) if bounds else None
    if has(name, Column.MAKES_LABELS):
        return Sink(call, Kind.LABELS, sizes)
    if has(name, Column.MAKES_SHAPED) and call in roles.features and (filled := feature_inputs(call)):
        return Sink(call, Kind.RESHAPE, sizes, filled[0])  # a buffer that rows are scattered into
    if has(name, Column.MAKES_OF_SIZES):
        sizes = tuple(each for each in sizes if each.op is not Op.TUPLE)
        return Sink(call, Kind.MASK if _is_square(call, sizes) else Kind.LABELS, sizes) if sizes else None
    if has(name, Column.MAKES_SHAPED):
        return Sink(call, Kind.MASK if _is_square(call, sizes) else Kind.LABELS, sizes)
    if has(name, Column.MAKES_MASK):
        return Sink(call, Kind.MASK, sizes)
    if has(name, Column.RESHAPES) and base is not None:
        return Sink(call, Kind.RESHAPE, sizes, base)
    if has(name, Column.SPLITS) and base is not None:
        return Sink(call, Kind.SPLIT, sizes, base)
    if has(name, Column.CUTS_DIAGONAL) and base is not None:
        return Sink(call, Kind.INDEX, sizes, base)
    if has(name, Column.INDEXES):
        return Sink(call, Kind.INDEX, sizes, base)
    if is_mask_helper(call):
        return Sink(call, Kind.LABELS if "label" in name.lower() or "target" in name.lower() else Kind.MASK, sizes)
    if has(name, Column.SCALES) and base is not None and base in roles.cone:
        return Sink(call, Kind.NORMALISER, sizes, base)
    return Sink(call, Kind.MASK, sizes) if is_size_helper(call, sizes) else None


def is_mask_helper(call: Value) -> bool:
    """A function of another file that by its name builds a mask or labels of the size it is given."""
    if is_library_call(call) or called_class(call) is not None:
        return False
    found = words(call.name)
    return not _MASK_WORDS.isdisjoint(found) and not call.name[:1].isupper()


def is_size_helper(call: Value, sizes: tuple[Value, ...]) -> bool:
    """A function of another file that is given sizes and numbers only: perhaps it builds a mask, whatever its name."""
    called = call.inputs[0]
    module = called.inputs[0] if called.op is Op.ATTR else called
    is_foreign = module.op in (Op.NAME, Op.GLOBAL, Op.IMPORT) and (
        module.op is Op.IMPORT or any(each.op is Op.IMPORT for each in module.inputs)
    )
    if not is_foreign or is_library_call(call) or call.name[:1].isupper() or called_class(call) is not None:
        return False
    others = [each for keyword, each in call.arguments() if keyword not in _NOT_A_SIZE and each not in sizes]
    return all(each.op in _NUMBERS for each in others)


def _is_tensor_range(call: Value) -> bool:
    """``tf.range`` and ``P.range`` make tensors; Python's own makes a loop."""
    return call.inputs[0].op is Op.ATTR


def _becomes_tensor(call: Value) -> bool:
    """``torch.tensor(list(range(n)))``: the numbers themselves are wanted, not a loop over them."""
    return any(
        user.op is Op.CALL and user.name in ("list", "tensor", "array", "LongTensor", "as_tensor")
        for user in call.users
    )


def _is_square(call: Value, sizes: tuple[Value, ...]) -> bool:
    """Whether the extents have two axes, as a mask has and a label vector has not."""
    positional = [each for keyword, each in call.arguments() if keyword in (None, "size", "shape")]
    extents = positional[0].inputs if positional and positional[0].op is Op.TUPLE else positional
    known = [
        each for each in extents if each in sizes or each.op in (Op.CONST, Op.BINOP, Op.NAME) or each.op is Op.CALL
    ]
    if extents and extents[-1].op is Op.CONST and extents[-1].literal == 1:
        return False
    return len(known) > 1 and call.name not in ("full", "new_full", "constant", "fill", "broadcast_to")


def _subscript_sink(value: Value, origins: Origins) -> Sink | None:
    base = value.inputs[0]
    indices = value.inputs[1:] if value.op is Op.SUB else value.inputs[1:-1]
    cuts: list[Value] = []
    places: list[Value] = []
    if is_queue(base):
        return None
    for index in indices:
        parts = index.inputs if index.op is Op.TUPLE else [index]
        for part in parts:
            if part.op is Op.SLICE:
                if not _is_chunk(part):
                    cuts.extend(_sized(part.inputs, origins))
            elif origins.sources(part):
                places.append(part)
    if cuts:
        return Sink(value, Kind.SPLIT, tuple(cuts + places), base)
    if places:
        return Sink(value, Kind.INDEX, tuple(places), base)
    return None


def is_queue(base: Value) -> bool:
    """Whether a stored tensor is a queue of negatives or its pointer: its length is a capacity, not the batch."""
    return base.op is Op.SELF and not _QUEUE_WORDS.isdisjoint(words(base.name))


def _is_chunk(cut: Value) -> bool:
    """``x[start : start + n]`` inside a loop over starts: a stride that handles a short tail."""
    if len(cut.inputs) < 2:
        return False
    steps = (Op.BINOP, Op.PHI, Op.CALL)
    return any(
        each.op is Op.ITEM
        and each.inputs[0].op is Op.CALL
        and each.inputs[0].name in ("range", "trange", "enumerate", "tqdm")
        and not _counts_views(each.inputs[0])
        for each in walk(cut.inputs[:2], lambda each: each.inputs if each.op in steps else ())
    )


def _counts_views(rounds: Value) -> bool:
    """``range(2)`` and ``range(args.n_views)``: the blocks are views, not chunks of one batch."""
    bounds = [each for _, each in rounds.arguments()]
    if rounds.name != "range" or len(bounds) != 1:
        return False
    bound = bounds[0]
    is_few = bound.op is Op.CONST and isinstance(bound.literal, int) and bound.literal <= _MOST_VIEWS
    return is_few or not _VIEW_WORDS.isdisjoint(words(bound.name or bound.bound))


def _operator_sink(value: Value, origins: Origins, roles: Roles) -> Sink | None:
    if len(value.inputs) != 2:
        return None
    left, right = value.inputs
    if value.name in ("Divide", "FloorDivide") and left in roles.cone:
        sizes = _sized([right], origins)
        return Sink(value, Kind.NORMALISER, sizes, left) if sizes else None
    if value.name in ("Add", "Subtract"):
        for tensor, offset in ((left, right), (right, left)):
            sizes = _sized([offset], origins)
            if sizes and tensor.op is not Op.CONST and not origins.sources(tensor) and is_made(tensor):
                return Sink(value, Kind.LABELS, sizes)  # the labels of a later rank
            numbers = [each for each in _logarithm_of(offset) if _counts_candidates(each, origins)]
            if tensor in roles.cone and (sizes := _sized(numbers, origins)):
                return Sink(value, Kind.OFFSET, sizes, tensor)
        return None
    if value.name == "Modulo" and _counts_rows(left, origins) and not origins.sources(left):
        sizes = _sized([right], origins)
        return Sink(value, Kind.LABELS, sizes) if sizes else None  # partners, counted around
    if value.name == "Multiply":
        for tensor, factor in ((left, right), (right, left)):
            sizes = _sized([factor], origins)
            if not sizes:
                continue
            if tensor in roles.cone:
                return Sink(value, Kind.NORMALISER, sizes, tensor)
            if tensor.op is Op.TUPLE and tensor.name == "List":
                return Sink(value, Kind.LABELS, sizes)  # [0] * batch_size
    return None


def _counts_rows(value: Value, origins: Origins) -> bool:
    """Whether a tensor numbers rows, perhaps some rows on: ``arange(n) + n // 2``."""
    if value.op is Op.BINOP and value.name in ("Add", "Subtract"):
        rows = [each for each in value.inputs if not origins.is_shape(each) and each.op is not Op.CONST]
        return len(rows) == 1 and _counts_rows(rows[0], origins)
    return is_made_by(value, Column.NUMBERS_ROWS)


def _logarithm_of(value: Value) -> list[Value]:
    """What ``log(n)`` and ``torch.tensor(n).log()`` take the logarithm of, however often it is added."""
    found = []
    for each in walk([value], _number_inputs):
        if each.op is Op.CALL and each.callee is None and has(called_name(each), Column.LOGARITHM):
            receiver = receiver_of(each)
            found += [*([receiver] if receiver is not None else []), *(given for _, given in each.arguments())]
    return found


def _counts_candidates(value: Value, origins: Origins) -> bool:
    """Whether a number is made of sizes, literals and processes only: ``n * dataset_size`` weighs another thing."""
    if value.op is Op.BINOP and value.name == "Multiply":
        return all(_counts_candidates(each, origins) for each in value.inputs)
    return value.op is Op.CONST or bool(origins.sources(value)) or is_world_size(value.name)


def _number_inputs(value: Value) -> list[Value]:
    if value.op in (Op.BINOP, Op.UNARY):
        return value.inputs
    is_kept = value.op is Op.CALL and value.name in SCALAR_CALLS
    return [each for _, each in value.arguments()] if is_kept else []


def _counted_loop(loop: Value, origins: Origins) -> Sink | None:
    """``while i < n`` and ``if i == n: break``: a loop over so many."""
    sizes = tuple(
        side
        for test in walk(loop.inputs, lambda each: each.inputs if each.op is Op.BOOL else ())
        if test.op is Op.COMPARE and len(test.inputs) == 2 and counters(test, origins)
        for side in _sized(test.inputs, origins)
    )
    return Sink(loop, Kind.LOOP, sizes) if sizes else None


def counters(test: Value, origins: Origins) -> list[Value]:
    """The variables of a loop that a test compares with something else."""
    found = []
    for side in test.inputs:
        counted = [each for each in side.inputs if each.op is not Op.CONST] if side.op is Op.BINOP else [side]
        found += [each for each in counted if len(counted) == 1 and each.op is Op.PHI and not origins.sources(each)]
    return found


def _makes(name: str) -> bool:
    """Whether labels or masks are made by what has this name."""
    return any(has(name, column) for column in _MAKERS)


def is_made(value: Value) -> bool:
    """Whether a tensor was made here (``arange``, ``eye``, a list display) and does not come from data or a model."""
    made = False
    seen: set[Value] = set()
    stack = [value]
    while stack:
        each = stack.pop()
        if each in seen:
            continue
        seen.add(each)
        if each.op in (Op.CONST, Op.STR, Op.IMPORT):
            continue
        if each.op is Op.DICT or (each.op is Op.CALL and each.callee is None and _makes(called_name(each))):
            made = True
            continue
        if each.op is Op.CALL and each.callee is None and each.inputs[0].op is Op.ATTR and not is_library_call(each):
            stack.append(each.inputs[0].inputs[0])  # a method of what may be made
            continue
        inputs = feature_inputs(each)
        if each.op in (
            Op.BINOP,
            Op.COMPARE,
            Op.UNARY,
        ):  # an attribute beside a tensor is a number: an offset, a modulus
            inputs = [
                part for part in each.inputs if part.op not in (Op.ATTR, Op.SELF, Op.SUB) or len(each.inputs) == 1
            ]
        if not inputs and each.op is not Op.TUPLE:
            if each.op is Op.CALL and is_library_call(each):
                stack.extend(argument for _, argument in each.arguments())
                continue
            return False
        made = made or each.op is Op.TUPLE
        stack.extend(inputs)
    return made
