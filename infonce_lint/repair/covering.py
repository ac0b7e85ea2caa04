"""Covering: whether a fact holds whenever a size is read, and not only on another way through the loss."""

from __future__ import annotations

from typing import TypeAlias

import libcst as cst

from infonce_lint.semantic.graph.syntax import may_leave
from infonce_lint.semantic.graph.values import Block, Function, Value
from infonce_lint.semantic.shapes.domain import Site

#: Suites that run whenever the statement is reached, a loop over an empty range apart.
_PLAIN = (cst.With, cst.Try, cst.TryStar, cst.For, cst.While, cst.FunctionDef, cst.Lambda, cst.Module)
_LEAVING = (cst.Return, cst.Raise, cst.Continue, cst.Break)
_NUMBERS = frozenset({"binop", "unary", "name", "phi", "tuple"})
_MOST_USES = 200
Place: TypeAlias = tuple[Block, int]


def covers(site: Site, read: Value, call: Value | None) -> bool:
    """Whether the operation at ``site`` runs whenever ``read`` does, or whenever what is computed from it is used.

    ``call`` is one by which the read's own function runs, if there is any in the file.
    """
    found = _place_in_root(site)
    if found is None:
        return False
    fact, function = found
    if read.function is function:
        return runs_with(fact, (read.block, read.index)) or _runs_with_all_uses(fact, read)
    if call is not None and call.function is function:
        return runs_with(fact, (call.block, call.index)) or _runs_with_all_uses(fact, call)
    return _runs_always(*fact)


def forces(site: Site, place: Place, call: Value | None) -> bool:
    """Whether the operation at ``site`` runs whenever a statement at ``place`` does, in what ``call`` runs."""
    found = _place_in_root(site)
    if found is None:
        return False
    fact, function = found
    if place[0].function is function:
        return runs_with(fact, place)
    if call is not None and call.function is function:
        return runs_with(fact, (call.block, call.index))
    return _runs_always(*fact)


def _place_in_root(site: Site) -> tuple[Place, Function] | None:
    """Where the operation stands in the function that is interpreted by itself; None behind a branch of a helper."""
    block, index, frame = site.value.block, site.value.index, site.frame
    while frame.call is not None and frame.caller is not None:
        if not _runs_always(block, index):
            return None
        block, index, frame = frame.call.block, frame.call.index, frame.caller
    return (block, index), block.function


def _runs_always(block: Block, index: int) -> bool:
    """Whether a statement is reached whenever its function runs."""
    inner: Block | None = block
    while inner is not None:
        if not isinstance(inner.statement, _PLAIN) or _leaves_between(inner, -1, index, in_loop=False):
            return False
        index = inner.index
        inner = inner.parent
    return True


def runs_with(fact: Place, place: Place) -> bool:
    """Whether a statement is passed on every way that passes ``place``: in a block around it or a plain suite."""
    wanted, at = fact
    while not _encloses(wanted, place[0]) and isinstance(wanted.statement, _PLAIN) and wanted.parent is not None:
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


def _runs_with_all_uses(fact: Place, read: Value) -> bool:
    """Whether a statement runs whenever something is used that is computed from a read and is no number any more."""
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
            elif not runs_with(fact, (user.block, user.index)):
                return False
    return len(seen) > 1


def _encloses(outer: Block, inner: Block | None) -> bool:
    while inner is not None:
        if inner is outer:
            return True
        inner = inner.parent
    return False
