"""The bytes, the text, the trees and the positions of one file."""

from __future__ import annotations

import ast
import pathlib
import subprocess
import sys
import tokenize
import warnings
from io import BytesIO

import libcst as cst
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from libcst.metadata import MetadataWrapper, PositionProvider

from infonce_lint.finding import Position, Span
from infonce_lint.sources.source import UNREADABLE, SourceError, SourceFile
from tests.hostile import BROKEN, FIXTURES

TEXTS = st.text(st.sampled_from("ab=1 ()\"'#\\\n\r\t\f\v\x1c\u2028é漢😀:"), max_size=60)


def fixture(name: str) -> SourceFile:
    return SourceFile.from_bytes((FIXTURES / name).read_bytes(), name)


# ---- bytes and text


@pytest.mark.parametrize(
    ("data", "text", "encoding", "bom"),
    [
        (b"a = 1\n", "a = 1\n", "utf-8", False),
        (b"\xef\xbb\xbfa = 1\r\n", "a = 1\r\n", "utf-8", True),
        (b"# coding: latin-1\n'\xfc'", "# coding: latin-1\n'ü'", "iso-8859-1", False),
        (b"#!/usr/bin/python\r# vim: set fileencoding=cp1252 :\r'\x80'\r", None, "cp1252", False),
        (b"\xef\xbb\xbf# coding: utf-8\n'\xc3\xbc'", "# coding: utf-8\n'ü'", "utf-8", True),
        (b"\n\n# coding: latin-1\n'\xc3\xbc'", "\n\n# coding: latin-1\n'ü'", "utf-8", False),
        (b"", "", "utf-8", False),
    ],
)
def test_bytes_are_decoded_as_python_does(data: bytes, text: str | None, encoding: str, bom: bool) -> None:
    source = SourceFile.from_bytes(data, "test.py")
    assert text is None or source.text == text
    assert (source.encoding, source.bom) == (encoding, bom)
    assert source.encode(source.text) == data


@given(TEXTS, st.sampled_from(["utf-8", "latin-1", "gb18030", "shift_jis", "utf-7"]), st.booleans())
def test_text_survives_the_way_to_bytes_and_back(text: str, encoding: str, bom: bool) -> None:
    text = text if encoding == "utf-8" else f"# coding: {encoding}\n{text}"
    source = SourceFile(text, "test.py", encoding, bom and encoding == "utf-8")
    try:
        data = source.encode(text)
    except SourceError as error:
        assert source.position(text.index(ast.literal_eval(error.message.split(" cannot")[0]))) == error.position
        return
    again = SourceFile.from_bytes(data, "test.py")
    assert (again.text, again.bom) == (text, source.bom)


@given(st.binary(max_size=80))
@example(b"# coding: rot13\n")
@example(b"# coding: undefined\n")
@example(b"# coding: idna\n\xff")
@example(b"# coding: utf-16\nab")
@example(b"# coding: unicode_escape\n\\d")
@example(b"# coding: unicode_escape\n\\ud800")
@example(b"\xef\xbb\xbf# coding: latin-1\n")
@example(b"\xff\xfea\x00")
def test_no_bytes_crash_the_decoder(data: bytes) -> None:
    try:
        source = SourceFile.from_bytes(data, "test.py")
        source.tree  # noqa: B018
    except SourceError as error:
        assert error.message
        assert "\n" not in error.message
        return
    assert isinstance(source.text, str)


@pytest.mark.parametrize(
    ("name", "words", "position"),
    [
        ("invalid_utf_8.py", ["utf-8", "0xfc", "save the file as UTF-8"], Position(2, 10)),
        ("unknown_encoding.py", ["unknown encoding", "klingon"], Position(1, 1)),
        ("nul_byte.py", ["NUL byte"], Position(2, 10)),
        ("python_2.py", ["syntax error", "print"], Position(2, 1)),
        ("deep_parentheses.py", ["too many nested parentheses"], None),
        ("nested_pattern.py", ["too deeply nested"], Position(1, 1)),
    ],
)
def test_unreadable_files_say_why_and_where(name: str, words: list[str], position: Position | None) -> None:
    with pytest.raises(SourceError) as caught:
        fixture(name).module  # noqa: B018
    assert all(word in caught.value.message for word in words), caught.value.message
    assert position is None or caught.value.position == position
    finding = caught.value.finding
    assert (finding.code, finding.message, finding.span.start) == (
        UNREADABLE,
        caught.value.message,
        caught.value.position,
    )


def test_a_decoding_error_is_placed_by_code_points() -> None:
    with pytest.raises(SourceError) as caught:
        SourceFile.from_bytes("é = 1\rü = 'ü\\'".encode() + b"\xff'", "test.py")
    assert caught.value.position == Position(2, 9)
    with pytest.raises(SourceError) as caught:
        SourceFile.from_bytes(b"a = 1\n\n\nb = '\xff'\n", "test.py")
    assert caught.value.position == Position(4, 6)


def test_a_character_that_the_encoding_lacks_is_refused() -> None:
    source = fixture("declared_latin_1.py")
    with pytest.raises(SourceError, match="'漢' cannot be written in iso-8859-1") as caught:
        source.encode("a = 1\nb = '漢'")
    assert caught.value.position == Position(2, 6)


def test_text_with_a_byte_order_mark_keeps_it_out_of_the_columns() -> None:
    source = SourceFile.from_text("\ufeffa = 1", "-")
    assert (source.text, source.encode(source.text)) == ("a = 1", b"\xef\xbb\xbfa = 1")
    assert source.with_text("b").encode("b") == b"\xef\xbb\xbfb"


# ---- positions


@given(TEXTS)
@example("a\r\nb\rc\n\rd\f\v\x1ce\u2028f")
def test_offsets_and_positions_are_inverse(text: str) -> None:
    source = SourceFile(text, "test.py")
    positions = [source.position(offset) for offset in range(len(text) + 1)]
    assert [source.offset(position) for position in positions] == list(range(len(text) + 1))
    assert positions == sorted(set(positions))
    assert "".join(source.rows) == text
    universal = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    assert [row.rstrip("\r\n") for row in source.rows] == universal


@pytest.mark.parametrize("position", [Position(0, 1), Position(1, 0), Position(1, 3), Position(2, 3), Position(3, 1)])
def test_a_place_outside_the_text_is_refused(position: Position) -> None:
    source = SourceFile("a\nb", "some.py")
    with pytest.raises(ValueError, match=r"some\.py: no row"):
        source.offset(position)


@pytest.mark.parametrize("offset", [-1, 4])
def test_an_offset_outside_the_text_is_refused(offset: int) -> None:
    with pytest.raises(ValueError, match=r"some\.py: offset"):
        SourceFile("a\nb", "some.py").position(offset)


@pytest.mark.parametrize(
    ("text", "newline"), [("", "\n"), ("a", "\n"), ("a\r\nb\r\nc\n", "\r\n"), ("a\rb", "\r"), ("a\nb\r\n", "\n")]
)
def test_the_dominant_row_break(text: str, newline: str) -> None:
    assert SourceFile(text, "test.py").newline == newline


def agrees_with_libcst(source: SourceFile) -> None:
    """Every node that libcst's own PositionProvider places is placed alike (the end of the file aside)."""
    ranges = dict(MetadataWrapper(source.module, unsafe_skip_copy=True).resolve(PositionProvider))
    del ranges[source.module]
    for node, place in ranges.items():
        span = source.span(node)
        end = min(Position(place.end.line, place.end.column + 1), source.position(len(source.text)))
        assert span == Span(Position(place.start.line, place.start.column + 1), end), (type(node), span, place)


def agrees_with_cpython(source: SourceFile) -> None:
    """Names and numbers, in order, stand where CPython puts them."""
    wanted = [
        source.ast_span(node)
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Name) or (isinstance(node, ast.Constant) and type(node.value) is int)
    ]
    found: list[Span] = []

    class Leaves(cst.CSTVisitor):
        def visit_Name(self, node: cst.Name) -> None:
            found.append(source.span(node))

        def visit_Integer(self, node: cst.Integer) -> None:
            found.append(source.span(node))

    source.module.visit(Leaves())
    assert set(wanted) <= set(found)


@pytest.mark.parametrize("path", sorted(FIXTURES.parent.rglob("*.py")), ids=lambda path: path.name)
def test_every_node_of_the_fixtures_has_its_place(path: pathlib.Path) -> None:
    try:
        source = SourceFile.from_bytes(path.read_bytes(), str(path))
        source.module  # noqa: B018
    except SourceError:
        assert path.parent == FIXTURES
        return
    agrees_with_cpython(source)
    if source.editable:
        agrees_with_libcst(source)


PIECES = st.sampled_from(
    [
        "a = 1",
        "if a:\n    b = (a, # c\n  2)\nelif b: pass\nelse:\n\tc = 3",
        "for x in [a, b[1:2], *c]: x += -1",
        "@d\ndef f(a, *b: int, c=2, **d) -> 3:\n    '''é\n  \t漢'''\n    return lambda x, y=4: x if y else not a",
        "class A(B, metaclass=C): x: int = 5; y = 6",
        "with a as b, c: del d[0], e.f",
        "s = 'a' \"b\" f'{c!r:>{d}} {e=}'",
        "import a.b as c, d",
        "from . import (a as b,\n c)",
        "try: pass\nexcept (A, B) as e: raise C from e\nfinally: a[b, 1:, ...] = {**c, d: {e}}",
        "x = (y := [i for i in z if i < 1 <= 2] if a else {k: v for k, v in z})",
        "global a\nassert a, b; return_ = 5 @ c ** -d",
        "# only a comment é",
        "",
        "\f",
        "a = \\\n  1",
        "match a:\n    case [1, *b] | {'c': d, **e} if f: pass\n    case G(x=2) as h: pass",
    ]
)


@settings(max_examples=60, deadline=None)
@given(st.lists(PIECES, max_size=6), st.sampled_from(["\n", "\r\n", "\r"]), st.booleans())
@example(["\f", "a = 1", "a = 1"], "\n", True)
@example(["", "a = 1", "# only a comment é"], "\r", True)
@example(["a = 1"], "\r", False)
def test_positions_are_exact_whatever_the_row_ends(pieces: list[str], newline: str, ended: bool) -> None:
    text = newline.join(piece.replace("\n", newline) for piece in pieces) + newline * ended
    source = SourceFile.from_text(text, "test.py")
    agrees_with_cpython(source)
    assert source.editable or "\f" in text
    if source.editable:
        agrees_with_libcst(source)


def test_a_place_does_not_depend_on_the_parentheses_around_it() -> None:
    source = SourceFile("x = ( (a * b) )\n", "test.py")
    statement = source.module.body[0]
    assert isinstance(statement, cst.SimpleStatementLine)
    assign = statement.body[0]
    assert isinstance(assign, cst.Assign)
    assert source.segment(source.span(assign.value)) == "a * b"
    with pytest.raises(KeyError):
        source.span(cst.Name("a"))


@pytest.mark.parametrize(
    ("name", "editable"),
    [
        ("bom_and_crlf.py", True),
        ("mixed_row_ends.py", True),
        ("no_last_row_end.py", True),
        ("declared_latin_1.py", True),
        ("carriage_returns.py", True),
        ("form_feeds.py", False),
    ],
)
def test_what_libcst_would_mangle_is_not_edited(name: str, editable: bool) -> None:
    source = fixture(name)
    assert source.editable is editable
    assert bool(source.why_not_editable) is not editable
    assert source.encode(source.text) == (FIXTURES / name).read_bytes()


@pytest.mark.parametrize(
    "text",
    ["", "\r", "# a", "a\n\n \n", "a\n    # b\n  ", "a\n\t#b\n #c\n", "a\r\n \r", "if a:\r  b\r\r  c", "a;\n\t#b\n  "],
)
def test_comments_and_blanks_at_the_end_of_a_file_are_no_obstacle(text: str) -> None:
    source = SourceFile(text, "test.py")
    assert source.editable
    assert source.span(source.module) == Span(Position(1, 1), source.position(len(source.text)))


def test_the_reason_names_the_row_that_libcst_changes() -> None:
    assert "row 4" in SourceFile("a = 1\n\nb = 2\n\fc = 3\n", "test.py").why_not_editable


# ---- trees


def test_syntax_warnings_stay_unsaid() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert SourceFile("a = '\\d'\nb = 1 is 1\n", "test.py").tree.body


@pytest.mark.parametrize("name", BROKEN)
def test_broken_text_is_refused_in_one_line(name: str) -> None:
    source = SourceFile.from_text(BROKEN[name], "test.py")
    with pytest.raises(SourceError) as caught:
        source.module  # noqa: B018
    assert "\n" not in caught.value.message
    source.offset(caught.value.position)


def test_valid_python_that_libcst_cannot_parse_is_refused() -> None:
    with pytest.raises(SourceError, match="libcst cannot parse") as caught:
        SourceFile("a = 1\n(a): int = 1\n", "test.py").module  # noqa: B018
    assert caught.value.position.row == 2


def nodes(source: SourceFile) -> list[cst.CSTNode]:
    found: list[cst.CSTNode] = []
    pending: list[cst.CSTNode] = [source.module]
    while pending:
        found.append(pending.pop())
        pending += reversed(found[-1].children)
    return found


def test_the_declared_encoding_does_not_matter_once_it_is_text() -> None:
    source = SourceFile.from_text("# coding: latin-1\nname = 'zü' + b\n", "cell")
    assert source.editable
    names = [node for node in nodes(source) if isinstance(node, cst.Name)]
    assert [source.segment(source.span(node)) for node in names] == ["name", "b"]


def test_libcst_is_not_imported_before_it_is_needed() -> None:
    script = """
import sys
from infonce_lint.sources.source import SourceFile
source = SourceFile.from_bytes(b"a = 1", "a.py"); source.tree, source.position(0), source.newline
from infonce_lint.engine import fixer
from infonce_lint.sources import edits
from infonce_lint.sources import notebook
from infonce_lint.sources import suppression
assert not any(name.split(".")[0] in ("libcst", "torch", "rich", "nbformat", "flake8") for name in sys.modules)
source.module, source.editable
assert "libcst.matchers" not in sys.modules and "libcst.codemod" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", script], check=True, cwd=FIXTURES.parent.parent, timeout=60)


def test_the_encoding_of_a_file_is_the_one_that_python_detects() -> None:
    for path in sorted(FIXTURES.glob("*.py")):
        data = path.read_bytes()
        try:
            source = SourceFile.from_bytes(data, path.name)
        except SourceError:
            continue
        detected, _ = tokenize.detect_encoding(BytesIO(data).readline)
        assert detected.removesuffix("-sig") == source.encoding
