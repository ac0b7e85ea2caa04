"""Changes of open documents as the protocol's edits: only the rows that differ are sent."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

from lsprotocol import types

from infonce_lint.server.documents import Unit
from infonce_lint.server.positions import TextPositions
from infonce_lint.sources.source import SourceFile


def workspace_edit(
    unit: Unit, texts: Sequence[str], encoding: types.PositionEncodingKind, *, versioned: bool
) -> types.WorkspaceEdit | None:
    """The edit that gives the documents of ``unit`` these texts; None if they have them already.

    Args:
        versioned: the client takes edits that name the version of a document which they apply to.
    """
    changes = {
        document: text_edits(document.text, text, encoding)
        for document, text in zip(unit.documents, texts, strict=True)
        if document.text != text
    }
    if not changes:
        return None
    if not versioned:
        return types.WorkspaceEdit(changes={document.uri: edits for document, edits in changes.items()})
    return types.WorkspaceEdit(
        document_changes=[
            types.TextDocumentEdit(
                text_document=types.OptionalVersionedTextDocumentIdentifier(uri=document.uri, version=document.version),
                edits=edits,
            )
            for document, edits in changes.items()
        ]
    )


def text_edits(before: str, after: str, encoding: types.PositionEncodingKind) -> list[types.TextEdit]:
    """The edits that make ``before`` into ``after``, whole rows at a time."""
    positions = TextPositions(before, encoding)
    old, new = SourceFile(before, "").rows, SourceFile(after, "").rows
    same = next((row for row, (a, b) in enumerate(zip(old, new)) if a != b), min(len(old), len(new)))
    matcher = difflib.SequenceMatcher(None, old[same:], new[same:], autojunk=False)
    return [
        types.TextEdit(
            range=positions.rows(same + start, same + end), new_text="".join(new[same + first : same + last])
        )
        for change, start, end, first, last in matcher.get_opcodes()
        if change != "equal"
    ]
