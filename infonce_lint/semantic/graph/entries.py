"""Entries of objects: reads of ``self.args.batch_size`` or ``cfg["bs"]`` linked to what was stored there."""

from __future__ import annotations

from collections.abc import Iterable

from infonce_lint.semantic.graph.syntax import access_path
from infonce_lint.semantic.graph.values import Class, Entry, Function, Module, Op, Value
from infonce_lint.semantic.graph.walk import walk
from infonce_lint.semantic.names import is_contrastive_name, is_loss_name


def link_entries(module: Module) -> None:
    """Let a read of an entry see what the class, or the module, stores at the same path of the same object."""
    stores: dict[tuple[object, str], list[Value]] = {}
    for entry in module.entries:
        place = _place(entry)
        if entry.is_store and place is not None:
            stores.setdefault(place, []).append(entry.value)
    for entry in module.entries:
        place = _place(entry)
        if entry.is_store or place is None or entry.value.stored:
            continue
        owner, path = place
        is_own = entry.value.function is owner  # where the order of the statements has decided already
        found = [each for each in stores.get(place, ()) if not is_own or each.function is not owner]
        if isinstance(owner, Class):
            family = [each for each in owner.family() if each is not owner]
            found += [store for each in family for store in stores.get((each, path), ())]
        entry.value.stored.extend(found)


def link_passed_entries(module: Module) -> None:
    """Across calls: a parameter's entries are those of what is passed, an instance's attributes are those of its class.

    An object that this file does not construct counts as an instance of every class with such an attribute where it is
    named after a loss: ``criterion.batch_size = z.shape[0]``.
    """
    for entry in module.entries:
        if not entry.is_store:
            entry.value.stored.extend(_stored_by_callers(entry))
            continue
        owners = set(_classes_behind(entry.base))
        if not owners and (is_loss_name(_last_name(entry)) or is_contrastive_name(_last_name(entry))):
            owners = {each for each in module.classes if entry.name in each.slots}
        for owner in owners:
            owner.slots.setdefault(entry.name, []).append(entry.value)


def _place(entry: Entry) -> tuple[object, str] | None:
    """What an entry is recognised by in other functions: its class or the module, and its path."""
    function = entry.value.function
    start = function.parameters.get(entry.root)
    if entry.root == "self" or (start is not None and start.op is Op.SELFPARAM):
        owner = function.enclosing_class
        return (owner, entry.path) if owner is not None else None
    scope: Function | None = function
    while scope is not None and not scope.is_module:
        if entry.root in scope.bindings and entry.root not in scope.globals:
            return scope, f"{entry.root}.{entry.path}"  # its own variable, or that of the function around it
        scope = scope.parent
    return None, f"{entry.root}.{entry.path}"


def _stored_by_callers(entry: Entry) -> Iterable[Value]:
    """What callers had stored in the entry of the object that they pass for a parameter."""
    function = entry.value.function
    if entry.value.stored or entry.root not in function.parameters:
        return
    for call in function.callers:
        passed = call.argument_for(function, entry.root)
        path = access_path(passed.node) if passed is not None and passed.node is not None else ""
        stored = (call.scope or {}).get(f"{path}.{entry.path}") if path else None
        if stored is not None:
            yield stored


def _classes_behind(base: Value) -> Iterable[Class]:
    """The classes of this file that an object may be an instance of."""
    carriers = (Op.NAME, Op.PARAM, Op.GLOBAL, Op.CLOSURE, Op.STORE, Op.PHI, Op.SELF)
    for value in walk([base], lambda each: each.inputs if each.op in carriers else ()):
        if value.op is Op.CALL and value.constructs is not None:
            yield value.constructs


def _last_name(entry: Entry) -> str:
    """How the object itself is called: ``self.criterion.bs`` -> ``criterion``."""
    return f"{entry.root}.{entry.path}".split(".")[-2]
