"""The house: imports point only downward or within a floor, without cycles, and only the edges know the outside."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / "infonce_lint"
FLOORS: tuple[frozenset[str], ...] = (
    frozenset({"finding", "settings"}),
    frozenset({"source", "spans", "nesting", "edits", "notebook", "notebook_json", "magics", "suppression"}),
    frozenset({"semantic"}),
    frozenset({"rule", "rules", "repair"}),
    frozenset({"linter", "fixer", "add_noqa", "screen"}),
    frozenset({"runner", "compiled", "cache", "files", "patterns", "configuration", "catalogue", "writing", "report"})
    | {"baseline"},
    frozenset({"cli", "arguments", "explain", "flake8_plugin", "server", "verify", "testing", "__main__"})
    | {"checking", "delivery", "watching", "completion"},
)
EXECUTING = frozenset({"verify", "testing"})  # they run a loss because a person asks them to
APART = frozenset({"reference", "__init__"})


def name_of(file: Path) -> str:
    """``infonce_lint.report.full`` for its file."""
    parts = file.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {name_of(file): file for file in sorted(PACKAGE.rglob("*.py"))}


def room(module: str) -> str:
    """The part of the house that a module belongs to: its first name below the package."""
    return [*module.split("."), "__init__"][1]


def floor(module: str) -> int:
    return next(number for number, rooms in enumerate(FLOORS) if room(module) in rooms)


def statements(tree: ast.AST) -> Iterator[ast.stmt]:
    """All statements but those for type checkers only."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            continue
        if isinstance(node, ast.stmt):
            yield node
        yield from statements(node)


@cache
def imports(module: str) -> frozenset[str]:
    """The modules that ``module`` imports, at its top or inside a function."""
    file = MODULES[module]
    package = module if file.name == "__init__.py" else module.rpartition(".")[0]
    found: set[str] = set()
    for node in statements(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            inner = {f"{base}.{alias.name}" for alias in node.names}
            found |= {each if each in MODULES else base for each in inner}
    return frozenset(found)


HOUSE = [module for module in MODULES if room(module) not in APART]


def test_every_module_has_its_floor() -> None:
    rooms = {room(module) for module in MODULES}
    assert rooms <= frozenset().union(APART, *FLOORS)


@pytest.mark.parametrize("module", HOUSE)
def test_imports_point_only_downward(module: str) -> None:
    upward = [each for each in imports(module) & set(HOUSE) if floor(each) > floor(module)]
    assert not upward


def test_there_are_no_cycles() -> None:
    graph = {module: imports(module) & set(HOUSE) - {module} for module in HOUSE}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))


def test_the_reference_loss_stands_apart() -> None:
    for module in MODULES:
        ours = {each for each in imports(module) if each.startswith("infonce_lint")}
        if room(module) == "reference":
            assert all(room(each) == "reference" for each in ours), module
        elif room(module) not in EXECUTING:
            assert not any(room(each) == "reference" for each in ours), module


@pytest.mark.parametrize("module", [module for module in HOUSE if floor(module) < 5])
def test_the_engine_touches_no_files_and_prints_nothing(module: str) -> None:
    tree = ast.parse(MODULES[module].read_text(encoding="utf-8"))
    calls = {ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    assert not calls & {"print", "open", "input", "sys.stdout.write", "sys.exit"}


@pytest.mark.parametrize("module", [module for module in HOUSE if room(module) not in EXECUTING])
def test_nothing_but_verify_runs_what_it_reads(module: str) -> None:
    tree = ast.parse(MODULES[module].read_text(encoding="utf-8"))
    calls = {ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    if module == "infonce_lint.running.compiled":
        calls.discard("compile")  # whether a file compiles is all that it asks
    assert not calls & {"exec", "eval", "compile", "runpy.run_path", "runpy.run_module", "subprocess.run", "os.system"}
    assert not imports(module) & {"torch", "subprocess", "runpy", "libcst.matchers", "libcst.codemod"}
