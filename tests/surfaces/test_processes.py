"""Several processes do what one does, byte for byte."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from infonce_lint import runner
from infonce_lint.configuration import Configurations
from infonce_lint.files import discover
from tests.fixture_cases import FIXTURES
from tests.surfaces.conftest import Command


@pytest.fixture
def tree(project: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """All fixtures, and no patience: processes take over after the first file."""
    shutil.copytree(FIXTURES, project / "src")
    monkeypatch.setattr(runner, "_PATIENCE", 0.0)
    monkeypatch.setattr(runner, "_WORTH_IT", 0.0)
    return project / "src"


@pytest.mark.parametrize("form", ["concise", "json"])
def test_reports_are_the_same(tree: Path, command: Command, form: str) -> None:
    one, three = (command("--no-cache", "--output-format", form, f"-j{jobs}", tree) for jobs in (1, 3))
    assert one == three
    assert one.code == 1 and "NCE001" in one.out


def test_diffs_are_the_same(tree: Path, command: Command) -> None:
    one, three = (command("--no-cache", "--diff", f"-j{jobs}", tree) for jobs in (1, 3))
    assert one == three
    assert "actual_batch_size" in one.out


def test_fixed_files_are_the_same(tree: Path, command: Command, project: Path) -> None:
    again = project / "again"
    shutil.copytree(tree, again)
    one, three = command("--fix", "-q", "-j1", tree), command("--fix", "-q", "-j3", again)
    assert one.out.replace("src/", "") == three.out.replace("again/", "")
    for path in tree.rglob("*"):
        if path.is_file():
            assert path.read_bytes() == (again / path.relative_to(tree)).read_bytes(), path.name


def test_processes_are_started_only_where_work_lasts(project: Path, command: Command) -> None:
    (project / "a.py").write_text("x = 1\n")
    targets = discover(["a.py"], Configurations(isolated=True)).targets

    def no_processes(*_: object) -> None:
        raise AssertionError("started")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(runner, "_in_processes", no_processes)
        assert [each.path for each in runner.run(targets, runner.Mode.LINT, unsafe=False, jobs=8)] == ["a.py"]
