"""Several processes do what one does, byte for byte."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from infonce_lint.running import runner
from infonce_lint.running.configuration import Configurations
from infonce_lint.running.files import discover
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


@pytest.mark.skipif(sys.platform != "linux", reason="asks /proc for children")
def test_no_process_outlives_the_first(tree: Path) -> None:
    for number in range(3):
        shutil.copytree(FIXTURES, tree / f"more{number}")
    command = [sys.executable, "-m", "infonce_lint", "--isolated", "--no-cache", "-j2", str(tree)]
    first = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    children = Path(f"/proc/{first.pid}/task/{first.pid}/children")
    assert _comes_true(lambda: bool(children.read_text()))
    workers = [Path("/proc", pid) for pid in children.read_text().split()]
    first.send_signal(signal.SIGKILL)
    first.wait(10)
    assert _comes_true(lambda: not any(_runs(worker) for worker in workers))


def _comes_true(said: Callable[[], bool]) -> bool:
    end = time.monotonic() + 20
    while not said() and time.monotonic() < end:
        time.sleep(0.02)
    return said()


def _runs(process: Path) -> bool:
    try:
        return (process / "stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
