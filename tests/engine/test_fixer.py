"""Fixing to a fixpoint, with linters of a few lines that know one word."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import pairwise

import pytest

from infonce_lint.engine.fixer import MAX_PASSES, compatible_edits, fix_source
from infonce_lint.finding import Applicability, Edit, Finding, Fix, Span
from infonce_lint.sources.source import SourceError, SourceFile

Lint = Callable[[SourceFile], list[Finding]]


def span_of(source: SourceFile, start: int, end: int) -> Span:
    return Span(source.position(start), source.position(end))


def word_lint(
    replacements: dict[str, str], code: str = "NCE001", applicability: Applicability = Applicability.SAFE
) -> Lint:
    """Finds each of the words and replaces it on its own."""

    def lint(source: SourceFile) -> list[Finding]:
        source.tree  # noqa: B018
        found = []
        for match in re.finditer(r"\w+", source.text):
            if match[0] in replacements:
                span = span_of(source, *match.span())
                fix = Fix(applicability, "replace", (Edit(span, replacements[match[0]]),))
                found.append(Finding(code, match[0], span, fix=fix))
        return found

    return lint


def unit_lint(source: SourceFile) -> list[Finding]:
    """Finds each ``size``; all of them share one fix, which also inserts a row."""
    spans = [span_of(source, *match.span()) for match in re.finditer("size", source.text)]
    top = source.position(0)
    fix = Fix(Applicability.SAFE, "", (Edit(Span(top, top), "rows = 3\n"), *(Edit(span, "rows") for span in spans)))
    return [Finding("NCE001", "", span, fix=fix) for span in spans]


def test_a_file_without_findings_stays() -> None:
    source = SourceFile("a = 1\n", "test.py")
    outcome = fix_source(source, word_lint({"size": "rows"}), unsafe=False)
    assert (outcome.text, outcome.changed, outcome.fixed, outcome.remaining, outcome.withheld) == (
        "a = 1\n",
        False,
        0,
        [],
        "",
    )


def test_all_findings_are_fixed() -> None:
    outcome = fix_source(SourceFile("a = size\nb = size\n", "test.py"), word_lint({"size": "rows"}), unsafe=False)
    assert (outcome.text, outcome.changed, outcome.fixed, outcome.remaining) == ("a = rows\nb = rows\n", True, 2, [])


def test_a_fix_that_findings_share_is_applied_once() -> None:
    outcome = fix_source(SourceFile("a = size\r\nb = size\r\n", "test.py"), unit_lint, unsafe=False)
    assert (outcome.text, outcome.fixed) == ("rows = 3\r\na = rows\r\nb = rows\r\n", 2)


def test_fixes_that_bring_further_fixes_are_followed_to_the_end() -> None:
    lint = word_lint({"one": "two", "two": "three"})
    outcome = fix_source(SourceFile("a = one\nb = two\n", "test.py"), lint, unsafe=False)
    assert (outcome.text, outcome.fixed) == ("a = three\nb = three\n", 2)


def test_overlapping_fixes_wait_for_the_next_pass() -> None:
    passes = []

    def lint(source: SourceFile) -> list[Finding]:
        passes.append(source.text)
        found = []
        for match in re.finditer(r"f\((\w)\)", source.text):
            inner, whole = span_of(source, *match.span(1)), span_of(source, *match.span())
            if match[1] != "y":
                fix = Fix(Applicability.SAFE, "", (Edit(inner, "y"),))
                found.append(Finding("NCE001", "", inner, fix=fix))
            fix = Fix(Applicability.SAFE, "", (Edit(whole, match[1]),))
            found.append(Finding("NCE002", "", whole, fix=fix))
        return found

    outcome = fix_source(SourceFile("a = f(x)\n", "test.py"), lint, unsafe=False)
    assert passes == ["a = f(x)\n", "a = f(y)\n", "a = y\n"]
    assert (outcome.text, outcome.fixed) == ("a = y\n", 2)


def test_a_fix_is_taken_whole_or_not_at_all() -> None:
    source = SourceFile("abcdefgh", "test.py")
    first, second, third = (
        Fix(Applicability.SAFE, "", tuple(Edit(span_of(source, *place), "x") for place in places))
        for places in ([(0, 2), (4, 6)], [(5, 7), (2, 3)], [(2, 3)])
    )
    assert compatible_edits([first, second, third]) == [*first.edits, *third.edits]


@pytest.mark.parametrize("unsafe", [False, True])
def test_unsafe_fixes_are_applied_on_request_only(unsafe: bool) -> None:
    lint = word_lint({"size": "rows"}, applicability=Applicability.UNSAFE)
    outcome = fix_source(SourceFile("a = size\n", "test.py"), lint, unsafe=unsafe)
    assert outcome.changed is unsafe
    assert outcome.text == ("a = rows\n" if unsafe else "a = size\n")
    assert [each.message for each in outcome.remaining] == ([] if unsafe else ["size"])
    assert outcome.withheld == ""


def test_findings_without_a_fix_remain() -> None:
    def lint(source: SourceFile) -> list[Finding]:
        bare = [Finding("NCE002", "bare", span_of(source, 0, 1), withheld="by hand")]
        return bare + word_lint({"size": "rows"})(source)

    outcome = fix_source(SourceFile("a = size\n", "test.py"), lint, unsafe=True)
    assert (outcome.text, outcome.fixed, [each.code for each in outcome.remaining]) == ("a = rows\n", 1, ["NCE002"])


def unchanged(source: SourceFile, lint: Lint) -> str:
    """Checks that nothing was done; returns the reason."""
    outcome = fix_source(source, lint, unsafe=False)
    assert (outcome.text, outcome.changed, outcome.fixed) == (source.text, False, 0)
    assert outcome.remaining == lint(source)
    assert outcome.withheld
    return outcome.withheld


def test_a_fix_that_breaks_the_syntax_is_not_written() -> None:
    assert "syntax error" in unchanged(SourceFile("a = size\n", "test.py"), word_lint({"size": "if"}))


def test_a_later_fix_that_breaks_the_syntax_undoes_the_earlier_ones() -> None:
    lint = word_lint({"one": "two", "two": "if"})
    assert "syntax error" in unchanged(SourceFile("a = one\n", "test.py"), lint)


def test_a_new_finding_stops_the_fix() -> None:
    def lint(source: SourceFile) -> list[Finding]:
        found = [Finding("NCE003", "", span_of(source, 0, 1))] if "rows" in source.text else []
        return found + word_lint({"size": "rows"})(source)

    assert "NCE003" in unchanged(SourceFile("a = size\n", "test.py"), lint)


def test_more_findings_of_the_same_code_stop_the_fix() -> None:
    lint = word_lint({"size": "size + size"})
    assert "NCE001" in unchanged(SourceFile("a = size\n", "test.py"), lint)


@pytest.mark.parametrize("replacements", [{"one": "two", "two": "one"}, {"one": "one"}])
def test_fixes_without_an_end_are_not_written(replacements: dict[str, str]) -> None:
    assert unchanged(SourceFile("a = one\n", "test.py"), word_lint(replacements))


@pytest.mark.parametrize("steps", [MAX_PASSES, MAX_PASSES + 1])
def test_ten_passes_and_no_more(steps: int) -> None:
    words = [f"step{number}" for number in range(steps + 1)]
    lint = word_lint(dict(pairwise(words)))
    source = SourceFile("a = step0\n", "test.py")
    if steps > MAX_PASSES:
        assert "10 passes" in unchanged(source, lint)
    else:
        assert fix_source(source, lint, unsafe=False).text == f"a = step{steps}\n"


def test_overlapping_edits_inside_one_fix_are_not_written() -> None:
    def lint(source: SourceFile) -> list[Finding]:
        edits = (Edit(span_of(source, 0, 3), "x"), Edit(span_of(source, 1, 2), "y"))
        return [Finding("NCE001", "", span_of(source, 0, 1), fix=Fix(Applicability.SAFE, "", edits))]

    assert "overlapping" in unchanged(SourceFile("abc = 1\n", "test.py"), lint)


def test_a_file_that_libcst_would_mangle_is_not_written() -> None:
    source = SourceFile("a = 1\n\fb = size\n", "test.py")
    assert unchanged(source, word_lint({"size": "rows"})) == source.why_not_editable


def test_a_character_that_the_encoding_lacks_is_not_written() -> None:
    source = SourceFile.from_bytes(b"# coding: latin-1\na = size\n", "test.py")
    assert "iso-8859-1" in unchanged(source, word_lint({"size": "λ"}))


def test_a_file_that_does_not_parse_is_left_to_the_caller() -> None:
    with pytest.raises(SourceError):
        fix_source(SourceFile("a = (\n", "test.py"), word_lint({}), unsafe=False)
