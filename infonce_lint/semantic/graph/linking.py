"""Links between scopes: free names to what they are bound to, attributes to their class, calls to what they run."""

from __future__ import annotations

from infonce_lint.semantic.graph.callables import resolve
from infonce_lint.semantic.graph.calls import call_name
from infonce_lint.semantic.graph.dispatch import link_replaced
from infonce_lint.semantic.graph.entries import link_entries, link_passed_entries
from infonce_lint.semantic.graph.values import CALL_METHODS, Class, Function, Module, Op, Value


def link(module: Module) -> None:
    """Connect the graph across functions, in place."""
    _link_classes(module)
    _link_free_names(module)
    _link_attributes(module)
    link_entries(module)
    for function in module.functions:
        for name, default in function.defaults.items():
            if default.op not in (Op.CONST, Op.STR):
                function.parameters[name].add_input(default)
        for call in function.calls:
            call.name = call_name(call.inputs[0])
            _link_call(call)
    # objects held in attributes are known only once constructions are
    for function in module.functions:
        for call in function.calls:
            if call.callee is None and call.constructs is None:
                _link_instance_call(call)
    link_passed_entries(module)
    link_replaced(module)


def _link_classes(module: Module) -> None:
    """Parents and children among the classes of the file."""
    by_name = {each.name: each for each in module.classes}
    for each in module.classes:
        for base in each.bases:
            parent = by_name.get(base.name)
            if parent is not None and parent is not each and each not in parent.lineage():
                each.parents.append(parent)
                parent.children.append(each)


def _link_free_names(module: Module) -> None:
    """A name not bound in its own scope stands for every binding of the nearest scope that has one."""
    for value in module.values:
        if value.op is not Op.FREE:
            continue
        scope = value.function.parent if value.name not in value.function.globals else None
        while scope is not None and not scope.is_module:
            if value.name in scope.bindings:
                break
            scope = scope.parent
        if scope is None or scope.is_module:
            value.op = Op.GLOBAL
            last = module.main.final.get(value.name)
            if last is not None:
                value.add_input(last)
        else:
            value.op = Op.CLOSURE
            for bound in scope.bindings[value.name]:
                value.add_input(bound)


def _link_attributes(module: Module) -> None:
    """``self.x`` stands for everything that the class stores under ``x``, unless this method stored it just before."""
    for owner in module.classes:
        for name, reads in owner.reads.items():
            stores = owner.slot(name)
            for read in reads:
                if not read.inputs:
                    for store in stores:
                        read.add_input(store)
                    for method in _properties(owner, name):
                        read.add_input(method.returns)
        for buffer in _registered(owner):
            name = str(buffer.inputs[1].literal)
            store = Value(Op.STORE, name, buffer.node, [buffer.inputs[2]], buffer.function, buffer.block, buffer.index)
            buffer.inputs[2].users.append(store)
            module.values.append(store)
            owner.slots.setdefault(name, []).append(store)
            for each in owner.family():
                for read in each.reads.get(name, ()):
                    read.add_input(store)


def _properties(owner: Class, name: str) -> list[Function]:
    """The properties that ``self.name`` may ask: the own or inherited one, and those of descendants."""
    found = [owner.method(name), *(each.methods.get(name) for each in owner.family())]
    methods = [each for each in dict.fromkeys(found) if each is not None]
    return [each for each in methods if any("property" in decorator for decorator in each.decorators)]


def _registered(owner: Class) -> list[Value]:
    """Calls of ``register_buffer("name", tensor)`` (or ``register_parameter``, ``add_weight``) in the class."""
    found = []
    for method in owner.methods.values():
        for call in method.calls:
            registers = call.name in ("register_buffer", "register_parameter") and len(call.inputs) > 2
            if registers and call.inputs[1].op is Op.STR:
                found.append(call)
    return found


def _link_call(call: Value) -> None:
    target = resolve(call.inputs[0])
    if isinstance(target, Class):
        call.constructs = target
        target.constructions.append(call)
        for name in ("__init__", "__new__"):
            constructor = target.method(name)
            if constructor is not None:
                _pass_arguments(call, constructor)
                break
    elif isinstance(target, Function):
        _run(call, target)
        if call.inputs[0].op is Op.SELF:
            _run_overrides(call, target)
    elif call.name == "partial" and isinstance(held := resolve(call), Function):
        _pass_keywords(call, held)
    elif _is_super_init(call):
        owner = call.function.enclosing_class
        for parent in owner.parents if owner is not None else ():
            constructor = parent.method("__init__")
            if constructor is not None:
                _pass_arguments(call, constructor)


def _is_super_init(call: Value) -> bool:
    called = call.inputs[0]
    return (
        called.op is Op.ATTR
        and called.name == "__init__"
        and called.inputs[0].op is Op.CALL
        and called.inputs[0].name == "super"
    )


def _link_instance_call(call: Value) -> None:
    """``self.criterion(a, b)`` runs the ``forward`` of the class that the attribute was constructed from."""
    target = resolve(call.inputs[0])
    if isinstance(target, Function):
        _run(call, target)
    elif isinstance(target, Value) and target.constructs is not None:
        for name in CALL_METHODS:
            method = target.constructs.method(name)
            if method is not None:
                _run(call, method)
                return


def _run(call: Value, function: Function) -> None:
    call.callee = function
    function.callers.append(call)
    _pass_arguments(call, function)
    call.add_input(function.returns)


def _run_overrides(call: Value, function: Function) -> None:
    """``self.build_mask()`` may run the method of a subclass as well."""
    owner = call.function.enclosing_class
    for each in owner.family() if owner is not None else ():
        other = each.methods.get(function.name)
        if other is not None and other is not function:
            other.callers.append(call)
            _pass_arguments(call, other)
            call.add_input(other.returns)


def _pass_keywords(call: Value, function: Function) -> None:
    """``functools.partial(loss, batch_size=8)``: later calls fill the other parameters."""
    for keyword, argument in call.arguments():
        if keyword in function.parameters:
            function.parameters[keyword].add_input(argument)


def _pass_arguments(call: Value, function: Function) -> None:
    """Let the arguments of a call flow into the parameters that they fill."""
    position = 0
    # Class.method(obj, ...) passes the object itself first
    called = call.inputs[0]
    is_bound = function.owner is None or function.is_static or "classmethod" in function.decorators
    if called.op is Op.ATTR and not is_bound and isinstance(resolve(called.inputs[0]), Class):
        position = 0 if call.name in ("__init__", "__new__") else -1
    for keyword, argument in call.arguments():
        if keyword is None:
            if 0 <= position < len(function.positional):
                function.parameters[function.positional[position]].add_input(argument)
            position += 1
        elif keyword in function.parameters:
            function.parameters[keyword].add_input(argument)
