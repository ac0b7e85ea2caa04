"""Notebooks: cells joined into one file, places and edits brought back to cells and to JSON."""

from __future__ import annotations

import ast
import json
from typing import Any

import nbformat
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from infonce_lint.finding import Applicability, Edit, Finding, Fix, Position, Related, Span
from infonce_lint.sources.ipython import as_python
from infonce_lint.sources.notebook import Notebook
from infonce_lint.sources.source import UNREADABLE, SourceError
from tests.hostile import BROKEN, NESTED


def cell(source: str | list[str], kind: str = "code") -> dict[str, Any]:
    own: dict[str, Any] = {"cell_type": kind, "metadata": {}, "source": source}
    return own | ({"execution_count": 1, "outputs": []} if kind == "code" else {})


def notebook_json(*cells: dict[str, Any], language: str = "python") -> dict[str, Any]:
    return {
        "cells": list(cells),
        "metadata": {"language_info": {"name": language}},
        "nbformat": 4,
        "nbformat_minor": 4,
    }


def notebook(*cells: dict[str, Any] | str) -> Notebook:
    """A notebook with the given cells, strings being code, as Jupyter writes it."""
    whole = notebook_json(*(cell(each.splitlines(keepends=True)) if isinstance(each, str) else each for each in cells))
    nbformat.validate(whole)
    return Notebook.from_bytes((json.dumps(whole, indent=1, ensure_ascii=False) + "\n").encode(), "test.ipynb")


def find(book: Notebook, text: str) -> Span:
    """Where ``text`` stands in the joined file."""
    start = book.source.text.index(text)
    return Span(book.source.position(start), book.source.position(start + len(text)))


def replaced(book: Notebook, old: str, new: str) -> bytes:
    return book.apply([Edit(find(book, old), new)])


def sources(data: bytes) -> list[str]:
    whole = json.loads(data)
    nbformat.validate(whole)
    return ["".join(each["source"]) for each in whole["cells"]]


# ---- reading


def test_code_cells_are_joined_in_order_and_counted_over_all_cells() -> None:
    book = notebook("a = 1\n", cell("# Title", "markdown"), "def f():\n    return a", "", "b = f()")
    assert book.errors == []
    assert [ast.unparse(each) for each in book.source.tree.body] == ["a = 1", "def f():\n    return a", "b = f()"]
    assert book.locate(find(book, "return a")) == Span(Position(2, 5), Position(2, 13), 3)
    assert book.locate(find(book, "f()\n")).cell == 5
    assert book.locate(find(book, "a = 1")) == Span(Position(1, 1), Position(1, 6), 1)


@pytest.mark.parametrize("language", ["R", "julia"])
def test_a_notebook_of_another_language_has_no_code(language: str) -> None:
    whole = notebook_json(cell("x <- 1"), language=language)
    book = Notebook.from_bytes(json.dumps(whole).encode(), "test.ipynb")
    assert (book.source.text, book.errors) == ("", [])


def test_a_notebook_that_names_no_language_is_python() -> None:
    assert Notebook.from_bytes(b'{"cells": [{"cell_type": "code", "source": "a = 1"}]}', "x").source.tree.body


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "bad JSON"),
        (b'{"cells": [', "bad JSON"),
        (b'{"cells": []}\xff', "utf-8"),
        (b"[]", "no list of cells"),
        (b"3", "no list of cells"),
        (b'{"cells": {}}', "no list of cells"),
        (b'{"worksheets": [{"cells": []}]}', "old format 3; open and save it in Jupyter"),
        (b'{"cells": [1]}', "cell 1 is no JSON object"),
        (b'{"cells": [{"cell_type": "code", "source": 5}]}', "source of cell 1"),
        (b'{"cells": [{}, {"cell_type": "code", "source": ["a", 5]}]}', "source of cell 2"),
        (b"[" * 100_000, "bad JSON"),
        (b'{"cells": ' + b"9" * 10_000 + b"}", "not a notebook"),
    ],
)
def test_what_is_no_notebook_is_refused_in_one_line(data: bytes, words: str) -> None:
    with pytest.raises(SourceError, match=words) as caught:
        Notebook.from_bytes(data, "test.ipynb")
    assert "\n" not in caught.value.message


def test_bad_json_is_placed() -> None:
    with pytest.raises(SourceError) as caught:
        Notebook.from_bytes(b'{"cells":\n  [1,,2]}', "test.ipynb")
    assert caught.value.position == Position(2, 6)


def test_a_cell_that_does_not_parse_is_reported_and_left_out_but_for_what_it_binds() -> None:
    book = notebook("a = 1", "b = (\n", cell("text", "markdown"), "c = 1\nprint c", "d = 2")
    assert [ast.unparse(each) for each in book.source.tree.body] == ["a = 1", "c = 1", "d = 2"]
    assert [(each.code, each.span.cell, each.span.start.row) for each in book.errors] == [
        (UNREADABLE, 2, 1),
        (UNREADABLE, 4, 2),
    ]
    assert "print" in book.errors[1].message
    assert book.locate(find(book, "d = 2")).cell == 5


@pytest.mark.parametrize("name", BROKEN)
def test_broken_cells_never_crash(name: str) -> None:
    whole = notebook_json(cell(BROKEN[name]), cell("a = 1"))
    book = Notebook.from_bytes(json.dumps(whole).encode(), "test.ipynb")
    assert [each.span.cell for each in book.errors] == [1]
    assert ast.unparse(book.source.tree.body[-1]) == "a = 1"
    assert all(isinstance(each, ast.Assign | ast.Import | ast.ImportFrom) for each in book.source.tree.body)


@pytest.mark.parametrize("name", ["sum", "and", "elif ladder", "pattern mappings", "adjacent strings"])
def test_a_cell_that_libcst_would_not_survive_is_left_out(name: str) -> None:
    book = notebook(NESTED[name](20 if "pattern" in name else 300), "a = 1")
    assert [each.message for each in book.errors] == ["too deeply nested to be analysed"]
    assert book.source.module.body


# ---- IPython


@pytest.mark.parametrize(
    ("text", "python"),
    [
        ("%matplotlib inline\na = 1", "pass  # magic 1\na = 1"),
        ("if a:\n    !ls -l {x}\n    b = 1", "if a:\n    pass  # magic 1\n    b = 1"),
        ("!pip install a \\\n    b\na = 1", "pass  # magic 1\n\na = 1"),
        ("files = !ls *.py\nb = files", "files = None  # magic 1\nb = files"),
        ("a.b[0] = %timeit -o f(x)", "a.b[0] = None  # magic 1"),
        ("?len\nlen?\nlen??\na = 1", "pass  # magic 1\npass  # magic 2\npass  # magic 3\na = 1"),
        ("%%time\na = 1\n%load x\n", "pass  # magic 1\na = 1\npass  # magic 2\n"),
        ("\n%%capture out\na = 1", "\npass  # magic 1\na = 1"),
        ("%%bash\nls | wc\n", "pass  # magic 1\n\n"),
        ("\n\n%%html\n<b>\n</b>", "\n\npass  # magic 1\n\n"),
        ("a = (b\n% c)\n%time d", "a = (b\n% c)\npass  # magic 1"),
        ("a = '''\n%x\n!y\n'''\n!z", "a = '''\n%x\n!y\n'''\npass  # magic 1"),
        ("a = b \\\n  % c\n!z", "a = b \\\n  % c\npass  # magic 1"),
        ("a = 'x\\\n!y'\n!z", "a = 'x\\\n!y'\npass  # magic 1"),
        ("a = 1  # ( why? \\\n!z", "a = 1  # ( why? \\\npass  # magic 1"),
        ("a = '(' + \"#\"\n!z", "a = '(' + \"#\"\npass  # magic 1"),
        ("a = b'\\'(' != c\n!z", "a = b'\\'(' != c\npass  # magic 1"),
        ("f(a='?', b=c)\nd %= 2\n!z", "f(a='?', b=c)\nd %= 2\npass  # magic 1"),
    ],
)
def test_magics_become_python_of_the_same_rows(text: str, python: str) -> None:
    assert as_python(text).python == python
    assert ast.parse(python)
    assert text.count("\n") == python.count("\n")


@pytest.mark.parametrize("text", ["a = b % c\n", "a = (b\n  % c)\n", "a = '''\n!x'''\n", "a != b", "# why?"])
def test_plain_python_is_left_alone(text: str) -> None:
    assert as_python(text).python == text
    assert notebook(text).source.text.removeprefix("# %% cell 1\n").rstrip() == text.rstrip()


def test_magics_do_not_hide_the_python_around_them() -> None:
    book = notebook("%pip install x\nimport x", "%%bash\nrm -rf /", "!ls\nfor a in x:\n    !echo $a\n    b = a")
    assert book.errors == []
    assert book.locate(find(book, "b = a")) == Span(Position(4, 5), Position(4, 10), 3)


@given(st.text(st.sampled_from("a1 \n%!?='\"()\\#\r"), max_size=30))
def test_neutralising_never_moves_a_row(text: str) -> None:
    assert as_python(text).python.count("\n") == text.count("\n")


# ---- places


def test_every_place_of_a_finding_is_brought_to_its_cell() -> None:
    book = notebook("size = 8", "mask = f(size)\nx = mask")
    use, origin = find(book, "size)"), find(book, "size = 8")
    fix = Fix(Applicability.SAFE, "m", (Edit(use, "rows)"), Edit(Span(origin.start, origin.start), "# é\n")), "w")
    placed = book.place(Finding("NCE001", "m", use, related=(Related(origin, "from"),), fix=fix, unit=1, origin=("o",)))
    in_cell = Span(Position(1, 10), Position(1, 15), 2)
    assert placed.span == in_cell
    assert placed.related == (Related(Span(Position(1, 1), Position(1, 9), 1), "from"),)
    assert placed.fix is not None
    assert [each.span for each in placed.fix.edits] == [in_cell, Span(Position(1, 1), Position(1, 1), 1)]
    assert (placed.unit, placed.origin, placed.fix.why) == (1, ("o",), "w")
    assert book.place(Finding("NCE001", "m", use)).fix is None


def test_a_row_to_its_end_stays_inside_its_cell() -> None:
    book = notebook("a = 1", "b = 2")
    row = find(book, "a = 1\n")
    assert book.locate(row) == Span(Position(1, 1), Position(2, 1), 1)
    assert notebook(cell("x", "markdown")).locate(row) == row


@pytest.mark.parametrize("newline", ["\r\n", "\r"])
def test_other_row_ends_inside_cells_are_rows_too(newline: str) -> None:
    book = notebook(cell(f"a = 1{newline}b = 2"), cell(f"c = 3{newline}{newline}d = 4{newline}"))
    assert book.locate(find(book, "b = 2")) == Span(Position(2, 1), Position(2, 6), 1)
    assert book.locate(find(book, "d = 4")) == Span(Position(3, 1), Position(3, 6), 2)


# ---- writing


def test_only_the_changed_rows_of_the_json_change() -> None:
    text = """{
  "nbformat_minor": 2, "nbformat": 4,
  "cells": [
    {"outputs": [{"text": ["\\u00e9 [\\/"], "data": {"cells": [{"source": "x = 1"}]}}],
     "cell_type": "code", "execution_count": null, "metadata": {"source": ["y"]},
     "source": [
        "# z\\u00fcrich \\/ \\"a\\"\\n",
        "x = 1\\n",
        "!ls\\n",
        "y = \\"\\t\\""
     ]}
  ], "metadata": { }
}

"""
    book = Notebook.from_bytes(text.encode(), "test.ipynb")
    assert book.rewrite(book.source.text) == text.encode()
    assert (
        replaced(book, "x = 1", "n = 'é'\nx = n")
        == text.replace('        "x = 1\\n",\n', '        "n = \'\\u00e9\'\\n",\n        "x = n\\n",\n').encode()
    )
    assert replaced(book, "x = 1\n", "") == text.replace('        "x = 1\\n",\n', "").encode()
    assert replaced(book, "y =", "y = x =") == text.replace('"y = \\"', '"y = x = \\"').encode()


@pytest.mark.parametrize(
    ("source", "changed"),
    [
        ('"a = 1"', '"a = 2"'),
        ("\"\\u00e9\\/ = 0\\na = 1\\nb = '\\\\n'\\n\"", "\"\\u00e9\\/ = 0\\na = 2\\nb = '\\\\n'\\n\""),
        ('[ "a = 1" ]', '[ "a = 2" ]'),
        ('["a = 1\\n","b = 1"]', '["a = 2\\n","b = 1"]'),
        ('["a = ","1\\nb = 1"]', '["a = 2\\n","b = 1"]'),
        ('["b = 0\\n\\u000aa = 1"]', '["b = 0\\n", "\\n", "a = 2"]'),
    ],
)
def test_a_source_keeps_its_form(source: str, changed: str) -> None:
    text = '\ufeff{"cells":[{"cell_type":"code","source":%s}]}'
    if "\\/" in source:
        text = text.replace('"source"', '"source":"overruled","source"')
    source, changed = source.replace("\\u00e9\\/", "# \\u00e9\\/"), changed.replace("\\u00e9\\/", "# \\u00e9\\/")
    book = Notebook.from_bytes((text % source).encode(), "test.ipynb")
    assert replaced(book, "a = 1", "a = 2") == (text % changed).encode()


def test_a_row_can_be_added_to_a_cell_of_one() -> None:
    book = notebook("b = 1", "a = 1")
    data = replaced(book, "a = 1", "c = 2\na = c")
    assert sources(data) == ["b = 1", "c = 2\na = c"]
    assert b'"source": [\n    "c = 2\\n",\n    "a = c"\n   ]' in data


def test_a_last_row_can_go() -> None:
    assert sources(replaced(notebook("a = 1\n# noqa", "b = 1"), "\n# noqa", "")) == ["a = 1", "b = 1"]
    assert sources(replaced(notebook("a = 1", "b = 1"), "a = 1", "")) == ["", "b = 1"]


def test_nothing_is_written_above_a_magic_that_takes_the_whole_cell() -> None:
    with pytest.raises(ValueError, match="cannot be written into the notebook's cells"):
        replaced(notebook("%%bash\nls 'a"), "pass  # magic 1", "b = 1\npass  # magic 1")


def test_several_cells_change_at_once() -> None:
    book = notebook("a = size", "!ls", cell("size", "markdown"), "%%time\nb = size\n", "c = (")
    edits = [Edit(find(book, "size\n# %% cell 2"), "rows\n# %% cell 2"), Edit(find(book, "b = size"), "b = rows")]
    assert sources(book.apply(edits)) == ["a = rows", "!ls", "size", "%%time\nb = rows\n", "c = ("]


@pytest.mark.parametrize(
    ("old", "new"), [("pass  # magic 1", "x"), ("# %% cell 2", "# %% cell 3"), ("# %% cell 1\n", "")]
)
def test_what_is_not_python_cannot_be_edited(old: str, new: str) -> None:
    with pytest.raises(ValueError, match=r"cell|edits"):
        replaced(notebook("!ls\na = 1", "b = 1"), old, new)


def test_a_marker_in_a_cell_is_not_mistaken_for_ours() -> None:
    book = notebook("a = 1\n# %% cell 2\nb = 1", "c = 1")
    assert sources(replaced(book, "c = 1", "c = 2")) == ["a = 1\n# %% cell 2\nb = 1", "c = 2"]


ROWS = st.sampled_from(
    [
        "a = 1",
        "if a:\n    b = 2",
        "!ls \\\n  x",
        "%time c",
        "# é\u2028\f",
        "",
        "d = !pwd",
        "x = '\\n\"'",
        "b = 3\r",
        "pass",
    ]
)
CELLS = st.lists(st.tuples(st.lists(ROWS, max_size=4).map("\n".join), st.booleans()), min_size=1, max_size=4)


@settings(max_examples=100, deadline=None)
@given(CELLS, st.data(), st.booleans(), st.sampled_from([None, 1]))
@example([("!a \\\n", True)], None, True, 1)
def test_a_row_inserted_anywhere_reaches_its_cell(
    cells: list[tuple[str, bool]], data: st.DataObject | None, listed: bool, indent: int | None
) -> None:
    whole = notebook_json(
        *(cell(text.splitlines(keepends=True) if listed else text, "code" if code else "raw") for text, code in cells)
    )
    before = json.dumps(whole, indent=indent, ensure_ascii=indent is None).encode()
    book = Notebook.from_bytes(before, "test.ipynb")
    assert book.errors == []
    assert book.rewrite(book.source.text) == before
    places = [row for row, text in enumerate(book.source.rows, 1) if text.startswith(("a =", "x =", "if a"))]
    if not places or data is None:
        return
    row = data.draw(st.sampled_from(places))
    edit = Edit(Span(Position(row, 1), Position(row, 1)), "new = 'é'\n")
    after = book.apply([edit])
    place = book.locate(edit.span)
    assert place.cell is not None
    expected = [text for text, _ in cells]
    changed = expected[place.cell - 1].replace("\r\n", "\n").replace("\r", "\n").split("\n")
    changed.insert(place.start.row - 1, "new = 'é'")
    found = sources(after)
    assert found[place.cell - 1].replace("\r\n", "\n").replace("\r", "\n").split("\n") == changed
    del found[place.cell - 1], expected[place.cell - 1]
    assert found == expected
    if indent and listed:
        assert set(before.decode().split("\n")) <= set(after.decode().split("\n"))


@pytest.mark.parametrize("row", ["ls /content/checkpoints/", "cd ..", "pip install timm", "cp -r a b", "run a.py"])
def test_magics_without_a_percent_sign_stand_alone_in_a_cell(row: str) -> None:
    assert notebook(row).errors == notebook(f"\n {row}\n").errors == []
    together = notebook(f"{row}\nx = 1")
    assert [each.span.start.row for each in together.errors] == [1]
    assert ast.unparse(together.source.tree) == "x = 1"


# ---- cells that are not written as Python


def test_an_indentation_that_all_rows_share_is_no_error() -> None:
    book = notebook("    class A:\n        x = [\n            size]\n\n        y = 1\n  ", "b = 1")
    assert book.errors == []
    assert ast.unparse(book.source.tree) == "class A:\n    x = [size]\n    y = 1\nb = 1"
    assert book.locate(find(book, "size")) == Span(Position(3, 13), Position(3, 17), 1)
    assert sources(replaced(book, "    y = 1", "    z = 0\n    y = z"))[0] == (
        "    class A:\n        x = [\n            size]\n\n        z = 0\n        y = z\n  "
    )


def test_prompts_are_taken_off_and_put_before_new_rows() -> None:
    book = notebook(">>> def f(x):\n...     return size\n>>> f(1)", "In [7]: a = size\n   ...: b = 2")
    assert book.errors == []
    assert ast.unparse(book.source.tree) == "def f(x):\n    return size\nf(1)\na = size\nb = 2"
    assert book.locate(find(book, "size")) == Span(Position(2, 16), Position(2, 20), 1)
    assert sources(replaced(book, "    return size", "    y = 1\n    return y"))[0] == (
        ">>> def f(x):\n...     y = 1\n...     return y\n>>> f(1)"
    )
    assert sources(replaced(book, "b = 2", "c = 1\nb = c"))[1] == "In [7]: a = size\n   ...: c = 1\n   ...: b = c"


def test_the_edits_of_a_placed_fix_carry_the_prompts() -> None:
    book = notebook(">>> def f(x):\n...     return size")
    at = find(book, "    return size").start
    fix = Fix(Applicability.SAFE, "m", (Edit(Span(at, at), "    y = 1\n"),))
    placed = book.place(Finding("NCE001", "m", find(book, "size"), fix=fix))
    assert placed.fix is not None
    assert placed.fix.edits == (Edit(Span(Position(2, 5), Position(2, 5), 1), "    y = 1\n... "),)


def test_examples_in_a_docstring_are_no_prompts() -> None:
    text = 'def f():\n    """Doc.\n\n    >>> f()\n    """\n    ...'
    assert as_python(text).python == text


def test_what_a_broken_cell_binds_counts() -> None:
    book = notebook('import torch\nBATCH_SIZE = 32\ntext = """\nHIDDEN = 1\n"""\nprint 1\nfor a in b:\n    C = 1\n(')
    assert ast.unparse(book.source.tree) == "import torch\nBATCH_SIZE = 32\ntext = '\\nHIDDEN = 1\\n'"
    assert book.locate(find(book, "BATCH_SIZE = 32")) == Span(Position(2, 1), Position(2, 16), 1)
    with pytest.raises(ValueError, match="IPython"):
        replaced(book, "# unread 6", "x = 1")


@pytest.mark.parametrize(
    "metadata",
    [
        {"vscode": {"languageId": "r"}},
        {"kernel": "R"},
        {"dotnet_interactive": {"language": "csharp"}},
        {"polyglot_notebook": {"kernelName": "fsharp"}},
        {"deepnote_cell_type": "sql"},
    ],
)
def test_a_cell_of_another_language_is_passed_over(metadata: dict[str, Any]) -> None:
    other = cell("x <- 1") | {"metadata": metadata}
    book = notebook("a = 1", other, cell("b = a") | {"metadata": {"vscode": {"languageId": "python"}}})
    assert book.errors == []
    assert ast.unparse(book.source.tree) == "a = 1\nb = a"


def test_the_python_of_a_notebook_for_several_languages_is_read() -> None:
    whole = notebook_json(cell("a = 1") | {"metadata": {"kernel": "Python3"}}, cell("x <- 1"), language="sos")
    assert ast.unparse(Notebook.from_bytes(json.dumps(whole).encode(), "x").source.tree) == "a = 1"
