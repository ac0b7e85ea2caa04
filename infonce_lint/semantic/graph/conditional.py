"""Conditional parts of a statement's own expressions: what is computed only when a test or an iteration asks for it."""

from __future__ import annotations

from typing import TypeAlias

import libcst as cst

from infonce_lint.semantic.graph.values import Block, Value

Region: TypeAlias = tuple[int, ...]
"""The conditional parts around an expression, outermost first, each by the `id` of its node."""

_COMPREHENSIONS = (cst.ListComp, cst.SetComp, cst.DictComp, cst.GeneratorExp)
_Comprehension: TypeAlias = cst.ListComp | cst.SetComp | cst.DictComp | cst.GeneratorExp
#: What asks a generator for all of its elements.
_ASKING = frozenset({"sum", "list", "tuple", "set", "max", "min", "sorted", "extend", "join", "fsum", "prod", "deque"})
_PAIRING = frozenset({"enumerate", "zip", "reversed", "sorted", "tqdm"})


def region_of(value: Value) -> Region:
    """The conditional parts of its statement in which a value is computed; none for what has no place of its own."""
    if value.node is None:
        return ()
    regions = _regions(value.block, value.index)
    return regions.get(id(value.node), ())


def _regions(block: Block, index: int) -> dict[int, Region]:
    if index not in block.regions:
        found: dict[int, Region] = {}
        statement = block.statements.get(index)
        if statement is not None:
            _visit(statement, (), found)
        block.regions[index] = found
    return block.regions[index]


def _visit(node: cst.CSTNode, region: Region, found: dict[int, Region]) -> None:
    if region:
        found[id(node)] = region
    if isinstance(node, cst.IndentedBlock | cst.SimpleStatementSuite):
        return  # blocks of their own
    if isinstance(node, cst.IfExp):
        _visit(node.test, region, found)
        for side in (node.body, node.orelse):
            _visit(side, (*region, id(side)), found)
    elif isinstance(node, cst.BooleanOperation):
        _visit(node.left, region, found)
        _visit(node.right, (*region, id(node.right)), found)
    elif isinstance(node, cst.Comparison):  # links behind the first one are looked at while those before hold
        _visit(node.left, region, found)
        for place, link in enumerate(node.comparisons):
            _visit(link, (*region, id(link)) if place else region, found)
    elif isinstance(node, cst.Lambda):
        _visit(node.body, (*region, id(node.body)), found)
    elif isinstance(node, cst.Call):
        asked = _asked_generator(node)
        for child in node.children:
            if asked is None or child is not node.args[0]:
                _visit(child, region, found)
        if asked is not None:
            _visit_comprehension(asked, region, found, is_run=True)
    elif isinstance(node, _COMPREHENSIONS):
        _visit_comprehension(node, region, found, is_run=not isinstance(node, cst.GeneratorExp))
    else:
        for child in node.children:
            _visit(child, region, found)


def _visit_comprehension(node: _Comprehension, region: Region, found: dict[int, Region], *, is_run: bool) -> None:
    """The element of a comprehension, computed in each round; that of a generator when somebody asks for it."""
    clause = node.for_in
    _visit(clause.iter, region, found)
    is_certain = is_run and not clause.ifs and runs_at_least_once(clause.iter)
    inner = region if is_certain else (*region, id(node))
    for child in node.children:
        if child is not clause:
            _visit(child, inner, found)
    for each in (*clause.ifs, clause.inner_for_in):
        if each is not None:
            _visit(each, (*region, id(node)), found)


def _asked_generator(call: cst.Call) -> cst.GeneratorExp | None:
    """The generator of which a call asks all elements: ``sum(...)``, ``list(...)``, ``x.extend(...)``."""
    named = call.func.attr if isinstance(call.func, cst.Attribute) else call.func
    first = call.args[0].value if call.args else None
    is_asking = isinstance(named, cst.Name) and named.value in _ASKING
    return first if is_asking and isinstance(first, cst.GeneratorExp) else None


def runs_at_least_once(iterated: cst.BaseExpression) -> bool:
    """Whether a loop over an expression has a round for certain: over a written list, or a range that counts none."""
    if isinstance(iterated, cst.Tuple | cst.List):
        return bool(iterated.elements) and not any(isinstance(each, cst.StarredElement) for each in iterated.elements)
    if not isinstance(iterated, cst.Call) or not isinstance(iterated.func, cst.Name):
        return False
    given = [each.value for each in iterated.args if each.keyword is None]
    if iterated.func.value in _PAIRING:
        return bool(given) and all(map(runs_at_least_once, given))
    if iterated.func.value != "range" or not given:
        return False
    return not any(_counts_a_list(each) or (isinstance(each, cst.Integer) and each.value == "0") for each in given[:1])


def _counts_a_list(node: cst.CSTNode) -> bool:
    if isinstance(node, cst.Call) and isinstance(node.func, cst.Name) and node.func.value == "len":
        return True
    return any(map(_counts_a_list, node.children))
