"""Frozen tensors: rebuilt in the loss, by the expression that built them, when their rows differ from the batch's."""

from __future__ import annotations

from dataclasses import dataclass

import libcst as cst

from infonce_lint.finding import Edit, Span
from infonce_lint.repair.covering import Place
from infonce_lint.repair.history import change_of, is_changed
from infonce_lint.repair.place import anchor, free_name, is_bound_before, new_argument, on_one_row, replace, span_of
from infonce_lint.repair.repeatable import Repeatable, is_drawn, libraries_of, may_be_none
from infonce_lint.repair.rewrite import Refused, Rewriter
from infonce_lint.repair.steady import kin, unsteady
from infonce_lint.semantic.graph.values import Function, Value
from infonce_lint.semantic.losses.model import SizeUse
from infonce_lint.semantic.shapes.dims import Origin

SEVERAL_STEPS = "the constructor builds the tensor in several steps; build it in the loss from the features' rows"


def in_loss(uses: list[SizeUse], rewriter: Rewriter) -> list[Edit]:
    """Rebuild, where the loss reads it, each tensor that the constructor freezes with the given reads."""
    stores: dict[Value, list[SizeUse]] = {}
    for use in uses:
        for engagement in use.frozen:
            if engagement.store is None or engagement.store.op != "store":
                raise Refused("the tensor is frozen in a default argument or a cache; build it in the loss instead")
            stores.setdefault(engagement.store, []).append(use)
    edits: list[Edit] = []
    for store, sizing in stores.items():
        edits += rebuild(store, sizing, rewriter, None)
    return edits


def rebuild(store: Value, uses: list[SizeUse], rewriter: Rewriter, helper: tuple[Value, str] | None) -> list[Edit]:
    """Rebuild one stored tensor in every function that reads it.

    ``helper`` is the call that builds the tensor and the name of the helper's new size argument, if one builds it.
    """
    built = store.inputs[0]
    if built.node is None or not store.function.is_constructor:
        raise Refused(SEVERAL_STEPS)
    if may_be_none(built.node):
        raise Refused(f"`self.{store.name}` may be None or another thing than a tensor; build it in the loss by hand")
    change = change_of(store, rewriter.loss.model.module, rewriter.source.text)
    if change:
        raise Refused(f"`self.{store.name}` {change}; build it in the loss from the features' rows")
    span = span_of(rewriter.source, built)
    if helper is None and not all(_inside(use.read, span, rewriter) for use in uses):
        raise Refused(SEVERAL_STEPS)
    readers: dict[Function, list[Value]] = {}
    for use in uses:
        for engagement in use.frozen:
            if engagement.store is store and engagement.frozen is not None:
                readers.setdefault(engagement.frozen.function, [])
    edits: list[Edit] = []
    for function in readers:
        edits += _rebuild_in(function, store, uses[0].read, rewriter, helper)
    return edits


def _rebuild_in(
    function: Function, store: Value, read: Value, rewriter: Rewriter, helper: tuple[Value, str] | None
) -> list[Edit]:
    """The guarded copy of a stored tensor in one function, and the reads that use it."""
    owner = store.function.owner
    assert owner is not None
    reads = [
        each
        for family in owner.family()
        for each in family.reads.get(store.name, ())
        if each.function is function and not _is_updated(each, store.name)
    ]
    if not reads:
        raise Refused(f"`self.{store.name}` is changed where it is read; rebuild it there by hand")
    first = reads[0]
    place = anchor([(each.block, each.index) for each in reads])
    if place is None:
        raise Refused(f"`self.{store.name}` is read where no statement can be put; rebuild it there by hand")
    made = rewriter.proof.tensor(store, store.function)
    rows_made = made.axis(0) if made is not None else None
    if rows_made is None or not rows_made.of(Origin.SIZE):
        raise Refused(f"the rows of `self.{store.name}` do not follow from the size; rebuild it in the loss by hand")
    wanted = rewriter.proof.theory.of(rows_made)
    scope = {each: value for each, value in (first.scope or {}).items() if is_bound_before(value, place)}
    tensor = rewriter.candidates.tensor_name(scope, function)
    if tensor is None:
        raise Refused(
            f"no tensor with the batch's rows is bound where `self.{store.name}` is read; rebuild it there by hand"
        )
    rows = rewriter.write(wanted, first, place)
    name = free_name(store.name.strip("_") or "stored", function)
    text = _construction(store, read, _Place(first, place), rewriter, helper)
    device = f".to({tensor}.device, {name}.dtype)" if _is_torch(store, rewriter) else ""
    if device and not _is_chainable(store.inputs[0].node):
        text = f"({text})"
    lines = [f"{name} = self.{store.name}", f"if {name}.shape[0] != {rows}:\n    {name} = {text}{device}"]
    rewriter.insertions.setdefault(place, []).extend(lines)
    return [replace(rewriter.source, each, name) for each in reads if each.node is not None]


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a tensor is rebuilt: before the statement at ``place``, with the scope of ``read``."""

    read: Value
    place: Place


def _construction(store: Value, read: Value, at: _Place, rewriter: Rewriter, helper: tuple[Value, str] | None) -> str:
    """The expression that built the tensor, written for the loss: attributes for parameters, the batch for the size."""
    source = rewriter.source
    built = store.inputs[0]
    span = span_of(source, built)
    edits: dict[Span, str] = {}
    stack, seen = [built], set()
    while stack:
        value = stack.pop()
        if value in seen or value.op in ("param", "return", "func", "class", "import"):
            continue
        seen.add(value)
        if value.node is None or value.function is not store.function:
            continue
        moved = _moved_to_device(value)
        if moved is not None and _inside(value, span, rewriter):
            kept = span_of(source, moved).end if moved.node is not None else None
            if kept is not None:  # the copy goes to the features' device anyway
                edits[Span(kept, span_of(source, value).end)] = ""
                stack.append(moved)
                continue
        if not _inside(value, span, rewriter):
            if value.op not in ("const", "str", "global", "free"):
                raise Refused(SEVERAL_STEPS)
            continue
        if value.op == "call" and is_drawn(value):
            raise Refused(f"`self.{store.name}` is drawn at random once; draw it in the loss by hand")
        if rewriter.loss.model.origins.configured(value) is not None:
            target = rewriter.proof.target(value)
            edits[span_of(source, target)] = size_text(at.read, value, rewriter, at.place)
            continue
        if value.op == "name" and value.inputs and value.inputs[0].op == "param":
            edits[span_of(source, value)] = _stored_parameter(value, store, rewriter)
            continue
        stack.extend(value.inputs)
        if isinstance(value.literal, Value):
            stack.append(value.literal)  # what a conditional expression tests
    _check_repeatable(store, span, list(edits), at.read.function, rewriter)
    if helper is not None:
        call, name = helper
        edit = new_argument(source, call, f"{name}={size_text(at.read, read, rewriter, at.place)}")
        if edit is None:
            raise Refused(SEVERAL_STEPS)
        edits[edit.span] = edit.content
    text, start = source.segment(span), source.offset(span.start)
    for place, content in sorted(edits.items(), key=lambda each: each[0], reverse=True):
        low, high = source.offset(place.start) - start, source.offset(place.end) - start
        text = text[:low] + content + text[high:]
    joined = on_one_row(text)
    if joined is None:
        raise Refused(f"`self.{store.name}` is built with a text of several rows; build it in the loss by hand")
    return joined


def size_text(at: Value, read: Value, rewriter: Rewriter, place: Place | None = None) -> str:
    """The size that ``read`` stands for, written with what is bound at ``at``."""
    return rewriter.write(rewriter.wanted(rewriter.proof.target(read)), at, place)


def _check_repeatable(store: Value, span: Span, replaced: list[Span], reader: Function, rewriter: Rewriter) -> None:
    """Refuse an expression that may give another tensor in the loss than it gave in the constructor."""
    source, model = rewriter.source, rewriter.loss.model

    def is_replaced(node: cst.CSTNode) -> bool:
        at = source.span(node, store.statement)
        return any(each.start <= at.start and at.end <= each.end for each in replaced)

    judge = Repeatable(store, model, source.text)
    node = store.inputs[0].node
    assert node is not None
    judge.check_names(node, reader, is_replaced)
    kept = [
        each
        for each in model.values_by_function.get(store.function, [])
        if each.node is not None
        and each.op != "store"
        and each.statement is store.statement
        and _inside(each, span, rewriter)
        and not is_replaced(each.node)
    ]
    judge.check_calls(each for each in kept if each.op == "call")
    for each in kept:
        judge.check_read(each)


def _moved_to_device(value: Value) -> Value | None:
    """The tensor in ``tensor.to(device)``, where the device is a variable; None for anything else."""
    called = value.inputs[0] if value.op == "call" else None
    if called is None or value.name != "to" or called.op != "attr" or len(value.keywords) != 1:
        return None
    asked = value.inputs[1]
    is_device = "device" in (asked.name, asked.bound) or "device" in (value.keywords[0] or "")
    return called.inputs[0] if is_device else None


def _stored_parameter(value: Value, store: Value, rewriter: Rewriter) -> str:
    """How the loss reaches a parameter of the constructor: the attribute that keeps it, and nothing else ever."""
    param, constructor = value.inputs[0], store.function
    assert constructor.owner is not None
    module = rewriter.loss.model.module
    problem = ""
    for kept in (each for family in kin(constructor.owner) for slot in family.slots.values() for each in slot):
        inner = kept.inputs[0] if kept.op == "store" and kept.inputs else None
        if inner is None or kept.function is not constructor:
            continue
        if inner.op == "name" and inner.inputs and inner.inputs[0] is param:
            reason = unsteady(kept, module, rewriter.source.text)
            if not reason and is_changed([param, *param.inputs], module):
                reason = "is changed in place"
            if not reason:
                return f"self.{kept.name}"
            problem = f"`self.{store.name}` needs `{param.name}`, but `self.{kept.name}` {reason}"
    raise Refused(
        f"{problem or f'the constructor does not keep `{param.name}`, which the tensor needs'}; "
        "build the tensor in the loss by hand"
    )


def _is_updated(read: Value, name: str) -> bool:
    """Whether a read only serves to store the attribute anew: ``self.mask = self.mask.to(device)``."""
    stack, seen = list(read.users), set()
    while stack:
        user = stack.pop()
        if user in seen or user.index != read.index or user.block is not read.block:
            continue
        seen.add(user)
        if user.op == "store" and user.name == name:
            return True
        stack.extend(user.users)
    return False


def _inside(value: Value, span: Span, rewriter: Rewriter) -> bool:
    if value.node is None:
        return False
    place = span_of(rewriter.source, value)
    return span.start <= place.start and place.end <= span.end


def _is_torch(store: Value, rewriter: Rewriter) -> bool:
    """Whether the stored tensor is PyTorch's, which has a device."""
    libraries = libraries_of(store.inputs[0])
    if not libraries:
        raise Refused(f"whether `self.{store.name}` is a tensor is not seen; rebuild it in the loss by hand")
    return "torch" in libraries


def _is_chainable(node: cst.CSTNode | None) -> bool:
    """Whether ``.to(...)`` can follow an expression without brackets."""
    return isinstance(node, cst.Call | cst.Attribute | cst.Name | cst.Subscript) or bool(getattr(node, "lpar", ()))
