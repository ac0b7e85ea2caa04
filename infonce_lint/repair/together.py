"""Losses that run one another are repaired together or not at all: else a crash would turn into another value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TypeAlias

from infonce_lint.finding import Applicability, Edit, Fix, Span
from infonce_lint.repair.behind import Sizes, left_behind
from infonce_lint.repair.place import span_of
from infonce_lint.repair.places import Places
from infonce_lint.repair.plan import Refusal
from infonce_lint.semantic.graph.values import Function
from infonce_lint.semantic.losses.model import ContrastiveLoss
from infonce_lint.sources.edits import overlaps
from infonce_lint.sources.source import SourceFile

_BY_HAND = "repair both by hand"
Planned: TypeAlias = "Fix | Refusal"


def fixed_together(planned: Mapping[ContrastiveLoss, Planned], source: SourceFile) -> dict[ContrastiveLoss, Planned]:
    """What becomes of the plan of each loss once the losses that it runs, or that run it, are looked at.

    A loss that is repaired raises no more at a batch of another size; what it returns then goes into a loss that still
    counts the configured rows. So one without a fix holds back those around it, and an unsafe one makes them unsafe,
    unless the fix of another rewrites its reads too. What no loss of the file reads for itself may stay behind as well.
    """
    found = _held_back(_joined(_held_back(planned, source)), source)
    if not any(isinstance(plan, Fix) for plan in found.values()):
        return found
    sizes = Sizes(Places(next(iter(found)).model))
    behind = left_behind(found, sizes, source)
    if not behind:
        return found
    return _held_back({loss: Refusal(behind[loss]) if loss in behind else plan for loss, plan in found.items()}, source)


def _held_back(planned: Mapping[ContrastiveLoss, Planned], source: SourceFile) -> dict[ContrastiveLoss, Planned]:
    """The plans, without those that would leave a loss half repaired with which they run."""
    found = dict(planned)
    safe = [plan for plan in found.values() if isinstance(plan, Fix) and _is_safe(plan)]
    open_losses = [loss for loss, plan in found.items() if plan not in safe and not _is_rewritten(loss, safe, source)]
    refused = [loss for loss in open_losses if isinstance(found[loss], Refusal)]
    for loss, other in _spread(found, refused):
        found[loss] = Refusal(
            f"`{_first(other)}` of `{other.name}` is not repaired, and the two losses run together; repair both by hand"
        )
    unsafe = [loss for loss in open_losses if isinstance(found[loss], Fix)]
    for loss, other in _spread(found, unsafe):
        plan = found[loss]
        if isinstance(plan, Fix):
            why = f"it runs together with `{other.name}`, whose fix is unsafe: check both before applying them"
            found[loss] = replace(plan, applicability=Applicability.UNSAFE, why=why)
    return found


def _joined(planned: Mapping[ContrastiveLoss, Planned]) -> dict[ContrastiveLoss, Planned]:
    """The plans with those made one that write the same code anew; where they differ on it, there is none.

    Applied one by one, the first would leave the other loss half repaired, and what is left of it without a proof.
    """
    found = dict(planned)
    by_row: dict[int, list[tuple[ContrastiveLoss, Edit]]] = {}
    for loss, plan in planned.items():
        for edit in plan.edits if isinstance(plan, Fix) else ():
            for row in range(edit.span.start.row, edit.span.end.row + 1):
                by_row.setdefault(row, []).append((loss, edit))
    leader: dict[ContrastiveLoss, ContrastiveLoss] = {}
    differing: set[ContrastiveLoss] = set()
    for placed in by_row.values():
        for order, (loss, edit) in enumerate(placed):
            for other, another in placed[:order]:
                if other is not loss and overlaps(edit, another):
                    leader[_led(leader, loss)] = _led(leader, other)
                    differing |= {loss, other} if edit != another else set()
    groups: dict[ContrastiveLoss, list[ContrastiveLoss]] = {}
    for loss in planned:
        groups.setdefault(_led(leader, loss), []).append(loss)
    for group in (each for each in groups.values() if len(each) > 1):
        if not differing.isdisjoint(group):
            names = " and ".join(f"`{each.name}`" for each in group[:2])
            found.update(
                dict.fromkeys(group, Refusal(f"{names} share code that each needs in another way; {_BY_HAND}"))
            )
            continue
        fixes = [plan for plan in (found[each] for each in group) if isinstance(plan, Fix)]
        edits = dict.fromkeys(edit for fix in fixes for edit in fix.edits)
        ordered = tuple(sorted(edits, key=lambda each: (each.span.start, each.span.end)))
        whole = [fix for fix in fixes if edits.keys() <= {*fix.edits}]  # the proof of one is that of all
        weakest = next((fix for fix in fixes if not _is_safe(fix)), fixes[0])
        chosen = next((fix for fix in whole if _is_safe(fix)), weakest)
        found.update(dict.fromkeys(group, replace(chosen, edits=ordered)))
    return found


def _led(leader: dict[ContrastiveLoss, ContrastiveLoss], loss: ContrastiveLoss) -> ContrastiveLoss:
    """The first of the losses that one is joined with."""
    while leader.get(loss, loss) is not loss:
        loss = leader[loss]
    return loss


def _spread(
    planned: Mapping[ContrastiveLoss, Planned], sources: list[ContrastiveLoss]
) -> list[tuple[ContrastiveLoss, ContrastiveLoss]]:
    """The losses with a fix to which something spreads from some of them, each with the one that it came from."""
    repaired: dict[Function, list[ContrastiveLoss]] = {}
    for loss, plan in planned.items():
        if isinstance(plan, Fix) and loss not in sources:
            for function in loss.functions:
                repaired.setdefault(function, []).append(loss)
    found: dict[ContrastiveLoss, ContrastiveLoss] = {}
    stack = list(sources) if repaired else []
    while stack:
        source = stack.pop()
        for function in _running(source) | _run_by(source):
            for loss in repaired.get(function, ()):
                if loss not in found:
                    found[loss] = source
                    stack.append(loss)
    return list(found.items())


def _running(loss: ContrastiveLoss) -> set[Function]:
    """The functions that run a loss, directly or not; what a module does at its top is a demonstration or a script."""
    found = set(loss.functions)
    stack = [*found]
    while stack:
        for call in stack.pop().callers:
            if call.function not in found and not call.function.is_module:
                found.add(call.function)
                stack.append(call.function)
    return found


def _run_by(loss: ContrastiveLoss) -> set[Function]:
    """The functions that a loss runs, directly or not."""
    found = set(loss.functions)
    stack = [*found]
    while stack:
        for call in stack.pop().calls:
            if call.callee is not None and call.callee not in found:
                found.add(call.callee)
                stack.append(call.callee)
    return found


def _is_rewritten(loss: ContrastiveLoss, fixes: list[Fix], source: SourceFile) -> bool:
    """Whether one of some fixes of other losses writes every read of a loss anew."""
    reads = [span_of(source, use.read) for use in loss.size_uses if use.read.node is not None]
    return any(all(any(_holds(edit.span, read) for edit in fix.edits) for read in reads) for fix in fixes)


def _holds(outer: Span, inner: Span) -> bool:
    return outer.start <= inner.start and inner.end <= outer.end


def _first(loss: ContrastiveLoss) -> str:
    return min(loss.size_uses, key=lambda use: (use.read.function.qualified_name, use.read.index)).text


def _is_safe(fix: Fix) -> bool:
    return fix.applicability is Applicability.SAFE
