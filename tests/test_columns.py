"""What a call means is told by the table of operations: no set of names of calls stands anywhere else."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from infonce_lint.semantic.shapes import table
from infonce_lint.semantic.shapes.operations import Column, named

PACKAGE = Path(__file__).resolve().parents[1] / "infonce_lint"
#: Sets in which a third of the names or more are known to the table all the same, and why they are none of its columns.
EXEMPT = {
    "semantic/graph/conditional.py": {"_PAIRING": "the graph stands below the table"},
    "semantic/graph/expressions.py": {"_ASKING": "the graph stands below the table"},
    "semantic/graph/flow.py": {"_FILLING": "the graph stands below the table"},
    "semantic/graph/callables.py": {"MODULE_METHODS": "the graph stands below the table"},
    "semantic/graph/syntax.py": {"_CHANGING_METHODS": "the graph stands below the table"},
    "semantic/sizes/configured.py": {"_CONSTANT_CALLS": "sizes stand below the table"},
    "semantic/sizes/scalars.py": {
        "SCALAR_CALLS": "sizes stand below the table",
        "_SHAPE_CALLS": "sizes stand below the table",
    },
    "semantic/names.py": {"TEMPERATURE_WORDS": "words that names of variables are made of"},
    "semantic/losses/evidence.py": {"MARGIN_WORDS": "words that names of variables are made of"},
    "semantic/losses/sinks.py": {"_NOT_A_SIZE": "keywords of calls"},
    "semantic/shapes/call.py": {"_CONVERTING": "names of libraries"},
    "repair/harmless.py": {
        "PLAIN": "calls of Python itself that change nothing, whatever they are given",
        "_DETACHING": "methods by which a number leaves the loss, which no shape depends on",
    },
    "repair/remains.py": {"_CONVERTING": "calls of Python itself that read a text"},
    "screening/makers.py": {"_NO_EXTENTS": "keywords of calls"},
}
KNOWN = {name for _, name in table.spellings()} | {name for column in Column for name in named(column)}


def sets_of_names(tree: ast.AST) -> Iterator[tuple[str, list[str]]]:
    """The sets and tuples of texts that a file gives a name, with their members."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
            members: list[str] = []
            for each in ast.walk(node.value):
                if isinstance(each, ast.Constant) and isinstance(each.value, str):
                    members += each.value.split()
            target = node.targets[0] if isinstance(node, ast.Assign) else node.target
            if _is_listing(node.value) and len(members) > 1:
                yield ast.unparse(target), members


def _is_listing(value: ast.expr) -> bool:
    """Whether an expression is a set, a tuple or a list of texts, or several put together."""
    if isinstance(value, ast.BinOp):
        return _is_listing(value.left) or _is_listing(value.right)
    if isinstance(value, ast.Call):
        called = value.func
        if isinstance(called, ast.Attribute):
            return called.attr == "split"
        return isinstance(called, ast.Name) and called.id in ("frozenset", "set", "tuple", "list")
    return isinstance(value, ast.Set | ast.Tuple | ast.List)


FILES = [
    file
    for folder in ("semantic", "repair", "screening", "rules")
    for file in sorted((PACKAGE / folder).rglob("*.py"))
    if file.parent.name != "operations"
]


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(PACKAGE)))
def test_names_of_calls_stand_in_the_table_only(file: Path) -> None:
    found = {
        name
        for name, members in sets_of_names(ast.parse(file.read_text(encoding="utf-8")))
        if len(KNOWN.intersection(members)) * 3 >= len(members)
    }
    assert found == {*EXEMPT.get(file.relative_to(PACKAGE).as_posix(), {})}


def test_every_column_holds_for_something() -> None:
    assert not [column for column in Column if not named(column)]


def test_a_column_is_told_for_the_names_of_its_row() -> None:
    with pytest.raises(AssertionError, match="reshapes"):
        table.without_shape("view", reshapes="reshape")
    with pytest.raises(KeyError):
        table.without_shape("view", turns_to_gold="view")
