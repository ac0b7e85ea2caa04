"""Makers: the calls of a file that may make row numbers, identities or masks of a size, told by names alone.

The model takes the name of a function from where it is called, from its import, or from the value that a variable was
given in the same scope: never from what a call was handed or has given, unless that is an object to be called
(``P.Eye()(n, n)``). So a maker is followed through bindings, not through calls.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable
from functools import cached_property

from infonce_lint.semantic.shapes.operations import Column, named
from infonce_lint.sources.nesting import CHILD_FIELDS

#: Keywords of a maker that are no extents.
_NO_EXTENTS = frozenset({"dtype", "device"})
#: What gives a value of its own, whatever it is made of.
_OWN = (ast.Call, ast.Dict, ast.Compare, ast.BinOp, ast.UnaryOp, ast.JoinedStr, ast.Lambda)


class Makers:
    """The nodes of some code by kind, and which of its calls may be makers."""

    def __init__(self, tree: ast.AST) -> None:
        self.nodes = below(tree)
        self.calls = [each for each in self.nodes if type(each) is ast.Call]
        self.imports = [each for each in self.nodes if type(each) is ast.alias]
        #: The statements and clauses that bind names to a value, with it.
        self.bindings = list(_bindings(self.nodes))
        self.loaded = {each.id for each in self.nodes if type(each) is ast.Name and _is_read(each)}
        #: Names that are no plain reads: bound, defined, imported, attributes, texts.
        self.others = {own_name(each) for each in self.nodes if type(each) is not ast.Name or not _is_read(each)}
        self.others.update(each.asname for each in self.imports if each.asname)
        self.names = self._find_names()  # of the table

    def _find_names(self) -> frozenset[str]:
        """What makes row numbers and masks; vectors are none, unless some square's diagonal is filled afterwards."""
        tying = named(Column.NUMBERS_ROWS) | named(Column.IDENTITY)
        fills = any("fill_diagonal" in each for each in (*self.loaded, *self.others))
        return frozenset(tying | named(Column.FILLS) if fills else tying)

    def calls_with_sizes(self) -> list[ast.Call]:
        """The calls of makers that are given more than numbers."""
        known = self.all_names
        return [
            each
            for each in self.calls
            if not known.isdisjoint(_stands_for(each.func)) and any(map(_counts, given(each)))
        ]

    def are_objects(self) -> bool:
        """Whether a maker may be an object, which is called where nothing shows what it is.

        Classes of them have capitals, or are given nothing; what others give is a tensor, which is not called.
        """
        classes = {each for each in self.names if each[:1].isupper()}
        if any(each.rpartition(".")[2] in classes for each in (*self.loaded, *self.others)):
            return True
        return any(
            not each.args and not each.keywords and not self.all_names.isdisjoint(_stands_for(each.func))
            for each in self.calls
        )

    @cached_property
    def all_names(self) -> set[str]:
        """The makers, with all other names that they get."""
        known = _plain(self.names)
        known.update(each.asname for each in self.imports if each.asname and each.name.rpartition(".")[2] in known)
        renamed = [(node, names) for node, value in self.bindings if (names := _stands_for(value))]
        count = 0
        while count != (count := len(known)):
            for node, names in renamed:
                if not known.isdisjoint(names):
                    known.update(name.lstrip(".") for name in targets_of(node))
        return known


def given(call: ast.Call) -> list[ast.expr]:
    """The arguments of a call that may be extents, were it a maker."""
    return [*call.args, *(each.value for each in call.keywords if each.arg not in _NO_EXTENTS)]


def _plain(names: Iterable[str]) -> set[str]:
    """Python's own ``range`` makes no rows, the one of a library does."""
    return {f".{name}" if name == "range" else name for name in names}


def below(tree: ast.AST) -> list[ast.AST]:
    """A node and all below it that can hold names; like `ast.walk`, in less time."""
    nodes = [tree]
    for node in nodes:
        if CHILD_FIELDS[type(node)]:
            nodes += children(node)
    return nodes


def children(node: ast.AST) -> list[ast.AST]:
    """The nodes right below one that can hold names; like `ast.iter_child_nodes`, in less time."""
    found: list[ast.AST] = []
    for name in CHILD_FIELDS[type(node)]:
        value = getattr(node, name, None)
        if type(value) is list:
            found += [child for child in value if isinstance(child, ast.AST)]
        elif isinstance(value, ast.AST):
            found.append(value)
    return found


def _bindings(nodes: Iterable[ast.AST]) -> Iterable[tuple[ast.AST, ast.expr]]:
    for node in nodes:
        kind = type(node)
        if kind not in _BINDING:
            continue
        if isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign | ast.NamedExpr):
            if node.value is not None:
                yield node, node.value
        elif isinstance(node, ast.For | ast.AsyncFor | ast.comprehension):
            yield node, node.iter
        elif isinstance(node, ast.withitem):
            yield node, node.context_expr
        elif isinstance(node, ast.arguments):
            ordinary = [*node.posonlyargs, *node.args]
            behind = ordinary[len(ordinary) - len(node.defaults) :]
            yield from zip(behind, node.defaults, strict=True)
            yield from ((one, value) for one, value in zip(node.kwonlyargs, node.kw_defaults, strict=True) if value)


_BINDING = frozenset(
    {
        ast.Assign,
        ast.AnnAssign,
        ast.AugAssign,
        ast.NamedExpr,
        ast.For,
        ast.AsyncFor,
        ast.comprehension,
        ast.withitem,
        ast.arguments,
    }
)


def _stands_for(value: ast.AST) -> set[str]:
    """The names of what an expression may be as it stands: not what a call gives, nor what an operator makes."""
    found: set[str] = set()
    pending = [value]
    while pending:
        each = pending.pop()
        if isinstance(each, ast.Attribute):
            found |= {each.attr, f".{each.attr}"}
        elif isinstance(each, ast.Name | ast.Constant):
            found.add(own_name(each))  # a text may be the key of an entry, which the model names by it
        elif not isinstance(each, _OWN):
            pending.extend(children(each))
    return found - {""}


def _counts(argument: ast.AST) -> bool:
    """Whether an argument is more than numbers and texts."""
    return not isinstance(argument, ast.Constant | ast.Compare) and any(
        isinstance(each, ast.Name | ast.Attribute | ast.Call) for each in below(argument)
    )


def own_name(node: ast.AST) -> str:
    """The name that a node itself mentions; empty where it is none."""
    field = _NAME_FIELDS.get(type(node))
    name = getattr(node, field) if field is not None else ""
    return name if isinstance(name, str) else ""


_NAME_FIELDS: dict[type[ast.AST], str] = {
    ast.Attribute: "attr",
    ast.Name: "id",
    ast.Constant: "value",
    ast.arg: "arg",
    ast.alias: "name",
    ast.FunctionDef: "name",
    ast.AsyncFunctionDef: "name",
    ast.ClassDef: "name",
}


def _is_read(name: ast.Name) -> bool:
    return type(name.ctx) is ast.Load


def all_names(node: ast.AST) -> set[str]:
    """The names in an expression; attributes, and strings that may be keys, with a dot."""
    found = set()
    for each in below(node):
        kind = type(each)
        if kind is ast.Name:
            found.add(own_name(each))
        elif (kind is ast.Attribute or kind is ast.Constant) and (name := own_name(each)):
            found.add(f".{name}")
    return found


def targets_of(node: ast.AST) -> set[str]:
    """The names, attributes and keys that a statement or a clause binds."""
    if isinstance(node, ast.arg):
        return {node.arg}
    targets = getattr(node, "targets", None) or [getattr(node, "target", None) or getattr(node, "optional_vars", None)]
    found: set[str] = set()
    pending = [each for each in targets if isinstance(each, ast.AST)]
    while pending:
        each = pending.pop()
        if isinstance(each, ast.Name):
            found.add(each.id)
        elif isinstance(each, ast.Attribute):
            found.add(f".{each.attr}")
        elif isinstance(each, ast.Subscript):
            found |= {name for name in all_names(each.slice) if name[0] == "."}
            pending.append(each.value)
        else:
            pending.extend(children(each))
    return found
