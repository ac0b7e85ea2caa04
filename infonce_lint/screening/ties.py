"""Ties: whether labels or masks may be as large as some constructor was told under a neutral name (`losses/tied.py`).

Names are followed without their flow, so more is let through than the model will find.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field

from infonce_lint.semantic.graph.values import CONSTRUCTORS
from infonce_lint.semantic.names import may_count_rows
from infonce_lint.semantic.shapes.operations import Column, has

_ROUNDS = 3  # helpers that hand a size on to helpers
#: What makes the labels and masks whose size can be tied to the rows of a batch.
_TYING = (Column.NUMBERS_ROWS, Column.IDENTITY, Column.FILLS)


def may_tie_size(tree: ast.Module) -> bool:
    """Whether some label or mask of a file may be sized by a constructor's parameter; False is always right."""
    bodies = [_Body(each) for each in _functions(tree)]
    if not any(body.makers for body in bodies) or not any(body.sizes for body in bodies):
        return False
    by_name: dict[str, list[_Body]] = {}
    for body in bodies:
        by_name.setdefault(body.name, []).append(body)
    attributes: set[str] = set()
    for _ in range(_ROUNDS):
        for body in bodies:
            body.sizes |= attributes
            for targets, names in body.bindings:
                if not body.sizes.isdisjoint(names):
                    body.sizes |= targets
            attributes.update(name for name in body.sizes if name.startswith("self."))
            if any(not body.sizes.isdisjoint(names) for names in body.makers):
                return True
            for called, names in body.calls:
                if called in by_name and not body.sizes.isdisjoint(names):
                    for helper in by_name[called]:
                        helper.sizes |= helper.parameters
    return False


def _functions(tree: ast.Module) -> Iterator[ast.FunctionDef]:
    """The functions of a module and of its classes, those inside other functions left in these."""
    pending: list[ast.AST] = [tree]
    while pending:
        for each in ast.iter_child_nodes(pending.pop()):
            if isinstance(each, ast.FunctionDef):
                yield each
            elif isinstance(each, ast.stmt):
                pending.append(each)


@dataclass(slots=True)
class _Body:
    """What a function binds, calls and makes, by the names in it; ``sizes`` are those that may be a size."""

    node: ast.FunctionDef
    name: str = ""
    parameters: set[str] = field(default_factory=set)
    sizes: set[str] = field(default_factory=set)
    bindings: list[tuple[set[str], set[str]]] = field(default_factory=list)
    calls: list[tuple[str, set[str]]] = field(default_factory=list)
    makers: list[set[str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Take the names out of the tree."""
        arguments = self.node.args
        self.name = self.node.name
        self.parameters = {each.arg for each in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)}
        self.parameters.discard("self")
        if self.name in CONSTRUCTORS:
            self.sizes = set(filter(may_count_rows, self.parameters))
        for each in ast.walk(self.node):
            if isinstance(each, ast.Call):
                self._add_call(each)
            elif isinstance(each, ast.Assign):
                self.bindings.append((_names(*each.targets), _names(each.value)))
            elif isinstance(each, ast.AnnAssign | ast.NamedExpr) and each.value is not None:
                self.bindings.append((_names(each.target), _names(each.value)))

    def _add_call(self, call: ast.Call) -> None:
        called = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
        names = _names(*call.args, *(each.value for each in call.keywords if each.arg not in ("dtype", "device")))
        if not names:
            return
        self.calls.append((called, names))
        if has(called, Column.FILLS):
            first = call.args[0] if call.args else None
            if len(call.args) == 1 and not (isinstance(first, ast.Tuple | ast.List) and len(first.elts) > 1):
                return  # a vector
        if any(has(called, each) for each in _TYING) and (called != "range" or isinstance(call.func, ast.Attribute)):
            self.makers.append(names)


def _names(*nodes: ast.AST) -> set[str]:
    """The variables in some expressions, and the attributes of ``self``; other objects are no numbers."""
    found: set[str] = set()
    pending = list(nodes)
    while pending:
        each = pending.pop()
        if isinstance(each, ast.Attribute):
            if isinstance(each.value, ast.Name) and each.value.id == "self":
                found.add(f"self.{each.attr}")
        elif isinstance(each, ast.Name):
            found.add(each.id)
        else:
            pending.extend(ast.iter_child_nodes(each))
    return found
