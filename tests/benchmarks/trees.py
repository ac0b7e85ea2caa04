"""The files that the benchmarks of speed read."""

from __future__ import annotations

import importlib.util
import itertools
import shutil
from pathlib import Path

from infonce_lint.screening.bytes import may_hold_finding
from infonce_lint.settings import Settings
from infonce_lint.sources.source import SourceFile
from tests.fixture_cases import rule_fixtures

_HEAD = '''\
"""Rows of a table, and their sums."""

from __future__ import annotations

from collections.abc import Iterable
'''
_FUNCTION = '''

def total_{number}(rows: Iterable[tuple[str, int]], start: int = 0) -> dict[str, int]:
    """The sum of each key's numbers."""
    sums: dict[str, int] = {{}}
    for key, value in rows:
        sums[key] = sums.get(key, start) + value
    return sums
'''


def torch_tree(scratch: Path) -> tuple[str | None, str | None]:
    """The folder of the installed torch, and one with 300 of its files that lie evenly in it; None without torch."""
    found = importlib.util.find_spec("torch")
    if found is None or not found.submodule_search_locations:
        return None, None
    tree = Path(next(iter(found.submodule_search_locations)))
    files = sorted(tree.rglob("*.py"))
    subset = scratch / "torch-subset"
    subset.mkdir()
    for number, file in enumerate(files[:: max(1, len(files) // 300)][:300]):
        shutil.copyfile(file, subset / f"m{number:03}_{file.name}")
    return str(tree), str(subset)


def without_candidates(folder: str, scratch: Path) -> str:
    """A copy of a folder's files less those that could hold a finding."""
    copy = scratch / "without-candidates"
    copy.mkdir()
    for file in sorted(Path(folder).iterdir()):
        if not may_hold_finding(SourceFile.from_bytes(file.read_bytes(), file.name), Settings()):
            shutil.copyfile(file, copy / file.name)
    return str(copy)


def uncompiled(tree: str, scratch: Path) -> str:
    """A copy of a tree that holds the sources alone."""
    copy = scratch / "uncompiled"
    for file in Path(tree).rglob("*.py"):
        place = copy / file.relative_to(tree)
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, place)
    return str(copy)


def clean_file(scratch: Path) -> str:
    """A file of 130 rows that mentions no batch."""
    path = scratch / "totals.py"
    path.write_text(_HEAD + "".join(_FUNCTION.format(number=number) for number in range(16)), encoding="utf-8")
    return str(path)


def losses(scratch: Path, count: int) -> Path:
    """A folder in which every file is a contrastive loss with findings."""
    folder = scratch / "losses"
    folder.mkdir()
    for number, fixture in zip(range(count), itertools.cycle(rule_fixtures()), strict=False):
        shutil.copyfile(fixture, folder / f"loss_{number:04}_{fixture.name}")
    return folder
