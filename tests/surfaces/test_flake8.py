"""The plugin as flake8 runs it."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from infonce_lint.engine.linter import lint_bytes
from infonce_lint.settings import Settings
from tests.surfaces.conftest import Command
from tests.surfaces.samples import BAD, BAD_PLACE, SUPPRESSED, UNUSED_NOQA, run

ROW, COLUMN = BAD_PLACE


def flake8(project: Path, *arguments: str, stdin: bytes | None = None) -> tuple[int, list[str], str]:
    done = run(*arguments, cwd=project, stdin=stdin, module="flake8")
    return done.returncode, done.stdout.splitlines(), done.stderr


def test_the_finding_stands_where_the_command_puts_it(command: Command, project: Path) -> None:
    (project / "bad.py").write_text(BAD, encoding="utf-8")
    code, lines, _ = flake8(project, "--select", "NCE", "bad.py")
    (message,) = [finding.text for finding in lint_bytes(BAD.encode(), "bad.py", Settings())]
    assert (code, lines) == (1, [f"bad.py:{ROW}:{COLUMN}: NCE001 {message}"])
    printed = command("--output-format", "concise", "bad.py").out.splitlines()[0]
    assert printed.replace("NCE001 [*] ", "NCE001 ") == lines[0]


def test_it_is_on_without_an_option_and_extend_select_names_it(project: Path) -> None:
    (project / "bad.py").write_text(BAD, encoding="utf-8")
    assert any("NCE001" in line for line in flake8(project, "--max-line-length", "120", "bad.py")[1])
    hidden = flake8(project, "--max-line-length", "120", "--select", "E,F,W", "bad.py")
    assert hidden[1] == []
    shown = flake8(project, "--select", "E,F,W", "--extend-select", "NCE", "--max-line-length", "120", "bad.py")
    assert len(shown[1]) == 1


def test_standard_input(project: Path) -> None:
    code, lines, _ = flake8(project, "--select", "NCE", "-", stdin=BAD.encode())
    assert code == 1
    assert lines[0].startswith(f"stdin:{ROW}:{COLUMN}: NCE001 ")
    named = flake8(project, "--select", "NCE", "--stdin-display-name", "sub/x.py", "-", stdin=BAD.encode())
    assert named[1][0].startswith(f"sub/x.py:{ROW}:{COLUMN}: NCE001 ")


@pytest.mark.parametrize(
    ("change", "column"),
    [
        (lambda text: "\ufeff" + text, COLUMN),
        (lambda text: text.replace("\n", "\r\n"), COLUMN),
        (lambda text: text.replace("import torch\n", "import torch\n\f\n", 1), COLUMN),
        (lambda text: text.replace("(features, features.T)", "(features, features.T)  # 数据 é"), COLUMN),
        (lambda text: text.replace("labels = torch.cat([", "数据 = labels = torch.cat(["), COLUMN + 5),
        (lambda text: text.replace("    ", "\t"), COLUMN - 6),
    ],
    ids=["bom", "crlf", "form feed", "letters behind", "letters before", "tabs"],
)
def test_columns_count_code_points(command: Command, project: Path, change: object, column: int) -> None:
    assert callable(change)
    (project / "bad.py").write_bytes(change(BAD).encode())
    printed = command("--output-format", "concise", "bad.py").out
    (line,) = flake8(project, "--select", "NCE", "bad.py")[1]
    assert int(line.split(":")[2]) == column
    assert printed.startswith(":".join(line.split(":")[:3]))


def test_noqa_is_flake8s(project: Path) -> None:
    (project / "a.py").write_text(SUPPRESSED, encoding="utf-8")
    assert flake8(project, "--select", "NCE", "a.py")[:2] == (0, [])
    code, lines, _ = flake8(project, "--select", "NCE", "--disable-noqa", "a.py")
    assert code == 1
    assert "NCE001" in lines[0]


def test_what_does_not_parse_is_flake8s_business(project: Path) -> None:
    (project / "broken.py").write_text("def f(:\n", encoding="utf-8")
    _, lines, _ = flake8(project, "--select", "NCE,E9", ".")
    assert [re.findall(r" ([A-Z]+\d+) ", line)[0] for line in lines] == ["E999"]


def test_what_only_we_cannot_take_is_reported(command: Command, project: Path) -> None:
    (project / "deep.py").write_text(f"{BAD}x = {' + '.join(['a'] * 120)}\n", encoding="utf-8")
    _, lines, _ = flake8(project, "--select", "NCE", "deep.py")
    assert [re.findall(r" (NCE\d+) ", line)[0] for line in lines] == ["NCE900"]
    assert lines == command("-q", "--output-format", "concise", "deep.py").out.splitlines()
    (project / "pyproject.toml").write_text('[tool.infonce-lint]\nignore = ["NCE900"]\n', encoding="utf-8")
    assert flake8(project, "--select", "NCE", "deep.py")[1] == []


def test_unused_suppressions_are_the_commands(command: Command, project: Path) -> None:
    """Told from what there is, not from what flake8 selects: its ``ignore`` makes no suppression idle."""
    text = f"{SUPPRESSED}{UNUSED_NOQA}x = 1  # noqa: E501, NCE002\ny = 2  # noqa\nz = 3  # noqa: NCE\n"
    (project / "a.py").write_text(text, encoding="utf-8")
    _, lines, _ = flake8(project, "--select", "NCE", "a.py")
    printed = command("-q", "--output-format", "concise", "a.py").out.replace(" [*] ", " ").splitlines()
    assert lines == printed
    assert [re.findall(r":(\d+):\d+: (NCE\d+)", line)[0] for line in lines] == [("21", "NCE901"), ("22", "NCE901")]
    assert flake8(project, "--select", "NCE", "--extend-ignore", "NCE001", "a.py")[1] == lines
    assert flake8(project, "--select", "NCE", "--ignore", "NCE901", "a.py")[1] == []
    _, heard, _ = flake8(project, "--select", "NCE", "--disable-noqa", "a.py")
    assert [re.findall(r" (NCE\d+) ", line)[0] for line in heard] == ["NCE001"]


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_a_bad_configuration_further_down_is_one_line(project: Path, jobs: str) -> None:
    (project / "sub").mkdir()
    for path in ("a.py", "b.py", "sub/c.py"):
        (project / path).write_text("x = 1\n", encoding="utf-8")
    (project / "sub" / "pyproject.toml").write_text("[tool.infonce-lint]\nselct = []\n", encoding="utf-8")
    code, lines, _ = flake8(project, "-j", jobs, ".")
    assert (code, len(lines)) == (1, 2)
    assert "sub/pyproject.toml" in lines[1]
    assert 'did you mean "select"?' in lines[1]


def test_options_in_flake8s_configuration(project: Path) -> None:
    source = BAD.replace("args.batch_size", "args.rows_per_step")
    (project / "a.py").write_text(source, encoding="utf-8")
    assert flake8(project, "--select", "NCE", "a.py")[1] == []
    (project / "setup.cfg").write_text(
        "[flake8]\nselect = NCE\nnce-size-names = rows_per_step, other\n", encoding="utf-8"
    )
    assert "NCE001" in flake8(project, "a.py")[1][0]
    assert "NCE001" in flake8(project, "--isolated", "--select=NCE", "--nce-size-names=rows_per_step", "a.py")[1][0]


def test_our_own_configuration_counts_too(project: Path) -> None:
    (project / "tests").mkdir()
    for name in ("a.py", "tests/b.py"):
        (project / name).write_text(BAD, encoding="utf-8")
    (project / "pyproject.toml").write_text(
        '[tool.infonce-lint]\nper-file-ignores = { "tests/*" = ["NCE001"] }\n', encoding="utf-8"
    )
    assert [line.split(":")[0] for line in flake8(project, "--select", "NCE", ".")[1]] == ["./a.py"]
    (project / "pyproject.toml").write_text('[tool.infonce-lint]\nignore = ["NCE001"]\n', encoding="utf-8")
    assert flake8(project, "--select", "NCE", ".")[1] == []


@pytest.mark.parametrize(
    ("arguments", "configuration", "said"),
    [
        (["--nce-guard", "throw"], "", """--nce-guard is 'throw'; expected "assert" or "raise\""""),
        (["--nce-size-names", "a.b"], "", "--nce-size-names is 'a.b'; expected a Python name"),
        (["--nce-local-name", "class"], "", "--nce-local-name is 'class'; expected a Python name"),
        ([], "[tool.infonce-lint]\nselct = []\n", 'unknown key "selct" (did you mean "select"?)'),
    ],
)
def test_a_wrong_setting_is_one_line(project: Path, arguments: list[str], configuration: str, said: str) -> None:
    (project / "a.py").write_text("x = 1\n", encoding="utf-8")
    (project / "pyproject.toml").write_text(configuration, encoding="utf-8")
    code, lines, _ = flake8(project, *arguments, "a.py")
    assert code == 1
    assert lines[0] == "There was a critical error during execution of Flake8:"  # flake8's own words
    assert len(lines) == 2
    assert said in lines[1]


SPAWNED = "import multiprocessing as m; m.set_start_method('spawn'); from flake8.main.cli import main; exit(main())"


@pytest.mark.parametrize("start", [["-m", "flake8"], ["-c", SPAWNED]], ids=["default", "spawn"])
def test_several_processes(project: Path, start: list[str]) -> None:
    """Processes that inherit nothing read the options again."""
    for number in range(6):
        text = BAD.replace("args.batch_size", "args.rows_per_step")
        (project / f"bad{number}.py").write_text(text, encoding="utf-8")
    (project / "tox.ini").write_text("[flake8]\nselect = NCE\nnce-size-names = rows_per_step\n", encoding="utf-8")
    done = subprocess.run(
        [sys.executable, *start, "-j", "2", "."], cwd=project, capture_output=True, text=True, timeout=120, check=False
    )
    assert (done.returncode, done.stderr, done.stdout.count("NCE001")) == (1, "", 6)


@pytest.mark.parametrize("encoding", ["latin-1", "gb18030", "utf-8-sig"])
def test_other_encodings(command: Command, project: Path, encoding: str) -> None:
    text = BAD.replace("labels = torch.cat([", "é = labels = torch.cat([")
    cookie = "" if encoding == "utf-8-sig" else f"# -*- coding: {encoding} -*-\n"
    (project / "a.py").write_bytes((cookie + text).encode(encoding))
    _, lines, _ = flake8(project, "--select", "NCE", "a.py")
    assert lines == command("-q", "--output-format", "concise", "a.py").out.replace(" [*] ", " ").splitlines()
    assert lines[0].startswith(f"a.py:{ROW + bool(cookie)}:{COLUMN + len('é = ')}: NCE001 ")


def test_flake8_lists_the_plugin(project: Path) -> None:
    assert "infonce-lint: " in run("--version", cwd=project, module="flake8").stdout
    helped = run("--help", cwd=project, module="flake8").stdout
    for option in ("--nce-config-names", "--nce-size-names", "--nce-guard", "--nce-local-name"):
        assert option in helped


def test_what_other_plugins_hang_on_shared_nodes_does_not_matter() -> None:
    """CPython has one `ast.Eq` for all trees, and an older pyflakes sets its parent, a node of an earlier file."""
    import ast

    shared = ast.parse("a == b").body[0].value.ops[0]  # type: ignore[attr-defined]
    earlier = ast.parse(BAD)
    earlier.body[0].loop = earlier  # type: ignore[attr-defined]
    shared.parent = earlier
    try:
        (finding,) = lint_bytes(BAD.encode(), "bad.py", Settings())
    finally:
        del shared.parent
    assert finding.code == "NCE001"
