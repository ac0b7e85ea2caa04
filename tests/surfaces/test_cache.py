"""The cache of clean files saves time and changes nothing: not when files change, not when it is torn or old."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from infonce_lint.engine.checked import Outcome
from infonce_lint.running import cache
from infonce_lint.running.cache import FOLDER, ResultCache
from infonce_lint.running.files import Target
from infonce_lint.settings import Settings
from tests.surfaces.conftest import Command, Result
from tests.surfaces.samples import BAD, CLEAN, SUPPRESSED


@pytest.fixture(autouse=True)
def files_settle_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "SETTLED_NS", -1)


def linted(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The paths that are read from now on."""
    from infonce_lint.running import runner

    paths: list[str] = []
    process = runner.process

    def noting(target: Target, *arguments: object, **options: object) -> Outcome:
        paths.append(target.path)
        return process(target, *arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(runner, "process", noting)
    return paths


def test_a_clean_file_is_read_once(project: Path, command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    (project / "clean.py").write_text(CLEAN)
    (project / "bad.py").write_text(BAD)
    first = command("-j1")
    read = linted(monkeypatch)
    assert command("-j1") == first
    assert read == ["bad.py"]


def test_the_folder_hides_itself(project: Path, command: Command) -> None:
    (project / "clean.py").write_text(CLEAN)
    command()
    assert (project / FOLDER / ".gitignore").read_text().endswith("*\n")
    assert (project / FOLDER / "CACHEDIR.TAG").read_text().startswith("Signature: 8a477f597d28d172789f06886806bc55")
    assert not any(name.endswith(".tmp") for name in os.listdir(project / FOLDER))


def test_no_cache_leaves_none(project: Path, command: Command) -> None:
    (project / "clean.py").write_text(CLEAN)
    command("--no-cache")
    assert not (project / FOLDER).exists()


def test_a_change_is_seen_although_size_and_time_are_the_same(project: Path, command: Command) -> None:
    path = project / "a.py"
    path.write_text(SUPPRESSED)
    status = path.stat()
    assert command().code == 0
    path.write_text(SUPPRESSED.replace("NCE001", "E00001"))
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert path.stat().st_size == status.st_size
    assert command().code == 1


def test_folders_that_change_places_take_their_results_along(project: Path, command: Command) -> None:
    bad = SUPPRESSED.replace("NCE001", "E00001")
    moment = 10**18
    for name, text in (("clean", SUPPRESSED), ("bad", bad)):
        (project / name).mkdir()
        (project / name / "a.py").write_text(text)
    files = [project / name / "a.py" for name in ("clean", "bad")]
    while len({file.stat().st_ctime_ns for file in files}) > 1:  # until both are touched within one tick
        for file in files:
            os.utime(file, ns=(moment, moment))
    assert command("clean").code == 0
    (project / "clean").rename(project / "other")
    (project / "bad").rename(project / "clean")
    assert command("clean").code == 1


def test_settings_do_not_mix(project: Path, command: Command) -> None:
    (project / "bad.py").write_text(BAD)
    assert command("--ignore", "NCE").code == 0
    assert command().code == 1
    assert command("--ignore", "NCE").code == 0


def test_what_was_clean_is_fixed_when_it_no_longer_is(project: Path, command: Command) -> None:
    path = project / "a.py"
    path.write_text(CLEAN)
    assert command("--fix").code == 0
    path.write_text(BAD)
    assert "1 fixed" in command("--fix").out
    assert "actual_batch_size" in path.read_text()


def test_a_file_that_was_just_written_is_not_remembered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "SETTLED_NS", 10**18)
    path = tmp_path / "a.py"
    path.write_text(CLEAN)
    known, target = ResultCache(str(tmp_path)), Target(str(path), Settings())
    known.remember(target, path.stat())
    known.save()
    assert not (tmp_path / FOLDER).exists()


@pytest.mark.parametrize("content", [b"", b"\0", b"\xff\xfe\n", b"0.0.0\na.py\x001 2 3\n", b"[" * 5000])
def test_a_torn_cache_is_no_cache(project: Path, command: Command, content: bytes) -> None:
    (project / "clean.py").write_text(CLEAN)
    (project / "bad.py").write_text(BAD)
    first = command()
    for entry in (project / FOLDER).iterdir():
        entry.write_bytes(content)
    assert command() == first
    assert command() == first


@pytest.mark.parametrize("kind", ["folder", "pipe", "endless"])
def test_what_is_no_file_is_no_cache(
    project: Path, command: Command, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project / "clean.py").write_text(CLEAN)
    first = command()
    (shelf,) = (entry for entry in (project / FOLDER).iterdir() if len(entry.name) == 8)
    if kind == "endless":
        monkeypatch.setattr(cache, "_LONGEST", shelf.stat().st_size - 1)
        assert not ResultCache(str(project)).is_clean(Target("clean.py", Settings()), (project / "clean.py").stat())
    else:
        shelf.unlink()
        {"pipe": os.mkfifo, "folder": os.mkdir}[kind](shelf)
    assert command() == first


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="file names are text there")
def test_one_name_that_is_no_text_does_not_cost_the_cache(
    project: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in (b"clean.py", b"caf\xe9.py"):
        (project / os.fsdecode(name)).write_text(CLEAN)
    first = command("-j1")
    read = linted(monkeypatch)
    assert command("-j1") == first
    assert not read


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_no_damage_makes_a_changed_file_clean(tmp_path: Path, data: st.DataObject) -> None:
    path = tmp_path / "a.py"
    path.write_text(CLEAN)
    target, before = Target(str(path), Settings()), path.stat()
    known = ResultCache(str(tmp_path))
    known.remember(target, before)
    known.save()
    (shelf,) = (entry for entry in (tmp_path / FOLDER).iterdir() if len(entry.name) == 8)
    content = bytearray(shelf.read_bytes())
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(content) - 1))
        content[place : place + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    shelf.write_bytes(content)
    path.write_text(BAD)
    assert not ResultCache(str(tmp_path)).is_clean(target, path.stat())


def test_a_folder_that_cannot_be_written_is_no_error(project: Path, command: Command) -> None:
    (project / "clean.py").write_text(CLEAN)
    (project / FOLDER).write_text("a file is in the way")
    assert command() == Result(0, "All checks passed!\n", "")
    assert (project / FOLDER).read_text() == "a file is in the way"


def test_runs_at_the_same_time_agree(project: Path) -> None:
    for number in range(20):
        (project / f"clean{number}.py").write_text(CLEAN)
    (project / "bad.py").write_text(BAD)
    command = [sys.executable, "-m", "infonce_lint", "--output-format", "concise"]
    for _ in range(2):
        runs = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) for _ in range(4)]
        answers = {(run.communicate(timeout=60), run.returncode) for run in runs}
        assert len(answers) == 1
        ((out, err), code) = answers.pop()
        assert code == 1 and b"bad.py:10:42: NCE001" in out and not err
