"""Dispatch: which functions of the file a call may run, where a name, or a subclass, gives it another one."""

from __future__ import annotations

from infonce_lint.semantic.graph.managers import is_run_otherwise
from infonce_lint.semantic.graph.values import Class, Function, Module, Op, Value


def rivals_of(call: Value) -> list[Function]:
    """The methods that a call of a method of ``self`` may run instead, for objects of other classes of the file.

    Each class counts that is a descendant of the one at hand, or stands beside it among the bases of one.
    """
    callee = call.callee
    owner = call.function.enclosing_class
    if callee is None or owner is None or call.inputs[0].op is not Op.SELF:
        return []
    found: dict[Function, None] = {}
    for relative in owner.family():
        for each in relative.lineage():
            method = each.methods.get(callee.name)
            if method is not None and method is not callee:
                found[method] = None
    return list(found)


def link_replaced(module: Module) -> None:
    """Mark the functions instead of which calls may run what nobody sees: replaced, or wrapped by a decorator."""
    stored = _stored_names(module)
    in_module = _stored_globals(module)
    hung = {name for owner in module.classes for name, values in owner.slots.items() if _is_hung_in(values)}
    for function in module.functions:
        if function.owner is not None:
            is_stored = function.name in stored or (function.name in hung and _is_slot_of_relative(function))
        else:
            is_stored = function.name in in_module
        function.is_replaced = is_stored or is_run_otherwise(function)


def _is_hung_in(values: list[Value]) -> bool:
    return any(each.op is Op.STORE for each in values)


def _is_slot_of_relative(function: Function) -> bool:
    """Whether a method is hidden by an attribute of the same name in its class, or one that shares objects with it."""
    owner = function.owner
    relatives = [each for relative in owner.family() for each in relative.lineage()] if owner is not None else []
    return any(_is_hung_in(each.slots.get(function.name, [])) for each in relatives)


def _stored_names(module: Module) -> set[str]:
    """The names that the file sets as attributes of something else than ``self``, or as the members of a new class."""
    names = {each.name for each in module.entries if each.is_store and _is_class_or_object(each.base)}
    for function in module.functions:
        for call in function.calls:
            texts = [str(each.literal) for _, each in call.arguments() if each.op is Op.STR]
            if call.name in ("setattr", "__setattr__", "object"):
                names.update(texts)
            elif call.name == "type":
                names.update(key for _, each in call.arguments() if each.op is Op.DICT for key in each.keywords if key)
    return names


def _is_class_or_object(base: Value) -> bool:
    """Whether an attribute is set on a class of this file, or on an object that was made of one."""
    seen: set[Value] = set()
    while base not in seen:
        seen.add(base)
        if base.source is not None:
            return isinstance(base.source, Class)
        if base.op is Op.CALL:
            return base.constructs is not None
        if base.op not in (Op.NAME, Op.GLOBAL, Op.CLOSURE, Op.STORE, Op.SELF, Op.PHI) or not base.inputs:
            return base.op in (Op.PARAM, Op.ATTR)
        base = base.inputs[-1]
    return False


def _stored_globals(module: Module) -> set[str]:
    """The module's names that are set through ``globals()``."""
    stores = (each for each in module.values if each.op is Op.SETITEM and each.inputs[0].op is Op.CALL)
    found = (each.inputs[1] for each in stores if each.inputs[0].name in ("globals", "vars"))
    return {str(each.literal) for each in found if each.op is Op.STR}
