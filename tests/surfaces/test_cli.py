"""What the command prints and writes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import infonce_lint
from tests.surfaces.conftest import Command
from tests.surfaces.samples import BAD, BAD_PLACE, CLEAN, notebook, run


@pytest.fixture
def bad(project: Path) -> Path:
    path = project / "bad.py"
    path.write_text(BAD, encoding="utf-8")
    return path


def test_concise_names_the_place(command: Command, bad: Path) -> None:
    done = command("--output-format", "concise", "bad.py")
    first, *rest = done.out.splitlines()
    assert first.startswith(f"bad.py:{BAD_PLACE[0]}:{BAD_PLACE[1]}: NCE001 [*] ")
    assert rest == ["Found 1 finding.", "[*] 1 fixable with `--fix`."]


def test_full_shows_the_row_the_flow_and_the_fix(command: Command, bad: Path) -> None:
    done = command("bad.py")
    assert f"--> bad.py:{BAD_PLACE[0]}:{BAD_PLACE[1]}\n" in done.out
    assert "^^^^^^^^^^^^^^^^^^^^" in done.out
    assert "size from: " in done.out
    assert "actual_batch_size = features.shape[0] // self.args.n_views" in done.out
    assert "note: safe fix" in done.out


def test_fix_writes_the_file_and_a_second_fix_changes_nothing(command: Command, bad: Path) -> None:
    assert command("--fix", "bad.py").out == "Found 1 finding (1 fixed, 0 remaining).\n"
    fixed = bad.read_bytes()
    assert b"actual_batch_size" in fixed
    written = bad.stat().st_mtime_ns
    assert command("--fix", "bad.py").out == "All checks passed!\n"
    assert (bad.read_bytes(), bad.stat().st_mtime_ns) == (fixed, written)


def test_diff_shows_what_fix_does_and_writes_nothing(command: Command, bad: Path) -> None:
    import subprocess

    done = command("--diff", "bad.py")
    assert bad.read_text(encoding="utf-8") == BAD
    assert done.out.startswith("--- bad.py\n+++ bad.py\n@@ ")
    assert done.err == "Would fix 1 finding.\n"
    subprocess.run(["git", "apply", "-p0"], input=done.out.encode(), cwd=bad.parent, check=True, timeout=60)
    patched = bad.read_bytes()
    bad.write_text(BAD, encoding="utf-8")
    command("--fix", "bad.py")
    assert bad.read_bytes() == patched


def test_standard_input_is_fixed_to_standard_output(command: Command, bad: Path) -> None:
    done = command("-", "--fix", stdin=bad.read_bytes())
    command("--fix", "bad.py")
    assert done.out.encode() == bad.read_bytes()
    assert done.err == "Found 1 finding (1 fixed, 0 remaining).\n"


@pytest.mark.parametrize("source", [CLEAN, "def f(:\n", ""])
def test_standard_input_without_a_fix_comes_back_as_it_is(command: Command, source: str) -> None:
    assert command("-", "--fix", stdin=source.encode()).out == source


def test_standard_input_is_named_by_the_option(command: Command, project: Path) -> None:
    done = command("-", "--stdin-filename", "sub/x.py", "--output-format", "concise", stdin=BAD.encode())
    assert done.out.startswith("sub/x.py:10:")
    found = json.loads(command("-", "--output-format", "json", stdin=BAD.encode()).out)
    assert [each["filename"] for each in found] == ["-"]


def test_a_notebook_on_standard_input_is_known_by_its_name(command: Command) -> None:
    text = notebook("import torch\n", BAD)
    done = command("-", "--stdin-filename", "x.ipynb", "--output-format", "concise", stdin=text.encode())
    assert done.out.startswith(f"x.ipynb:cell 3:{BAD_PLACE[0]}:{BAD_PLACE[1]}: NCE001 ")


def test_statistics_count_each_code(command: Command, bad: Path) -> None:
    assert command("--statistics", "bad.py").out.splitlines()[0] == "1\tNCE001\t[*] configured-labels"
    counted = json.loads(command("--statistics", "--output-format", "json", "bad.py").out)
    row = {"code": "NCE001", "name": "configured-labels", "count": 1, "fixable": True, "fixable_count": 1}
    assert counted == [row]


def test_quiet_prints_findings_only(command: Command, bad: Path) -> None:
    done = command("-q", "--output-format", "concise", ".")
    assert len(done.out.splitlines()) == 1
    (bad.parent / "empty").mkdir()
    assert command("-q", "empty").err == ""


def test_output_file_takes_the_report_and_not_the_summary(command: Command, bad: Path) -> None:
    done = command("--output-format", "json", "--output-file", "report.json", "bad.py")
    assert done.out == ""
    assert [each["code"] for each in json.loads((bad.parent / "report.json").read_text("utf-8"))] == ["NCE001"]


def test_several_files_come_in_order_and_once(command: Command, project: Path) -> None:
    (project / "b").mkdir()
    for name in ("z.py", "a.py", "b/m.py"):
        (project / name).write_text(BAD, encoding="utf-8")
    done = command("--output-format", "concise", "b", ".", "a.py", "./z.py", project / "b" / "m.py")
    assert [line.split(":")[0] for line in done.out.splitlines() if "NCE001" in line] == ["b/m.py", "a.py", "z.py"]


def test_version(command: Command) -> None:
    assert command("--version").out == f"infonce-lint {infonce_lint.__version__}\n"


def test_show_settings_names_the_file(command: Command, project: Path) -> None:
    (project / "pyproject.toml").write_text('[tool.infonce-lint]\nguard = "raise"\n', encoding="utf-8")
    out = command("--show-settings").out
    assert out.startswith(f"# .: settings from {project / 'pyproject.toml'}\n")
    assert 'guard = "raise"\n' in out


def test_explain_prints_the_rules_own_page(command: Command) -> None:
    by_code, by_name = command("explain", "nce001"), command("explain", "configured-labels")
    assert by_code.out == by_name.out
    for section in ("## What it does", "## Why is this bad?", "## Example", "Use instead:", "## Fix safety"):
        assert section in by_code.out
    every = command("explain", "--all").out
    assert every.count("## What it does") >= 7
    assert by_code.out.strip() in every


def test_linting_does_not_run_the_code(command: Command, project: Path) -> None:
    trap = f"open({str(project / 'sprung')!r}, 'w').close()\n"
    (project / "trap.py").write_text(trap + BAD + trap, encoding="utf-8")
    (project / "conftest.py").write_text(trap, encoding="utf-8")
    (project / "sitecustomize.py").write_text(trap, encoding="utf-8")
    assert command(".").code == 1
    assert command("--fix", ".").code == 0
    assert not (project / "sprung").exists()


def test_colours_are_for_terminals_and_those_who_force_them(project: Path, bad: Path) -> None:
    assert "\x1b[" not in run("bad.py", cwd=project).stdout
    coloured = run("bad.py", cwd=project, env={"FORCE_COLOR": "1", "TERM": "xterm-256color"}).stdout
    assert "\x1b[" in coloured
    assert "\x1b[" not in run("bad.py", cwd=project, env={"FORCE_COLOR": "1", "NO_COLOR": "1"}).stdout


def test_output_that_knows_few_letters_does_not_fail(project: Path) -> None:
    (project / "größe.py").write_text(BAD.replace("Trainer", "Größe"), encoding="utf-8")
    env = {"PYTHONUTF8": "0", "PYTHONIOENCODING": "ascii"}
    done = run(".", "--output-format", "concise", cwd=project, env=env)
    assert done.returncode == 1
    assert "NCE001" in done.stdout


def test_output_file_dash_is_standard_output(project: Path, command: Command) -> None:
    (project / "bad.py").write_text(BAD)
    assert command("--output-file", "-", "bad.py") == command("bad.py")
    assert not (project / "-").exists()
