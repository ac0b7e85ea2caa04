"""Names in place of expressions, where a loss is cut out of its surroundings and its features become parameters."""

from __future__ import annotations

import ast
from collections.abc import Mapping

from infonce_lint.finding import Span
from infonce_lint.sources.source import SourceFile


class Swap(ast.NodeTransformer):
    """Puts names in place of the expressions that make features."""

    def __init__(self, calls: Mapping[Span, str], source: SourceFile) -> None:
        self._calls = calls
        self._source = source
        self.used: list[str] = []

    def visit(self, node: ast.AST) -> ast.AST:
        """An expression that makes features becomes a name."""
        name = self._calls.get(self._source.ast_span(node)) if isinstance(node, ast.expr) else None
        if name is None:
            return self.generic_visit(node)
        if name not in self.used:
            self.used.append(name)
        return ast.copy_location(ast.Name(name, ast.Load()), node)


class OffSelf(ast.NodeTransformer):
    """Puts a parameter in place of each attribute that is one."""

    def __init__(self, names: Mapping[str, str]) -> None:
        self._names = names

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        """``self.rows`` becomes ``rows``."""
        of_self = isinstance(node.value, ast.Name) and node.value.id == "self"
        name = self._names.get(f"self.{node.attr}") if of_self and isinstance(node.ctx, ast.Load) else None
        return self.generic_visit(node) if name is None else ast.copy_location(ast.Name(name, ast.Load()), node)
