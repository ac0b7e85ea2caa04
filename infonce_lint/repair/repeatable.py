"""Expressions that give the same wherever and whenever they run: only such a one may be repeated in the loss."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import libcst as cst

from infonce_lint.repair.history import is_changed
from infonce_lint.repair.rewrite import Refused
from infonce_lint.repair.steady import (
    is_deleted,
    kin,
    scope_of,
    stores_of,
    unsteady,
    unsteady_name,
)
from infonce_lint.semantic.graph.calls import is_library, is_library_call
from infonce_lint.semantic.graph.literals import is_none
from infonce_lint.semantic.graph.nodes import children_of, nodes_in
from infonce_lint.semantic.graph.values import Class, Function, Op, Value
from infonce_lint.semantic.losses.model import SemanticModel
from infonce_lint.semantic.shapes.operations import Column, find, has
from infonce_lint.semantic.shapes.running import library_of

_BY_HAND = "build it in the loss by hand"
_PLAIN_DECORATORS = ("staticmethod", "torch.no_grad", "no_grad", "torch.inference_mode")


class Repeatable:
    """Judges the expression that built one stored tensor; raises `Refused` where it may give another one later."""

    def __init__(self, store: Value, model: SemanticModel, text: str) -> None:
        self.store = store
        self.model = model
        self.module = model.module
        self.text = text
        self.what = f"`self.{store.name}`"
        self.seen: set[Function] = set()

    # -- what is called ----------------------------------------------------------------------------------------------

    def check_calls(self, calls: Iterable[Value]) -> None:
        """Every call gives the same for the same arguments, and does nothing else."""
        for call in calls:
            self._check_call(call, is_inside=False)

    def _check_call(self, call: Value, *, is_inside: bool) -> None:
        if call.callee is not None and call.constructs is None:
            self._check_callee(call, call.callee)
            return
        if is_drawn(call):
            raise Refused(f"{self.what} is drawn at random once; draw it in the loss by hand")
        called = call.inputs[0]
        if is_library_call(call):
            is_known = find(call.name, library_of(call) or "") is not None or _is_fixed(call.name)
        elif called.op is Op.ATTR and _module_of(called.inputs[0]) == "math":
            is_known = True
        elif called.op is Op.ATTR:
            is_known = find(call.name, "") is not None and self._is_made(called.inputs[0], is_inside=is_inside)
        else:
            is_builtin = called.op is Op.GLOBAL and scope_of(called.name, call.function) is None
            is_known = is_builtin and find(call.name, "python") is not None
        if not is_known:
            raise Refused(
                f"{self.what} is built with `{call.name}`, of which it is not known whether it gives the same again; "
                f"{_BY_HAND}"
            )

    def _is_made(self, receiver: Value, *, is_inside: bool) -> bool:
        """Whether the object whose method is called is a tensor that is made here, or a helper's own variable."""
        while True:
            if receiver.op is Op.ATTR and not is_library(receiver):
                receiver = receiver.inputs[0]
            elif receiver.op is Op.CALL:
                if receiver.inputs[0].op is not Op.ATTR or receiver.callee is not None or is_library_call(receiver):
                    return True  # judged by itself
                receiver = receiver.inputs[0].inputs[0]
            elif receiver.op in (Op.SUB, Op.ITEM, Op.SETITEM):
                receiver = receiver.inputs[0]
            else:
                break
        made = (Op.BINOP, Op.UNARY, Op.COMPARE, Op.TUPLE, Op.COMP)
        return receiver.op in made or (is_inside and receiver.op in (Op.NAME, Op.PHI, Op.PARAM))

    def _check_callee(self, call: Value, helper: Function) -> None:
        called = call.inputs[0]
        owner = helper.owner
        if owner is not None and (problem := replaced(helper, owner, self.model)):
            raise Refused(f"`{helper.name}` {problem}; {_BY_HAND}")
        if owner is None and called.op not in (Op.NAME, Op.GLOBAL, Op.CLOSURE):
            raise Refused(f"{self.what} is built with `{call.name}`, which is kept in an object; {_BY_HAND}")
        self.check_helper(helper)

    def check_helper(self, helper: Function) -> None:
        """A function of the file gives the same for the same arguments, and stores nothing."""
        if helper in self.seen:
            return
        self.seen.add(helper)
        is_plain = all(each in _PLAIN_DECORATORS for each in helper.decorators)
        if helper.is_generator or not is_plain or helper.globals or helper.nonlocals:
            raise Refused(f"`{helper.name}` may give another tensor at another call; {_BY_HAND}")
        for call in helper.calls:
            if not self._is_size(call):
                self._check_call(call, is_inside=True)
        for value in self.model.values_by_function.get(helper, []):
            if value.op is Op.STORE or (value.op is Op.SETITEM and value.inputs[0].op in (Op.GLOBAL, Op.SELF)):
                raise Refused(f"`{helper.name}` stores something whenever it is called; {_BY_HAND}")
            self.check_read(value, is_inside=True)

    def check_read(self, value: Value, *, is_inside: bool = False) -> None:
        """An attribute or a name of the module stands for the same in the constructor and in the loss."""
        if self._is_size(value) or has(value.name, Column.LOOKS):
            return  # replaced by the fix; or a device, to which the tensor is moved anyway
        if value.op is Op.SELF:
            self._check_own(value)
        elif value.op is Op.ATTR:
            self._check_attribute(value)
        elif value.op is Op.GLOBAL and value.node is not None:
            is_path = bool(value.users) and all(user.op is Op.ATTR for user in value.users)
            self.check_name(value.name, scope_of(value.name, value.function), is_path=is_path)
        elif value.op is Op.CLOSURE and (scope := scope_of(value.name, value.function)) not in self.seen:
            self.check_name(value.name, scope)
        elif value.op is Op.SUB and not self._is_made(value.inputs[0], is_inside=is_inside and not value.name):
            raise Refused(f"{self.what} depends on an entry of an object, which may be set anew; {_BY_HAND}")

    def _is_size(self, value: Value) -> bool:
        """Whether a value is a configured size, which the fix replaces."""
        return self.model.origins.configured(value) is not None

    def _check_own(self, read: Value) -> None:
        owner = read.function.enclosing_class
        if owner is None or any(user.op is Op.CALL and user.callee is not None for user in read.users):
            return  # a method: judged where it is called
        found = stores_of(read.name, owner, self.module)
        stores = [each for each in found if each.op is Op.STORE and not is_none(each)]
        problem = ""
        if stores:
            is_built = stores[0].function.is_constructor
            problem = unsteady(stores[0], self.module, self.text) if is_built else "is set outside the constructor"
        elif len(found) != 1 or found[0].op is Op.RETURN:
            problem = "is not set once in this file"
        problem = problem or ("is changed in place" if is_changed([read, *stores], self.module) else "")
        if problem:
            raise Refused(f"{self.what} depends on `self.{read.name}`, which {problem}; {_BY_HAND}")

    def _check_attribute(self, read: Value) -> None:
        base = read.inputs[0]
        if is_library(base) or any(user.op is Op.CALL and user.inputs[0] is read for user in read.users):
            return
        if stores_of(read.name, None, self.module) or is_deleted(read.name, self.text):
            raise Refused(f"{self.what} depends on `{read.name}`, which is set in several places; {_BY_HAND}")

    def check_name(self, name: str, scope: Function | None, *, is_path: bool = False) -> None:
        """A name of the module, or of a function around the class, stands for the same at every time."""
        problem = unsteady_name(name, scope, self.module, is_path=is_path)
        if problem:
            raise Refused(f"{self.what} depends on `{name}`, which {problem}; {_BY_HAND}")

    # -- what is named -----------------------------------------------------------------------------------------------

    def check_names(self, node: cst.CSTNode, reader: Function, is_replaced: Callable[[cst.CSTNode], bool]) -> None:
        """Every name of an expression of the constructor stands for the same thing where ``reader`` uses it."""
        constructor = self.store.function
        local = {name for each in nodes_in(node) if isinstance(each, cst.CompFor) for name in _targets(each.target)}
        for each, is_path, is_device in _names(node):
            name = each.value
            if name in local or is_replaced(each) or name in ("None", "True", "False"):
                continue
            scope, there = scope_of(name, constructor), scope_of(name, reader)
            if scope is constructor:
                own = constructor.parameters.get(name)
                other = there.parameters.get(name) if there is not None else None
                if own is not None and own.op is Op.SELFPARAM and other is not None and other.op is Op.SELFPARAM:
                    if is_path:
                        continue
                    raise Refused(f"{self.what} is built from the whole object; {_BY_HAND}")
                raise Refused(
                    f"{self.what} is built with `{name}`, which the constructor alone knows; "
                    "build it in the loss from the features' rows"
                )
            if scope is not there:
                raise Refused(f"`{name}` means something else in `{reader.qualified_name}`; {_BY_HAND}")
            self.check_name(name, scope, is_path=is_path or is_device)


def replaced(helper: Function, owner: Class, model: SemanticModel) -> str:
    """How a method may be another one in some objects; empty if it is the only one of its name."""
    for each in kin(owner):
        other = each.methods.get(helper.name)
        if other is not None and other is not helper:
            return f"is overridden in `{each.name}`"
    others = [each for each in stores_of(helper.name, owner, model.module) if each is not helper.returns]
    return "is also an attribute that is set" if others else ""


def is_drawn(call: Value) -> bool:
    """Whether a call draws random numbers, or leaves the entries as they lie in memory."""
    called: Value | None = call.inputs[0]
    while called is not None:
        if called.op is Op.ATTR and called.name == "random":
            return True
        called = called.inputs[0] if called.op is Op.ATTR else None
    name = call.name.lower().strip("_").removeprefix("new_").removesuffix("_like")
    return name.startswith(("rand", "dropout", "multinomial", "bernoulli")) or name in (
        "normal uniform permutation shuffle choice standard_normal empty resize exponential poisson".split()
    )


def _is_fixed(name: str) -> bool:
    """Whether a library's function tells what never changes while the program runs."""
    return name in "device is_available current_device finfo iinfo get_rank get_world_size".split()


def _module_of(value: Value) -> str:
    """The dotted name of the module that a value is; empty for anything else."""
    if value.op in (Op.NAME, Op.GLOBAL) and value.inputs:
        value = value.inputs[0]
    return value.name if value.op is Op.IMPORT else ""


def libraries_of(value: Value) -> set[str]:
    """The libraries whose tensor or array a value may be; empty where that is not seen."""
    found: set[str] = set()
    stack, seen = [value], set()
    while stack:
        each = stack.pop()
        if each in seen:
            continue
        seen.add(each)
        library = library_of(each) if each.op is Op.CALL else None
        if library is not None:
            found.add("torch" if each.name == "from_numpy" else library)
        elif each.op is Op.CALL:
            called = each.inputs[0]
            if each.name == "numpy":
                found.add("numpy")
            elif each.callee is not None:
                stack.append(each.callee.returns)
            elif called.op is Op.ATTR:
                stack.append(called.inputs[0])
        elif each.op in (Op.SUB, Op.ATTR, Op.SETITEM, Op.ITEM):
            stack.append(each.inputs[0])
        elif each.op in (Op.BINOP, Op.UNARY, Op.COMPARE, Op.PHI, Op.NAME, Op.RETURN, Op.CLOSURE, Op.STORE, Op.PARAM):
            stack.extend(each.inputs)
    return found


def may_be_none(node: cst.CSTNode) -> bool:
    """Whether a side of a conditional expression, or of ``and`` and ``or``, may give no tensor."""
    if isinstance(node, cst.IfExp):
        return any(may_be_none(each) for each in (node.body, node.orelse))
    return isinstance(node, cst.BooleanOperation) or (isinstance(node, cst.Name) and node.value == "None")


def _targets(node: cst.CSTNode) -> Iterator[str]:
    if isinstance(node, cst.Name):
        yield node.value
    elif isinstance(node, cst.Tuple | cst.List):
        for element in node.elements:
            yield from _targets(element.value)


def _names(
    node: cst.CSTNode, *, is_path: bool = False, is_device: bool = False
) -> Iterator[tuple[cst.Name, bool, bool]]:
    """The names that an expression reads; whether an attribute of the object is asked, and whether it is a device."""
    if isinstance(node, cst.Name):
        yield node, is_path, is_device
    elif isinstance(node, cst.Attribute):
        yield from _names(node.value, is_path=True, is_device=is_device)
    elif isinstance(node, cst.Arg):
        keyword = node.keyword.value if node.keyword is not None else ""
        yield from _names(node.value, is_device=keyword == "device")
    elif isinstance(node, cst.Lambda | cst.NamedExpr | cst.Await | cst.Yield):
        raise Refused(f"the tensor is built with an expression that is not followed; {_BY_HAND}")
    else:
        for child in children_of(node):
            yield from _names(child)
