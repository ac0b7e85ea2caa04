"""Cells against IPython's own transformer: the same cells parse, and rows and columns lead back to the cell."""

from __future__ import annotations

import ast
import itertools
import json
import os
import re
import subprocess
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infonce_lint.finding import Span
from infonce_lint.sources.notebook import Notebook

transformer = pytest.importorskip("IPython.core.inputtransformer2")

PYTHON = [
    "a = 1",
    "if a:\n    b = 2\nelse:\n    c = 3",
    'text = f"""\n!x\n  %y\n>>> z?\n"""',
    "d = [\n  1,\n    !2 if 0 else 2]".replace("!2", "2"),
    "e = a \\\n  % b",
    "e = 'x\\\n!y' != '?'",
    "await f(1)",
    "async for x in y: pass",
    "f(1);",
    "a %= 2; a != 3",
    "# why? !ls",
    'def f():\n    """Doc.\n\n    >>> f()\n    """\n    return 1',
    "@decorated\nclass A: b: int = 1",
    "x = a if b else f'{a!r:>{b}}'",
    "",
]
MAGIC = [
    "!ls",
    "!ls -l {x} \"it's (",
    "!!ls",
    "!",
    "!ls \\\n  -l \\\n  -a",
    "!ls;",
    "%time f(1)",
    "%matplotlib inline",
    "%",
    "%time \\\n  f(1)",
    "%timeit x = [",
    "%%time f(1)",
    "?a",
    "??a",
    "?",
    "a?",
    "a.b??",
    "a[0].c?",
    "*int*?",
    "%time?",
    "%%time?",
    "x = a?",
    ",f a b",
    ";f a (b",
    "/f a b",
    ",f",
    "c = !ls",
    "c = !ls \\\n  -l",
    "c = %time f(1)",
    "c = % time f(1)",
    "c: list = !ls 'a",
    "c, d = !ls",
    "c.d[e == 1] = !ls",
    "c = \\\n  !ls",
    "c = f(a=1) or !ls".replace(" or !ls", ""),
    "if a: c = !ls",
]
WRONG = [
    "a b",
    "x = = 1",
    "print 'x'",
    "/ f a",
    "/f a (",
    ',f "a',
    "c = b = !ls",
    "c += !ls",
    "if a: !ls",
    "(a)?",
    "a ?",
    "a? # why",
    "a?b",
    "a = %1",
    "%= 2",
    "!= 2",
    "// 2",
    "f(1))",
    "    a = 1",
    "pip install x\na = 1",
    "def f(:",
    "type X = int = 3",
]
FORMS = [*PYTHON, *MAGIC, *WRONG]
NEEDLE = "needle = 1"


def prompted(first: str, other: str) -> dict[str, tuple[str, str]]:
    return {f"{first}|{other}": (first, other)}


#: What stands before the first row of a cell, and before each other.
PREFIXES = {
    "bare": ("", ""),
    "four blanks": ("    ", "    "),
    "a tab": ("\t", "\t"),
    **prompted(">>> ", "... "),
    **prompted("    >>> ", "    ... "),
    **prompted("In [12]: ", "    ...: "),
    **prompted(" In [1]: ", "   ....: "),
    **prompted("[ins] In [1]: ", "         ...: "),
    "one blank too many": (" ", ""),
}
HEADS = [
    "\n \n",
    "%%time\n",
    "%%capture out\n",
    "%%timeit -n 1\n",
    "%%bash\n",
    "%%html\n",
    "%%writefile a.py\n",
    "%%x\n",
]


def cells() -> Iterator[str]:
    """The cells of the grammar: each form alone, beside Python, beside each other form, under each prefix and head."""
    for form in FORMS:
        for body in (form, f"{NEEDLE}\n{form}", f"{form}\n{NEEDLE}", f"{form}\n\n", f"if a:\n    {form}\n{NEEDLE}"):
            for first, other in PREFIXES.values():
                yield first + body.replace("\n", f"\n{other}")
            yield from (head + body for head in HEADS)
            yield "%%time\n" + "  " + body.replace("\n", "\n  ")
    for one, two in itertools.product(FORMS, FORMS):
        yield f"{one}\n{two}\n{NEEDLE}"


def parses(text: str) -> bool:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            ast.parse(text)
        except (SyntaxError, ValueError):
            return False
    return True


_MANAGER = transformer.TransformerManager()
_RUNS_BODY = re.compile(r"\s*get_ipython\(\)\.run_cell_magic\('(?:capture|time|timeit)', ")


def jupyter_takes(cell: str) -> bool:
    """Whether a cell is Python, or is so when IPython has read it: the bodies of its magics for Python too."""
    if parses(cell):
        return True
    try:
        read = _MANAGER.transform_cell(cell)
    except SyntaxError:
        return False
    if _RUNS_BODY.match(read):
        (statement,) = ast.parse(read).body
        return jupyter_takes(ast.literal_eval(statement.value.args[2]))  # type: ignore[attr-defined]
    return parses(read)


def opened(cell: str) -> Notebook:
    return Notebook.from_cells([(cell, True)], "a.ipynb")


def leads_back(cell: str, book: Notebook) -> bool:
    """Whether each needle in the joined file is found at its place in the cell."""
    rows = cell.split("\n")
    for match in re.finditer("needle", book.source.text):
        span = Span(book.source.position(match.start()), book.source.position(match.end()))
        start, end = book.locate(span).start, book.locate(span).end
        if rows[start.row - 1][start.column - 1 : end.column - 1] != "needle":
            return False
    return True


def test_the_cells_that_parse_are_those_that_jupyter_takes() -> None:
    known = list(dict.fromkeys(cells()))
    assert len(known) > 9_000
    books = {cell: opened(cell) for cell in known}
    assert [cell for cell, book in books.items() if jupyter_takes(cell) != (not book.errors)] == []
    assert [cell for cell, book in books.items() if not leads_back(cell, book)] == []
    assert sum(not book.errors for book in books.values()) > 4_000
    for cell, book in books.items():
        assert book.source.tree is not None
        assert (
            book.rewrite(book.source.text) == json.dumps({"cells": [{"cell_type": "code", "source": cell}]}).encode()
        ), cell


ROW = st.sampled_from([row for form in FORMS for row in (form, f"    {form}", f"{form} ", f">>> {form}")])
WHOLE = st.builds(lambda rows, head: head + "\n".join(rows), st.lists(ROW, max_size=4), st.sampled_from(["", *HEADS]))


@settings(max_examples=400, deadline=None)
@given(WHOLE)
def test_no_cell_that_jupyter_takes_is_refused(cell: str) -> None:
    book = opened(cell)
    assert jupyter_takes(cell) == (not book.errors)
    assert leads_back(cell, book)


ASK = """
import json, os, sys
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
shell.history_manager.enabled = False
known = sorted(name for name in shell.magics_manager.magics["line"] if name.isidentifier())
forms = "{0} a b", "  {0} -l /x", "{0} = 1", "{0}, b = 1, 2", "{0} a\\nb = 1", "{0}?", "%%time\\n{0} a"
cells = [form.format(name) for name in known for form in forms]
print(json.dumps([[cell, shell.transform_cell(cell)] for cell in cells]))
"""


@pytest.mark.slow
def test_magics_need_no_percent_sign_where_ipython_needs_none(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", ASK],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
        env={**os.environ, "IPYTHONDIR": str(tmp_path), "HOME": str(tmp_path)},
    )
    answers: list[tuple[str, str]] = json.loads(done.stdout)
    assert len(answers) > 400
    wrong = [cell for cell, read in answers if not cell.startswith("%%") and parses(read) != (not opened(cell).errors)]
    assert wrong == []
    assert [cell for cell, _ in answers if cell.startswith("%%") and opened(cell).errors] == []
