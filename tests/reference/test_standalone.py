"""The folder needs torch and nothing else, so that a project can carry a copy of it."""

from __future__ import annotations

import ast
import shutil
import subprocess
import sys
from pathlib import Path

import infonce_lint.reference

FOLDER = Path(infonce_lint.reference.__file__).parent


def test_it_imports_torch_the_standard_library_and_itself() -> None:
    for path in FOLDER.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.level:
                assert node.level == 1, path.name
            elif isinstance(node, (ast.Import, ast.ImportFrom)):
                names = [node.module or ""] if isinstance(node, ast.ImportFrom) else [name.name for name in node.names]
                assert {name.partition(".")[0] for name in names} <= {"torch", *sys.stdlib_module_names}, path.name


def test_a_copy_works_under_another_name(tmp_path: Path) -> None:
    shutil.copytree(FOLDER, tmp_path / "our_losses", ignore=shutil.ignore_patterns("__pycache__"))
    code = "import sys, torch, our_losses; print(our_losses.info_nce_loss(torch.eye(4)).item()); " \
           "assert 'infonce_lint' not in sys.modules"  # fmt: skip
    finished = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
    )
    assert finished.returncode == 0, finished.stderr
    assert float(finished.stdout) > 0
