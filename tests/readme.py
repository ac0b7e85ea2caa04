"""The generated parts of README.md and of its translation; ``python -m tests.readme`` writes them anew."""

from __future__ import annotations

import re
from pathlib import Path

from infonce_lint.rules.catalogue import catalogue

README = Path(__file__).resolve().parents[1] / "README.md"
CHINESE = README.with_name("README.zh-CN.md")
FENCE = re.compile(r"^```.*?^```$", re.DOTALL | re.MULTILINE)
BEGIN, END = "<!-- begin generated: rules -->", "<!-- end generated: rules -->"


def rule_table() -> str:
    """One row a code, from the rules' own files."""
    rows = [f"| {entry.code} | `{entry.name}` | {entry.summary} |" for entry in catalogue()]
    return "\n".join(["| code | name | what it reports |", "|---|---|---|", *rows])


def with_rule_table(text: str) -> str:
    """The text of the README with the table between its markers replaced."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{rule_table()}\n{END}{after}"


def with_fences_of(english: str, translation: str) -> str:
    """The translation with the code blocks of the English text, one after the other.

    Raises:
        ValueError: the two have not equally many.
    """
    blocks, places = FENCE.findall(english), len(FENCE.findall(translation))
    if len(blocks) != places:
        raise ValueError(f"README.md has {len(blocks)} code blocks, its translation {places}")
    return FENCE.sub(lambda _: blocks.pop(0), translation)


if __name__ == "__main__":
    README.write_text(with_rule_table(README.read_text(encoding="utf-8")), encoding="utf-8")
    translated = with_fences_of(README.read_text(encoding="utf-8"), CHINESE.read_text(encoding="utf-8"))
    CHINESE.write_text(translated, encoding="utf-8")
