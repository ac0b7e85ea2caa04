"""Calls: a function of the file is run anew with what the call gives; anything else is looked up in the table."""

from __future__ import annotations

from typing import NamedTuple

import libcst as cst

from infonce_lint.semantic.graph.calls import is_library
from infonce_lint.semantic.graph.literals import elements
from infonce_lint.semantic.graph.values import Class, Function, Value
from infonce_lint.semantic.names import LIBRARIES
from infonce_lint.semantic.shapes import operations
from infonce_lint.semantic.shapes.call import Arguments, Call
from infonce_lint.semantic.shapes.columns import Column, has
from infonce_lint.semantic.shapes.context import Context
from infonce_lint.semantic.shapes.domain import Abstract, Frame, Opaque, Parts
from infonce_lint.semantic.shapes.operations.receiving import receives
from infonce_lint.semantic.shapes.table import Operation

_DEEPEST = 6
_LONGEST_PATH = 24
#: A tensor made of another one is of the same library.
_OF_ONE_LIBRARY = frozenset("name store phi attr sub binop unary compare setitem".split())
_PASSING = frozenset("self global closure name store phi param return".split())


def arguments_of(context: Context, value: Value, function: Function, frame: Frame) -> dict[Value, Abstract]:
    """What a call gives to each parameter of the function that it runs."""
    given: dict[Value, Abstract] = {}
    called = value.inputs[0]
    names = list(function.positional)
    parameters = function.parameters
    # Class.method(object, ...) passes the object itself first
    skipped = 1 if _passes_object(called, function) else 0
    extra: list[Abstract] = []
    position = 0
    is_exact = True
    for keyword, argument in value.arguments():
        if keyword is None:
            if position < skipped:
                position += 1
                continue
            place = position - skipped
            if is_exact and place < len(names):
                given[parameters[names[place]]] = context.evaluate(argument, frame)
            else:
                extra.append(context.evaluate(argument, frame))
            position += 1
        elif keyword == "*":
            is_exact = False
        elif keyword in parameters:
            given[parameters[keyword]] = context.evaluate(argument, frame)
    starred = _star_of(function)
    if starred in parameters and is_exact:
        given[parameters[starred]] = Parts(tuple(extra))
    has_double = any(keyword == "**" for keyword, _ in value.arguments())
    if is_exact and not has_double:
        for name, default in function.defaults.items():
            if parameters[name] not in given:
                given[parameters[name]] = context.evaluate(default, frame)
    return given


def _star_of(function: Function) -> str:
    params = getattr(function.node, "params", None)
    star = getattr(params, "star_arg", None)
    return star.name.value if isinstance(star, cst.Param) else ""


def _passes_object(called: Value, function: Function) -> bool:
    if called.op != "attr" or function.owner is None or function.is_static or "classmethod" in function.decorators:
        return False
    base = called.inputs[0]
    return base.op == "class" or (base.op in ("name", "global") and any(each.op == "class" for each in base.inputs))


def inner_frame(context: Context, value: Value, function: Function, frame: Frame) -> Frame | None:
    """The run of a function of the file by one call; None where it would not end."""
    running = (*frame.running, frame.function)
    if len(running) > _DEEPEST or function in running or function.is_generator:
        return None
    outer = frame.holding(function.parent) if function.parent is not None else None
    return Frame(function, arguments_of(context, value, function, frame), outer, running, value, frame)


class Resolved(NamedTuple):
    """The row of the table that a call runs, in whatever run of its function."""

    row: Operation
    library: str
    given: Arguments
    setup: Value | None = None  # the call that constructed the module, where a module is called

    def run(self, context: Context, value: Value, frame: Frame) -> Abstract | None:
        """What the row says of the call."""
        call = Call(context, value, frame, self.given, library=self.library)
        if call.receiver is not None:
            known = context.evaluate(call.receiver, frame)
            if isinstance(known, Opaque) and not context.is_tensor(known):
                answer = receives(call, known)
                if not isinstance(answer, bool):
                    return answer
                if not answer:
                    return None
                context.prove(known)
        if self.setup is not None:
            call.setup = Call(context, self.setup, frame, Arguments(self.setup), library=self.library)
        return self.row.transfer(call)


def resolved(value: Value) -> Resolved | None:
    """What the table has for a call; None where the call has no row."""
    called = value.inputs[0]
    library = _library(called)
    if library is not None:
        return _row(value, value.name, library, library)
    if called.op == "attr" and called.inputs:
        receiver = called.inputs[0]
        if receiver.op == "import" or any(each.op == "import" for each in receiver.inputs):
            return None  # a function of another module
        library = _library_behind(receiver)
        return _row(value, value.name, library or "method", library, receiver)
    if called.op in ("global", "free") and not called.inputs:
        return _row(value, value.name, "python", "python")
    setup = _construction(called)
    library = _library(setup.inputs[0]) if setup is not None else None
    if setup is None or library is None:
        return None
    return _row(value, setup.name, library, library, None, setup)


def _row(
    call: Value, name: str, spelled: str, library: str, receiver: Value | None = None, setup: Value | None = None
) -> Resolved | None:
    row = operations.find(name, spelled)
    return Resolved(row, library, Arguments(call, receiver), setup) if row is not None else None


def library_of(call: Value) -> str | None:
    """The array library that a call runs; None for anything else."""
    return _library(call.inputs[0])


def _library(called: Value) -> str | None:
    """The library whose function is called, under whatever name it was imported; None for anything else."""
    if not is_library(called.inputs[0] if called.op == "attr" and called.inputs else called):
        return None
    for _ in range(_LONGEST_PATH):
        if called.op == "import" or not called.inputs:
            break
        called = called.inputs[0]
    first = called.name.lstrip(".").split(".")[0]
    return {"np": "numpy", "jnp": "jax", "tf": "tensorflow"}.get(first) or LIBRARIES.get(first, "torch")


def _library_behind(value: Value) -> str:
    """The library that made the object whose method is called; empty where that is not seen."""
    for _ in range(_LONGEST_PATH):
        if value.op == "call":
            library = _library(value.inputs[0])
            if library is not None:
                return "torch" if value.name == "from_numpy" else library
            if value.name == "numpy":
                return "numpy"
            if value.inputs[0].op != "attr":
                return ""
            value = value.inputs[0].inputs[0]
        elif (
            value.op in ("name", "store", "phi", "attr", "sub", "binop", "unary", "compare", "setitem") and value.inputs
        ):
            value = value.inputs[0]
        else:
            return ""
    return ""


def _construction(called: Value) -> Value | None:
    """The call that constructed the module which is called: ``self.criterion = nn.CrossEntropyLoss()``."""
    for _ in range(_LONGEST_PATH):
        if called.op in _PASSING and called.inputs:
            called = called.inputs[-1]
        elif called.op == "item" and isinstance(called.literal, int):
            standing = elements(called.inputs[0], called.literal)
            if not standing:
                return None
            called = standing[-1]
        elif called.op == "call":
            if has(called.name, Column.WRAPS) and called.inputs[0].op == "attr":
                called = called.inputs[0].inputs[0]
            elif has(called.name, Column.WRAPS) and len(called.inputs) > 1:
                called = called.inputs[1]
            elif called.callee is not None:
                called = called.callee.returns
            else:
                return called
        else:
            return None
    return None


__all__ = ["Class", "Resolved", "arguments_of", "inner_frame", "resolved"]
