"""Each format, from findings made by hand: its exact text or the schema that its readers rely on."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ElementTree
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from infonce_lint.engine.checked import FileReport
from infonce_lint.finding import Applicability, Edit, Finding, Fix, Position, Related, Span
from infonce_lint.report import FORMATS, reporter
from infonce_lint.report.diff import unified_diff
from infonce_lint.report.full import report as full
from infonce_lint.report.summary import diff_summary, summary


def span(row: int, start: int, end: int, end_row: int | None = None, cell: int | None = None) -> Span:
    return Span(Position(row, start), Position(end_row or row, end), cell)


TEXT = """\
def loss(z, args):

    labels = arange(args.batch_size)
    sims = z @ z.T
    rows = 1
    cols = 2
    more = 3
    return cross_entropy(sims, labels)
"""
FIX = Fix(
    Applicability.SAFE,
    "Derive the size from `z`",
    (
        Edit(span(3, 5, 5), "n_rows = z.shape[0]\n    "),
        Edit(span(3, 21, 36), "n_rows"),
    ),
    why="`z` holds the rows",
)
FOUND = Finding(
    "NCE001",
    "`args.batch_size` sizes the labels",
    span(3, 21, 36),
    related=(Related(span(3, 14, 37), "sizes labels here"), Related(span(8, 32, 38), "read here")),
    fix=FIX,
    unit=0,
    origin=("`args.batch_size` is configured",),
)
WITHHELD = Finding("NCE004", "`n` scales the loss", span(5, 5, 9), withheld="its tensor is not known")
FILE = FileReport("pkg/a.py", (FOUND, WITHHELD), lambda cell: TEXT)
IN_CELL = FileReport(
    "b.ipynb", (replace(FOUND, span=span(3, 21, 36, cell=2), related=(), fix=None),), lambda cell: TEXT
)
CLEAN = FileReport("c.py", (), lambda cell: TEXT)
FILES = (FILE, IN_CELL, CLEAN)


def written(form: str, *files: FileReport, unsafe_fixes: bool = False) -> str:
    return "".join(reporter(form)(files or FILES, unsafe_fixes=unsafe_fixes))


def test_concise() -> None:
    assert written("concise").splitlines() == [
        "pkg/a.py:3:21: NCE001 [*] `args.batch_size` sizes the labels",
        "pkg/a.py:5:5: NCE004 `n` scales the loss (no automatic fix: its tensor is not known)",
        "b.ipynb:cell 2:3:21: NCE001 `args.batch_size` sizes the labels",
    ]


def test_full() -> None:
    assert (
        written("full", FILE)
        == """\
NCE001 [*] `args.batch_size` sizes the labels
 --> pkg/a.py:3:21
  |
1 | def loss(z, args):
2 |
3 |     labels = arange(args.batch_size)
  |              -------^^^^^^^^^^^^^^^- sizes labels here
4 |     sims = z @ z.T
5 |     rows = 1
  :
8 |     return cross_entropy(sims, labels)
  |                                ------ read here
  |
  = size from: `args.batch_size` is configured
help: Derive the size from `z`
  |
2 |
  -     labels = arange(args.batch_size)
3 +     n_rows = z.shape[0]
4 +     labels = arange(n_rows)
5 |     sims = z @ z.T
  |
note: safe fix: `z` holds the rows

NCE004 `n` scales the loss
 --> pkg/a.py:5:5
  |
3 |     labels = arange(args.batch_size)
4 |     sims = z @ z.T
5 |     rows = 1
  |     ^^^^
6 |     cols = 2
7 |     more = 3
  |
note: no automatic fix: its tensor is not known

"""
    )


def test_full_shows_a_units_fix_once_and_marks_unsafe_ones() -> None:
    unsafe = replace(FIX, applicability=Applicability.UNSAFE)
    twice = FileReport("a.py", (replace(FOUND, fix=unsafe), replace(FOUND, code="NCE002", fix=unsafe)), FILE.text)
    text = written("full", twice)
    assert text.count("n_rows = z.shape[0]") == 1
    assert "note: repaired together with NCE001 at 3:21, shown there\n" in text
    assert "note: unsafe fix, applied with --unsafe-fixes only: `z` holds the rows\n" in text
    assert "[*]" not in text
    assert written("full", twice, unsafe_fixes=True).count("[*]") == 2


def test_full_shows_places_of_other_cells_apart() -> None:
    finding = replace(
        FOUND, span=span(3, 21, 36, cell=4), related=(Related(span(1, 5, 9, cell=2), "set here"),), fix=None
    )
    text = written("full", FileReport("b.ipynb", (finding,), lambda cell: TEXT))
    assert " --> b.ipynb:cell 4:3:21\n" in text
    assert " ::: cell 2\n" in text
    assert text.index("::: cell 2") < text.index("---- set here")


@pytest.mark.parametrize(
    ("row", "shown", "marks"),
    [
        ("\tx = f(n)", "    x = f(n)", "          ^"),
        ("数据 = f(n)", "数据 = f(n)", "         ^"),
        ("\x1b[31m f(n)", "?[31m f(n)", "        ^"),
    ],
)
def test_full_puts_the_caret_below_the_expression(row: str, shown: str, marks: str) -> None:
    column = row.index("n)") + 1
    finding = Finding("NCE001", "m", span(1, column, column + 1))
    lines = written("full", FileReport("a.py", (finding,), lambda cell: row)).splitlines()
    assert lines[3:5] == [f"1 | {shown}", f"  | {marks}"]


def test_full_cuts_long_rows_around_the_expression() -> None:
    row = "x = " + "a + " * 100 + "size" + " + b" * 100
    finding = Finding("NCE001", "m", span(1, row.index("size") + 1, row.index("size") + 5))
    lines = "".join(
        full((FileReport("a.py", (finding,), lambda cell: row),), unsafe_fixes=False, width=60)
    ).splitlines()
    assert all(len(line) <= 60 for line in lines)
    column = lines[4].index("^")
    assert lines[3][column : column + 4] == "size"
    assert lines[3].startswith("1 | ...")
    assert lines[3].endswith("...")


def test_full_survives_places_that_the_text_does_not_have() -> None:
    finding = Finding("NCE900", "the file cannot be read", span(1, 1, 1))
    assert "NCE900" in written("full", FileReport("a.py", (finding,), lambda cell: ""))
    assert "NCE900" in written("full", FileReport("a.py", (replace(finding, span=span(9, 9, 9)),), lambda cell: TEXT))
    several = replace(finding, span=span(3, 5, 9, end_row=6))
    assert "^" in written("full", FileReport("a.py", (several,), lambda cell: TEXT))


POSITION = {
    "type": "object",
    "properties": {"row": {"type": "integer", "minimum": 1}, "column": {"type": "integer", "minimum": 1}},
    "required": ["row", "column"],
    "additionalProperties": False,
}
CELL = {"anyOf": [{"type": "null"}, {"type": "integer", "minimum": 1}]}
PLACE = {"location": POSITION, "end_location": POSITION}


def exact(**properties: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


SCHEMA = {
    "type": "array",
    "items": exact(
        code={"type": "string", "pattern": "^NCE[0-9]{3}$"},
        message={"type": "string", "minLength": 1},
        filename={"type": "string", "minLength": 1},
        cell=CELL,
        fix={
            "anyOf": [
                {"type": "null"},
                exact(
                    applicability={"enum": ["safe", "unsafe"]},
                    message={"type": "string"},
                    edits={"type": "array", "minItems": 1, "items": exact(content={"type": "string"}, **PLACE)},
                ),
            ]
        },
        name={"type": "string", "pattern": "^[a-z]+(-[a-z]+)*$"},
        noqa_row={"type": "integer", "minimum": 1},
        severity={"enum": ["error", "warning"]},
        url={"type": ["string", "null"]},
        related={"type": "array", "items": exact(message={"type": "string"}, cell=CELL, **PLACE)},
        **PLACE,
    ),
}


def test_json_keeps_to_its_schema(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    found = json.loads(written("json"))
    jsonschema.validate(found, SCHEMA)
    assert found[0] == {
        "cell": None,
        "code": "NCE001",
        "location": {"row": 3, "column": 21},
        "end_location": {"row": 3, "column": 36},
        "filename": str(tmp_path / "pkg" / "a.py"),
        "fix": {
            "applicability": "safe",
            "edits": [
                {
                    "content": "n_rows = z.shape[0]\n    ",
                    "location": {"row": 3, "column": 5},
                    "end_location": {"row": 3, "column": 5},
                },
                {
                    "content": "n_rows",
                    "location": {"row": 3, "column": 21},
                    "end_location": {"row": 3, "column": 36},
                },
            ],
            "message": "Derive the size from `z`",
        },
        "message": "`args.batch_size` sizes the labels",
        "name": "configured-labels",
        "noqa_row": 3,
        "related": [
            {
                "cell": None,
                "location": {"row": 3, "column": 14},
                "end_location": {"row": 3, "column": 37},
                "message": "sizes labels here",
            },
            {
                "cell": None,
                "location": {"row": 8, "column": 32},
                "end_location": {"row": 8, "column": 38},
                "message": "read here",
            },
        ],
        "severity": "error",
        "url": None,
    }
    assert [each["cell"] for each in found] == [None, None, 2]
    assert json.loads(written("json", CLEAN)) == []


def test_github() -> None:
    odd = FileReport("a,b:c%.py", (replace(WITHHELD, withheld="", message="50%\nmore"),), FILE.text)
    assert written("github", FILE, odd).splitlines() == [
        "::error title=infonce-lint (NCE001),file=pkg/a.py,line=3,col=21,endLine=3,endColumn=36"
        "::pkg/a.py:3:21: NCE001 `args.batch_size` sizes the labels",
        "::error title=infonce-lint (NCE004),file=pkg/a.py,line=5,col=5,endLine=5,endColumn=9"
        "::pkg/a.py:5:5: NCE004 `n` scales the loss (no automatic fix: its tensor is not known)",
        "::error title=infonce-lint (NCE004),file=a%2Cb%3Ac%25.py,line=5,col=5,endLine=5,endColumn=9"
        "::a,b:c%25.py:5:5: NCE004 50%25%0Amore",
    ]
    assert "line=1,col=1,endLine=1,endColumn=1::b.ipynb:cell 2:3:21: NCE001 " in written("github", IN_CELL)


def test_gitlab_fingerprints_survive_shifted_rows_and_differ() -> None:
    def prints(*files: FileReport) -> list[str]:
        return [entry["fingerprint"] for entry in json.loads(written("gitlab", *files))]

    shifted = FileReport(
        FILE.path,
        (replace(FOUND, span=span(4, 21, 36)), replace(WITHHELD, span=span(6, 5, 9))),
        lambda cell: "\n" + TEXT,
    )
    assert prints(FILE) == prints(shifted)
    same_row_twice = FileReport(FILE.path, (FOUND, FOUND), FILE.text)
    assert len(set(prints(same_row_twice))) == 2
    (first, *_) = json.loads(written("gitlab"))
    assert {key: first[key] for key in ("check_name", "description", "severity", "location")} == {
        "check_name": "NCE001",
        "description": "NCE001: `args.batch_size` sizes the labels",
        "severity": "major",
        "location": {
            "path": "pkg/a.py",
            "positions": {"begin": {"line": 3, "column": 21}, "end": {"line": 3, "column": 36}},
        },
    }


def test_junit() -> None:
    bell = FileReport("odd\x07<&>.py", (replace(WITHHELD, message='"quotes" & <tags> \x00'),), FILE.text)
    root = ElementTree.fromstring(written("junit", FILE, CLEAN, bell))
    assert (root.tag, root.attrib["tests"], root.attrib["failures"]) == ("testsuites", "3", "3")
    assert [suite.attrib["name"] for suite in root] == ["pkg/a.py", "odd?<&>.py"]
    case = root[0][0]
    assert case.attrib == {"name": "NCE001", "classname": "pkg/a.py", "line": "3", "column": "21"}
    assert case[0].attrib["message"] == case[0].text == "pkg/a.py:3:21: NCE001 `args.batch_size` sizes the labels"
    clean = ElementTree.fromstring(written("junit", CLEAN))
    assert (clean.attrib["tests"], clean.attrib["failures"], len(clean[0])) == ("1", "0", 1)


def test_sarif(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    log = json.loads(written("sarif"))
    assert log["version"] == "2.1.0"
    (run,) = log["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules][:2] == ["NCE001", "NCE002"]
    assert all(rule["help"]["markdown"].startswith(rule["shortDescription"]["text"]) for rule in rules)
    first, second, third = run["results"]
    assert [rules[each["ruleIndex"]]["id"] for each in run["results"]] == ["NCE001", "NCE004", "NCE001"]
    assert run["columnKind"] == "unicodeCodePoints"
    assert run["originalUriBaseIds"]["SRCROOT"]["uri"] == f"{tmp_path.as_uri()}/"
    artifact = {"uri": "pkg/a.py", "uriBaseId": "SRCROOT"}
    region = {"startLine": 3, "startColumn": 21, "endLine": 3, "endColumn": 36}
    assert first["locations"] == [{"physicalLocation": {"artifactLocation": artifact, "region": region}}]
    assert [each["message"]["text"] for each in first["relatedLocations"]] == ["sizes labels here", "read here"]
    (change,) = first["fixes"][0]["artifactChanges"]
    assert change["artifactLocation"] == artifact
    assert [each["insertedContent"]["text"] for each in change["replacements"]] == [e.content for e in FIX.edits]
    assert second["message"]["text"] == WITHHELD.text
    assert "fixes" not in second
    assert third["locations"][0]["logicalLocations"] == [{"name": "cell 2", "kind": "cell"}]
    assert len({each["partialFingerprints"]["infonceLint/v1"] for each in run["results"]}) == 3
    outside = FileReport("/x y/ü.py", (FOUND,), FILE.text)
    (result,) = json.loads(written("sarif", outside))["runs"][0]["results"]
    assert result["locations"][0]["physicalLocation"]["artifactLocation"] == {"uri": "file:///x%20y/%C3%BC.py"}


@pytest.mark.parametrize("form", FORMATS)
def test_every_format_says_the_same_message(form: str) -> None:
    text = written(form)
    assert text.count("sizes the labels") >= 2
    assert "no automatic fix: its tensor is not known" in text


def test_summary_says_what_fix_would_do() -> None:
    def said(*findings: Finding, fixed: int = 0, unsafe_fixes: bool = False) -> str:
        files = (FileReport("a.py", findings, FILE.text),)
        return "".join(summary(files, fixed=fixed, unsafe_fixes=unsafe_fixes))

    unsafe = replace(FOUND, fix=replace(FIX, applicability=Applicability.UNSAFE))
    assert said() == "All checks passed!\n"
    assert said(fixed=1) == "Found 1 finding (1 fixed, 0 remaining).\n"
    assert said(WITHHELD, fixed=2) == "Found 3 findings (2 fixed, 1 remaining).\n"
    assert said(FOUND, WITHHELD) == "Found 2 findings.\n[*] 1 fixable with `--fix`.\n"
    assert said(unsafe) == "Found 1 finding.\n1 unsafe fix available with `--fix --unsafe-fixes`.\n"
    assert said(unsafe, unsafe_fixes=True) == "Found 1 finding.\n[*] 1 fixable with `--fix --unsafe-fixes`.\n"
    assert said(FOUND, unsafe_fixes=True) == "Found 1 finding.\n[*] 1 fixable with `--fix`.\n"
    assert said(FOUND, unsafe, unsafe) == (
        "Found 3 findings.\n[*] 1 fixable with `--fix` (2 unsafe fixes available with `--fix --unsafe-fixes`).\n"
    )
    files = (FileReport("a.py", (WITHHELD,), FILE.text),)
    assert "".join(diff_summary(files, fixed=2)) == "Would fix 2 findings (1 would remain).\n"
    assert "".join(diff_summary((), fixed=0)) == "No findings would be fixed.\n"


def test_diff_keeps_row_ends_and_encoding() -> None:
    before, after = "a = 'é'\r\nb = 1\r\nc".encode("latin-1"), "a = 'é'\r\nb = 2\r\nc".encode("latin-1")
    assert list(unified_diff("x.py", before, after)) == [
        b"--- x.py\n",
        b"+++ x.py\n",
        b"@@ -1,3 +1,3 @@\n",
        " a = 'é'\r\n".encode("latin-1"),
        b"-b = 1\r\n",
        b"+b = 2\r\n",
        b" c\n\\ No newline at end of file\n",
    ]
