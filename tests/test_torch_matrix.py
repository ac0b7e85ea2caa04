"""The matrix of torch versions reads what pytest says, and holds the range of pyproject.toml."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.torch_matrix import VERSIONS, Result, counts_of, packages_for

ROOT = Path(__file__).resolve().parents[1]


@pytest.mark.parametrize(
    ("output", "counts"),
    [
        ("....\n3 failed, 200 passed, 2 skipped in 61.20s (0:01:01)\n", {"failed": 3, "passed": 200, "skipped": 2}),
        ("132 passed, 1 warning, 2 errors in 3.1s", {"passed": 132, "warning": 1, "error": 2}),
        ("no tests ran in 0.1s", {}),
    ],
)
def test_counts_are_those_of_the_last_line(output: str, counts: dict[str, int]) -> None:
    assert counts_of(output) == counts


def test_only_tests_that_ran_are_green() -> None:
    assert Result("2.1.0", {"passed": 3, "skipped": 1}).is_green
    for counts in ({}, {"passed": 3, "failed": 1}, {"passed": 3, "error": 1}):
        assert not Result("2.1.0", counts).is_green
    assert Result("2.1.0", {}, 1.0, "not installed: no").row == "| 2.1.0 | not installed: no | 1 s |"


def test_old_versions_get_the_numpy_that_they_were_built_against() -> None:
    assert packages_for("2.1.0")[0] == "numpy<2"
    assert packages_for("2.13.0")[0] == "numpy"


def test_the_range_that_is_claimed_is_the_one_that_is_tried() -> None:
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    found = re.search(r'verify = \["torch>=([\d.]+),<([\d.]+)"\]', text)
    assert found is not None
    first, *_, last = [tuple(map(int, each.split("."))) for each in VERSIONS]
    lowest, above = (tuple(map(int, each.split("."))) for each in found.groups())
    assert first[:2] == lowest
    assert last[:2] < above
    assert f"torch=={VERSIONS[-1]}" in text, "the tests of the project itself run on the newest"
