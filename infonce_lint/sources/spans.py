"""Where each libcst node stands in the text: the one pass over libcst's own code generator that also gives its code.

It costs less than half of ``libcst.parse_module``; libcst's PositionProvider, whose positions these are, costs 2.6
times as much as parsing. Imports libcst, so `source.py` imports this module only when a node's place is asked for.
"""

from __future__ import annotations

from bisect import bisect_left
from contextlib import AbstractContextManager
from types import TracebackType

import libcst as cst
from libcst._nodes.internal import CodegenState

Offsets = tuple[int, int]
"""Start and end of a node, as offsets into the generated code."""

Spans = dict[int, Offsets]
"""Offsets by the `id` of a node of a living tree: a node's own hash is a Python function, which takes its time."""


class _Recorder(CodegenState):
    """Generates code as libcst does and notes the offsets between which each node falls."""

    def __init__(self, module: cst.Module) -> None:
        super().__init__(default_indent=module.default_indent, default_newline=module.default_newline)
        self.offset = 0
        self.spans: Spans = {}
        self._starts: list[int] = []

    def add_token(self, value: str) -> None:
        self.tokens.append(value)
        self.offset += len(value)

    def add_indent_tokens(self) -> None:
        for token in self.indent_tokens:
            self.add_token(token)

    def before_codegen(self, node: cst.CSTNode) -> None:
        self._starts.append(self.offset)

    def after_codegen(self, node: cst.CSTNode) -> None:
        # A syntactic position that is noted already, without blanks and brackets around it, is better.
        self.spans.setdefault(id(node), (self._starts.pop(), self.offset))

    def record_syntactic_position(  # type: ignore[override]  # libcst's is a generator: a third slower
        self,
        node: cst.CSTNode,
        *,
        start_node: cst.CSTNode | None = None,
        end_node: cst.CSTNode | None = None,
    ) -> AbstractContextManager[None]:
        return _Between(self, node, start_node, end_node)


class _Between(AbstractContextManager[None]):
    """Records what is generated inside the ``with`` as the place of ``node``."""

    __slots__ = ("_end_node", "_node", "_recorder", "_start", "_start_node")

    def __init__(
        self, recorder: _Recorder, node: cst.CSTNode, start_node: cst.CSTNode | None, end_node: cst.CSTNode | None
    ) -> None:
        self._recorder, self._node, self._start_node, self._end_node = recorder, node, start_node, end_node

    def __enter__(self) -> None:
        self._start = self._recorder.offset

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        spans = self._recorder.spans
        start = self._start if self._start_node is None else spans[id(self._start_node)][0]
        end = self._recorder.offset if self._end_node is None else spans[id(self._end_node)][1]
        spans[id(self._node)] = (start, end)


def generate(module: cst.Module) -> tuple[str, Spans]:
    """The code that libcst makes of ``module``, and each node's offsets in it (without its own parentheses)."""
    recorder = _Recorder(module)
    module._codegen(recorder)
    return "".join(recorder.tokens), recorder.spans


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
