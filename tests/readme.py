"""The generated parts of README.md; ``python -m tests.readme`` writes them anew."""

from __future__ import annotations

from pathlib import Path

from infonce_lint.catalogue import catalogue

README = Path(__file__).resolve().parents[1] / "README.md"
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


if __name__ == "__main__":
    README.write_text(with_rule_table(README.read_text(encoding="utf-8")), encoding="utf-8")
