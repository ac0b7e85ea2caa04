"""Shell completion, asked for as bash asks: the words that may follow."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from infonce_lint.command.arguments import SHELLS, parser
from infonce_lint.command.cli import COMMANDS
from infonce_lint.command.completion import script
from infonce_lint.report import FORMATS
from tests.surfaces.conftest import Command

BASH = shutil.which("bash")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "src").mkdir()
    (tmp_path / "explore").mkdir()
    for name in ("loss.py", "with space.py", "pyproject.toml"):
        (tmp_path / name).write_text("", encoding="utf-8")
    return tmp_path


def completed(folder: Path, *words: str) -> list[str]:
    """What bash offers for the last of the words."""
    assert BASH is not None
    asking = (
        'source /dev/stdin; COMP_WORDS=("$@"); COMP_CWORD=$(( $# - 1 )); _infonce_lint; '
        'printf "%s\\n" "${COMPREPLY[@]}"'
    )
    done = subprocess.run(
        [BASH, "--norc", "-c", asking, "bash", "infonce-lint", *words],
        input=script("bash", COMMANDS),
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    assert done.stderr == ""
    return sorted(filter(None, done.stdout.split("\n")))


@pytest.mark.skipif(BASH is None, reason="needs bash")
@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ([""], ["explain", "explore", "loss.py", "pyproject.toml", "server", "src", "verify", "with space.py"]),
        (["ex"], ["explain", "explore"]),
        (["lo"], ["loss.py"]),
        (["w"], ["with space.py"]),
        (["--fix", ""], ["explore", "loss.py", "pyproject.toml", "src", "with space.py"]),
        (["src", "lo"], ["loss.py"]),
        (["--ou"], ["--output-file", "--output-format"]),
        (["--output-format", ""], sorted(FORMATS)),
        (["--output-format", "ju"], ["junit"]),
        (["--output-format", "=", "ju"], ["junit"]),
        (["--output-format", "="], sorted(FORMATS)),
        (["--select", "NCE00"], ["NCE001", "NCE002", "NCE003", "NCE004", "NCE005"]),
        (["--config", "py"], ["pyproject.toml"]),
        (["--exclude", ""], []),
        (["explain", "NCE00"], ["NCE001", "NCE002", "NCE003", "NCE004", "NCE005"]),
        (["explain", "frozen"], ["frozen-size"]),
        (["explain", "--"], ["--all", "--help"]),
        (["verify", "--ou"], ["--output-format"]),
        (["verify", "--output-format", ""], ["full", "json"]),
        (["verify", "lo"], ["loss.py"]),
        (["server", "--"], ["--help", "--stdio"]),
        (["server", ""], []),
    ],
    ids=lambda value: " ".join(value),
)
def test_bash_offers(folder: Path, words: list[str], expected: list[str]) -> None:
    assert completed(folder, *words) == expected


@pytest.mark.skipif(BASH is None, reason="needs bash")
def test_bash_offers_every_option(folder: Path) -> None:
    options = {word for action in parser()._actions for word in action.option_strings if word.startswith("--")}
    assert set(completed(folder, "--")) == options


@pytest.mark.parametrize("shell", SHELLS)
def test_the_command_prints_the_script(command: Command, shell: str) -> None:
    done = command("--print-completion", shell)
    assert (done.code, done.out, done.err) == (0, script(shell, COMMANDS), "")
    assert f'eval "$(infonce-lint --print-completion {shell})"' in done.out
    assert ("bashcompinit" in done.out) == (shell == "zsh")


def test_other_shells_are_refused_in_one_line(command: Command) -> None:
    done = command("--print-completion", "cmd")
    assert done.code == 2
    assert done.err.count("\n") == 1
    assert "choose from" in done.err
