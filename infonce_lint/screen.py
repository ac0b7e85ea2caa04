"""What cannot hold a finding, told from the text alone and long before libcst is asked."""

from __future__ import annotations

import re

from infonce_lint.settings import Settings
from infonce_lint.source import SourceFile

#: Every configured size has one of these in some name (see `semantic/names.py`).
_SIZE = re.compile(r"(?i)batch|bs(?![a-z])|bsz|bsize")
#: Every loss multiplies matrices, compares rows by a similarity, or calls a loss by a contrastive name.
_LOSS = re.compile(
    r"(?i)@|matmul|\bmm\b|einsum|bmm|tensordot|\binner\b|\bdot\b|cdist|distance|cos|sim|kernel|affinity|gram|"
    r"xent|nce|contras|siglip|moco|cpc|dcl|clip|nt|supcon|hsic|dssm|align|reduce_?sum|\bsum\b"
)


def may_hold_finding(source: SourceFile, settings: Settings) -> bool:
    """Whether a file could hold a finding; False only when a name that every finding needs is absent."""
    text = source.text
    if settings.size_names or settings.config_names or not text.isascii():
        return True
    return _SIZE.search(text) is not None and _LOSS.search(text) is not None
