"""``--add-noqa``: every finding is silenced, the next run is clean, and nothing but comments changes."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import pytest

from infonce_lint.engine.linter import lint_bytes
from infonce_lint.engine.silencer import add_noqa
from infonce_lint.settings import Settings
from tests.surfaces.conftest import Command
from tests.surfaces.samples import BAD, CLEAN, UNUSED_NOQA, notebook, run

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures"
ROW = "        labels = torch.cat([torch.arange(self.args.batch_size) for i in range(self.args.n_views)], dim=0)\n"


def with_row(row: str) -> str:
    """The sample with another row in the place of the faulty one."""
    assert ROW in BAD
    return BAD.replace(ROW, row)


def changed_rows(before: str, after: str) -> list[str]:
    """The rows of ``after`` that are not those of ``before``; the two have as many."""
    old, new = before.split("\n"), after.split("\n")
    assert len(old) == len(new)
    return [row for was, row in zip(old, new, strict=True) if was != row]


CASES = {
    "a row without a comment": (ROW, ["n_views)], dim=0)  # noqa: NCE001"]),
    "a comment of another kind": (ROW[:-1] + "  # labels\n", ["dim=0)  # labels  # noqa: NCE001"]),
    "blanks at the end": (ROW[:-1] + "   \n", ["n_views)], dim=0)  # noqa: NCE001"]),
    "codes of others": (ROW[:-1] + "  # noqa: E501\n", ["dim=0)  # noqa: E501, NCE001"]),
    "codes and a reason": (ROW[:-1] + "  # noqa: E501,W1 too long\n", ["dim=0)  # noqa: E501,W1, NCE001 too long"]),
    "small letters": (ROW[:-1] + "  # NOQA:E501\n", ["dim=0)  # NOQA:E501, NCE001"]),
    "no directive: a word that only looks like one": (
        ROW[:-1] + "  #noqa: NCE001\n",
        ["dim=0)  #noqa: NCE001  # noqa: NCE001"],
    ),
    "a backslash": (
        "        labels = torch.arange(self.args.batch_size) \\\n            .repeat(2)\n",
        ["            .repeat(2)  # noqa: NCE001"],
    ),
    "a bracket: the row itself": (
        "        labels = torch.cat(\n            [torch.arange(self.args.batch_size)\n"
        "             for i in range(self.args.n_views)],\n        )\n",
        ["            [torch.arange(self.args.batch_size)  # noqa: NCE001"],
    ),
    "a string that goes on": (
        '        labels = torch.arange(self.args.batch_size).repeat(2); text = """\n        more\n        """\n',
        ['        """  # noqa: NCE001'],
    ),
    "a string that ends on the row": (
        '        text = """\n        more\n        """; labels = torch.arange(self.args.batch_size).repeat(2)\n',
        ["batch_size).repeat(2)  # noqa: NCE001"],
    ),
    "a hash in a string": (
        ROW.replace("dim=0)", 'dim=0); text = "# no comment"'),
        ['text = "# no comment"  # noqa: NCE001'],
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_the_comment_goes_where_it_counts(command: Command, project: Path, name: str) -> None:
    row, expected = CASES[name]
    before = with_row(row)
    path = project / "a.py"
    path.write_text(before, encoding="utf-8")
    assert command(".").code == 1
    done = command("--add-noqa", ".")
    assert (done.code, done.out, done.err) == (0, "Added 1 noqa directive.\n", "")
    after = path.read_text(encoding="utf-8")
    rows = changed_rows(before, after)
    assert len(rows) == len(expected)
    assert all(changed.endswith(end) for changed, end in zip(rows, expected, strict=True)), rows
    assert ast.dump(ast.parse(after)) == ast.dump(ast.parse(before))
    assert command(".").code == 0
    assert command("--add-noqa", ".").out == "Added 0 noqa directives.\n"
    assert path.read_text(encoding="utf-8") == after


def test_a_directive_inside_a_string_cannot_be_changed(command: Command, project: Path) -> None:
    before = with_row(ROW.replace("dim=0)", 'dim=0); text = "# noqa: E501"'))
    (project / "a.py").write_text(before, encoding="utf-8")
    done = command("--add-noqa", "a.py")
    assert (done.code, done.out) == (0, "Added 0 noqa directives.\n")
    assert done.err == "infonce-lint: warning: 1 finding cannot be silenced by a comment\n"
    assert (project / "a.py").read_text(encoding="utf-8") == before


@pytest.mark.parametrize(
    ("encoding", "newline", "head"),
    [
        ("utf-8", "\r\n", ""),
        ("utf-8", "\r", ""),
        ("utf-8-sig", "\n", ""),
        ("latin-1", "\r\n", "# -*- coding: latin-1 -*-\n"),
        ("gb18030", "\n", "# coding: gb18030\n"),
    ],
)
def test_row_ends_and_encodings_stay(project: Path, command: Command, encoding: str, newline: str, head: str) -> None:
    note = "# 批次\n" if encoding == "gb18030" else "# größe\n"
    data = (head + note + BAD).replace("\n", newline).encode(encoding)
    (project / "a.py").write_bytes(data)
    assert command("--add-noqa", "a.py").code == 0
    expected = (head + note + BAD).replace("dim=0)\n", "dim=0)  # noqa: NCE001\n", 1).replace("\n", newline)
    assert (project / "a.py").read_bytes() == expected.encode(encoding)


def test_several_codes_of_one_row_are_one_directive(command: Command, project: Path) -> None:
    bad = [path for path in sorted(FIXTURES.rglob("*.py")) if not path.name.endswith(".fixed.py")]
    tried = 0
    for path in bad:
        data = path.read_bytes()
        before = lint_bytes(data, path.name, Settings())
        rows: dict[int, set[str]] = {}
        for finding in before:
            rows.setdefault(finding.span.start.row, set()).add(finding.code)
        if not any(len(codes) > 1 for codes in rows.values()) or any(each.code == "NCE900" for each in before):
            continue
        tried += 1
        after = add_noqa(data, path.name, Settings())
        for codes in rows.values():
            if len(codes) > 1:
                assert f"# noqa: {', '.join(sorted(codes))}".encode() in after.data
    assert tried


@pytest.mark.parametrize("folder", ["rules", "hostile"])
def test_every_fixture_is_clean_afterwards_and_runs_the_same_code(folder: str) -> None:
    for path in sorted((FIXTURES / folder).rglob("*.py")):
        data = path.read_bytes()
        before = lint_bytes(data, path.name, Settings())
        done = add_noqa(data, path.name, Settings())
        left = [each for each in before if each.code in ("NCE900", "NCE901")]
        assert [each.code for each in done.remaining] == [each.code for each in left], path
        assert done.changed == (len(before) > len(left)), path
        if done.changed:
            assert ast.dump(ast.parse(done.data)) == ast.dump(ast.parse(data))
            again = add_noqa(done.data, path.name, Settings())
            assert (again.data, again.fixed) == (done.data, 0)


def test_notices_of_the_linter_itself_are_left(command: Command, project: Path) -> None:
    (project / "broken.py").write_text("def f(:\n", encoding="utf-8")
    (project / "unused.py").write_text(UNUSED_NOQA, encoding="utf-8")
    done = command("--add-noqa", ".", "broken.py")
    assert (done.code, done.out) == (0, "Added 0 noqa directives.\n")
    assert done.err == "infonce-lint: warning: 2 findings cannot be silenced by a comment\n"
    assert (project / "unused.py").read_text(encoding="utf-8") == UNUSED_NOQA


def test_a_notebook_changes_in_that_row_only(command: Command, project: Path) -> None:
    path = project / "a.ipynb"
    text = notebook("%matplotlib inline\n!ls\n", BAD.rstrip("\n"), "x = (\n")
    path.write_text(text, encoding="utf-8")
    assert command("--add-noqa", "a.ipynb").out == "Added 1 noqa directive.\n"
    after = path.read_text(encoding="utf-8")
    (row,) = changed_rows(text, after)
    assert row.strip() == json.dumps(ROW[:-1] + "  # noqa: NCE001\n") + ","
    assert "NCE001" not in command("--output-format", "concise", "a.ipynb").out


def test_only_what_is_selected_is_silenced(command: Command, project: Path) -> None:
    (project / "a.py").write_text(BAD, encoding="utf-8")
    assert command("--add-noqa", "--ignore", "NCE001", ".").out == "Added 0 noqa directives.\n"
    assert command("--add-noqa", "-q", ".").out == ""
    assert (project / "a.py").read_text(encoding="utf-8") != BAD


def test_a_file_that_cannot_be_written_is_an_error(
    command: Command, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project / "a.py").write_text(BAD, encoding="utf-8")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("infonce_lint.running.writing.write_atomically", full)
    done = command("--add-noqa", "a.py")
    assert done.code == 2
    assert "a.py: not changed, it cannot be written: No space left on device\n" in done.err


def test_flake8_agrees(project: Path, command: Command) -> None:
    (project / "a.py").write_text(with_row(CASES["a string that goes on"][0]), encoding="utf-8")
    assert "NCE001" in run("--isolated", "--select", "NCE", "a.py", cwd=project, module="flake8").stdout
    command("--add-noqa", "a.py")
    assert run("--isolated", "--select", "NCE", "a.py", cwd=project, module="flake8").stdout == ""


@pytest.mark.parametrize("other", ["--fix", "--diff", "--watch"])
def test_it_goes_alone(command: Command, project: Path, other: str) -> None:
    (project / "a.py").write_text(CLEAN, encoding="utf-8")
    done = command("--add-noqa", other, "a.py")
    assert done.code == 2
    assert done.err == f"infonce-lint: error: --add-noqa and {other} cannot be combined (see infonce-lint --help)\n"
    assert command("--add-noqa", "-").code == 2
