"""The house: rooms are folders, imports point only downward or stay in a room, and only the edges know the outside."""

from __future__ import annotations

import ast
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / "infonce_lint"
#: From the roof to the ground. A room is a folder; the modules of the top folder stand each for itself.
FLOORS: tuple[tuple[str, ...], ...] = (
    ("__init__", "__main__", "flake8_plugin", "testing"),
    ("command",),
    ("server", "verify"),
    ("running", "report"),
    ("engine",),
    ("rules", "repair", "screening"),
    ("semantic",),
    ("sources",),
    ("finding", "settings"),
)
#: The rooms inside the model, from top to bottom.
MODEL = (
    "semantic/losses",
    "semantic/shapes",
    "semantic/sizes",
    "semantic/graph",
    "semantic",
)
PURE = 4  # the first floor that neither prints nor touches files
EXECUTING = frozenset({"verify", "testing"})  # they run a loss because a person asks them to
APART = "reference"


def name_of(file: Path) -> str:
    """``infonce_lint.report.full`` for its file."""
    parts = file.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {name_of(file): file for file in sorted(PACKAGE.rglob("*.py"))}


def room(module: str) -> str:
    """The folder that a module lies in, of the model's the inner one; in the top folder its own name."""
    folders = MODULES[module].relative_to(PACKAGE).parts[:-1]
    if not folders:
        return MODULES[module].stem
    return "/".join(folders[:2]) if folders[0] == "semantic" else folders[0]


HOUSE = [module for module in MODULES if room(module) != APART]


def floor(module: str) -> int:
    return next(number for number, rooms in enumerate(FLOORS) if room(module).partition("/")[0] in rooms)


def depth(module: str) -> tuple[int, int]:
    """How far below the roof the room of a module lies."""
    return floor(module), MODEL.index(room(module)) if room(module) in MODEL else 0


@cache
def imports(module: str) -> frozenset[str]:
    """What ``module`` imports: at its top, inside a function, or for type checkers only.

    The package's version is no module: everyone may know it.
    """
    file = MODULES[module]
    package = module if file.name == "__init__.py" else module.rpartition(".")[0]
    found: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            inner = {f"{base}.{alias.name}" for alias in node.names} - {"infonce_lint.__version__"}
            found |= {each if each in MODULES else base for each in inner}
    return frozenset(found)


def ours(module: str) -> frozenset[str]:
    """The modules of the house that ``module`` imports."""
    return imports(module) & {*HOUSE} - {module}


def circle(graph: dict[str, set[str]]) -> str:
    """A way along a graph that comes back to where it began; empty if there is none."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return " -> ".join(error.args[1])
    return ""


def test_every_room_has_its_floor() -> None:
    rooms = {room(module) for module in HOUSE}
    assert rooms <= {*MODEL, *(each for rooms_of in FLOORS for each in rooms_of)}


@pytest.mark.parametrize("module", HOUSE)
def test_imports_point_only_downward_or_stay_in_the_room(module: str) -> None:
    others = [each for each in ours(module) if room(each) != room(module)]
    assert not [each for each in others if depth(each) <= depth(module)]


def test_no_module_rests_on_itself() -> None:
    assert not circle({module: {*ours(module)} for module in HOUSE})


def test_no_room_rests_on_itself() -> None:
    rests_on: dict[str, set[str]] = {room(module): set() for module in HOUSE}
    for module in HOUSE:
        rests_on[room(module)] |= {room(each) for each in ours(module)} - {room(module)}
    assert not circle(rests_on)


def test_the_house_stays_small_enough_to_know() -> None:
    assert len(FLOORS) <= 9
    assert len({room(module) for module in MODULES if MODULES[module].parent != PACKAGE}) < 20  # and the top folder
    assert len([each for each in PACKAGE.iterdir() if each.is_file()]) <= 10


@pytest.mark.parametrize("module", MODULES)
def test_a_file_can_be_read_in_one_sitting(module: str) -> None:
    assert len(MODULES[module].read_text(encoding="utf-8").splitlines()) <= 400


@pytest.mark.parametrize("module", [module for module in HOUSE if room(module) != "sources"])
def test_only_sources_know_how_a_document_is_written(module: str) -> None:
    tree = ast.parse(MODULES[module].read_text(encoding="utf-8"))
    assert ".ipynb" not in {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)}
    assert not imports(module) & {"infonce_lint.sources.notebook", "infonce_lint.sources.magics"}


def test_the_reference_loss_stands_apart() -> None:
    for module in MODULES:
        known = {each for each in imports(module) if each in MODULES}
        if room(module) == APART:
            assert all(room(each) == APART for each in known), module
        elif room(module) not in EXECUTING:
            assert not any(room(each) == APART for each in known), module


def calls(module: str) -> set[str]:
    """The functions that a module calls, as they are written."""
    tree = ast.parse(MODULES[module].read_text(encoding="utf-8"))
    return {ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}


@pytest.mark.parametrize("module", [module for module in HOUSE if floor(module) >= PURE])
def test_the_engine_touches_no_files_and_prints_nothing(module: str) -> None:
    assert not calls(module) & {"print", "open", "input", "sys.stdout.write", "sys.exit"}


@pytest.mark.parametrize("module", [module for module in HOUSE if room(module) not in EXECUTING])
def test_nothing_but_verify_runs_what_it_reads(module: str) -> None:
    running = {"exec", "eval", "compile", "runpy.run_path", "runpy.run_module", "subprocess.run", "os.system"}
    if module == "infonce_lint.running.compiled":
        running.discard("compile")  # whether a file compiles is all that it asks
    assert not calls(module) & running
    assert not imports(module) & {"torch", "subprocess", "runpy", "libcst.matchers", "libcst.codemod"}
