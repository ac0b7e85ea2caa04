"""What cannot hold a finding, told from the text alone and long before libcst is asked.

The screen only ever says "cannot": every finding is the read of a configured size, and every such size, however it is
renamed later, enters the file under a name that `semantic/names.py` takes for one. A text without such a name is passed
over. What the pattern lets through is decided by the semantic model.
"""

from __future__ import annotations

import re

from infonce_lint.settings import Settings
from infonce_lint.source import SourceFile

#: The spellings behind `is_size_name` and, for entries of a configuration, `is_config_size_name`.
_SIZE = re.compile(
    r"""(?i:batch\w*?(?:size|sz|samples)|(?:size|sz|samples)\w*?batch|per_*batch|nbatch|bsz|bsize)
    | (?<![A-Za-z])bs(?![a-z])
    | (?<![A-Z])BS(?![a-z])
    | Bs(?![a-z])
    | [.\["']\s*_*(?i:(?:train_*)?batch(?:es)?)_*(?![A-Za-z0-9])""",
    re.VERBOSE,
)


def may_hold_finding(source: SourceFile, settings: Settings) -> bool:
    """Whether a file could hold a finding; False only when a name that every finding needs is absent."""
    if settings.size_names or settings.config_names or not source.text.isascii():
        return True  # names of the user's own, or letters that Python folds into others
    return _SIZE.search(source.text) is not None
