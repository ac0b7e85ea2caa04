"""Wrappers of code: context managers that swallow what is raised in it, decorators that run it otherwise."""

from __future__ import annotations

import libcst as cst

from infonce_lint.semantic.graph.callables import resolve
from infonce_lint.semantic.graph.nodes import nodes_in
from infonce_lint.semantic.graph.syntax import last_statement, leaves
from infonce_lint.semantic.graph.values import Block, Class, Function, Op, Value

#: Context managers that go on after an exception, or may.
_SWALLOWING = frozenset({"suppress", "raises", "assertRaises", "ExitStack", "AsyncExitStack", "IgnoreExceptions"})

#: Decorators that hand on other arguments than they are given, or choose by them.
_RUNNING_OTHERWISE = frozenset({"vmap", "pmap", "vectorize", "partial", "singledispatch", "singledispatchmethod"})


def swallows(block: Block, item: cst.WithItem) -> bool:
    """Whether a ``with`` statement, of which ``block`` is the suite, may go on after an exception in it.

    Managers of libraries let exceptions pass but for a few; one of this file is read, and one that is handed in, or was
    made before, may be any.
    """
    call = next((each for each in block.function.calls if each.node is item.item), None)
    if call is None:
        return True
    if call.name in _SWALLOWING:
        return True
    target = call.constructs or call.callee or resolve(call.inputs[0])
    if isinstance(target, Class):
        return _exit_swallows(target)
    if isinstance(target, Function):
        return _has_going_handler(target)
    called = call.inputs[0]
    while called.op in (Op.NAME, Op.GLOBAL, Op.CLOSURE) and called.inputs:
        called = called.inputs[0]
    return called.op in (Op.PARAM, Op.FREE, Op.PHI)


def _exit_swallows(manager: Class) -> bool:
    """Whether ``__exit__`` may give something true, or a base is one that swallows."""
    exits = manager.method("__exit__") or manager.method("__aexit__")
    if exits is not None:
        return any(not _is_false(each) for each in exits.returns.inputs)
    return any(base.name.rpartition(".")[2] in _SWALLOWING for each in manager.lineage() for base in each.bases)


def _is_false(value: Value) -> bool:
    return value.op is Op.SINGLETON and value.name in ("None", "False")


def _has_going_handler(function: Function) -> bool:
    """Whether a function that is a context manager catches what is raised and does not raise it again."""
    if any(call.name in _SWALLOWING for call in function.calls):
        return True
    nodes = list(nodes_in(function.node))
    handlers = (each for each in nodes if isinstance(each, cst.ExceptHandler))
    at_last = (each for each in nodes if isinstance(each, cst.Finally))
    return not all(raises(each.body) for each in handlers) or any(leaves(each.body) for each in at_last)


def raises(suite: cst.BaseSuite) -> bool:
    """Whether a handler ends by raising."""
    return isinstance(last_statement(suite), cst.Raise)


def is_run_otherwise(function: Function) -> bool:
    """Whether a decorator of this file, or one that gives other arguments, stands before a function."""
    for decorator in function.decorators:
        if decorator.rpartition(".")[2] in _RUNNING_OTHERWISE:
            return True
        name, _, rest = decorator.partition(".")
        scope = function.parent
        while scope is not None and name not in scope.bindings and name not in scope.final:
            scope = scope.parent
        bound = [*scope.bindings.get(name, ()), *([scope.final[name]] if name in scope.final else [])] if scope else []
        if not rest and any(each.source is not None or each.op in (Op.PARAM, Op.CALL) for each in bound):
            return True
    return False
