"""Prints the table of docs/comparison.md; tools that are not installed are left out and named on standard error."""

from __future__ import annotations

import sys

from tests.comparison.score import defects, repaired_fixtures, score
from tests.comparison.tools import TOOLS
from tests.fixture_cases import silent_fixtures


def table() -> str:
    """One row a tool, in Markdown."""
    total, repaired, silent = len(defects()), len(repaired_fixtures()), len(silent_fixtures())
    lines = [
        f"| | reads found, of {total} | false alarms beside them | false alarms in {repaired} repaired files "
        f"| false alarms in {silent} right files |",
        "|---|---|---|---|---|",
    ]
    for tool in TOOLS:
        if not tool.installed:
            print(f"{tool.name}: no command {tool.command!r}, left out", file=sys.stderr)
            continue
        got = score(tool)
        right = f"{got.silent} in {got.silent_files} files" if got.silent else "0"
        lines.append(f"| {tool.name} | {got.found} | {got.beside} | {got.repaired} | {right} |")
    return "\n".join(lines)


if __name__ == "__main__":
    print(table())
