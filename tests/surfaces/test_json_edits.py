"""JSON through its readers: ruff's own fields, and edits that make the bytes that `--fix` writes when applied."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from infonce_lint.engine.linter import fix_bytes
from infonce_lint.settings import Settings
from infonce_lint.sources.source import SourceFile
from tests.fixture_cases import rule_fixtures
from tests.surfaces.conftest import Command
from tests.surfaces.samples import BAD, BAD_PLACE, UNUSED_NOQA, notebook, run


def found(command: Command, *arguments: str | Path) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = json.loads(
        command("--isolated", "--no-cache", "--output-format", "json", *arguments).out
    )
    return listed


def test_the_fields_are_ruffs_and_the_related_places(command: Command, project: Path) -> None:
    (project / "theirs.py").write_text("import os\n", encoding="utf-8")
    (project / "ours.py").write_text(BAD, encoding="utf-8")
    theirs = run(
        "check", "--isolated", "--no-cache", "--output-format", "json", "theirs.py", cwd=project, module="ruff"
    )
    (ruffs,), (ours,) = json.loads(theirs.stdout), found(command, "ours.py")
    of_newer_versions = {"name", "severity"}
    assert set(ours) - of_newer_versions == (set(ruffs) - of_newer_versions) | {"related"}
    assert set(ruffs) <= set(ours)
    assert set(ours["fix"]) == set(ruffs["fix"])
    assert set(ours["fix"]["edits"][0]) == set(ruffs["fix"]["edits"][0])
    assert set(ours["location"]) == set(ruffs["location"])


def edited(text: str, listed: list[dict[str, Any]], cell: int | None = None) -> str:
    """``text`` after the safe fixes of findings as JSON gives them, each fix once."""
    fixes = [each["fix"] for each in listed if each["fix"] and each["fix"]["applicability"] == "safe"]
    edits = {json.dumps(edit, sort_keys=True) for fix in fixes for edit in fix["edits"]}
    starts = [0, *(match.end() for match in re.finditer(r"\r\n|\r|\n", text))]

    def offset(place: dict[str, int]) -> int:
        return starts[place["row"] - 1] + place["column"] - 1

    cuts = [(offset(e["location"]), offset(e["end_location"]), e["content"]) for e in map(json.loads, edits)]
    for start, end, content in sorted(cuts, reverse=True):
        text = text[:start] + content + text[end:]
    return text


@pytest.mark.parametrize("newline", ["\n", "\r\n"], ids=["lf", "crlf"])
def test_the_edits_of_every_fixture_make_what_fix_writes(command: Command, project: Path, newline: str) -> None:
    for number, path in enumerate(rule_fixtures()):
        text = path.read_bytes().decode().replace("\r\n", "\n").replace("\n", newline)
        (project / f"{number:03}_{path.name}").write_bytes(text.encode())
    listed = found(command, ".")
    files = sorted(project.glob("*.py"))
    compared = 0
    for file in files:
        data = file.read_bytes()
        own = [each for each in listed if each["filename"] == str(file)]
        fixed = fix_bytes(data, file.name, Settings(), unsafe=False)
        assert edited(data.decode(), own).encode() == fixed.data, file.name
        compared += fixed.changed
    assert compared > 50


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("utf-8", "\ufeff" + BAD),
        ("latin-1", "# coding: latin-1\né = 1\n" + BAD),
        ("utf-8", BAD.replace("labels = torch.cat", "𝒵é = labels = torch.cat")),
        ("utf-8", BAD.replace("    ", "\t")),
        ("utf-8", BAD.replace("\n", "\r")),
        ("utf-8", BAD.replace("\n", "\r\n", 9)),
        ("utf-8", UNUSED_NOQA.replace("\n", "\r\n") + "# noqa: NCE002\r\nx = 1"),
    ],
    ids=["bom", "latin-1", "astral", "tabs", "cr", "mixed", "suppressions"],
)
def test_the_edits_of_odd_files_make_what_fix_writes(command: Command, project: Path, encoding: str, text: str) -> None:
    (project / "a.py").write_bytes(text.encode(encoding))
    source = SourceFile.from_bytes(text.encode(encoding), "a.py")
    expected = source.encode(edited(source.text, found(command, "a.py")))
    assert command("--isolated", "--no-cache", "--fix", "a.py").code == 0
    assert (project / "a.py").read_bytes() == expected != text.encode(encoding)


def test_the_edits_of_a_notebook_count_in_their_cells(command: Command, project: Path) -> None:
    (project / "a.ipynb").write_text(notebook("x = 1\n", "%pip install torch\n" + BAD), encoding="utf-8")
    before = json.loads((project / "a.ipynb").read_text(encoding="utf-8"))
    (finding,) = found(command, "a.ipynb")
    assert (finding["cell"], finding["location"]["row"]) == (3, BAD_PLACE[0] + 1)
    expected = edited("".join(before["cells"][2]["source"]), [finding])
    assert command("--isolated", "--no-cache", "--fix", "a.ipynb").code == 0
    after = json.loads((project / "a.ipynb").read_text(encoding="utf-8"))
    assert "".join(after["cells"][2]["source"]) == expected


JOINED = BAD.replace("labels = torch.cat([", "labels = '''\n''' and \\\n torch.cat([").replace(
    "in range(", "in \\\nrange("
)


@pytest.mark.parametrize(("text", "row"), [(BAD, 10), (JOINED, 13)], ids=["plain", "joined rows"])
def test_a_comment_on_the_noqa_row_silences(command: Command, project: Path, text: str, row: int) -> None:
    (project / "a.py").write_text(text, encoding="utf-8")
    (finding,) = found(command, "a.py")
    assert finding["noqa_row"] == row
    rows = text.split("\n")
    rows[row - 1] += "  # noqa: NCE001"
    (project / "a.py").write_text("\n".join(rows), encoding="utf-8")
    assert found(command, "a.py") == []
