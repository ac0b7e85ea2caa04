"""Residue: reads of the configured size that reach the loss by ways no fix knows, so a fix would be half of one."""

from __future__ import annotations

from infonce_lint.semantic.graph.paths import key, path_text
from infonce_lint.semantic.graph.values import Class, Function, Value
from infonce_lint.semantic.losses.model import ContrastiveLoss

_ENDS = frozenset(
    "print info debug warning log_dict DataLoader format range len isinstance add_scalar write append_scalar".split()
)


def residue_problem(loss: ContrastiveLoss) -> str:
    """Which read of the unit's size would stay behind in the loss; empty when there is none."""
    origins = loss.model.origins
    keys = {key(use.read) for use in loss.size_uses}
    keys |= {name for use in loss.size_uses for name in origins.slots_of(use.read)}
    owners = {function.owner for function in loss.functions if function.owner is not None}
    parts = (each for each in loss.model.module.functions if each in loss.functions or _builds(each, owners))
    for value in (value for part in parts for value in loss.model.values_by_function[part]):
        if id(value.node) in loss.model.reported_nodes:
            continue
        if origins.configured(value) is None or not ({key(value)} | origins.slots_of(value)) & keys:
            continue
        if _reaches_loss(value, loss):
            return _refusal(value, f"`{value.function.qualified_name}`")
    main = loss.model.module.main
    lambdas = (each for each in loss.model.module.functions if each.name == "<lambda>" and each.parent is main)
    for value in (value for each in lambdas for value in loss.model.values_by_function[each]):
        if value.op == "self" and key(value) in keys:  # ``scale = property(lambda self: 1 / self.batch_size)``
            return _refusal(value, "a lambda of the class")
    return ""


def _refusal(read: Value, place: str) -> str:
    return (
        f"`{path_text(read)}` also reaches the loss in {place} in a way that no fix covers; "
        "repair all uses together by hand"
    )


def _builds(function: Function, owners: set[Class]) -> bool:
    return function.is_constructor and function.owner in owners


def _reaches_loss(read: Value, loss: ContrastiveLoss) -> bool:
    """Whether what is computed from a read enters the similarity or anything made of it."""
    cone, origins = loss.model.roles.cone, loss.model.origins
    seen: set[Value] = set()
    stack = [read]
    while stack:
        value = stack.pop()
        for user in value.users:
            if user in seen or user.op in ("guard", "param", "func", "class"):
                continue
            seen.add(user)
            if user in cone and user.op in ("binop", "call", "sub", "setitem"):
                return True
            if user.op == "call" and (user.name in _ENDS or user.constructs is not None or user.callee is not None):
                continue
            if user.op == "compare":
                if origins.size_keys(user) or read.function.is_constructor:
                    continue
                return True  # it decides which way the loss goes
            if user.op in ("self", "global") and origins.configured(user) is not None:
                continue  # a read of its own
            if user.op == "phi" and isinstance(user.literal, Value) and origins.size_keys(user.literal):
                continue
            stack.append(user)
    return False
