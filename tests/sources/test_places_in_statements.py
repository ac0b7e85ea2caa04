"""A place that is looked up in its statement is the one that it has in the whole file."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst
import pytest

from infonce_lint.sources.source import SourceFile
from tests.fixture_cases import rule_fixtures

LAYOUTS = {
    "several on a row": "a = 1; b = (c +\n  d)\n",
    "tabs": "def f():\n\tif a:\n\t\treturn g(b,\n\t\t\tc)\n",
    "suites on a row": "if a: b = c\nelif d: e = f(g)\nelse: h = i\n",
    "decorators": "@a.b\n# c\n@d(e)\ndef f(g=h, *i):\n    '''j'''\n    return lambda k: k\n",
    "row ends": "a = (b,\r\n  c)\r\nwhile d:\r\n  e()\r\n",
    "letters of two bytes": "if ä:\n    é = 'ü'; ö = (ä)\n",
    "comments": "class A(B):\n  # c\n\n  d = e  # f\n\n  async def g(self):\n    async with h as i:\n      pass\n",
    "handlers": "try:\n  a()\nexcept B as c:\n  d()\nelse:\n  e()\nfinally:\n  f()\nfor g in h:\n  i()\nelse:\n  j()\n",
    "cases": "match a:\n    case [b, *c] if d:\n        e(c)\n    case _:\n        f = g\n",
    "no last row end": "a = [\n  b]",
}


def pairs(first: cst.CSTNode, second: cst.CSTNode) -> Iterator[tuple[cst.CSTNode, cst.CSTNode]]:
    """The nodes of two equal trees side by side."""
    yield first, second
    for one, other in zip(first.children, second.children, strict=True):
        yield from pairs(one, other)


def check(text: str) -> None:
    whole, parts = SourceFile(text, "a.py"), SourceFile(text, "a.py")
    statements = (cst.SimpleStatementLine, cst.BaseCompoundStatement)
    for outer, other in pairs(whole.module, parts.module):
        if isinstance(other, statements):
            for node, same in pairs(outer, other):
                assert parts.span(same, other) == whole.span(node), cst.Module([]).code_for_node(node)
    assert "_generated" not in vars(parts)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_node_stands_where_the_whole_file_has_it(layout: str) -> None:
    check(LAYOUTS[layout])


def test_the_places_of_fixtures_are_those_of_the_whole_file() -> None:
    for fixture in rule_fixtures()[::12]:
        check(fixture.read_text(encoding="utf-8"))


def test_the_rows_of_a_statement_are_those_of_all_that_share_its_row() -> None:
    source = SourceFile("a = 1; b = (\n  c)\nd = 2\n", "a.py")
    assert [source.rows_of(each) for each in source.module.body] == [(1, 2), (3, 3)]
