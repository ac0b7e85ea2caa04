"""What the package promises to its installer and to those who import it."""

from __future__ import annotations

import re
import sys
from importlib.metadata import distribution
from pathlib import Path

import mypy.api
import pytest
import yaml

import infonce_lint
from infonce_lint import fix_source, lint_source
from infonce_lint.settings import Settings
from tests.packaging import consumer
from tests.packaging.check import lowest_versions
from tests.surfaces.samples import BAD, BAD_PLACE, notebook

ROOT = Path(__file__).resolve().parents[2]


def test_installed_metadata() -> None:
    installed = distribution("infonce-lint")
    points = {(point.group, point.name): point.value for point in installed.entry_points}
    assert points == {
        ("console_scripts", "infonce-lint"): "infonce_lint.command.cli:main",
        ("flake8.extension", "NCE"): "infonce_lint.flake8_plugin:Plugin",
    }
    assert installed.metadata["Version"] == infonce_lint.__version__
    requirements = [text for text in installed.requires or () if "extra ==" not in text]
    assert not any("torch" in text for text in requirements)
    assert not any("<" in text for text in requirements if text.startswith("libcst"))


def test_the_changelog_speaks_of_this_version_and_of_every_rule() -> None:
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert f"## {infonce_lint.__version__}" in text
    from infonce_lint.rules.catalogue import catalogue

    assert {entry.code for entry in catalogue()} <= set(re.findall(r"NCE\d{3}", text))


def test_hooks_are_as_pre_commit_wants_them() -> None:
    hooks = {hook["id"]: hook for hook in yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))}
    assert set(hooks) == {"infonce-lint", "infonce-lint-fix"}
    for hook in hooks.values():
        assert hook["types_or"] == ["python", "pyi", "jupyter"]
        assert "--force-exclude" in hook["entry"].split()
    assert "--fix" in hooks["infonce-lint-fix"]["entry"].split()


def test_the_package_is_typed() -> None:
    assert (Path(infonce_lint.__file__).parent / "py.typed").is_file()


@pytest.mark.parametrize("source", [BAD, BAD.encode(), "\ufeff" + BAD, BAD.replace("\n", "\r\n")])
def test_lint_source(source: str | bytes) -> None:
    (finding,) = lint_source(source)
    assert (finding.code, finding.span.start.row, finding.span.start.column) == ("NCE001", *BAD_PLACE)


def test_lint_source_knows_notebooks_settings_and_cookies() -> None:
    (finding,) = lint_source(notebook(BAD), "a.ipynb")
    assert finding.span.cell == 2
    assert lint_source(BAD, settings=Settings(ignore=("NCE001",))) == []
    assert [each.code for each in lint_source("def f(:\n")] == ["NCE900"]
    cookie = "# -*- coding: latin-1 -*-\n" + BAD.replace("labels = torch.cat([", "é = labels = torch.cat([")
    (finding,) = lint_source(cookie)
    assert finding.span.start.column == BAD_PLACE[1] + len("é = ")


def test_the_typed_interface_satisfies_a_program(tmp_path: Path) -> None:
    program = Path(consumer.__file__)
    assert consumer.main() == f"{infonce_lint.__version__} NCE001 6"
    out, err, code = mypy.api.run(["--strict", "--cache-dir", str(tmp_path), "--config-file", "", str(program)])
    assert (code, err) == (0, ""), out
    wrong = tmp_path / "wrong.py"
    wrong.write_text("from infonce_lint import lint_source\nlint_source(3)\n", encoding="utf-8")
    out, _, code = mypy.api.run(["--strict", "--cache-dir", str(tmp_path), "--config-file", "", str(wrong)])
    assert code == 1
    assert "[arg-type]" in out


def test_the_lower_bounds_can_be_pinned() -> None:
    pins = dict(pin.split("==") for pin in lowest_versions(10))
    assert set(pins) == {"libcst", "flake8", "rich", "pathspec", "tomli"}
    assert "tomli" not in " ".join(lowest_versions(11))


def test_fix_source() -> None:
    fixed = fix_source(BAD)
    assert (fixed.changed, fixed.fixed, fixed.remaining) == (True, 1, [])
    assert lint_source(fixed.data) == []
    assert not fix_source(fixed.data).changed


def test_python_dash_m_is_the_command() -> None:
    import runpy

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["infonce-lint", "--version"])
        with pytest.raises(SystemExit) as left:
            runpy.run_module("infonce_lint", run_name="__main__")
    assert left.value.code == 0
