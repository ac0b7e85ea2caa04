"""Callables: the function or class of this file that a value stands for, through names, attributes and wrappers."""

from __future__ import annotations

from infonce_lint.semantic.graph.values import Class, Function, Op, Value

#: Methods of a module that give back the module.
MODULE_METHODS = frozenset({"to", "cuda", "cpu", "float", "double", "half", "eval", "train"})
#: Calls that give back the function or the object that they are given.
WRAPPERS = MODULE_METHODS | {"DataParallel", "DistributedDataParallel", "compile", "jit", "script", "partial"}


def resolve(value: Value, seen: set[Value] | None = None) -> Function | Class | Value | None:
    """The function, class or constructing call that a callable value stands for, when it is in this file."""
    seen = set() if seen is None else seen
    if value in seen:
        return None
    seen.add(value)
    if value.source is not None:
        return value.source
    if value.op in (Op.NAME, Op.GLOBAL, Op.CLOSURE, Op.STORE, Op.PHI, Op.RETURN):
        for each in reversed(value.inputs):
            found = resolve(each, seen)
            if found is not None:
                return found
        return None
    if value.op is Op.SELF:
        owner = value.function.enclosing_class
        if owner is not None:
            method = owner.method(value.name)
            if method is not None:
                return method
            for child in owner.children:
                method = child.method(value.name)
                if method is not None:
                    return method
        for each in reversed(value.inputs):
            found = resolve(each, seen)
            if found is not None:
                return found
        return None
    if value.op is Op.CALL:
        if value.constructs is not None:
            return value
        if value.callee is not None:
            return resolve(value.callee.returns, seen)
        if value.name in WRAPPERS:
            for each in value.inputs[:2]:
                found = resolve(each, seen)
                if isinstance(found, Value | Function):
                    return found
            return None
    if value.op is Op.ATTR and value.inputs:
        base = resolve(value.inputs[0], seen)
        if isinstance(base, Class):
            return base.method(value.name)
        if isinstance(base, Value) and base.constructs is not None:
            return base.constructs.method(value.name)
        if value.name in WRAPPERS:
            return base
    return None
