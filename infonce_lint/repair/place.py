"""Where text can be put: edits on nodes, statements inserted before others, free names, parentheses."""

from __future__ import annotations

import builtins
import io
import keyword
import re
import tokenize
from collections.abc import Collection

import libcst as cst

from infonce_lint.finding import Edit, Position, Span
from infonce_lint.repair.layout import step_of
from infonce_lint.semantic.graph.values import Block, Function, Value
from infonce_lint.sources.source import SourceFile

_GAPS = re.compile(r"(?<=[(\[]) (?=\S)|(?<=\S) (?=[)\]])")  # blanks that joined rows leave inside brackets
_STEPS = re.compile(r"^(?: {4})+(?=\S)")  # how new code indents; the file may do it in another way


def span_of(source: SourceFile, value: Value) -> Span:
    """Where the expression of a value stands."""
    assert value.node is not None
    return source.span(value.node, value.statement)


def replace(source: SourceFile, value: Value, text: str) -> Edit:
    """Replace the text of a value's expression."""
    return Edit(span_of(source, value), text)


def delete(start: Position, end: Position) -> Edit:
    """Remove the text between two places."""
    return Edit(Span(start, end), "")


def anchor(blocks: list[tuple[Block, int]]) -> tuple[Block, int] | None:
    """The statement before which a definition dominates all given (block, statement) places, or None.

    Walks up to the nearest block that encloses them all, and out of one-line suites and ``elif`` branches.
    """
    chains = [_chain(block, index) for block, index in blocks]
    common: list[tuple[Block, int]] = []
    for block, _ in chains[0]:
        places = [next((i for b, i in chain if b is block), None) for chain in chains]
        if all(place is not None for place in places):
            common.append((block, min(place for place in places if place is not None)))
    for block, index in common:
        if not block.inline and index in block.statements:
            return block, index
    return None


def _chain(block: Block, index: int) -> list[tuple[Block, int]]:
    """The block of a statement and those around it, innermost first, with the statement's number in each."""
    found = []
    current: Block | None = block
    while current is not None:
        found.append((current, index))
        index = current.index
        current = current.parent
    return found


def is_bound_before(value: Value, place: tuple[Block, int]) -> bool:
    """Whether a variable's value is there for certain when the statement at ``place`` (and its row) begins."""
    if value.op in ("param", "import"):
        return True
    current: Block | None
    current, at = place
    while current is not None:
        if current is value.block:
            # what a statement's head binds, a loop's variable, is there in its suite
            return value.index < _first_on_row(current, at) or (current is not place[0] and value.index == at)
        at, current = current.index, current.parent
    return False


def _first_on_row(block: Block, index: int) -> int:
    """The number of the first statement that shares its row with another one."""
    while index > 0 and block.statements.get(index - 1) is block.statements.get(index, block):
        index -= 1
    return index


def depth_of(block: Block) -> int:
    """How many blocks stand around one."""
    return len(_chain(block, 0))


def indent_of(source: SourceFile, place: tuple[Block, int]) -> str | None:
    """The blanks before a statement; None where it does not begin its row."""
    block, index = place
    start = start_of(source, block.statements[index])
    indent = source.rows[start.row - 1][: start.column - 1]
    return indent if not indent.strip() else None


def insert_before(source: SourceFile, place: tuple[Block, int], lines: list[str]) -> Edit | None:
    """Put statements before another one, at its indentation; None where it does not begin its row."""
    block, index = place
    start = start_of(source, block.statements[index])
    indent = indent_of(source, place)
    if indent is None:
        return None
    step = step_of(source, indent)
    rows = [_STEPS.sub(lambda found: step * (len(found[0]) // 4), row) for line in lines for row in line.split("\n")]
    return Edit(Span(start, start), "".join(f"{row}\n{indent}" for row in rows))


def start_of(source: SourceFile, statement: cst.CSTNode) -> Position:
    """Where a statement begins, its decorators included."""
    if isinstance(statement, cst.FunctionDef | cst.ClassDef) and statement.decorators:
        return source.span(statement.decorators[0], statement).start
    return source.span(statement, statement).start


def home_of(block: Block) -> Block:
    """The branch that statements can be put into: a suite on its header's row belongs to what is around it."""
    while block.inline and block.parent is not None:
        block = block.parent
    return block


def encloses(outer: Block, inner: Block) -> bool:
    """Whether ``inner`` is ``outer`` or stands in it."""
    return any(block is outer for block, _ in _chain(inner, 0))


def is_in_class_body(block: Block) -> bool:
    """Whether the statements of ``block`` run in a class body."""
    current: Block | None = block
    while current is not None:
        if isinstance(current.statement, cst.ClassDef):
            return True
        current = current.parent
    return False


def loses_comment(source: SourceFile, edit: Edit) -> bool:
    """Whether ``edit`` takes out a comment; a ``#`` in a string of several rows counts as one."""
    replaced = source.segment(edit.span)
    return ("\n" in replaced or "\r" in replaced) and replaced.count("#") > edit.content.count("#")


def on_one_row(text: str) -> str | None:
    """An expression without its comments and row breaks; None where a string goes over several rows."""
    bracketed = f"({text}\n)"
    rows = bracketed.splitlines()
    try:
        for token in tokenize.generate_tokens(io.StringIO(bracketed).readline):
            if token.type == tokenize.COMMENT:
                row, column = token.start
                rows[row - 1] = rows[row - 1][:column]
            elif token.start[0] != token.end[0] and token.type not in (
                tokenize.NEWLINE,
                tokenize.NL,
                tokenize.ENDMARKER,
            ):
                return None
    except (tokenize.TokenError, SyntaxError):
        return None
    joined = " ".join(row.strip().removesuffix("\\").strip() for row in rows).strip()
    return _GAPS.sub("", joined.removeprefix("(").removesuffix(")").strip())


def free_name(wanted: str, function: Function, taken: Collection[str] = ()) -> str:
    """``wanted``, or it with a number, so that it hides nothing that the function uses, nor a name just ``taken``."""
    used: list[Collection[str]] = [function.bindings, function.parameters, taken]
    scope = function.parent
    while scope is not None:
        used += [scope.bindings, scope.final]
        scope = scope.parent
    if function.owner is None and function.is_module:
        used.append(function.final)
    number, name = 1, wanted
    while any(name in each for each in used) or keyword.iskeyword(name) or hasattr(builtins, name):
        number += 1
        name = f"{wanted}_{number}"
    return name


def new_argument(source: SourceFile, call: Value, text: str) -> Edit | None:
    """Add an argument at the end of a call; None behind a generator that stands alone."""
    node = call.node
    assert isinstance(node, cst.Call)
    if node.args and isinstance(node.args[-1].value, cst.GeneratorExp) and not node.args[-1].value.lpar:
        return None
    if node.args:
        end = source.span(node.args[-1].value, call.statement).end
        return Edit(Span(end, end), f", {text}")
    at = source.position(source.offset(span_of(source, call).end) - 1)
    return Edit(Span(at, at), text)


def needs_brackets(read: Value) -> bool:
    """Whether an operator stands next to a read, so that what replaces it must hold together."""
    return any(user.op in ("binop", "unary", "compare") for user in read.users)


def is_bracketed(node: cst.CSTNode) -> bool:
    """Whether an expression has brackets of its own."""
    return bool(getattr(node, "lpar", ()))
