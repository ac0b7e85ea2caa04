"""The formats of CI servers, read as the servers read them, and names of files that try to break out of their line."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import jsonschema
import pytest

from infonce_lint.engine.checked import FileReport
from infonce_lint.finding import Finding, Position, Span
from infonce_lint.report import reporter
from tests.surfaces.conftest import Command
from tests.surfaces.samples import BAD, BAD_PLACE, UNUSED_NOQA, notebook

ROW, COLUMN = BAD_PLACE
ODD_NAMES = ("a\nb.py", "a\r\x1b[31m.py", "a,b:c%0A.py", 'a"\\b.py', "a\u2028b.py")


@pytest.fixture(autouse=True)
def _no_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CI_PROJECT_DIR", "GITHUB_ACTIONS"):
        monkeypatch.delenv(name, raising=False)


def printed(command: Command, form: str, *paths: str) -> str:
    out: str = command("--isolated", "--no-cache", "--output-format", form, *paths).out
    return out


# ---- GitLab

_PLACE = {"type": "object", "properties": {"line": {"type": "integer", "minimum": 1}}, "required": ["line"]}
GITLAB = {  # the properties that GitLab documents for its code quality report, with the values it accepts
    "type": "array",
    "items": {
        "type": "object",
        "required": ["description", "check_name", "fingerprint", "location", "severity"],
        "properties": {
            "description": {"type": "string", "minLength": 1},
            "check_name": {"type": "string", "minLength": 1},
            "fingerprint": {"type": "string", "minLength": 1},
            "severity": {"enum": ["info", "minor", "major", "critical", "blocker"]},
            "location": {
                "type": "object",
                "required": ["path", "positions"],
                "properties": {
                    "path": {"type": "string", "not": {"pattern": r"^(/|\./)"}},
                    "positions": {"type": "object", "properties": {"begin": _PLACE}, "required": ["begin"]},
                },
            },
        },
    },
}


def gitlab(command: Command, *paths: str) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = json.loads(printed(command, "gitlab", *paths))
    jsonschema.validate(entries, GITLAB)
    assert len({entry["fingerprint"] for entry in entries}) == len(entries)  # GitLab shows one finding a fingerprint
    return entries


def test_gitlab(command: Command, project: Path) -> None:
    (project / "a.py").write_text(BAD + BAD.replace("Trainer", "Other") + UNUSED_NOQA, encoding="utf-8")
    (project / "b.ipynb").write_text(notebook(BAD, BAD), encoding="utf-8")
    entries = gitlab(command, "./a.py", "b.ipynb")
    assert [entry["severity"] for entry in entries] == ["major", "major", "minor", "major", "major"]
    rows = (project / "b.ipynb").read_text(encoding="utf-8").split("\n")
    reads = [number for number, row in enumerate(rows, 1) if "arange(self.args.batch_size)" in row]
    assert [entry["location"]["positions"]["begin"]["line"] for entry in entries][-2:] == reads
    assert gitlab(command, "missing.py") == []


def test_gitlab_paths_are_relative_to_the_project(
    command: Command, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project / "sub").mkdir()
    (project / "sub" / "a.py").write_text(BAD, encoding="utf-8")
    monkeypatch.chdir(project / "sub")
    monkeypatch.setenv("CI_PROJECT_DIR", str(project))
    assert [entry["location"]["path"] for entry in gitlab(command, "a.py")] == ["sub/a.py"]
    monkeypatch.setenv("CI_PROJECT_DIR", str(project / "su"))
    assert [entry["location"]["path"] for entry in gitlab(command, "a.py")] == ["a.py"]


# ---- JUnit


def test_junit_is_read_by_a_parser(command: Command, project: Path) -> None:
    junitparser = pytest.importorskip("junitparser")
    (project / "a.py").write_text(BAD, encoding="utf-8")
    (project / "b.py").write_text("def f(:\n", encoding="utf-8")
    (project / "c.py").write_text("x = 1\n", encoding="utf-8")
    (project / "all.xml").write_text(printed(command, "junit", ".", "b.py"), encoding="utf-8")
    suites = junitparser.JUnitXml.fromfile(str(project / "all.xml"))
    assert (suites.tests, suites.failures, suites.errors) == (2, 2, 0)
    cases = [case for suite in suites for case in suite]
    assert [(case.name, case.classname) for case in cases] == [("NCE001", "a.py"), ("NCE900", "b.py")]
    assert all(isinstance(case.result[0], junitparser.Failure) for case in cases)
    assert cases[0].result[0].text.startswith(f"a.py:{ROW}:{COLUMN}: NCE001 ")
    (project / "none.xml").write_text(printed(command, "junit", "c.py"), encoding="utf-8")
    clean = junitparser.JUnitXml.fromfile(str(project / "none.xml"))
    assert (clean.tests, clean.failures, [case.is_passed for suite in clean for case in suite]) == (1, 0, [True])


# ---- GitHub

COMMAND = re.compile(r"::(?P<kind>error|warning) (?P<properties>[^:]*)::(?P<message>.*)")


def runner_reads(line: str) -> tuple[str, dict[str, str], str]:
    """A workflow command as the runner of GitHub Actions takes it apart."""
    match = COMMAND.fullmatch(line)
    assert match is not None, line
    pairs = (pair.partition("=") for pair in match["properties"].split(","))
    return match["kind"], {name: unquote(value) for name, _, value in pairs}, unquote(match["message"])


@pytest.mark.parametrize("name", [*ODD_NAMES, "plain.py"])
def test_github_commands_give_back_name_and_message(name: str) -> None:
    finding = Finding("NCE001", "50% of\nthe rows, a::b", Span(Position(3, 5), Position(3, 9)))
    (text,) = reporter("github")((FileReport(name, (finding,), lambda cell: ""),), unsafe_fixes=False)
    kind, properties, message = runner_reads(text.removesuffix("\n"))
    assert (kind, properties["file"], properties["line"], properties["endColumn"]) == ("error", name, "3", "9")
    assert message.endswith(": NCE001 50% of\nthe rows, a::b")


def test_github_marks_idle_suppressions_as_warnings(command: Command, project: Path) -> None:
    (project / "a.py").write_text(UNUSED_NOQA, encoding="utf-8")
    (line,) = printed(command, "github", "a.py").splitlines()
    assert runner_reads(line)[0] == "warning"


# ---- names of files


@pytest.mark.parametrize("name", ODD_NAMES)
def test_a_file_name_cannot_break_its_line(command: Command, project: Path, name: str) -> None:
    (project / name).write_text(BAD, encoding="utf-8")
    shown = name.replace("\n", "\\n").replace("\r", "\\r").replace("\x1b", "\\x1b").replace("\u2028", "\\u2028")
    place = f"{shown}:{ROW}:{COLUMN}"
    assert printed(command, "concise", name).splitlines()[0].startswith(f"{place}: NCE001 ")
    assert printed(command, "full", name).splitlines()[1] == f"  --> {place}"
    (found,) = json.loads(printed(command, "json", name))
    assert found["filename"] == str(project / name)
    (result,) = json.loads(printed(command, "sarif", name))["runs"][0]["results"]
    assert unquote(result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]) == name
    assert gitlab(command, name)[0]["location"]["path"] == name
    missing = command("--isolated", "no" + name)
    assert missing.err.splitlines() == [f"infonce-lint: error: no{shown}: no such file or folder"]


@pytest.mark.parametrize("name", ["a b.py", "a\nb.py", 'a"\\b.py', "é\t.py"])
def test_git_applies_the_diff_of_any_name(command: Command, project: Path, name: str) -> None:
    (project / name).write_text(BAD, encoding="utf-8")
    shown = command("--isolated", "--no-cache", "--diff", name)
    patch = shown.out.encode()
    done = subprocess.run(["git", "apply", "-p0", "-"], input=patch, cwd=project, capture_output=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert "actual_batch_size" in (project / name).read_text(encoding="utf-8")
