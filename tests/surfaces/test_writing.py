"""Writing a fixed file: all of it or nothing, and the file stays the file that it was."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from infonce_lint.running.writing import write_atomically
from tests.surfaces.conftest import Command
from tests.surfaces.samples import BAD


def test_content_changes_and_permissions_stay(tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    path.write_bytes(b"old")
    path.chmod(0o751)
    write_atomically(str(path), b"new\r\n")
    assert path.read_bytes() == b"new\r\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o751
    assert os.listdir(tmp_path) == ["a.py"]


def test_a_symbolic_link_stays_one(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    target = tmp_path / "real" / "a.py"
    target.write_bytes(b"old")
    link = tmp_path / "link.py"
    link.symlink_to("real/a.py")
    write_atomically(str(link), b"new")
    assert link.is_symlink()
    assert target.read_bytes() == b"new"
    assert os.listdir(tmp_path / "real") == ["a.py"]


def fails(error: BaseException) -> Callable[..., Any]:
    def call(*_: object, **__: object) -> None:
        raise error

    return call


@pytest.mark.parametrize("step", ["fsync", "chmod", "replace"])
@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "No space left on device"), KeyboardInterrupt()])
def test_a_failure_at_any_step_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str, error: BaseException
) -> None:
    path = tmp_path / "a.py"
    path.write_bytes(b"old")
    monkeypatch.setattr(f"os.{step}", fails(error))
    with pytest.raises(type(error)):
        write_atomically(str(path), b"new")
    monkeypatch.undo()
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["a.py"]


def test_a_read_only_file_is_not_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.py"
    path.write_bytes(b"old")
    monkeypatch.setattr("os.access", lambda *_: False)  # root may write everywhere
    with pytest.raises(PermissionError):
        write_atomically(str(path), b"new")
    assert path.read_bytes() == b"old"


def test_a_full_disk_is_one_line_and_the_finding_stays(
    command: Command, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a.py", "b.py"):
        (project / name).write_text(BAD, encoding="utf-8")
    real = os.replace

    def full_for_a(source: str, target: str) -> None:
        if target.endswith("a.py"):
            raise OSError(errno.ENOSPC, "No space left on device")
        real(source, target)

    monkeypatch.setattr("os.replace", full_for_a)
    done = command("--fix", "--output-format", "concise", ".")
    assert done.code == 2
    assert done.err == "infonce-lint: error: a.py: not changed, it cannot be written: No space left on device\n"
    assert done.out.startswith("a.py:10:")
    assert "Found 2 findings (1 fixed, 1 remaining)." in done.out
    assert (project / "a.py").read_text(encoding="utf-8") == BAD
    assert (project / "b.py").read_text(encoding="utf-8") != BAD
    assert sorted(os.listdir(project)) == ["a.py", "b.py"]
