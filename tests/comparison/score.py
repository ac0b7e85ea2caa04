"""Reports against the fixtures' markers: reads found, false alarms."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from infonce_lint.engine.linter import lint_bytes
from infonce_lint.settings import Settings
from tests.comparison.tools import Place, Tool
from tests.fixed_siblings import sibling
from tests.fixture_cases import read_expectations, rule_fixtures, silent_fixtures


@dataclass(frozen=True)
class Score:
    """What a tool did on all fixtures; a false alarm is counted once a row.

    ``beside`` are rows without a defect in defective files, ``repaired`` rows of files after the fix, ``silent`` rows
    of files that are right (``silent_files`` of them got at least one).
    """

    found: int
    beside: int
    repaired: int
    silent: int
    silent_files: int


@cache
def defects() -> dict[Place, frozenset[int]]:
    """Each row with a marker, and the rows that also count as finding it: those that the size flows into."""
    places: dict[Place, frozenset[int]] = {}
    for file in rule_fixtures():
        data = file.read_bytes()
        flows: defaultdict[int, set[int]] = defaultdict(set)
        for finding in lint_bytes(data, file.as_posix(), Settings()):
            rows = flows[finding.span.start.row]
            for related in finding.related:
                rows.update(range(related.span.start.row, related.span.end.row + 1))
        for wanted in read_expectations(data.decode()):
            places[file, wanted.row] = frozenset({wanted.row, *flows[wanted.row]})
    return places


def repaired_fixtures() -> list[Path]:
    """Every file that holds a fix."""
    return [sibling(file) for file in rule_fixtures() if sibling(file).exists()]


def score(tool: Tool) -> Score:
    """Run ``tool`` on all fixtures."""
    places = defects()
    reported = tool.report(rule_fixtures())
    found = {place for place, rows in places.items() if any((place[0], row) in reported for row in rows)}
    allowed = {(file, row) for (file, _), rows in places.items() for row in rows}
    silent = tool.report(silent_fixtures())
    return Score(
        found=len(found),
        beside=len(reported - allowed),
        repaired=len(tool.report(repaired_fixtures())),
        silent=len(silent),
        silent_files=len({file for file, _ in silent}),
    )
