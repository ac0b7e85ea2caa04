"""The walk over nodes by their fields passes what libcst's own visitor passes, in its order."""

from __future__ import annotations

import libcst as cst
import pytest

from infonce_lint.semantic.graph.flow import GraphBuilder
from infonce_lint.semantic.graph.nodes import nodes_in, statements_in
from infonce_lint.semantic.graph.values import Op
from tests.fixture_cases import rule_fixtures

CODE = """
@a(b=c)
class D(E, metaclass=F):
    g: H = i if j else k

    @l.m
    async def n(self, o: P = q, *r, s=t, **u) -> V:
        async with w as x, y:
            return [z for aa in ab if ac for ad in ae]
        try:
            af[ag:ah, 1] += {**ai, aj: ak}
        except AL as am:
            raise an from ao
        finally:
            del ap
        match aq:
            case AR(as_=at) | [au, *av] if aw:
                ax = lambda ay=az: ba(*bb, **bc)
        while bd and not be:
            assert bf, f"{bg!r:{bh}}"
        else:
            global bi
        for bj, bk in bl:
            yield (bm := await bn)
"""


class Visited(cst.CSTVisitor):
    def __init__(self) -> None:
        self.nodes: list[cst.CSTNode] = []

    def on_visit(self, node: cst.CSTNode) -> bool:
        self.nodes.append(node)
        return True


KINDS = (cst.Name, cst.BaseExpression, cst.BaseSmallStatement, cst.BaseCompoundStatement, cst.Arg, cst.Param)
STATEMENTS = (cst.BaseSmallStatement, cst.BaseCompoundStatement)


@pytest.mark.parametrize("code", [CODE, *(each.read_text(encoding="utf-8") for each in rule_fixtures()[::20])])
def test_nodes_and_statements_are_those_of_the_visitor(code: str) -> None:
    module = cst.parse_module(code)
    visited = Visited()
    module.visit(visited)
    names = [each for each in visited.nodes if isinstance(each, cst.Name)]
    found = list(nodes_in(module))
    assert [each.value for each in found if isinstance(each, cst.Name)] == [each.value for each in names]
    assert {id(each) for each in visited.nodes if isinstance(each, KINDS)} <= {id(each) for each in found}
    statements = [id(each) for each in visited.nodes if isinstance(each, STATEMENTS)]
    assert [id(each) for each in statements_in(module)] == statements


@pytest.mark.parametrize(
    ("code", "conditional"),
    [
        ("x = f(a) if b(c) else g(d)", {"f", "g"}),
        ("x = a() and b() or c()", {"b", "c"}),
        ("x = [f(y) for y in g(z)]", {"f"}),
        ("x = [f(y) for y in [1, 2]]", set()),
        ("x = [f(y) for y in range(3) if g(y)]", {"f", "g"}),
        ("x = [f(y) for y in [1] for z in h(y)]", {"f"}),
        ("x = [f(y) for y in g(z) for a in h(y)]", {"f", "h"}),
        ("if a() and b():\n    c()\nelif d() or e(): f() if g() else h()", {"b", "e", "f", "h"}),
    ],
)
def test_a_value_knows_that_a_test_or_a_loop_decides_on_it(code: str, conditional: set[str]) -> None:
    graph = GraphBuilder().build(cst.parse_module(code))
    assert {each.name for each in graph.values if each.op is Op.CALL and each.region} == conditional
