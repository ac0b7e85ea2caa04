"""Reads: which symbol a configured size or a value from elsewhere stands for, however it is written."""

from __future__ import annotations

import libcst as cst

from infonce_lint.semantic.graph.literals import is_none
from infonce_lint.semantic.graph.values import Class, Value
from infonce_lint.semantic.names import READERS
from infonce_lint.semantic.shapes.context import Context
from infonce_lint.semantic.shapes.dims import Origin, symbol
from infonce_lint.semantic.shapes.domain import Abstract, Frame, Nothing, Number, Opaque, Tensor

_LONGEST_PATH = 12
_DEEPEST_CALL = 4
#: What can read a configured size.
READING = frozenset({"attr", "sub", "call", "self", "global", "name"})


def configured(context: Context, value: Value, frame: Frame) -> Number | None:
    """The number that a read of a configured size stands for; None for anything else.

    A read of what was computed from another size (``self.rows = batch_size * world_size``) is that product.
    """
    if value.op == "name" and value.inputs and value.inputs[0] in frame.given:
        return None  # this very call says what it is
    if context.origins.configured(value) is None:
        return None
    changed = _changed(context, value)
    if changed is not None:
        context.size_reads.setdefault(changed, value)
        return Number(symbol(Origin.SIZE, changed))
    computed = _computed(context, value, frame) if not _is_of_one_instance(context, value) else None
    if isinstance(computed, Number):
        return computed
    if computed is not None:
        return None  # a tensor that a size had a part in
    key = size_key(context, value, frame)
    context.size_reads.setdefault(key, value)
    return Number(symbol(Origin.SIZE, key))


def _changed(context: Context, value: Value) -> tuple[object, ...] | None:
    """What tells a size from what it was before the function, or what that calls, set it anew; None where none does."""
    own, others = context.origins.setters.of(value.function)
    name = value.name or _last_key(value)
    if name in others:
        return ("read", value)
    if name not in own:
        return None
    # of an object's own entries the order of the statements is not kept
    return ("stored", *value.stored) if value.stored and not _is_own(value) else ("read", value)


def _is_own(value: Value) -> bool:
    while value.op in ("attr", "sub") and value.inputs:
        value = value.inputs[0]
    return value.op == "self"


def _is_of_one_instance(context: Context, value: Value) -> bool:
    """Whether an attribute is another size in another object of the class."""
    owner = value.function.enclosing_class if value.op == "self" else None
    return owner is not None and context.origins.setters.instances_differ(owner, value.name)


def _last_key(value: Value) -> str:
    return (_key(value) or "") if value.op == "call" and value.name in READERS else ""


def _computed(context: Context, value: Value, frame: Frame) -> Number | Tensor | None:
    """What a name or attribute was set to, where that was computed from configured sizes or is a tensor."""
    if value.op not in ("self", "global"):
        return None
    stored = [each.inputs[0] if each.op == "store" else each for each in value.inputs if not is_none(each)]
    found = {context.evaluate(each, frame) for each in stored if each.op not in ("const", "func", "class", "import")}
    if len(found) != 1 or len(stored) != 1:
        return None
    (only,) = found
    if isinstance(only, Tensor) and (only.dims or only.rest is not None):
        return only
    return only if isinstance(only, Number) and only.dim.of(Origin.SIZE) else None


def size_key(context: Context, value: Value, frame: Frame) -> tuple[object, ...]:
    """What tells one configured size from others: the same for all reads of it, in the constructor and after it."""
    if value.op == "name" and value.inputs and value.inputs[0].op == "param":
        return _parameter_key(value.inputs[0], 0)
    if value.op == "self":
        owner = value.function.enclosing_class
        if owner is None:
            return ("self", None, value.name)
        same = ("self", _root(owner), value.name)
        return (*same, frame) if _is_of_one_instance(context, value) else same
    if value.op in ("global", "name"):
        return ("path", value.name)
    path = canonical(context, value, frame)
    return ("path", *path) if path is not None else ("read", value)


def _parameter_key(param: Value, depth: int) -> tuple[object, ...]:
    """A parameter is the attribute that keeps it, or the parameter of a parent's constructor that it is handed to."""
    owner = param.function.owner
    if owner is None or not param.function.is_constructor or depth > _LONGEST_PATH:
        return ("path", param.name) if owner is None else ("param", param)
    for each in owner.family():
        for name, stores in each.slots.items():
            for store in stores:
                if store.inputs and _is_read_of(store.inputs[0], param):
                    return ("self", _root(owner), name)
    for user in param.users:
        for handed in (each for each in user.users if user.op == "name" and each.op == "param" and each is not param):
            return _parameter_key(handed, depth + 1)
    return ("param", param)


def _is_read_of(value: Value, param: Value) -> bool:
    return value.op == "name" and bool(value.inputs) and value.inputs[0] is param


def _root(owner: Class) -> Class:
    return list(owner.lineage())[-1]


def place_of(context: Context, value: Value, frame: Frame) -> object:
    """What tells one value from elsewhere from others; None where each read is its own."""
    if value.op == "self":
        return size_key(context, value, frame)
    if value.op in ("attr", "global", "sub"):
        return canonical(context, value, frame)
    return None


def canonical(context: Context, value: Value, frame: Frame, depth: int = 0) -> tuple[object, ...] | None:
    """A path that is the same however an entry is read: as an attribute, a key, by ``getattr`` or ``vars``.

    It begins with what it is a path of: a name of the file, or for an object's own attributes its class. In a call the
    path goes on from what the call gives. None where the owner cannot be named.
    """
    parts: list[object] = []
    for _ in range(_LONGEST_PATH):
        if value.op == "attr" and value.inputs:
            parts.append(value.name)
            value = value.inputs[0]
        elif value.op == "sub" and len(value.inputs) == 2 and value.inputs[1].op in ("str", "const"):
            parts.append(str(value.inputs[1].literal))
            value = value.inputs[0]
        elif value.op == "call" and value.name in READERS and (key := _key(value)) is not None:
            parts.append(key)
            value = value.argument(0) or value if value.name == "getattr" else value.inputs[0].inputs[0]
        elif value.op == "call" and value.name == "vars" and value.argument(0) is not None:
            value = value.argument(0) or value
        elif value.op == "self":
            return (*_kept_path(value), *reversed(parts))
        elif value.op in ("name", "param") and (param := _param_of(value)) is not None:
            given = frame.holding(param.function)
            known = given.given.get(param) if given is not None else None
            if known is None:
                return (*_passed_path(context, param, frame, depth), *reversed(parts))
            if not isinstance(known, Opaque):
                return None
            value, frame = known.site.value, known.site.frame
        elif value.op in ("name", "global", "closure", "free") and value.name:
            return (value.name, *reversed(parts))
        elif value.op == "call" and value.bound and value.function.is_module:
            return (value.bound, *reversed(parts))  # what a name of the file was set to
        else:
            return None
    return None


def _param_of(value: Value) -> Value | None:
    if value.op == "param":
        return value
    return value.inputs[0] if value.inputs and value.inputs[0].op == "param" else None


def _passed_path(context: Context, param: Value, frame: Frame, depth: int) -> tuple[object, ...]:
    """A parameter for which every call in the file gives one and the same thing is that thing."""
    if param.inputs and not param.function.is_constructor and depth < _DEEPEST_CALL:
        paths = {canonical(context, each, frame, depth + 1) for each in param.inputs}
        (only,) = paths if len(paths) == 1 else (None,)
        if only is not None:
            return only
    return _named_path(param)


def _named_path(param: Value) -> tuple[object, ...]:
    """A parameter of a constructor is the attribute that keeps it; any other one is what its name says."""
    owner = param.function.owner
    if owner is not None and param.function.is_constructor:
        for each in owner.family():
            for name, stores in each.slots.items():
                if len(stores) == 1 and stores[0].inputs and _is_read_of(stores[0].inputs[0], param):
                    return (_root(owner), name)
    return (param.name,)


def _kept_path(value: Value) -> tuple[object, ...]:
    """``self.args``: of its class, or the name of the file that it was set from."""
    owner = value.function.enclosing_class
    stored = [each.inputs[0] if each.op == "store" else each for each in value.inputs]
    if len(stored) == 1 and stored[0].op == "global" and stored[0].name:
        return (stored[0].name,)
    return (_root(owner) if owner is not None else None, value.name)


def _key(call: Value) -> str | None:
    """The entry that ``getattr(args, "bs")`` or ``config.get("bs", 64)`` asks for."""
    texts = [str(each.literal) for _, each in call.arguments() if each.op == "str"]
    has_owner = call.name == "getattr" or (call.inputs[0].op == "attr" and bool(call.inputs[0].inputs))
    return texts[0] if texts and has_owner else None


def decided_branch(context: Context, value: Value, frame: Frame) -> Value | None:
    """The side of a branch that is taken for certain: ``if size is None`` where this call gives one."""
    test = value.literal
    if not isinstance(test, Value) or len(value.inputs) != 2 or test.op != "compare" or len(test.inputs) != 2:
        return None
    if test.name not in ("Is", "IsNot") or not is_none(test.inputs[1]):
        return None
    tested: Abstract = context.evaluate(test.inputs[0], frame)
    if isinstance(tested, Opaque):
        return None
    is_nothing = isinstance(tested, Nothing)
    return value.inputs[0 if is_nothing is (test.name == "Is") else 1]


def has_condition(value: Value) -> bool:
    """Whether a comprehension leaves elements out."""
    clause = getattr(value.node, "for_in", None)
    while isinstance(clause, cst.CompFor):
        if clause.ifs:
            return True
        clause = clause.inner_for_in
    return False
