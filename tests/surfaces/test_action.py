"""The GitHub action: its file is valid, and its scripts do what they say, run as a runner runs them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.surfaces.samples import BAD, CLEAN

ROOT = Path(__file__).resolve().parents[2]
ACTION = ROOT / "action.yml"
DOCUMENT: dict[str, Any] = yaml.safe_load(ACTION.read_text(encoding="utf-8"))
DEFAULTS = {name: spec["default"] for name, spec in DOCUMENT["inputs"].items()}


def step(name: str) -> dict[str, Any]:
    return next(each for each in DOCUMENT["runs"]["steps"] if each.get("name") == name)


def play(
    name: str, folder: Path, inputs: dict[str, str], python: str = sys.executable
) -> subprocess.CompletedProcess[str]:
    """Run a step's script in ``folder`` with its environment filled in as GitHub does."""
    known = {f"inputs.{key}": value for key, value in (DEFAULTS | inputs).items()}
    known |= {"steps.python.outputs.python-path": python, "github.action_path": str(ROOT)}
    environment = os.environ | {"RUNNER_TEMP": str(folder.parent / "temp")}
    for key, value in step(name)["env"].items():
        expression = value.removeprefix("${{").removesuffix("}}").strip()
        environment[key] = known[expression] if value.startswith("${{") else value
    script = folder.parent / "script.sh"
    script.write_text(step(name)["run"], encoding="utf-8")
    command = ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", str(script)]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=60)


@pytest.fixture
def job(tmp_path: Path) -> Path:
    """A checked-out repository with one defect, and the package where the install step puts it."""
    installed = tmp_path / "temp" / "infonce-lint"
    installed.mkdir(parents=True)
    (installed / "infonce_lint").symlink_to(ROOT / "infonce_lint")
    folder = tmp_path / "job"
    (folder / "my src").mkdir(parents=True)
    (folder / "pyproject.toml").write_text("[tool.infonce-lint]\n", encoding="utf-8")
    (folder / "bad.py").write_text(BAD, encoding="utf-8")
    (folder / "my src" / "clean.py").write_text(CLEAN, encoding="utf-8")
    return folder


def test_the_file_is_valid() -> None:
    pytest.importorskip("check_jsonschema")
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.github-actions", str(ACTION)]
    finished = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert finished.returncode == 0, finished.stdout + finished.stderr


def test_no_input_is_pasted_into_a_script() -> None:
    for each in DOCUMENT["runs"]["steps"]:
        assert "${{" not in each.get("run", "")
        assert each.get("shell") == ("bash" if "run" in each else None)


@pytest.mark.parametrize(("version", "package"), [("", str(ROOT)), ("0.1.0", "infonce-lint==0.1.0")])
def test_what_is_installed(job: Path, version: str, package: str) -> None:
    stand_in = job.parent / "python"
    stand_in.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n', encoding="utf-8")
    stand_in.chmod(0o755)
    printed = play("Install infonce-lint", job, {"version": version}, str(stand_in)).stdout.splitlines()
    assert printed[:3] == ["-m", "pip", "install"]
    assert printed[-3:] == ["--target", str(job.parent / "temp" / "infonce-lint"), package]


def test_findings_become_annotations_and_fail_the_job(job: Path) -> None:
    finished = play("Run infonce-lint", job, {})
    assert finished.returncode == 1
    assert "::error" in finished.stdout
    assert "file=bad.py" in finished.stdout


@pytest.mark.parametrize(
    ("inputs", "code"),
    [
        ({"src": '"my src"'}, 0),
        ({"src": "bad.py 'my src'"}, 1),
        ({"src": ""}, 1),
        ({"args": "--exit-zero"}, 0),
        ({"args": "--ignore NCE001  --no-cache"}, 0),
        ({"src": "nowhere"}, 2),
        ({"output-format": "junit"}, 1),
    ],
)
def test_inputs(job: Path, inputs: dict[str, str], code: int) -> None:
    finished = play("Run infonce-lint", job, inputs)
    assert finished.returncode == code, finished.stdout + finished.stderr


def test_sarif_is_written_though_the_job_fails(job: Path) -> None:
    finished = play("Run infonce-lint", job, {"sarif-file": "out.sarif"})
    assert finished.returncode == 1
    report = json.loads((job / "out.sarif").read_text(encoding="utf-8"))
    assert [result["ruleId"] for result in report["runs"][0]["results"]] == ["NCE001"]


def test_sarif_goes_with_every_exit_code_option(job: Path) -> None:
    inputs = {"sarif-file": "out.sarif", "args": "--exit-non-zero-on-fix --no-cache"}
    finished = play("Run infonce-lint", job, inputs)
    assert finished.returncode == 1, finished.stderr
    assert (job / "out.sarif").exists()
    assert play("Run infonce-lint", job, {**inputs, "src": "nowhere"}).returncode == 2


def test_row_ends_of_windows_are_no_part_of_a_word(job: Path) -> None:
    stand_in = job.parent / "temp" / "infonce-lint" / "sitecustomize.py"
    stand_in.write_text("import sys\nsys.stdout.reconfigure(newline='\\r\\n')\n", encoding="utf-8")
    finished = play("Run infonce-lint", job, {"src": "bad.py 'my src'", "args": "--no-cache --exit-zero"})
    assert finished.returncode == 0, finished.stderr
    assert "file=bad.py" in finished.stdout


@pytest.mark.parametrize("name", ["src", "args", "output-format", "sarif-file"])
def test_an_input_is_never_run(job: Path, name: str) -> None:
    play("Run infonce-lint", job, {name: "$(touch owned) `touch owned`; touch owned"})
    assert not (job / "owned").exists()
