"""Losses in cells that are not written as Python: found and fixed where they stand, whoever writes the fix."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from infonce_lint.finding import Edit, Position, Span
from infonce_lint.sources.edits import apply_edits
from infonce_lint.sources.source import SourceFile
from tests.surfaces.conftest import Command
from tests.surfaces.samples import BAD, notebook

READ = "self.args.batch_size"


def before_each(first: str, other: str) -> Callable[[str], str]:
    return lambda text: first + text.rstrip("\n").replace("\n", f"\n{other}")


#: How a cell can be written that holds the loss.
WAYS: dict[str, Callable[[str], str]] = {
    "indented": before_each("    ", "    "),
    "indented by tabs": before_each("\t", "\t"),
    "prompts": before_each(">>> ", "... "),
    "indented prompts": before_each("    >>> ", "    ... "),
    "IPython's prompts": before_each("In [3]: ", "   ...: "),
    "timed": lambda text: f"%%time\n{text}",
    "captured": lambda text: f"\n%%capture out\n{text}!ls\n",
    "timed and indented": lambda text: "%%time\n" + before_each("  ", "  ")(text),
    "captured and timed": lambda text: f"%%capture\n%%time\n{text}",
    "beside magics": lambda text: f"!pip install \\\n  torch\n%matplotlib inline\n{text}Trainer?\nfiles = !ls 'x\n",
    "beside automatic calls": lambda text: f",print a b\n;print a b\n/print a b\n{text}",
    "beside await": lambda text: f"{text}await train(1);\nasync for x in y: pass\n",
    "beside an example": lambda text: f'def f():\n    """It.\n\n    >>> f()\n    """\n\n\n{text}',
    "beside strings": lambda text: f'text = """\n!ls\n%x\n"""\n{text}',
}


def files_with(way: Callable[[str], str]) -> str:
    return notebook("pip install torch", "x = 1", way(BAD))


@pytest.mark.parametrize("way", WAYS)
def test_it_is_found_and_fixed(command: Command, project: Path, way: str) -> None:
    (project / "a.ipynb").write_text(files_with(WAYS[way]), encoding="utf-8")
    cell = WAYS[way](BAD)
    row = next(number for number, each in enumerate(cell.split("\n"), 1) if READ in each)
    column = cell.split("\n")[row - 1].index(READ) + 1
    lines = command("--isolated", "--no-cache", "--output-format", "concise", "a.ipynb").out.splitlines()
    assert lines[0].startswith(f"a.ipynb:cell 4:{row}:{column}: NCE001 [*] ")
    assert command("--isolated", "--no-cache", "--fix", "a.ipynb").code == 0
    after = json.loads((project / "a.ipynb").read_text(encoding="utf-8"))
    text = "".join(after["cells"][3]["source"])
    assert READ not in text
    assert text == WAYS[way](fixed_loss(command, project))
    assert command("--isolated", "--no-cache", "a.ipynb").out == "All checks passed!\n"


def fixed_loss(command: Command, project: Path) -> str:
    (project / "plain.py").write_text(BAD, encoding="utf-8")
    command("--isolated", "--no-cache", "--fix", "plain.py")
    return (project / "plain.py").read_text(encoding="utf-8")


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("indent", [1, None])
def test_who_applies_the_fix_of_sarif_writes_what_fix_writes(
    command: Command, project: Path, way: str, indent: int | None
) -> None:
    before = json.dumps(json.loads(files_with(WAYS[way])), indent=indent)
    (project / "a.ipynb").write_text(before, encoding="utf-8")
    log = json.loads(command("--isolated", "--no-cache", "--output-format", "sarif", "a.ipynb").out)
    (result,) = log["runs"][0]["results"]
    source = SourceFile(before, "a.ipynb")
    assert source.segment(span_of(result["locations"][0]["physicalLocation"]["region"])) == READ
    for each in result["relatedLocations"]:
        source.segment(span_of(each["physicalLocation"]["region"]))
    (change,) = result["fixes"][0]["artifactChanges"]
    edits = [Edit(span_of(each["deletedRegion"]), each["insertedContent"]["text"]) for each in change["replacements"]]
    command("--isolated", "--no-cache", "--fix", "a.ipynb")
    assert apply_edits(source, edits) == (project / "a.ipynb").read_text(encoding="utf-8")


def span_of(region: dict[str, int]) -> Span:
    start, end = ((region[f"{side}Line"], region[f"{side}Column"]) for side in ("start", "end"))
    return Span(Position(*start), Position(*end))


def test_github_and_gitlab_name_the_rows_of_the_file(command: Command, project: Path) -> None:
    (project / "a.ipynb").write_text(files_with(WAYS["prompts"]), encoding="utf-8")
    rows = (project / "a.ipynb").read_text(encoding="utf-8").split("\n")
    row = next(number for number, each in enumerate(rows, 1) if READ in each)
    column = rows[row - 1].index(READ) + 1
    said = command("--isolated", "--no-cache", "--output-format", "github", "a.ipynb").out
    assert f"file=a.ipynb,line={row},col={column},endLine={row},endColumn={column + len(READ)}::a.ipynb:cell 4:" in said
    (entry,) = json.loads(command("--isolated", "--no-cache", "--output-format", "gitlab", "a.ipynb").out)
    assert entry["location"]["positions"] == {
        "begin": {"line": row, "column": column},
        "end": {"line": row, "column": column + len(READ)},
    }


def test_a_constant_of_a_broken_cell_counts(command: Command, project: Path) -> None:
    loss = BAD.replace(READ, "BATCH_SIZE")
    (project / "a.ipynb").write_text(notebook("BATCH_SIZE = 32\nprint 'x'\n", loss), encoding="utf-8")
    lines = command("--isolated", "--no-cache", "--output-format", "concise", "a.ipynb").out.splitlines()
    assert [line.split(" ")[2:3] + line.split(" ")[1:2] for line in lines[:2]] == [
        ["NCE900", "2:2:1:"],
        ["NCE001", "3:10:42:"],
    ]
    command("--isolated", "--no-cache", "--fix", "a.ipynb")
    cells = json.loads((project / "a.ipynb").read_text(encoding="utf-8"))["cells"]
    assert "".join(cells[1]["source"]) == "BATCH_SIZE = 32\nprint 'x'\n"
    assert "BATCH_SIZE" not in "".join(cells[2]["source"])


@pytest.mark.slow
def test_verify_names_cell_and_row(command: Command, project: Path) -> None:
    (project / "a.ipynb").write_text(files_with(WAYS["indented"]), encoding="utf-8")
    assert "a.ipynb:cell 4:9 Trainer.info_nce_loss\n" in command("verify", "--checks", "value", "a.ipynb").out
    (loss,) = json.loads(command("verify", "--checks", "value", "--output-format", "json", "a.ipynb").out)
    assert (loss["cell"], loss["row"]) == (4, 9)


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ('x = f"{args["batch_size"]}"\n', "3.12"),
        ("def f[T](x: T) -> T: ...\n", "3.12"),
        ("type Rows = list[int]\n", "3.12"),
        ("class A[T = int]: ...\n", "3.13"),
        ("x = t'{a}'\n", "3.14"),
    ],
)
def test_newer_syntax_names_the_python_it_needs(command: Command, project: Path, text: str, version: str) -> None:
    import sys

    if sys.version_info >= tuple(map(int, version.split("."))):
        pytest.skip("this Python reads it")
    (project / "a.py").write_text(text, encoding="utf-8")
    (project / "a.ipynb").write_text(notebook(f"!ls\n{text}"), encoding="utf-8")
    said = command("--isolated", "--no-cache", "--output-format", "concise", "a.py", "a.ipynb").out
    assert said.count(f" NCE900 needs Python {version} or later; this one is 3.") == 2


@pytest.mark.parametrize(
    "text",
    ['x = f"{a b}"\n', 'x = f"{a["b"]}"\nprint "x"\n', "try: pass\nexcept A, e: pass\n", "def f[T](x): print x\n"],
)
def test_what_no_python_reads_is_a_syntax_error(command: Command, project: Path, text: str) -> None:
    (project / "a.py").write_text(text, encoding="utf-8")
    assert " NCE900 syntax error: " in command("--isolated", "--no-cache", "--output-format", "concise", "a.py").out
