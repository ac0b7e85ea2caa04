"""Covering: whether a fact holds whenever a size is read, and not only on another way through the loss."""

from __future__ import annotations

import libcst as cst

from infonce_lint.semantic.graph.values import Block, Function, Value
from infonce_lint.semantic.shapes.domain import Site

#: Suites that run whenever the statement is reached, a loop over an empty range apart.
_PLAIN = (cst.With, cst.Try, cst.TryStar, cst.For, cst.While, cst.FunctionDef, cst.Lambda, cst.Module)
_LEAVING = (cst.Return, cst.Raise, cst.Continue, cst.Break)
_MOST_USES = 200
Place = tuple[Block, int]


def covers(site: Site, read: Value, calls: list[Value]) -> bool:
    """Whether the operation at ``site`` runs whenever ``read`` does, or whenever what is computed from it is used.

    ``calls`` are the calls by which the read's own function runs, seen from the loss.
    """
    place = _place_in_root(site)
    if place is None:
        return False
    block, index, function = place
    positions = [(read.block, read.index, read.function), *((each.block, each.index, each.function) for each in calls)]
    for inner, at, owner in positions:
        if owner is function:
            if _runs_with((block, index), (inner, at)):
                return True
            return not _encloses(block, inner) and _all_uses_within(block, read)
    return _is_unconditional(block)


def _place_in_root(site: Site) -> tuple[Block, int, Function] | None:
    """Where the operation stands in the function that is interpreted by itself; None behind a branch of a helper."""
    block, index, frame = site.value.block, site.value.index, site.frame
    while frame.call is not None and frame.caller is not None:
        if not _is_unconditional(block):
            return None
        block, index, frame = frame.call.block, frame.call.index, frame.caller
    return block, index, block.function


def _is_unconditional(block: Block | None) -> bool:
    while block is not None:
        if not isinstance(block.statement, _PLAIN):
            return False
        block = block.parent
    return True


def _runs_with(fact: Place, read: Place) -> bool:
    """Whether a place is passed on every way that passes ``read``: in an enclosing block, or a plain suite in one."""
    wanted, at = fact
    while not _encloses(wanted, read[0]) and isinstance(wanted.statement, _PLAIN) and wanted.parent is not None:
        wanted, at = wanted.parent, wanted.index
    block: Block | None
    block, index = read
    leaves = False
    while block is not None:
        if block is wanted:
            return at <= index or not leaves
        leaves = leaves or _leaves(block)
        index, block = block.index, block.parent
    return False


def _leaves(block: Block) -> bool:
    """Whether a suite ends by leaving its function or its loop's round."""
    if not block.statements or block.parent is None:
        return False
    last = block.statements[max(block.statements)]
    return isinstance(last, cst.SimpleStatementLine) and isinstance(last.body[-1], _LEAVING)


def _all_uses_within(block: Block, read: Value) -> bool:
    """Whether everything that is computed from a read, as long as it is a number, is used in one block."""
    stack, seen = [read], {read}
    while stack:
        value = stack.pop()
        for user in value.users:
            if user in seen:
                continue
            seen.add(user)
            if len(seen) > _MOST_USES:
                return False
            if user.op in ("binop", "unary", "name", "phi", "tuple") and user.function is read.function:
                stack.append(user)
            elif not _encloses(block, user.block):
                return False
    return len(seen) > 1


def _encloses(outer: Block, inner: Block | None) -> bool:
    while inner is not None:
        if inner is outer:
            return True
        inner = inner.parent
    return False
