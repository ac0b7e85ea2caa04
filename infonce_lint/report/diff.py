"""What ``--diff`` prints: unified diffs of the files as ``--fix`` would leave them, in bytes as ``git diff`` does."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Iterator

_ROW = re.compile(rb"[^\n]*\n|[^\n]+")


def unified_diff(path: str, before: bytes, after: bytes) -> Iterator[bytes]:
    """The rows of a diff that ``patch`` and ``git apply`` accept; row ends and encoding stay the file's own."""
    name = _quoted(os.fsencode(path.replace(os.sep, "/")))
    rows = difflib.diff_bytes(difflib.unified_diff, _ROW.findall(before), _ROW.findall(after), name, name)
    for row in rows:
        yield row if row.endswith(b"\n") else row + b"\n\\ No newline at end of file\n"


def _quoted(name: bytes) -> bytes:
    """A name that would break its row in git's way: in quotes, with escapes."""
    if not any(byte < 0x20 or byte in b'"\\\x7f' for byte in name):
        return name
    escaped = (b"\\%03o" % byte if byte < 0x20 or byte == 0x7F else bytes((byte,)) for byte in name)
    inside = b"".join(b"\\" + each if each in (b'"', b"\\") else each for each in escaped)
    return b'"' + inside + b'"'
