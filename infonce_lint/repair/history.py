"""The history of a stored tensor: only one that is stored once, and changed nowhere, is what its expression says."""

from __future__ import annotations

from collections.abc import Iterable

import libcst as cst

from infonce_lint.repair.steady import is_move, kin, unsteady
from infonce_lint.semantic.graph.calls import called_name, is_library
from infonce_lint.semantic.graph.index import index_of
from infonce_lint.semantic.graph.values import Module, Op, Value
from infonce_lint.semantic.graph.walk import walk
from infonce_lint.semantic.shapes.operations import Column, has

_ALIASES = frozenset(
    {
        Op.NAME,
        Op.CLOSURE,
        Op.GLOBAL,
        Op.PHI,
        Op.BOOL,
        Op.STORE,
        Op.SELF,
        Op.PARAM,
        Op.RETURN,
        Op.ITEM,
        Op.TUPLE,
        Op.DICT,
        Op.COMP,
        Op.OTHER,
    }
)


def change_of(store: Value, module: Module, text: str) -> str:
    """How a stored tensor is changed besides the expression that built it; empty when it is not."""
    owner = store.function.owner
    if owner is None:
        return "is set outside a class"
    reason = unsteady(store, module, text)
    if reason:
        return reason
    built = store.inputs[0]
    if any(user is not store and user.op not in ("store",) and user.name != "register_buffer" for user in built.users):
        return "is changed under another name"
    is_parameter = built.op is Op.CALL and called_name(built) == "Parameter"
    if is_parameter:
        frozen = next((each for keyword, each in built.arguments() if keyword == "requires_grad"), None)
        if frozen is None or frozen.name != "False":
            return "is a parameter that training changes"
    reads = [each for family in kin(owner) for each in family.reads.get(store.name, ())]
    if any(read.function.is_constructor and not _only_moves(read, store.name) for read in reads):
        return "is read in the constructor again"
    names = {user.name for user in built.users if user.op is Op.STORE}  # it may be kept under two
    if is_changed([built, *reads, *_reads_elsewhere({store.name, *names}, module)], module):
        return "is changed in place"
    if is_changed(_collections(module, is_parameter), module):
        return "may be changed in place with all others of its module"
    return ""


def _reads_elsewhere(names: set[str], module: Module) -> Iterable[Value]:
    """Reads of an attribute of these names of any object, by ``getattr`` too."""
    index = index_of(module)
    yield from (each for each in index.attributes(names) if each.op is Op.ATTR)
    for each in index.calls("getattr"):
        key = each.argument(1)
        if key is None or key.op is not Op.STR or key.literal in names:
            yield each


def _collections(module: Module, is_parameter: bool) -> Iterable[Value]:
    """What gives all tensors of a module: its buffers, its state; its parameters if the tensor is one."""
    index = index_of(module)
    names = ["buffers", "state_dict", "named_buffers", *(("parameters", "named_parameters") if is_parameter else ())]
    yield from (each for each in index.calls(*names) if each.callee is None)
    yield from index.attributes(("_buffers", "__dict__"))


def is_changed(starts: Iterable[Value], module: Module) -> bool:
    """Whether something writes into a tensor, or into what may share its entries."""
    direct = list(starts)
    shared = set(walk(direct, _shared))
    stored = index_of(module).stored_entries
    if any(entry.base in shared for name in ("data", "grad") for entry in stored.get(name, ())):
        return True
    return any(_changes(user, each) for each in shared for user in each.users)


def _shared(value: Value) -> Iterable[Value]:
    """The uses of a tensor that may be it, a view of it or a container of it."""
    for user in value.users:
        if user.op in _ALIASES or (user.op is Op.SUB and user.inputs[0] is value):
            yield user
        elif user.op is Op.ATTR:
            if not has(user.name, Column.ASKS_ABOUT):
                yield user
        elif user.op is Op.CALL and _call_shares(user, value):
            yield user


def _call_shares(call: Value, value: Value) -> bool:
    """Whether the result of a call may be a tensor that it is handed, or a view of it."""
    if value.op is Op.RETURN:
        return True
    if call.callee is not None or call.constructs is not None:
        return False  # the parameter is followed instead
    if value is call.inputs[0]:
        is_new = has(call.name, Column.REDUCES) or has(call.name, Column.ASKS_ABOUT)
        return value.op is Op.ATTR and not is_new and call.name not in ("clone", "repeat", "tile", "masked_fill")
    if call.name in ("zip", "enumerate", "list", "tuple", "reversed", "iter", "dict", "chain"):
        return True
    is_viewed = is_library(call.inputs[0]) and call.argument(0, "input") is value
    return is_viewed and not (has(call.name, Column.JOINS) or has(call.name, Column.REDUCES) or call.name == "where")


def _changes(user: Value, shared: Value) -> bool:
    """Whether a use writes into the tensor: a trailing underscore, an element, ``+=``, an ``out=``."""
    if user.op is Op.ATTR:
        return _is_in_place(user.name) and not has(user.name, Column.KEEPS_STORED)
    if user.op is Op.SETITEM:
        return user.inputs[0] is shared
    if user.op is Op.BINOP:
        return isinstance(user.node, cst.AugAssign) and user.inputs[0] is shared
    if user.op is Op.CALL:
        handed = [keyword for keyword, each in user.arguments() if each is shared]
        is_asked = any(keyword == "inplace" and each.name != "False" for keyword, each in user.arguments())
        return "out" in handed or (bool(handed) and (is_asked or _is_in_place(user.name)))
    return False


def _is_in_place(name: str) -> bool:
    is_marked = name.endswith("_") and not name.endswith("__")
    return is_marked or name in "__setitem__ __iadd__ __imul__ fill fill_diagonal itemset put putmask copyto".split()


def _only_moves(read: Value, name: str) -> bool:
    if all(user.op is Op.ATTR and has(user.name, Column.LOOKS) for user in read.users):
        return True  # asked for its device, or moved without keeping the result
    calls = [call for attr in read.users if attr.op is Op.ATTR for call in attr.users]
    stores = [user for call in calls for user in call.users if user.op is Op.STORE]
    return bool(stores) and all(is_move(each, name) for each in stores)
