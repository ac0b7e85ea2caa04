"""Each fixture's findings are those of its markers, and a silent fixture has none."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from infonce_lint.engine.linter import lint_bytes
from infonce_lint.settings import Settings
from tests.fixed_siblings import repaired, sibling
from tests.fixture_cases import (
    FIXTURES,
    MARKER,
    RULE_FOLDERS,
    disagreements,
    name_of,
    read_expectations,
    rule_fixtures,
    silent_fixtures,
)


def found_in(path: Path) -> list[tuple[int, str]]:
    findings = lint_bytes(path.read_bytes(), path.as_posix(), Settings())
    return [(finding.span.start.row, finding.code) for finding in findings]


@pytest.mark.parametrize("path", rule_fixtures(), ids=name_of)
def test_rule_fixture_gets_exactly_its_markers(path: Path) -> None:
    problems = disagreements(path.read_text(encoding="utf-8"), found_in(path))
    assert not problems, "\n".join([name_of(path), *problems])


@pytest.mark.parametrize("path", silent_fixtures(), ids=name_of)
def test_silent_fixture_gets_nothing(path: Path) -> None:
    problems = disagreements(path.read_text(encoding="utf-8"), found_in(path))
    assert not problems, "\n".join([name_of(path), *problems])


@pytest.mark.parametrize("path", [*rule_fixtures(), *silent_fixtures()], ids=name_of)
def test_fixture_documents_itself(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    docstring = ast.get_docstring(ast.parse(text))
    assert docstring, f"{name_of(path)} has no module docstring that says what it shows"
    assert "\n" not in docstring, f"{name_of(path)}: the module docstring is longer than a line"
    assert len(text.splitlines()) <= 90, f"{name_of(path)} is longer than 90 lines"


@pytest.mark.parametrize("path", rule_fixtures(), ids=name_of)
def test_rule_fixture_shows_the_rule_of_its_folder(path: Path) -> None:
    codes = frozenset().union(*(e.codes for e in read_expectations(path.read_text(encoding="utf-8"))))
    assert RULE_FOLDERS[path.parent.name] in codes


@pytest.mark.parametrize("path", silent_fixtures(), ids=name_of)
def test_silent_fixture_has_no_marker(path: Path) -> None:
    assert not any(MARKER.search(line) for line in path.read_text(encoding="utf-8").splitlines())


def test_there_are_as_many_fixtures_as_promised() -> None:
    assert len(rule_fixtures()) >= 60
    assert len(silent_fixtures()) >= 60
    assert {path.name for path in (FIXTURES / "rules").iterdir()} >= set(RULE_FOLDERS)


def test_disagreements_are_told_line_by_line() -> None:
    text = "a = 1  # expect: NCE001\nb = 2  # expect: NCE001|NCE002, NCE003\nc = 3\n"
    found = [(1, "NCE002"), (2, "NCE002"), (2, "NCE003"), (3, "NCE004"), (3, "NCE004")]
    assert disagreements(text, found) == [
        "missing    row 1: NCE001    a = 1  # expect: NCE001",
        "unexpected row 1: NCE002    a = 1  # expect: NCE001",
        "unexpected row 3: NCE004 x2    c = 3",
    ]


def test_two_findings_of_one_row_are_counted() -> None:
    text = "m = eye(n, n)  # expect: NCE002 x2\n"
    assert disagreements(text, [(1, "NCE002")] * 2) == []
    assert len(disagreements(text, [(1, "NCE002")])) == 1


def test_unreadable_marker_is_an_error() -> None:
    with pytest.raises(ValueError, match="row 1: cannot read 'NCE1'"):
        read_expectations("x = 1  # expect: NCE1\n")


@pytest.mark.parametrize("path", rule_fixtures(), ids=name_of)
def test_the_fixed_sibling_is_what_fix_writes(path: Path) -> None:
    wanted = repaired(path)
    assert sibling(path).exists() == (wanted is not None), "run: python -m tests.fixed_siblings"
    if wanted is not None:
        assert sibling(path).read_bytes() == wanted, "run: python -m tests.fixed_siblings, and read the difference"
