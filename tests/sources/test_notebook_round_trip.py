"""Whole notebooks through ``--fix``: every byte outside the changed rows stays, however the file is written."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

import nbformat
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infonce_lint import fix_source, lint_source
from infonce_lint.engine.linter import fix_bytes, lint_bytes
from infonce_lint.settings import Settings
from tests.ecosystem.notebooks import problems
from tests.surfaces.samples import BAD, notebook, run

FIXED = fix_source(BAD).data.decode()


class Style(NamedTuple):
    """How a notebook's JSON is written."""

    indent: int | None
    ascii_only: bool
    sort_keys: bool
    listed: bool
    end: str
    newline: str
    bom: bool

    def write(self, cells: list[dict[str, Any]]) -> bytes:
        whole = {"metadata": {"language_info": {"name": "python"}}, "nbformat": 4, "nbformat_minor": 4, "cells": cells}
        text = json.dumps(whole, indent=self.indent, ensure_ascii=self.ascii_only, sort_keys=self.sort_keys) + self.end
        return text.replace("\n", self.newline).encode("utf-8-sig" if self.bom else "utf-8")

    def code(self, text: str, outputs: list[Any]) -> dict[str, Any]:
        source = text.splitlines(keepends=True) if self.listed else text
        return {"cell_type": "code", "source": source, "outputs": outputs, "metadata": {}, "execution_count": 3}


STYLES = st.builds(
    Style,
    indent=st.sampled_from([None, 0, 1, 2, 4]),
    ascii_only=st.booleans(),
    sort_keys=st.booleans(),
    listed=st.booleans(),
    end=st.sampled_from(["", "\n", "\n\n"]),
    newline=st.sampled_from(["\n", "\r\n"]),
    bom=st.booleans(),
)
CELLS = [
    "",
    '# é 数 \\/ "quoted"',
    "!pip install x \\\n  y",
    "%%bash\nls 'x",
    "print 'two'",
    'x = "é\t"\n',
    "a = !ls",
    "def f(:",
]
OTHERS = st.lists(st.sampled_from(CELLS), max_size=3)
AROUND = st.sampled_from([("", ""), ("%matplotlib inline\n", ""), ("", "%time trainer\n"), ("# é\n", "!ls \\\n -l\n")])
OUTPUT = {"output_type": "stream", "name": "stdout", "text": ['"source": [\n', "é\u2028 \\u00e9 {}[]"]}


@settings(max_examples=60, deadline=None)
@given(STYLES, OTHERS, OTHERS, AROUND)
def test_a_fixed_notebook_differs_in_the_rows_of_the_fix_alone(
    style: Style, before: list[str], after: list[str], around: tuple[str, str]
) -> None:
    def whole(loss: str) -> bytes:
        code = [*before, around[0] + loss + around[1], *after]
        cells = [style.code(text, [OUTPUT]) for text in code]
        cells.insert(1, {"cell_type": "markdown", "metadata": {"é": 1}, "source": "args.batch_size é"})
        return style.write(cells)

    data = whole(BAD)
    nbformat.validate(json.loads(data.decode("utf-8-sig")))
    fixed = fix_bytes(data, "a.ipynb", Settings(), unsafe=False)
    assert fixed.data == whole(FIXED)
    assert fixed.fixed == 1
    assert problems(data, "a.ipynb", Counter()) == []


def test_a_reason_against_a_fix_names_cell_and_row() -> None:
    mask = "        mask = torch.eye(self.args.batch_size * self.args.n_views, dtype=torch.bool)\n"
    loss = BAD.replace("        mask = torch.eye(labels.shape[0], dtype=torch.bool)\n", mask)
    suppressed = loss.replace("dim=0)\n", "dim=0)  # noqa: NCE001\n", 1)
    (finding,) = lint_source(notebook("x = 1", "%pip install x", suppressed), "a.ipynb")
    assert finding.withheld == "row 10 of cell 4 of the same loss is suppressed; fix them together"
    (finding,) = lint_source(notebook("x = 1", loss), "a.ipynb", Settings(select=("NCE002",)))
    assert "NCE001 on row 10 of cell 3 belongs to the same loss" in finding.withheld
    feed = BAD.replace("    def info_nce_loss", "\f    def info_nce_loss")
    (finding,) = lint_source(notebook("x = 1", feed), "a.ipynb")
    assert finding.withheld.startswith("a form feed on row 9 of cell 3 ")


def test_jupytext_scripts_are_python(tmp_path: Path) -> None:
    pytest.importorskip("jupytext")
    (tmp_path / "a.ipynb").write_text(notebook("%pip install torch", BAD), encoding="utf-8")
    assert run("--to", "py:percent", "a.ipynb", cwd=tmp_path, module="jupytext").returncode == 0
    (finding,) = lint_bytes((tmp_path / "a.py").read_bytes(), "a.py", Settings())
    assert finding.code == "NCE001"
    assert run("--isolated", "--no-cache", "--fix", "a.py", cwd=tmp_path).returncode == 0
    assert run("--to", "ipynb", "--output", "b.ipynb", "a.py", cwd=tmp_path, module="jupytext").returncode == 0
    cells = json.loads((tmp_path / "b.ipynb").read_text(encoding="utf-8"))["cells"]
    assert "".join(cells[1]["source"]) == "%pip install torch"
    assert "".join(cells[2]["source"]) == FIXED.rstrip("\n")
