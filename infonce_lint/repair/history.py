"""The history of a stored tensor: only one that is stored once, and changed nowhere, is what its expression says."""

from __future__ import annotations

from infonce_lint.semantic.graph.calls import called_name
from infonce_lint.semantic.graph.literals import is_none
from infonce_lint.semantic.graph.values import Value
from infonce_lint.semantic.losses.directory import Directory
from infonce_lint.semantic.shapes.operations import Column, has


def change_of(store: Value, directory: Directory) -> str:
    """How a stored tensor is changed besides the expression that built it; empty when it is not."""
    owner = store.function.owner
    if owner is None:
        return "is set outside a class"
    stores = [each for each in owner.slot(store.name) if not is_none(each) and not _is_move(each, store.name)]
    if len(stores) > 1:
        return "is set or changed in several places"
    built = store.inputs[0]
    if any(user is not store and user.op not in ("store",) and user.name != "register_buffer" for user in built.users):
        return "is changed under another name"
    if called_name(built) == "Parameter" if built.op == "call" else False:
        frozen = next((each for keyword, each in built.arguments() if keyword == "requires_grad"), None)
        if frozen is None or frozen.name != "False":
            return "is a parameter that training changes"
    reads = [each for family in owner.family() for each in family.reads.get(store.name, ())]
    for read in (*reads, *directory.attributes.get(store.name, ())):
        if read.function.is_constructor and read in reads and not _only_moves(read, store.name):
            return "is read in the constructor again"
        if any(_changes(user, read) for user in read.users):
            return "is changed in place"
    if any(call.name == "setattr" for method in owner.methods.values() for call in method.calls):
        return "may be set by `setattr`"
    return ""


def _is_move(store: Value, name: str) -> bool:
    """Whether a store keeps the entries: the same attribute on another device."""
    value = store.inputs[0] if store.op == "store" and store.inputs else None
    while value is not None and value.op == "call" and has(value.name, Column.MOVES) and value.inputs[0].op == "attr":
        value = value.inputs[0].inputs[0]
    return value is not None and value.op == "self" and value.name == name


def _only_moves(read: Value, name: str) -> bool:
    if all(user.op == "attr" and has(user.name, Column.LOOKS) for user in read.users):
        return True  # asked for its device, or moved without keeping the result
    calls = [call for attr in read.users if attr.op == "attr" for call in attr.users]
    stores = [user for call in calls for user in call.users if user.op == "store"]
    return bool(stores) and all(_is_move(each, name) for each in stores)


def _changes(user: Value, read: Value) -> bool:
    """Whether a use writes into the tensor: a trailing underscore, ``data``, an element, an ``out=``."""
    if user.op == "attr":
        in_place = user.name.endswith("_") and not user.name.endswith("__") and not has(user.name, Column.KEEPS_STORED)
        return in_place or user.name in ("data", "copy_", "diagonal")
    if user.op == "setitem":
        return user.inputs[0] is read
    if user.op == "call":
        if any(keyword == "out" and each is read for keyword, each in user.arguments()):
            return True
        is_argument = any(each is read for _, each in user.arguments())
        return is_argument and user.name.endswith("_") and not user.name.endswith("__")
    return False
