"""Formulas: LaTeX between dollar signs becomes MathML when the site is built, so that no script has to be loaded.

Only on pages that say ``math: true`` at their top, and never inside code.
"""

from __future__ import annotations

import re
from typing import Any

FORMULA = re.compile(
    r"^```.*?^```|`[^`\n]+`|\$\$(?P<display>.+?)\$\$|\$(?P<inline>[^$\n]+)\$", re.DOTALL | re.MULTILINE
)


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """The page's text with its formulas replaced."""
    return with_formulas(markdown) if page.meta.get("math") else markdown


def with_formulas(markdown: str) -> str:
    """The text with its formulas as MathML."""
    from latex2mathml.converter import convert

    def made(match: re.Match[str]) -> str:
        if match["display"]:
            return f'<div class="formula">{convert(match["display"].strip(), display="block")}</div>'
        # A paragraph that began with <math> itself would count as a block of HTML.
        return f"<span>{convert(match['inline'])}</span>" if match["inline"] else match[0]

    return FORMULA.sub(made, markdown)
