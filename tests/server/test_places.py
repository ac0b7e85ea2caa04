"""Positions, changes and edits over texts with letters of every width and row ends of every kind."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lsprotocol import types

from infonce_lint.finding import Position, Span
from infonce_lint.server.documents import Documents
from infonce_lint.server.positions import TextPositions
from infonce_lint.server.workspace_edits import text_edits
from infonce_lint.sources.source import SourceFile

ENCODINGS = tuple(types.PositionEncodingKind)
encodings = st.sampled_from(ENCODINGS)
texts = st.text(st.sampled_from("ab é漢🎉𝒩\n\r\f\v\x1c\x85\u2028\t"), max_size=30)


@given(text=texts, encoding=encodings, data=st.data())
def test_places_survive_the_way_to_the_client_and_back(
    text: str, encoding: types.PositionEncodingKind, data: st.DataObject
) -> None:
    source, positions = SourceFile(text, ""), TextPositions(text, encoding)
    offset = data.draw(st.integers(0, len(text)))
    if text[offset - 1 : offset + 1] == "\r\n":
        offset -= 1  # no client can name a place inside a row end
    there = positions.to_client(source.position(offset))
    assert positions.offset(there) == offset
    before = text[:offset].replace("\r\n", "\n").replace("\r", "\n").rpartition("\n")[2]
    width = {"utf-8": 1, "utf-16": 2, "utf-32": 4}[encoding.value]
    codec = encoding.value if width == 1 else f"{encoding.value}-le"
    assert there.character == len(before.encode(codec)) // width


def test_places_beyond_the_text_are_the_nearest_that_there_are() -> None:
    positions = TextPositions("ab\r\n🎉", types.PositionEncodingKind.Utf16)
    assert positions.offset(types.Position(0, 99)) == 2
    assert positions.offset(types.Position(1, 1)) == positions.offset(types.Position(1, 99)) == 5
    assert positions.offset(types.Position(7, 0)) == 5
    assert positions.to_client(Position(9, 9)) == types.Position(1, 2)


@pytest.mark.parametrize(
    ("text", "place", "expected"),
    [
        ("ab = \n", Position(1, 6), "0:5-0:5"),
        ("ab = (\n", Position(1, 3), "0:2-0:6"),
        ("", Position(1, 1), "0:0-0:0"),
        ("\ufeffab", Position(1, 2), "0:2-0:3"),
        ("\ufeff\nab", Position(2, 2), "1:1-1:2"),
    ],
)
def test_an_empty_span_reaches_to_the_end_of_its_row(text: str, place: Position, expected: str) -> None:
    made = TextPositions(text, types.PositionEncodingKind.Utf16).to_range(Span(place, place))
    assert f"{made.start.line}:{made.start.character}-{made.end.line}:{made.end.character}" == expected


@given(before=texts, after=texts, encoding=encodings)
def test_edits_make_the_one_text_into_the_other(before: str, after: str, encoding: types.PositionEncodingKind) -> None:
    """Made back to front by the store of documents, which reads places in its own way."""
    documents = _opened(before, encoding)
    edits = text_edits(before, after, encoding)
    changes = [types.TextDocumentContentChangePartial(each.range, each.new_text) for each in reversed(edits)]
    documents.change(types.VersionedTextDocumentIdentifier(uri="untitled:a", version=2), changes)
    part = documents.part("untitled:a")
    assert part is not None
    assert (part.text, part.version) == (after, 2)
    assert bool(edits) is (before != after)


@given(text=texts, new=texts, encoding=encodings, data=st.data())
def test_a_change_replaces_what_the_client_means(
    text: str, new: str, encoding: types.PositionEncodingKind, data: st.DataObject
) -> None:
    cuts = [i for i in range(len(text) + 1) if text[i - 1 : i + 1] != "\r\n" or i == 0]
    start, end = sorted((data.draw(st.sampled_from(cuts)), data.draw(st.sampled_from(cuts))))
    positions = TextPositions(text, encoding)
    source = SourceFile(text, "")
    place = types.Range(positions.to_client(source.position(start)), positions.to_client(source.position(end)))
    documents = _opened(text, encoding)
    identifier = types.VersionedTextDocumentIdentifier(uri="untitled:a", version=5)
    documents.change(identifier, [types.TextDocumentContentChangePartial(place, new)])
    part = documents.part("untitled:a")
    assert part is not None
    assert part.text == text[:start] + new + text[end:]
    documents.change(identifier, [types.TextDocumentContentChangeWholeDocument("whole")])
    part = documents.part("untitled:a")
    assert part is not None
    assert part.text == "whole"


def _opened(text: str, encoding: types.PositionEncodingKind) -> Documents:
    documents = Documents()
    documents.encoding = encoding
    documents.open(types.TextDocumentItem("untitled:a", "python", 1, text))
    return documents
