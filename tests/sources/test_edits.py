"""Edits by position: exact inside, untouched outside."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infonce_lint.finding import Edit, Position, Span
from infonce_lint.sources.edits import apply_edits, overlaps
from infonce_lint.sources.source import SourceFile


def edit(start: tuple[int, int], end: tuple[int, int], content: str) -> Edit:
    return Edit(Span(Position(*start), Position(*end)), content)


def test_edits_are_made_at_their_places() -> None:
    source = SourceFile("a = size\nb = 'é漢'; c = size\n", "test.py")
    edits = [
        edit((2, 15), (2, 19), "rows"),
        edit((1, 5), (1, 9), "rows"),
        edit((1, 1), (1, 1), "rows = z.shape[0]\n"),
        edit((3, 1), (3, 1), "# end\n"),
        edit((2, 9), (2, 10), ""),
    ]
    assert apply_edits(source, edits) == "rows = z.shape[0]\na = rows\nb = 'é漢' c = rows\n# end\n"


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_inserted_rows_end_as_the_rows_of_the_file(newline: str) -> None:
    source = SourceFile(f"a{newline}b{newline}", "test.py")
    assert apply_edits(source, [edit((2, 1), (2, 1), "x\n\ty\n")]) == newline.join(["a", "x", "\ty", "b", ""])


def test_other_row_ends_of_a_mixed_file_stay() -> None:
    source = SourceFile("a\r\nb\rc\r\n'''\n'''", "test.py")
    assert apply_edits(source, [edit((3, 1), (3, 1), "x\n")]) == "a\r\nb\rx\r\nc\r\n'''\n'''"


def test_equal_edits_are_made_once() -> None:
    source = SourceFile("a = 1\n", "test.py")
    assert apply_edits(source, [edit((1, 1), (1, 1), "b\n"), edit((1, 1), (1, 1), "b\n")]) == "b\na = 1\n"


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        (((1, 1), (1, 3)), ((1, 2), (1, 4)), True),
        (((1, 1), (1, 3)), ((1, 3), (1, 4)), False),
        (((1, 1), (1, 9)), ((1, 4), (1, 4)), True),
        (((1, 1), (1, 3)), ((1, 1), (1, 1)), False),
        (((1, 1), (1, 3)), ((1, 3), (1, 3)), False),
        (((1, 2), (1, 2)), ((1, 2), (1, 2)), True),
        (((1, 2), (1, 2)), ((1, 3), (1, 3)), False),
        (((1, 8), (3, 2)), ((2, 1), (2, 5)), True),
        (((1, 8), (2, 1)), ((2, 1), (2, 5)), False),
        (((1, 2), (1, 5)), ((1, 2), (1, 5)), True),
    ],
)
def test_overlaps(
    first: tuple[tuple[int, int], tuple[int, int]], second: tuple[tuple[int, int], tuple[int, int]], expected: bool
) -> None:
    a, b = edit(*first, "a"), edit(*second, "b")
    assert (overlaps(a, b), overlaps(b, a)) == (expected, expected)


def test_an_insertion_stands_before_the_replacement_at_its_place() -> None:
    source = SourceFile("size", "test.py")
    assert apply_edits(source, [edit((1, 1), (1, 5), "rows"), edit((1, 1), (1, 1), "n = 1; ")]) == "n = 1; rows"


def test_overlapping_edits_are_refused() -> None:
    source = SourceFile("abcdef", "some.py")
    with pytest.raises(ValueError, match=r"some\.py: overlapping edits"):
        apply_edits(source, [edit((1, 1), (1, 4), "x"), edit((1, 3), (1, 5), "y")])


@pytest.mark.parametrize("place", [((2, 1), (2, 1)), ((1, 1), (1, 9)), ((1, 3), (1, 2))])
def test_an_edit_outside_the_text_or_backwards_is_refused(place: tuple[tuple[int, int], tuple[int, int]]) -> None:
    with pytest.raises(ValueError, match=r"some\.py"):
        apply_edits(SourceFile("abc", "some.py"), [edit(*place, "x")])


@given(
    st.text(st.sampled_from("ab \n\r\t\fé😀"), min_size=1, max_size=40),
    st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40), st.text("xyz", max_size=4)), max_size=5),
)
def test_everything_outside_the_edits_stays(text: str, wanted: list[tuple[int, int, str]]) -> None:
    source = SourceFile(text, "test.py")
    edits: list[Edit] = []
    expected, done = "", 0
    for first, second, content in sorted((min(a, b), max(a, b), content) for a, b, content in wanted):
        start, end = min(first, len(text)), min(second, len(text))
        new = Edit(Span(source.position(start), source.position(end)), content)
        if start < done or any(overlaps(new, old) for old in edits):
            continue
        edits.append(new)
        expected += text[done:start] + content
        done = end
    assert apply_edits(source, reversed(edits)) == expected + text[done:]
