"""Whether a file that cannot be parsed could hold a finding: only then is it worth a word.

There is no tree to ask, so each word of the file may be whatever `traces.py` looks for.
"""

from __future__ import annotations

import re

from infonce_lint.screening.bytes import mentions
from infonce_lint.screening.tie_words import may_tie_size
from infonce_lint.screening.traces import may_hold_loss
from infonce_lint.settings import Settings
from infonce_lint.sources.document import code_of

_WORD = re.compile(r"[^\W\d]\w*")


def may_matter(data: bytes, path: str, settings: Settings) -> bool:
    """Whether the bytes of a file, or the code of a notebook, could hold a finding if they were Python.

    False is always right; a file with a NUL byte is no text.
    """
    if b"\0" in data:
        return False
    code = code_of(data, path)
    text = code.decode("utf-8", "replace")
    words = set(_WORD.findall(text))
    if not words.isdisjoint((*settings.size_names, *settings.config_names)):
        return True
    reads = next(mentions(code), None) is not None
    return may_tie_size(code) or (reads and may_hold_loss(words, has_product="@" in text))
