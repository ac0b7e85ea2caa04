"""How long rows are in a project: what its formatter or linter is told, in the nearest folder that says so."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from infonce_lint.running import formatting
from infonce_lint.running.formatting import as_project_writes, project_row_length
from infonce_lint.settings import Settings


@pytest.fixture(autouse=True)
def _afresh() -> Iterator[None]:
    formatting._of_folder.cache_clear()
    yield
    formatting._of_folder.cache_clear()


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / ".git").mkdir()
    (tmp_path / "src").mkdir()
    return tmp_path


@pytest.mark.parametrize(
    ("name", "text", "length"),
    [
        ("pyproject.toml", "[tool.black]\nline-length = 100\n", 100),
        ("pyproject.toml", "[tool.ruff]\nline-length = 110\n", 110),
        ("pyproject.toml", "[tool.ruff]\nline-length = 110\n[tool.black]\nline-length = 99\n", 99),
        ("pyproject.toml", "[tool.flake8]\nmax-line-length = 79\n", 79),
        ("pyproject.toml", "[tool.pylint.format]\nmax-line-length = 95\n", 95),
        ("ruff.toml", "line-length = 96\n", 96),
        (".ruff.toml", "line-length = 97\n", 97),
        ("setup.cfg", "[flake8]\nmax-line-length = 101\n", 101),
        (".flake8", "[flake8]\nmax_line_length=102\n", 102),
        ("tox.ini", "[pycodestyle]\nmax-line-length = 103\n", 103),
        ("pyproject.toml", "[tool.black]\nline-length = 'wide'\n", 0),
        ("pyproject.toml", "[tool.black]\nline-length = 3\n", 0),
        ("pyproject.toml", "[tool.black]\nline-length = \n", 0),
        ("pyproject.toml", "tool = 'line-length'\n", 0),
        ("setup.cfg", "max-line-length = 100\n", 0),
        ("setup.cfg", "[flake8]\nmax-line-length = 100  ; really\n", 0),
        (".flake8", b"\xff[flake8]\nmax-line-length = 100\n", 0),
    ],
)
def test_what_a_project_says(project: Path, name: str, text: str | bytes, length: int) -> None:
    (project / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    assert project_row_length(str(project / "src" / "loss.py")) == length


def test_the_nearest_folder_decides_and_a_repository_ends_the_search(project: Path) -> None:
    inner = project / "src" / "inner"
    inner.mkdir()
    (project / "setup.cfg").write_text("[flake8]\nmax-line-length = 70\n")
    assert project_row_length(str(inner / "loss.py")) == 70
    formatting._of_folder.cache_clear()
    (project / "src" / "ruff.toml").write_text("line-length = 90\n")
    assert project_row_length(str(inner / "loss.py")) == 90
    formatting._of_folder.cache_clear()
    (inner / ".git").mkdir()
    assert project_row_length(str(inner / "loss.py")) == 0


def test_our_own_setting_goes_before(project: Path) -> None:
    (project / "setup.cfg").write_text("[flake8]\nmax-line-length = 70\n")
    path = str(project / "loss.py")
    assert as_project_writes(Settings(), path).line_length == 70
    assert as_project_writes(Settings(line_length=60), path).line_length == 60
