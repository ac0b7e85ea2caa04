"""What stays as the constructor left it: attributes that are stored once, and names that a module binds once."""

from __future__ import annotations

import builtins
import re
from collections.abc import Iterator

import libcst as cst

from infonce_lint.semantic.graph.calls import is_library
from infonce_lint.semantic.graph.index import index_of
from infonce_lint.semantic.graph.literals import is_none
from infonce_lint.semantic.graph.syntax import may_leave
from infonce_lint.semantic.graph.values import Block, Class, Function, Module, Op, Value
from infonce_lint.semantic.graph.walk import walk
from infonce_lint.semantic.names import CUSTOMARY_LIBRARIES
from infonce_lint.semantic.shapes.operations import Column, has

_SETTING = ("setattr", "delattr", "__setattr__", "__delattr__")
_REGISTERS = ("register_buffer", "register_parameter")


def kin(owner: Class) -> list[Class]:
    """Every class that may be one of an object's: all that are joined by inheritance, mixins included."""
    return list(walk([owner], lambda each: (*each.parents, *each.children)))


def own_class(value: Value, node: cst.CSTNode | None) -> Class | None:
    """The class whose own object ``node`` names in the function of ``value``; None for any other object."""
    if not isinstance(node, cst.Name):
        return None
    scope: Function | None = value.function
    while scope is not None:
        found = scope.parameters.get(node.value)
        if found is not None:
            return value.function.enclosing_class if found.op is Op.SELFPARAM else None
        scope = scope.parent
    return None


def stores_of(name: str, owner: Class | None, module: Module) -> list[Value]:
    """Everything that may set ``name`` of an object of ``owner``'s family, or of any object if no class is given.

    What another class stores in its own object is left out; so is, of any object, what a constructor stores in its own.
    """
    family = kin(owner) if owner is not None else []
    found = []
    index = index_of(module)
    setting = [each for each in index.calls("update", *_REGISTERS, *_SETTING) if _may_set(each, name)]
    for value in (*index.stores(name), *setting):
        node = value.node
        is_store = value.op is Op.STORE and isinstance(node, cst.Attribute | cst.Subscript)
        base = node.value if is_store and isinstance(node, cst.Attribute | cst.Subscript) else _receiver(node)
        holder = own_class(value, base)
        if holder is not None and (holder not in family if owner is not None else value.function.is_constructor):
            continue
        found.append(value)
    for each in family:
        found += [value for value in each.slots.get(name, ()) if value.op is not Op.STORE]
        found += [method.returns for method_name, method in each.methods.items() if method_name == name]
    return found


def _receiver(node: cst.CSTNode | None) -> cst.CSTNode | None:
    """The object that a call works on: x of ``x.register_buffer(...)``, ``setattr(x, ...)``, ``vars(x).update()``."""
    if not isinstance(node, cst.Call):
        return None
    called = node.func
    if isinstance(called, cst.Name) or _last_name(called) in ("__setattr__", "__delattr__"):
        first = node.args[0].value if node.args else None
        return _receiver(first) if isinstance(first, cst.Call) else first
    base = called.value if isinstance(called, cst.Attribute) else called
    if _last_name(base) == "__dict__" and isinstance(base, cst.Attribute):
        return base.value
    return _receiver(base) if isinstance(base, cst.Call) else base


def _last_name(node: cst.CSTNode) -> str:
    return node.attr.value if isinstance(node, cst.Attribute) else node.value if isinstance(node, cst.Name) else ""


def _may_set(call: Value, name: str) -> bool:
    """Whether a call may set or delete an attribute by its name, or a module's buffer under it."""
    called = call.inputs[0]
    if call.name == "update" and called.op is Op.ATTR:  # self.__dict__.update(...), vars(self).update(...)
        return called.inputs[0].name in ("__dict__", "vars", "globals", "_buffers")
    if call.name in _REGISTERS:
        key = call.argument(0, "name")
        is_seen = any(each.op is Op.STORE and each.node is call.node for value in call.inputs for each in value.users)
        return not is_seen and (key is None or key.op is not Op.STR or key.literal == name)
    if call.name in _SETTING:
        keys = [each.literal for _, each in call.arguments()[:2] if each.op is Op.STR]
        return not keys or name in keys
    return False


def is_deleted(name: str, text: str) -> bool:
    """Whether a file may delete an attribute of this name."""
    return re.search(rf"\bdel\b[^\n]*(\.\s*|['\"]){re.escape(name)}\b", text) is not None


def is_certain(store: Value) -> bool:
    """Whether a constructor that ends has stored a value: no branch, loop or earlier return stands around it."""
    block: Block | None = store.block
    while block is not None:
        if block.parent is not None and not isinstance(block.statement, cst.With):
            return False
        block = block.parent
    body = getattr(store.function.node, "body", None)
    return body is None or not may_leave(body, in_loop=True)


def unsteady(store: Value, module: Module, text: str) -> str:
    """Why an attribute may not be what one store put there; empty if it is. What changes it in place is not asked."""
    owner, name = store.function.enclosing_class, store.name
    if owner is None:
        return "is set outside a class"
    others = []
    for each in stores_of(name, owner, module):
        if each is store or is_move(each, name) or _precedes_as_none(each, store):
            continue
        if is_none(each):
            return "may be None where the loss reads it"
        others.append(each)
    if any(each.op is Op.CALL and each.name not in _REGISTERS for each in others):
        return "may be set by its name (`setattr`)"
    if others:
        return "is set or changed in several places"
    if is_deleted(name, text):
        return "may be deleted"
    if not is_certain(store):
        return "is not set on every way through the constructor"
    return ""


def _precedes_as_none(each: Value, store: Value) -> bool:
    """Whether None is stored first, in the class or in the same run of the constructor, where the store follows."""
    if not is_none(each):
        return False
    if each.op is not Op.STORE:
        return True  # the class's own, which the object's hides
    return each.block is store.block and each.index < store.index


def is_move(store: Value, name: str) -> bool:
    """Whether a store keeps the entries: the same attribute on another device."""
    value = store.inputs[0] if store.op is Op.STORE and store.inputs else None
    while value is not None and value.op is Op.CALL and has(value.name, Column.MOVES) and value.inputs[0].op is Op.ATTR:
        value = value.inputs[0].inputs[0]
    return value is not None and value.op is Op.SELF and value.name == name


# -- names -----------------------------------------------------------------------------------------------------------


def scope_of(name: str, function: Function) -> Function | None:
    """The function, or the module, whose variable ``name`` is where ``function`` runs; None if nothing binds it."""
    scope: Function | None = function
    while scope is not None:
        is_bound = name in scope.parameters or bool(scope.bindings.get(name))
        if is_bound and not (name in scope.globals and not scope.is_module):
            return scope
        scope = scope.parent
    return None


def unsteady_name(name: str, scope: Function | None, module: Module, *, is_path: bool = False) -> str:
    """Why a name of a module may stand for another thing later; empty if it always stands for the same.

    ``is_path`` says that only attributes of the object are asked, which others look after.
    """
    if scope is None:
        known = hasattr(builtins, name) or name in CUSTOMARY_LIBRARIES
        return "" if known else "is bound outside this file"
    bound = scope.bindings.get(name, [])
    if bound and all(each.op is Op.IMPORT for each in bound):
        paths = {each.name.split(".")[0] for each in bound}
        return "" if len(paths) == 1 else "is bound in several places"
    if len(bound) != 1:
        return "is bound in several places"
    (value,) = bound
    if scope.is_module and any(index_of(module).calls("globals")):
        return "may be set by its name (`globals`)"
    if any(isinstance(block.statement, cst.For | cst.While) for block in _around(value)):
        return "is bound in a loop"
    if value.op in (Op.FUNC, Op.CLASS) or is_constant(value, module) or is_path:
        return ""
    return "is an object that may change"


def is_constant(value: Value, module: Module, depth: int = 6) -> bool:
    """Whether a value is a number, a text or another thing that nothing can change: ``torch.device("cpu")``."""
    if value.op in (Op.CONST, Op.STR, Op.SINGLETON):
        return True
    if depth == 0:
        return False
    if value.op in (Op.UNARY, Op.BINOP, Op.COMPARE) or (value.op is Op.TUPLE and value.name == "Tuple"):
        return bool(value.inputs) and all(is_constant(each, module, depth - 1) for each in value.inputs)
    if value.op is Op.PHI and value.name == "ifexp":
        return all(is_constant(each, module, depth - 1) for each in value.inputs)
    if value.op is Op.GLOBAL and not is_library(value):
        return not unsteady_name(value.name, scope_of(value.name, module.main), module)
    if value.op is Op.ATTR:
        return is_library(value.inputs[0])
    return value.op is Op.CALL and value.name == "device" and is_library(value.inputs[0])


def _around(value: Value) -> Iterator[Block]:
    block: Block | None = value.block
    while block is not None:
        yield block
        block = block.parent
