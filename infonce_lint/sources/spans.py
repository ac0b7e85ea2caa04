"""Where each libcst node stands in the text: a pass over libcst's own code generator that also gives its code.

Over a whole file it costs less than half of ``libcst.parse_module``; libcst's PositionProvider, whose positions these
are, costs 2.6 times as much as parsing. Over one statement it costs next to nothing, and where that statement begins
CPython's tree says. Imports libcst, so `source.py` imports this module only when a node's place is asked for.
"""

from __future__ import annotations

import ast
from bisect import bisect_left
from collections.abc import Sequence
from contextlib import AbstractContextManager
from itertools import accumulate
from types import TracebackType

import libcst as cst
from libcst._nodes.internal import CodegenState

Offsets = tuple[int, int]
"""Start and end of a node, as offsets into the generated code."""

Spans = dict[int, Offsets]
"""Offsets by the `id` of a node of a living tree: a node's own hash is a Python function, which takes its time."""


class _Recorder(CodegenState):
    """Generates code as libcst does and notes the tokens between which each node falls."""

    def __init__(self, module: cst.Module) -> None:
        super().__init__(default_indent=module.default_indent, default_newline=module.default_newline)
        self.spans: Spans = {}  # in tokens: to count characters at each token takes a third longer
        self.starts: list[int] = []
        self.between: list[tuple[int, cst.CSTNode, cst.CSTNode | None, cst.CSTNode | None]] = []
        self.add_token = self.tokens.append  # type: ignore[assignment, method-assign]  # costs no Python frame
        self._between = _Between(self)

    def add_indent_tokens(self) -> None:
        self.tokens += self.indent_tokens

    def pop_trailing_newline(self) -> None:
        self.tokens[-1:] = [""] if self.tokens else []  # the count of tokens is what places are told by

    def before_codegen(self, node: cst.CSTNode) -> None:
        self.starts.append(len(self.tokens))

    def after_codegen(self, node: cst.CSTNode) -> None:
        # A syntactic position that is noted already, without blanks and brackets around it, is better.
        start = self.starts.pop()
        if id(node) not in self.spans:
            self.spans[id(node)] = (start, len(self.tokens))

    def record_syntactic_position(  # type: ignore[override]  # libcst's is a generator: a third slower
        self,
        node: cst.CSTNode,
        *,
        start_node: cst.CSTNode | None = None,
        end_node: cst.CSTNode | None = None,
    ) -> AbstractContextManager[None]:
        self.between.append((len(self.tokens), node, start_node, end_node))
        return self._between

    def found(self) -> tuple[str, Spans]:
        """The code, and where each node stands in it."""
        offsets = list(accumulate(map(len, self.tokens), initial=0))
        spans = {node: (offsets[start], offsets[end]) for node, (start, end) in self.spans.items()}
        return "".join(self.tokens), spans


class _Between(AbstractContextManager[None]):
    """Records what is generated inside the ``with`` as the place of the node that was announced last."""

    __slots__ = ("_recorder",)

    def __init__(self, recorder: _Recorder) -> None:
        self._recorder = recorder

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        recorder = self._recorder
        start, node, start_node, end_node = recorder.between.pop()
        spans = recorder.spans
        if start_node is not None:
            start = spans[id(start_node)][0]
        spans[id(node)] = (start, len(recorder.tokens) if end_node is None else spans[id(end_node)][1])


def generate(module: cst.Module) -> tuple[str, Spans]:
    """The code that libcst makes of ``module``, and each node's offsets in it (without its own parentheses)."""
    recorder = _Recorder(module)
    module._codegen(recorder)
    return recorder.found()


def generate_statement(module: cst.Module, statement: cst.CSTNode, indent: str) -> tuple[str, Spans]:
    """The code that libcst makes of one statement of ``module``, and the offsets in it; ``indent`` is what indents it.

    Blank rows and comments before the statement are part of its code.
    """
    recorder = _Recorder(module)
    recorder.indent_tokens.append(indent)
    statement._codegen(recorder)
    return recorder.found()


def paired(module: cst.Module, tree: ast.Module) -> dict[int, tuple[ast.stmt, ast.stmt]]:
    """CPython's statement for each statement of ``module``, by its `id`; the first and the last of several on a row."""
    found: dict[int, tuple[ast.stmt, ast.stmt]] = {}
    stack: list[tuple[Sequence[cst.CSTNode], list[ast.stmt]]] = [(module.body, tree.body)]
    while stack:
        nodes, statements = stack.pop()
        rest = iter(statements)
        for node in nodes:
            small = node.body if isinstance(node, cst.SimpleStatementLine) else (node,)
            taken = [each for each in (next(rest, None) for _ in small) if each is not None]
            if not taken or len(taken) < len(small):
                break  # the two do not see the same statements
            first = taken[0]
            found[id(node)] = (first, taken[-1])
            if not isinstance(node, cst.SimpleStatementLine):
                stack += _suites(node, first)
    return found


def _suites(node: cst.CSTNode, statement: ast.stmt) -> list[tuple[Sequence[cst.CSTNode], list[ast.stmt]]]:
    """The suites of a statement in the one tree with those in the other."""
    found: list[tuple[Sequence[cst.CSTNode], list[ast.stmt]]] = []
    for name in ("body", "orelse", "finalbody"):
        part, statements = getattr(node, name, None), getattr(statement, name, None)
        if isinstance(part, cst.Else | cst.Finally):
            part = part.body
        if isinstance(part, cst.IndentedBlock) and statements:
            found.append((part.body, statements))
        elif isinstance(part, cst.If) and statements:
            found += _suites(part, statements[0])  # an ``elif``, which is a part of the statement
    for name in ("handlers", "cases"):
        for part, of_tree in zip(getattr(node, name, ()), getattr(statement, name, ()), strict=False):
            if isinstance(part.body, cst.IndentedBlock):
                found.append((part.body.body, of_tree.body))
    return found


def aligned(code: str, text: str, spans: Spans) -> Spans | None:
    """Offsets into ``text`` for offsets into ``code``, where the two differ in white space only; None if in more.

    libcst drops a form feed at the start of a row, but never a visible character: the k-th visible character of the
    one is the k-th of the other.
    """
    in_code = [offset for offset, character in enumerate(code) if not character.isspace()]
    in_text = [offset for offset, character in enumerate(text) if not character.isspace()]
    if [code[offset] for offset in in_code] != [text[offset] for offset in in_text]:
        return None
    in_text.append(len(text))

    def place(span: Offsets) -> Offsets:
        first, behind = bisect_left(in_code, span[0]), bisect_left(in_code, span[1])
        start = in_text[first]
        return start, in_text[behind - 1] + 1 if behind > first else start

    return {node: place(span) for node, span in spans.items()}
