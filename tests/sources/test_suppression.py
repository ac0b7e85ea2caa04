"""``# noqa`` as flake8 reads it: judged by the installed flake8 itself."""

from __future__ import annotations

import argparse
import pathlib
import subprocess
import sys
from collections.abc import Collection

import pytest
from flake8.processor import FileProcessor
from flake8.violation import Violation
from hypothesis import example, given, settings
from hypothesis import strategies as st

from infonce_lint.engine.fixer import fix_source
from infonce_lint.finding import Applicability, Finding, Position, Span
from infonce_lint.sources.edits import apply_edits
from infonce_lint.sources.source import SourceError, SourceFile
from infonce_lint.sources.suppression import UNUSED, Suppressions
from tests.hostile import FIXTURES

CODES = ("NCE001", "NCE002", "E501")

TRICKY = {
    "blanket": "a = 1  # noqa\nb = 2\n",
    "any case": "a = 1  # NoQA\nb = 2  # NOQA: NCE001\n",
    "codes count in capitals only": "a = 1  # noqa: nce001\nb = 2  # noqa: Nce001\n",
    "no blank behind the colon": "a = 1  # noqa:NCE001,E501\n",
    "two blanks behind the colon": "a = 1  # noqa:  NCE002\n",
    "a blank before the colon": "a = 1  # noqa : NCE002\n",
    "no blank before noqa": "a = 1  #noqa\nb = 2  #  noqa\n",
    "blanks and commas": "a = 1  # noqa: E501 W291,NCE001 , NCE003\n",
    "no separator": "a = 1  # noqa: NCE001E501\n",
    "a prefix": "a = 1  # noqa: NCE0\nb = 2  # noqa: N1\nc = 3  # noqa: NCE00\n",
    "letters alone are no code": "a = 1  # noqa: NCE\nb = 2  # noqa: because\n",
    "a reason": "a = 1  # noqa: NCE001 because of issue 7\nb = 2  # noqa: NCE001 - see X12\n",
    "other comments before and behind": "a = 1  # type: ignore # noqa: NCE001 # pragma: no cover\n",
    "two directives": "a = 1  # noqa: E501 # noqa: NCE001\n",
    "a statement of several rows": "a = f(1,\n      2,  # noqa: NCE001\n      3)\nb = 1\n",
    "two rows with comments": "a = f(1,  # noqa: NCE001\n      2,  # noqa: E501\n      3)\n",
    "codes run on to the next row": "a = f(1,  # noqa: NCE001,\n      E501)\nb = f(2,  # noqa:\nE5)\n",
    "a string of several rows": 'a = """\nb  # noqa: NCE001\n"""\nb = 1\n',
    "behind a string of several rows": 'a = """\nb\n"""  # noqa: NCE001\nb = 1\n',
    "inside a string": "a = \"# noqa\"\nb = '# noqa: NCE001'  # noqa: E501\n",
    "a docstring": 'def f():\n    """Says # noqa: E501.\n\n    """\n    return 1\n',
    "a row of its own": "a = 1\n# noqa: NCE001\nb = 2\n",
    "a comment row inside a call": "a = f(\n    # noqa: NCE001\n    1)\n",
    "a continued row": "a = 1 + \\\n    2  # noqa: NCE001\n",
    "decorators and suites": "@d  # noqa: E501\ndef f(a,\n      b):  # noqa: NCE001\n    return a  # noqa: NCE002\n",
    "several statements on a row": "a = 1; b = 2  # noqa: NCE002\n",
    "no last row end": "a = 1  # noqa: NCE001",
    "windows row ends": "a = f(1,\r\n      2)  # noqa: NCE001\r\nb = 2  # noqa\r\n",
    "old row ends": "a = f(1,\r      2)  # noqa: NCE001\rb = 2\r",
    "mixed row ends": "a = 1  # noqa: NCE001\rb = 2\r\nc = 3  # noqa\nd = 4\n",
    "form feeds": "\f\na = 1  # noqa: NCE001\n\fb = 2 \f # noqa\n",
    "odd white space": "a = 1  # noqa:\tNCE001\x0bNCE002\nb = '\u2028'  # noqa:\u00a0NCE002\x1cx\n",
    "letters beyond ascii": "ä = 'é'  # noqa: ſ1, NCE001\n",
    "the whole file": "a = 1\n# flake8: noqa\n",
    "the whole file with codes": "# flake8: noqa: E501\na = 1\n",
    "the whole file in capitals": "# FLAKE8=NoQA\na = 1\n",
    "not the whole file": "a = 1  # flake8: noqa\nb = 2\n",
    "the whole file from a docstring": '"""\n  # flake8: noqa\n"""\na = 1\n',
    "tokenizer refuses": "a = (1,  # noqa: NCE001\nb = 2  # noqa\nc = 3\n",
    "bad dedent": "if a:\n    b  # noqa\n  c  # noqa: NCE001\nd\n",
    "empty": "",
    "f-string of several rows": 'a = f"""{b}\n{c} # noqa: NCE001\n"""\n',
}


def finding(row: int, code: str) -> Finding:
    return Finding(code, "", Span(Position(row, 1), Position(row, 2)))


def flake8_processor(path: pathlib.Path) -> FileProcessor:
    options = argparse.Namespace(
        hang_closing=False, indent_size=4, max_line_length=79, max_doc_length=None, verbose=0, disable_noqa=False
    )
    return FileProcessor(str(path), options)


def silenced_by_flake8(path: pathlib.Path, rows: int) -> set[tuple[int, str]]:
    processor = flake8_processor(path)
    if processor.should_ignore_file():
        return {(row, code) for row in range(1, rows + 1) for code in CODES}
    return {
        (row, code)
        for row in range(1, rows + 1)
        for code in CODES
        if Violation(code, str(path), row, 1, "", processor.noqa_line_for(row)).is_inline_ignored(False)
    }


def silenced_by_us(source: SourceFile) -> set[tuple[int, str]]:
    suppressions = Suppressions(source)
    rows = range(1, len(source.rows) + 1)
    return {(row, code) for row in rows for code in CODES if suppressions.covers(finding(row, code))}


@pytest.mark.parametrize("name", TRICKY)
def test_flake8_silences_the_same(name: str, tmp_path: pathlib.Path) -> None:
    path = tmp_path / "case.py"
    path.write_bytes(TRICKY[name].encode())
    source = SourceFile.from_bytes(path.read_bytes(), str(path))
    assert silenced_by_us(source) == silenced_by_flake8(path, len(source.rows))


@pytest.mark.parametrize("path", sorted(FIXTURES.glob("*.py")), ids=lambda path: path.name)
def test_flake8_silences_the_same_in_hostile_files(path: pathlib.Path, tmp_path: pathlib.Path) -> None:
    commented = b"\xef\xbb\xbf" if path.read_bytes().startswith(b"\xef\xbb\xbf") else b""
    text = path.read_bytes().removeprefix(commented)
    case = tmp_path / "case.py"
    case.write_bytes(commented + text + b"\na = f(1, # noqa: NCE001\n 2)\n# noqa\n")
    try:
        source = SourceFile.from_bytes(case.read_bytes(), str(case))
    except SourceError:
        return
    if "\0" not in source.text:  # a file with NUL is refused before anyone looks for comments
        assert silenced_by_us(source) == silenced_by_flake8(case, len(source.rows))


FRAGMENTS = st.sampled_from(
    'a = 1|f(|)|,|\n|\n    |"""|\'|\\\n|# noqa|: NCE001|: |,E501| NCE0|x1|#|  |# NOQA:nce001|\r\n|\r|if a:\n  b'
    "|# flake8: noqa|é|\f|;|# note ".split("|")
)


@settings(max_examples=150, deadline=None)
@given(st.lists(FRAGMENTS, max_size=14).map("".join))
@example("f(\n# noqa:\nx1)\n")
def test_flake8_silences_the_same_in_any_text(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    path = tmp_path_factory.mktemp("noqa") / "case.py"
    path.write_bytes(text.encode())
    source = SourceFile.from_bytes(path.read_bytes(), str(path))
    assert silenced_by_us(source) == silenced_by_flake8(path, len(source.rows))


def test_the_flake8_command_agrees(tmp_path: pathlib.Path) -> None:
    """The tricky files that parse, with a plugin that finds something on every row of every statement."""
    (tmp_path / "everywhere.py").write_text(
        "import ast\n"
        "class Plugin:\n"
        "    name, version = 'everywhere', '1'\n"
        "    def __init__(self, tree, lines):\n"
        "        self.lines = lines\n"
        "    def run(self):\n"
        "        for row in range(1, len(self.lines) + 1):\n"
        "            for code in ('NCE001', 'NCE002', 'E501'):\n"
        "                yield row, 0, code + ' everywhere', type(self)\n"
    )
    (tmp_path / "flake8.cfg").write_text(
        "[flake8]\nselect = NCE,E501\n[flake8:local-plugins]\npaths = .\nextension =\n"
        "    NCE0 = everywhere:Plugin\n    E501 = everywhere:Plugin\n"
    )
    cases = tmp_path / "cases"
    cases.mkdir()
    ours: dict[str, set[tuple[int, str]]] = {}
    for number, text in enumerate(TRICKY.values()):
        source = SourceFile.from_bytes(text.encode(), "")
        try:
            source.tree  # noqa: B018
        except SourceError:
            continue
        (cases / f"case{number}.py").write_bytes(text.encode())
        silenced = silenced_by_us(source)
        rows = len(source.rows) - (source.rows[-1] == "")
        ours[f"case{number}.py"] = {(row, code) for row in range(1, rows + 1) for code in CODES} - silenced
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "flake8",
            "--config",
            "flake8.cfg",
            "--format",
            "%(path)s|%(row)d|%(code)s|%(text)s",
            "-j1",
            "cases",
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert not done.stderr, done.stderr
    theirs: dict[str, set[tuple[int, str]]] = {name: set() for name in ours}
    for line in done.stdout.splitlines():
        path, row, code, text = line.split("|", 3)
        if text == "everywhere":
            theirs[pathlib.Path(path).name].add((int(row), code))
    assert len(ours) > 35
    assert theirs == ours


# ---- unused suppressions


def unused(
    text: str, *findings: tuple[int, str], active: Collection[str] = ("NCE001", "NCE002"), known: Collection[str] = ()
) -> list[Finding]:
    suppressions = Suppressions(SourceFile.from_text(text, "test.py"))
    for row, code in findings:
        suppressions.silences(finding(row, code))
    return suppressions.unused(active, known)


def cleaned(text: str, *findings: tuple[int, str], **options: Collection[str]) -> str:
    fixes = [each.fix for each in unused(text, *findings, **options)]
    return apply_edits(SourceFile.from_text(text, "test.py"), [edit for fix in fixes if fix for edit in fix.edits])


def test_a_suppression_that_silences_something_is_used() -> None:
    assert unused("a = 1  # noqa: NCE001\n", (1, "NCE001")) == []
    assert unused('a = f("""\n""", 2)  # noqa: NCE0\n', (1, "NCE002")) == []


def test_inside_brackets_a_suppression_counts_for_its_own_row() -> None:
    text = "a = f(1,\n      2)  # noqa: NCE001\n"
    assert unused(text, (2, "NCE001")) == []
    assert cleaned(text, (1, "NCE001")) == "a = f(1,\n      2)\n"


def test_asking_whether_a_finding_is_covered_does_not_use_the_suppression() -> None:
    suppressions = Suppressions(SourceFile("a = 1  # noqa: NCE001\n", "test.py"))
    assert suppressions.covers(finding(1, "NCE001"))
    assert [each.code for each in suppressions.unused(["NCE001"])] == [UNUSED]
    assert suppressions.silences(finding(1, "NCE001"))
    assert suppressions.unused(["NCE001"]) == []


def test_an_unused_suppression_is_reported_where_it_stands() -> None:
    (found,) = unused("a = 'é'  # note # noqa: NCE001, E501 so\n")
    assert (found.code, found.message) == (UNUSED, "unused suppression: no finding of NCE001 here")
    assert found.span == Span(Position(1, 17), Position(1, 37))
    assert found.fix is not None
    assert found.fix.applicability is Applicability.SAFE


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a = 1  # noqa: NCE001\n", "a = 1\n"),
        ("a = 1  # noqa: NCE001", "a = 1"),
        ("a = 1\t# NOQA:NCE001\r\nb = 2\r\n", "a = 1\r\nb = 2\r\n"),
        ("a = 1  # noqa: NCE001,E501 W291\n", "a = 1  # noqa: E501 W291\n"),
        ("a = 1  # noqa: E501, NCE001 ,W291\n", "a = 1  # noqa: E501, W291\n"),
        ("a = 1  # noqa: E501,NCE001 \n", "a = 1  # noqa: E501 \n"),
        ("a = 1  # noqa: NCE001,E501,NCE002  why\n", "a = 1  # noqa: E501  why\n"),
        ("a = 1  # noqa: NCE001, NCE002,NCE001\n", "a = 1\n"),
        ("a = 1  # type: ignore # noqa: NCE001\n", "a = 1  # type: ignore\n"),
        ("a = 1  # noqa: NCE001  # type: ignore\n", "a = 1  # type: ignore\n"),
        ("a = 1  # x # noqa: NCE001 # y\n", "a = 1  # x  # y\n"),
        ("a = 1  # noqa: NCE001 - the sampler pads\n", "a = 1  # the sampler pads\n"),
        ("if a:\n    # noqa: NCE001\n    b = 1\n", "if a:\n    b = 1\n"),
        ("a = 1\n# noqa: NCE001", "a = 1\n"),
        ("a = f(1,  # noqa: NCE001\n      2)\n", "a = f(1,\n      2)\n"),
        ('a = """\n"""  # noqa: NCE001\n', 'a = """\n"""\n'),
    ],
)
def test_removing_a_suppression_leaves_everything_else(text: str, expected: str) -> None:
    assert cleaned(text) == expected
    assert cleaned(expected) == expected


def test_only_the_unused_codes_go() -> None:
    assert cleaned("a = 1  # noqa: NCE001,NCE002\n", (1, "NCE002")) == "a = 1  # noqa: NCE002\n"


@pytest.mark.parametrize(
    "text",
    [
        "a = 1  # noqa\n",
        "a = 1  # noqa: NCE\n",
        "a = 1  # noqa: E501\n",
        "a = '# noqa: NCE001'\n",
        '"""\n# noqa: NCE001\n"""\n',
        "a = 1  # noqa: NCE901\n",
        "a = 1  # noqa: NCE001,NCE901\n",
        "# flake8: noqa: NCE001\na = 1  # noqa: NCE001\n",
        "a = (1,  # noqa: NCE001\n",
    ],
)
def test_what_is_not_reported_as_unused(text: str) -> None:
    assert unused(text) == []


def test_what_was_not_looked_for_may_be_needed_another_time() -> None:
    everything = ["NCE001", "NCE002", "NCE003"]
    assert unused("a = 1  # noqa: NCE002\n", active=["NCE001"]) == []
    assert unused("a = 1  # noqa: NCE0\n", active=["NCE001"], known=everything) == []
    assert unused("a = 1  # noqa: NCE0\n", active=everything, known=everything) != []


def test_a_code_that_does_not_exist_is_reported_when_all_are_known() -> None:
    assert unused("a = 1  # noqa: NCE0011\n") == []
    (found,) = unused("a = 1  # noqa: NCE0011\n", known=["NCE001", "NCE002"])
    assert "NCE0011" in found.message


def test_a_code_in_small_letters_is_explained() -> None:
    (found,) = unused("a = 1  # noqa: nce001\n", (1, "NCE001"))
    assert "capitals" in found.message


def test_the_second_directive_of_joined_rows_silences_nothing() -> None:
    text = "a = 1  # noqa: NCE001 # noqa: NCE002\n"
    assert cleaned(text, (1, "NCE001"), (1, "NCE002")) == "a = 1  # noqa: NCE001\n"
    text = 'a = """ # noqa: E501\n"""  # noqa: NCE002\n'
    assert cleaned(text, (1, "NCE002")) == 'a = """ # noqa: E501\n"""\n'


@settings(max_examples=100, deadline=None)
@given(st.lists(FRAGMENTS, max_size=14).map("".join), st.sets(st.integers(1, 6)))
@example("# noqa: NCE001# noqa: NCE001", {9})
@example("\\\n# noqa: NCE001", {9})
def test_removing_suppressions_keeps_the_code_and_what_is_silenced(text: str, rows: set[int]) -> None:
    source = SourceFile.from_text(text, "test.py")
    silenced = [finding(row, "NCE001") for row in rows]

    def lint(source: SourceFile) -> list[Finding]:
        source.tree  # noqa: B018
        suppressions = Suppressions(source)
        left = [each for each in silenced if not suppressions.silences(each)]
        return left + suppressions.unused(["NCE001"])

    try:
        outcome = fix_source(source, lint, unsafe=False)
    except SourceError:
        return
    fixed = source.with_text(outcome.text)
    assert compile(fixed.tree, "", "exec").co_code == compile(source.tree, "", "exec").co_code
    if not outcome.withheld:
        assert [each for each in outcome.remaining if each.code == UNUSED] == []
