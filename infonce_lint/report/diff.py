"""What ``--diff`` prints: unified diffs of the files as ``--fix`` would leave them, in bytes as ``git diff`` does."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Iterator

_ROW = re.compile(rb"[^\n]*\n|[^\n]+")


def unified_diff(path: str, before: bytes, after: bytes) -> Iterator[bytes]:
    """The rows of a diff that ``patch`` and ``git apply`` accept; row ends and encoding stay the file's own."""
    name = os.fsencode(path)
    rows = difflib.diff_bytes(difflib.unified_diff, _ROW.findall(before), _ROW.findall(after), name, name)
    for row in rows:
        yield row if row.endswith(b"\n") else row + b"\n\\ No newline at end of file\n"
