"""Covering: whether an operation runs whenever a size is read, and not only on another way through the loss."""

from __future__ import annotations

from typing import TypeAlias

import libcst as cst

from infonce_lint.semantic.graph.conditional import runs_at_least_once
from infonce_lint.semantic.graph.dispatch import rivals_of
from infonce_lint.semantic.graph.managers import raises, swallows
from infonce_lint.semantic.graph.syntax import may_leave
from infonce_lint.semantic.graph.values import Block, Function, Value
from infonce_lint.semantic.shapes.domain import Site

_LEAVING = (cst.Return, cst.Raise, cst.Continue, cst.Break)
_NUMBERS = frozenset({"binop", "unary", "name", "phi", "tuple"})
_MOST_USES = 200
_DEEPEST_CALL = 4
_MOST_WAYS = 24

Place: TypeAlias = tuple[Block, int]
Way: TypeAlias = tuple[Value, ...]
"""A read, the call by which its function runs, the call by which that one runs, and so on."""


def ways_to(value: Value) -> list[Way] | None:
    """Every way by which the functions of the file come to a value; None where there are too many."""
    found: list[Way] = []
    stack: list[Way] = [(value,)]
    while stack:
        way = stack.pop()
        running = [each.function for each in way]
        callers = [call for call in way[-1].function.callers if call.function not in running]
        if not callers or len(way) >= _DEEPEST_CALL:
            found.append(way)
        stack += [(*way, call) for call in callers] if len(way) < _DEEPEST_CALL else []
        if len(found) + len(stack) > _MOST_WAYS:
            return None
    return found


def covers(site: Site, way: Way) -> bool:
    """Whether the operation at ``site`` runs whenever a read does, or whenever what is computed from it is used."""
    fact = _in_root(site)
    if fact is None:
        return False
    if fact.function.is_constructor:
        return _runs_always(fact)
    for step in way:
        if step.function is fact.function:
            return _passes(fact, step) or _passes_with_all_uses(fact, step)
    return False


def forces(site: Site, place: Place, way: Way) -> bool:
    """Whether the operation at ``site`` runs whenever a statement does; ``way`` leads to its function."""
    fact = _in_root(site)
    if fact is None:
        return False
    if fact.function is place[0].function:
        return not fact.region and runs_with((fact.block, fact.index), place)
    if fact.function.is_constructor:
        return _runs_always(fact)
    return any(step.function is fact.function and _passes(fact, step) for step in way)


def _in_root(site: Site) -> Value | None:
    """The operation, or the call that runs it, in the function that is interpreted by itself.

    None behind a branch of a helper, in a generator, which runs no further than it is asked, and in a coroutine, which
    may never run.
    """
    value, frame = site.value, site.frame
    while frame.call is not None and frame.caller is not None:
        if not _runs_always(value) or _is_chosen(frame.call) or value.function.is_coroutine:
            return None
        value, frame = frame.call, frame.caller
    return None if value.function.is_generator else value


def _is_chosen(call: Value) -> bool:
    """Whether what a call runs depends on a branch before it, or on the class of its object."""
    if rivals_of(call):
        return True
    called = call.inputs[0]
    while called.op == "name" and called.inputs:
        called = called.inputs[0]
    return called.op == "phi"


def _runs_always(value: Value) -> bool:
    """Whether an operation runs whenever its function does."""
    if value.region or value.function.is_generator:
        return False
    block: Block | None = value.block
    index = value.index
    while block is not None:
        if (block.parent is not None and not _is_plain(block)) or _leaves_between(block, -1, index, in_loop=False):
            return False
        index = block.index
        block = block.parent
    return True


def _is_plain(block: Block) -> bool:
    """Whether a suite runs to its end whenever its statement is reached, or raises."""
    statement = block.statement
    if isinstance(statement, cst.With):
        return not any(swallows(block, each) for each in statement.items)
    if isinstance(statement, cst.For):
        return runs_at_least_once(statement.iter)
    if isinstance(statement, cst.Try | cst.TryStar):
        return _is_plain_in_try(block, statement)
    return False


def _is_plain_in_try(block: Block, statement: cst.Try | cst.TryStar) -> bool:
    """Whether the suite of a ``try`` runs whenever its statement ends; what ``finally`` leaves is forgotten."""
    last = statement.finalbody
    if last is not None and _is_suite(block, last.body):
        return True
    if last is not None and any(may_leave(each, in_loop=False) for each in last.body.body):
        return False
    tried = [statement.body, *([statement.orelse.body] if statement.orelse is not None else [])]
    return any(_is_suite(block, each) for each in tried) and all(raises(each.body) for each in statement.handlers)


def _is_suite(block: Block, suite: cst.BaseSuite) -> bool:
    """Whether a block is that of a suite of several rows."""
    return isinstance(suite, cst.IndentedBlock) and block.statements.get(0) is suite.body[0]


def _passes(fact: Value, value: Value) -> bool:
    """Whether one operation of a function runs on every way that another one does."""
    around, region = fact.region, value.region
    is_same_statement = (fact.block, fact.index) == (value.block, value.index)
    if around and not (is_same_statement and region[: len(around)] == around):
        return False
    return runs_with((fact.block, fact.index), (value.block, value.index))


def runs_with(fact: Place, place: Place) -> bool:
    """Whether a statement is passed on every way that passes ``place``: in a block around it or a plain suite."""
    wanted, at = fact
    while not _encloses(wanted, place[0]) and _is_plain(wanted) and wanted.parent is not None:
        if _leaves_between(wanted, -1, at, in_loop=False):
            return False
        wanted, at = wanted.parent, wanted.index
    passed: list[Place] = []
    block: Block | None
    block, index = place
    while block is not None and block is not wanted:
        passed.append((block, index))
        index = block.index
        block = block.parent
    if block is None:
        return False
    if at <= index:
        return True
    in_loop = False
    for inner, start in reversed(passed):
        in_loop = in_loop or isinstance(inner.statement, cst.For | cst.While)
        if _ends_by_leaving(inner) or _leaves_between(inner, start, None, in_loop=in_loop):
            return False
    return not _leaves_between(wanted, index, at, in_loop=False)


def _leaves_between(block: Block, after: int, before: int | None, *, in_loop: bool) -> bool:
    """Whether a statement of a block behind ``after`` and before ``before`` may leave the function or the round."""
    return any(
        may_leave(statement, in_loop=in_loop)
        for index, statement in block.statements.items()
        if index > after and (before is None or index < before)
    )


def _ends_by_leaving(block: Block) -> bool:
    """Whether a suite ends by leaving its function or its loop's round."""
    if not block.statements or block.parent is None:
        return False
    last = block.statements[max(block.statements)]
    return isinstance(last, cst.SimpleStatementLine) and isinstance(last.body[-1], _LEAVING)


def _passes_with_all_uses(fact: Value, read: Value) -> bool:
    """Whether an operation runs whenever something is used that is computed from a read and is no number any more."""
    stack, seen = [read], {read}
    while stack:
        value = stack.pop()
        for user in value.users:
            if user in seen:
                continue
            seen.add(user)
            if len(seen) > _MOST_USES:
                return False
            if user.op in _NUMBERS and user.function is read.function:
                stack.append(user)
            elif user.function is not fact.function or not _passes(fact, user):
                return False
    return len(seen) > 1


def _encloses(outer: Block, inner: Block | None) -> bool:
    while inner is not None:
        if inner is outer:
            return True
        inner = inner.parent
    return False


def calls_of(function: Function) -> list[Way]:
    """The ways to a function, for what stands in it without being a value."""
    ways: list[Way] = []
    for call in function.callers:
        found = ways_to(call)
        ways += found if found is not None else []
    return ways or [()]
