"""Changes of open documents as the protocol's edits: only the rows that differ are sent."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

from lsprotocol import types

from infonce_lint.server.documents import OpenDocument
from infonce_lint.server.positions import TextPositions
from infonce_lint.sources.source import SourceFile


def workspace_edit(
    document: OpenDocument, texts: Sequence[str], encoding: types.PositionEncodingKind, *, versioned: bool
) -> types.WorkspaceEdit | None:
    """The edit that gives the parts of ``document`` these texts; None if they have them already.

    Args:
        versioned: the client takes edits that name the version of a part which they apply to.
    """
    changes = {
        part: text_edits(part.text, text, encoding)
        for part, text in zip(document.parts, texts, strict=True)
        if part.text != text
    }
    if not changes:
        return None
    if not versioned:
        return types.WorkspaceEdit(changes={part.uri: edits for part, edits in changes.items()})
    return types.WorkspaceEdit(
        document_changes=[
            types.TextDocumentEdit(
                text_document=types.OptionalVersionedTextDocumentIdentifier(uri=part.uri, version=part.version),
                edits=edits,
            )
            for part, edits in changes.items()
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
