"""Places and edits of cells in the rows of the notebook's file: a reader of JSON text alone must not damage it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infonce_lint.finding import Edit, Span
from infonce_lint.sources.edits import apply_edits
from infonce_lint.sources.notebook_rows import edit_in_file, in_file
from infonce_lint.sources.source import SourceFile

CHARACTERS = ["a", "1", " ", "\n", "\n", '"', "\\", "/", "\t", "é", "\u2028", "\U0001f600", "\r\n"]
TEXT = st.lists(st.sampled_from(CHARACTERS), max_size=12).map("".join)


def written(cells: list[Any], indent: int | None, ascii_only: bool) -> str:
    made = [{"cell_type": "code", "metadata": {"source": ["x"]}, "source": each, "outputs": []} for each in cells]
    return json.dumps({"cells": made}, indent=indent, ensure_ascii=ascii_only)


@settings(max_examples=400, deadline=None)
@given(
    TEXT,
    TEXT,
    st.sampled_from([None, 0, 1, 4]),
    st.booleans(),
    st.sampled_from(["text", "rows", "whole"]),
    st.floats(0, 1),
    st.floats(0, 1),
)
def test_an_edit_of_the_file_is_the_edit_of_the_cell(
    cell: str, content: str, indent: int | None, ascii_only: bool, form: str, first: float, second: float
) -> None:
    value: Any = {"text": cell, "rows": cell.splitlines(keepends=True), "whole": [cell]}[form]
    text = written(["x = 1\n", value, ["b"]], indent, ascii_only)
    source, file = SourceFile(cell, ""), SourceFile(text, "")
    start, end = sorted((round(first * len(cell)), round(second * len(cell))))
    if "\r\n" in (cell[start - 1 : start + 1], cell[end - 1 : end + 1]):
        return  # no position lies inside a row's end
    span = Span(source.position(start), source.position(end), 2)
    edited = apply_edits(file, [edit_in_file(text, cell, Edit(span, content))])
    assert ["".join(each["source"]) for each in json.loads(edited)["cells"]] == [
        "x = 1\n",
        cell[:start] + content + cell[end:],
        "b",
    ]
    if ascii_only:
        assert edited.isascii()
    place = in_file(text, cell, span)
    shown = file.segment(place)
    if len(cell[start:end].splitlines()) < 2:  # else there are several strings
        assert json.loads(f'"{shown}"') == cell[start:end]


@pytest.mark.parametrize("indent", [1, None])
def test_rows_that_are_put_in_are_strings_of_their_own(indent: int | None) -> None:
    cell = "a = 1\nb = 2\n"
    text = written([cell.splitlines(keepends=True)], indent, True)
    source, file = SourceFile(cell, ""), SourceFile(text, "")

    def changed(start: int, end: int, content: str) -> list[str]:
        span = Span(source.position(start), source.position(end), 1)
        edited = apply_edits(file, [edit_in_file(text, cell, Edit(span, content))])
        found: list[str] = json.loads(edited)["cells"][0]["source"]
        assert edited == written([found], indent, True), "as Jupyter writes it"
        return found

    assert changed(6, 6, "c = 'é'\nd = 4\n") == ["a = 1\n", "c = 'é'\n", "d = 4\n", "b = 2\n"]
    assert changed(6, 12, "c = 3\n") == ["a = 1\n", "c = 3\n"]
    assert changed(0, 6, "") == ["b = 2\n"]
    assert changed(4, 5, "2\nz = 3") == ["a = 2\n", "z = 3\n", "b = 2\n"]
    assert changed(4, 10, "") == ["a = 2\n"]
    assert changed(12, 12, "c = 3\nd = 4") == ["a = 1\n", "b = 2\nc = 3\n", "d = 4"]
