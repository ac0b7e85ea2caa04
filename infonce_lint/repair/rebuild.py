"""Frozen tensors: rebuilt in the loss, by the expression that built them, when their rows differ from the batch's."""

from __future__ import annotations

from dataclasses import dataclass

import libcst as cst

from infonce_lint.finding import Edit, Span
from infonce_lint.repair.history import change_of
from infonce_lint.repair.place import anchor, free_name, is_bound_before, new_argument, on_one_row, replace
from infonce_lint.repair.rewrite import Place, Refused, Rewriter
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
    change = change_of(store, rewriter.loss.model.directory)
    if change:
        raise Refused(f"`self.{store.name}` {change}; build it in the loss from the features' rows")
    span = rewriter.source.span(built.node)
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
    text = _construction(store, read, _Place(first, place, tensor), rewriter, helper)
    device = f".to({tensor}.device, {name}.dtype)" if _is_torch(rewriter) else ""
    if device and not _is_chainable(store.inputs[0].node):
        text = f"({text})"
    lines = [f"{name} = self.{store.name}", f"if {name}.shape[0] != {rows}:\n    {name} = {text}{device}"]
    rewriter.insertions.setdefault(place, []).extend(lines)
    return [replace(rewriter.source, each.node, name) for each in reads if each.node is not None]


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a tensor is rebuilt: before the statement at ``place``, with the scope of ``read`` and on a device."""

    read: Value
    place: Place
    tensor: str  # one whose device the copy belongs to


def _construction(store: Value, read: Value, at: _Place, rewriter: Rewriter, helper: tuple[Value, str] | None) -> str:
    """The expression that built the tensor, written for the loss: attributes for parameters, the batch for the size."""
    source = rewriter.source
    built = store.inputs[0]
    assert built.node is not None
    span = source.span(built.node)
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
            kept = source.span(moved.node).end if moved.node is not None else None
            if kept is not None:  # the copy goes to the features' device anyway
                edits[Span(kept, source.span(value.node).end)] = ""
                stack.append(moved)
                continue
        if not _inside(value, span, rewriter):
            if value.op not in ("const", "str", "global", "free"):
                raise Refused(SEVERAL_STEPS)
            continue
        if value.op == "call" and _draws(value):
            raise Refused(f"`self.{store.name}` is drawn at random once; draw it in the loss by hand")
        if rewriter.loss.model.origins.configured(value) is not None:
            target = rewriter.proof.target(value)
            assert target.node is not None
            edits[source.span(target.node)] = size_text(at.read, value, rewriter, at.place)
            continue
        if value.op == "name" and value.inputs and value.inputs[0].op == "param":
            edits[source.span(value.node)] = _stored_parameter(value, store.function)
            continue
        stack.extend(value.inputs)
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


def _draws(call: Value) -> bool:
    """Whether a call draws random numbers."""
    return call.name.startswith(("rand", "normal", "uniform", "bernoulli", "multinomial", "permutation", "shuffle"))


def _moved_to_device(value: Value) -> Value | None:
    """The tensor in ``tensor.to(device)``, where the device is a variable; None for anything else."""
    called = value.inputs[0] if value.op == "call" else None
    if called is None or value.name != "to" or called.op != "attr" or len(value.keywords) != 1:
        return None
    asked = value.inputs[1]
    is_device = "device" in (asked.name, asked.bound) or "device" in (value.keywords[0] or "")
    return called.inputs[0] if is_device else None


def _stored_parameter(value: Value, constructor: Function) -> str:
    """How the loss reaches a parameter of the constructor: the attribute that keeps it."""
    param = value.inputs[0]
    owner = constructor.owner
    assert owner is not None
    for each in owner.family():
        for name, stores in each.slots.items():
            for store in stores:
                inner = store.inputs[0] if store.inputs else None
                if inner is not None and inner.op == "name" and inner.inputs and inner.inputs[0] is param:
                    return f"self.{name}"
    raise Refused(
        f"the constructor does not keep `{param.name}`, which the tensor needs; build the tensor in the loss by hand"
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
    place = rewriter.source.span(value.node)
    return span.start <= place.start and place.end <= span.end


def _is_torch(rewriter: Rewriter) -> bool:
    return any(path.split(".")[0] == "torch" for path in rewriter.loss.model.module.imports.values()) or not (
        rewriter.loss.model.module.imports
    )


def _is_chainable(node: cst.CSTNode | None) -> bool:
    """Whether ``.to(...)`` can follow an expression without brackets."""
    return isinstance(node, cst.Call | cst.Attribute | cst.Name | cst.Subscript) or bool(getattr(node, "lpar", ()))
