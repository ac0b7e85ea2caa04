"""What is imported when: the quick paths stay quick, and nothing but `verify` needs torch."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.surfaces.samples import BAD, CLEAN

HEAVY = ("torch", "rich", "libcst.matchers", "libcst.codemod", "numpy", "nbformat", "pygments")


def imported(code: str, cwd: Path) -> set[str]:
    """The modules loaded once ``code`` has run in a fresh process."""
    script = f"import sys\n{code}\nsys.stderr.write(' '.join(sys.modules))\n"
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=cwd, capture_output=True, text=True, check=True, timeout=60
    )
    return set(done.stderr.split())


LINT = "from infonce_lint.command.cli import main\nmain(['--no-cache', 'a.py'])"


def test_importing_the_plugin_is_light(tmp_path: Path) -> None:
    modules = imported("import infonce_lint.flake8_plugin", tmp_path)
    assert not modules & {*HEAVY, "libcst", "pathspec", "argparse", "tomllib", "infonce_lint.engine.linter"}


def test_importing_the_package_is_light(tmp_path: Path) -> None:
    modules = imported("from infonce_lint import lint_source, fix_source, __version__", tmp_path)
    assert not modules & {*HEAVY, "libcst", "ast", "infonce_lint.engine.linter"}


def test_a_file_without_a_candidate_needs_nothing_heavy(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("import torch\nx = torch.zeros(3)\n", encoding="utf-8")
    modules = imported(LINT, tmp_path)
    assert not modules & {*HEAVY, "libcst", "pathspec", "difflib"}


def test_the_screen_reads_the_table_of_operations_without_the_interpreter(tmp_path: Path) -> None:
    modules = imported("import infonce_lint.screening.traces", tmp_path)
    assert "infonce_lint.semantic.shapes.operations" in modules
    assert not modules & {*HEAVY, "libcst", "infonce_lint.semantic.shapes.interpreter", "infonce_lint.semantic.sizes"}
    screened = "from infonce_lint.screening.bytes import may_report\nfrom infonce_lint.settings import Settings\n"
    screened += "assert not may_report(b'import torch\\nx = torch.eye(3)\\n', 'a.py', Settings())"
    assert "infonce_lint.semantic.shapes.operations" not in imported(screened, tmp_path)


@pytest.mark.parametrize("source", [BAD, CLEAN])
def test_a_file_with_a_candidate_needs_nothing_heavy_either(tmp_path: Path, source: str) -> None:
    (tmp_path / "a.py").write_text(source, encoding="utf-8")
    assert not imported(LINT, tmp_path) & set(HEAVY)
    fixing = LINT.replace("'a.py'", "'--fix', 'a.py'")
    assert not imported(fixing, tmp_path) & set(HEAVY)


def test_only_matching_work_imports_pathspec_and_tomllib(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("x = 1\n", encoding="utf-8")
    (tmp_path / "pyproject.toml").write_text("[tool.other]\n", encoding="utf-8")
    folder = LINT.replace("'a.py'", "'.'")
    assert not imported(folder, tmp_path) & {"pathspec", "tomllib", "tomli"}
    (tmp_path / ".gitignore").write_text("*.log\n", encoding="utf-8")
    assert "pathspec" in imported(folder, tmp_path)


def test_flake8_with_us_loads_nothing_heavy(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("import torch\n\nx = torch.zeros(3)\n", encoding="utf-8")
    code = "from flake8.main.cli import main\nassert main(['-j1', 'a.py']) == 0"
    assert not imported(code, tmp_path) & {*HEAVY, "libcst"}
