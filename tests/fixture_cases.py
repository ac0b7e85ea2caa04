"""The fixtures of the repository and the findings that their `# expect:` markers ask for."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

FIXTURES = Path(__file__).resolve().parent.parent / "fixtures"
RULE_FOLDERS = {
    "configured-labels": "NCE001",
    "configured-mask": "NCE002",
    "configured-reshape": "NCE003",
    "configured-normaliser": "NCE004",
    "frozen-size": "NCE005",
}
MARKER = re.compile(r"#\s*expect:\s*(?P<wanted>.+?)\s*$")
ITEM = re.compile(r"(?P<codes>NCE\d{3}(?:\|NCE\d{3})*)(?:\s+x(?P<times>\d+))?")


@dataclass(frozen=True, slots=True)
class Expectation:
    """One finding that must start on ``row``, under one of ``codes`` (several where the design leaves a choice)."""

    row: int
    codes: frozenset[str]

    def __str__(self) -> str:
        return f"row {self.row}: {'|'.join(sorted(self.codes))}"


def read_expectations(text: str) -> list[Expectation]:
    """The markers of a fixture, in order.

    ``# expect: NCE001`` asks for one finding on its row, ``NCE001 x2`` for two, ``NCE001, NCE003`` for one of each, and
    ``NCE001|NCE002`` for one finding under either code. A marker that cannot be read raises ValueError.
    """
    expectations: list[Expectation] = []
    for row, line in enumerate(text.splitlines(), start=1):
        if not (marker := MARKER.search(line)):
            continue
        for item in re.split(r"\s*,\s*", marker["wanted"]):
            if not (parts := ITEM.fullmatch(item)):
                raise ValueError(f"row {row}: cannot read {item!r} in {line.strip()!r}")
            codes = frozenset(parts["codes"].split("|"))
            expectations.extend([Expectation(row, codes)] * int(parts["times"] or 1))
    return expectations


def disagreements(text: str, found: Iterable[tuple[int, str]]) -> list[str]:
    """What the fixture asks for and did not get, then what it got and did not ask for; each with its line of code."""
    lines = text.splitlines()
    left = Counter(found)
    problems: list[str] = []
    # Exact codes first, so that a row's free choice cannot take the finding that a strict marker needs.
    for wanted in sorted(read_expectations(text), key=lambda e: (len(e.codes), e.row)):
        match = next(((wanted.row, code) for code in sorted(wanted.codes) if left[wanted.row, code]), None)
        if match is None:
            problems.append(f"missing    {wanted}    {lines[wanted.row - 1].strip()}")
        else:
            left[match] -= 1
    for (row, code), times in sorted(left.items()):
        if times:
            many = f" x{times}" if times > 1 else ""
            problems.append(f"unexpected row {row}: {code}{many}    {lines[row - 1].strip()}")
    return problems


def rule_fixtures() -> list[Path]:
    """Every fixture that shows a defect."""
    return sorted(
        path
        for folder in RULE_FOLDERS
        for path in (FIXTURES / "rules" / folder).glob("*.py")
        if ".fixed" not in path.name
    )


def silent_fixtures() -> list[Path]:
    """Every fixture that must stay without a finding."""
    return sorted((FIXTURES / "silent").glob("*.py"))


def name_of(path: Path) -> str:
    """A fixture's path below ``fixtures/``, for test ids."""
    return path.relative_to(FIXTURES).as_posix()
