"""The hooks, through pre-commit itself: it builds their environment from this repository as it stands."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.surfaces.samples import BAD, CLEAN

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ("infonce_lint", "pyproject.toml", "README.md", "LICENSE", ".pre-commit-hooks.yaml")

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1300)]  # it installs what it needs


def git(*arguments: str, cwd: Path) -> str:
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false"]
    command = ["git", *identity, *arguments]
    done = subprocess.run(command, cwd=cwd, check=True, capture_output=True, text=True, timeout=60)
    return done.stdout.strip()


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A git repository that uses the hooks of a copy of this one."""
    hooks = tmp_path_factory.mktemp("hooks")
    for name in PACKAGE:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, hooks / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, hooks / name)
    git("init", "-q", cwd=hooks)
    git("add", ".", cwd=hooks)
    git("commit", "-qm", "hooks", cwd=hooks)
    folder = tmp_path_factory.mktemp("scratch")
    git("init", "-q", cwd=folder)
    (folder / ".pre-commit-config.yaml").write_text(
        f"repos:\n  - repo: {hooks}\n    rev: {git('rev-parse', 'HEAD', cwd=hooks)}\n"
        "    hooks:\n      - id: infonce-lint\n      - id: infonce-lint-fix\n",
        encoding="utf-8",
    )
    (folder / "pyproject.toml").write_text('[tool.infonce-lint]\nextend-exclude = ["old"]\n', encoding="utf-8")
    (folder / "old").mkdir()
    for name, text in {"bad.py": BAD, "clean.py": CLEAN, "old/bad.py": BAD, "notes.txt": "x"}.items():
        (folder / name).write_text(text, encoding="utf-8")
    git("add", ".", cwd=folder)
    return folder


def pre_commit(scratch: Path, hook: str, home: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pre_commit", "run", hook, "--all-files", "--color", "never", "--verbose"],
        cwd=scratch,
        capture_output=True,
        text=True,
        env={**os.environ, "PRE_COMMIT_HOME": str(home)},
        timeout=600,
        check=False,
    )


def test_the_hooks_find_fix_and_pass(scratch: Path, tmp_path: Path) -> None:
    found = pre_commit(scratch, "infonce-lint", tmp_path)
    assert found.returncode == 1, found.stdout + found.stderr
    assert "--> bad.py:10:42" in found.stdout
    assert "old/bad.py" not in found.stdout
    assert (scratch / "bad.py").read_text(encoding="utf-8") == BAD
    fixing = pre_commit(scratch, "infonce-lint-fix", tmp_path)
    assert fixing.returncode == 1
    assert "files were modified by this hook" in fixing.stdout
    assert "actual_batch_size" in (scratch / "bad.py").read_text(encoding="utf-8")
    assert (scratch / "old" / "bad.py").read_text(encoding="utf-8") == BAD
    for hook in ("infonce-lint", "infonce-lint-fix"):
        assert pre_commit(scratch, hook, tmp_path).returncode == 0
