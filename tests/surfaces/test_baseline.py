"""Baselines: what is known is neither reported nor fixed, wherever its rows go; what is new is."""

from __future__ import annotations

import json
import re
import subprocess
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infonce_lint.engine.checked import FileReport
from infonce_lint.engine.linter import lint_bytes
from infonce_lint.engine.marks import Mark, marks
from infonce_lint.report import FORMATS
from infonce_lint.running.baseline import Baseline, BaselineError, split
from infonce_lint.settings import Settings
from tests.surfaces.conftest import Command
from tests.surfaces.samples import BAD, BAD_PLACE, CLEAN, notebook, run

OTHER = BAD.replace("class Trainer", "class Other")
STATEMENT = (
    "labels = torch.cat([torch.arange(self.args.batch_size) for i in range(self.args.n_views)], dim=0)"  # as in BAD
)
FIXTURES = Path(__file__).resolve().parents[2] / "fixtures"


@pytest.fixture
def known(command: Command, project: Path) -> Path:
    """A project with one faulty file, and a baseline that knows of it."""
    (project / "bad.py").write_text(BAD, encoding="utf-8")
    done = command("--write-baseline", "baseline.json")
    assert (done.code, done.out, done.err) == (0, "Wrote 1 finding to baseline.json.\n", "")
    return project


def lint(command: Command, *arguments: str) -> list[str]:
    """The places and codes that a run with the baseline reports."""
    out = command("--baseline", "baseline.json", "--output-format", "concise", "-q", *arguments).out
    return [" ".join(line.split()[:2]) for line in out.splitlines()]


def report_of(text: str, path: str = "a.py") -> FileReport:
    return FileReport(path, tuple(lint_bytes(text.encode(), path, Settings())), lambda cell: text)


def test_the_file_is_for_people_and_for_version_control(known: Path) -> None:
    text = (known / "baseline.json").read_text(encoding="utf-8")
    entry = {"code": "NCE001", "scope": "Trainer.info_nce_loss", "text": STATEMENT, "count": 1}
    assert json.loads(text) == {"version": 1, "findings": {"bad.py": [entry]}}
    assert text.endswith("}\n")
    assert text.count("\n") > 8


def test_what_is_known_is_not_reported(command: Command, known: Path) -> None:
    done = command("--baseline", "baseline.json")
    assert (done.code, done.out, done.err) == (0, "All checks passed!\n", "")
    assert command("--baseline", "baseline.json", "--no-cache").code == 0
    assert command().code == 1


@pytest.mark.parametrize("form", FORMATS)
def test_no_format_reports_it(command: Command, known: Path, form: str) -> None:
    done = command("--baseline", "baseline.json", "--output-format", form)
    assert done.code == 0
    if form == "sarif":
        (result,) = json.loads(done.out)["runs"][0]["results"]
        assert result["suppressions"] == [{"kind": "external", "status": "accepted"}]
    else:
        assert "NCE001" not in done.out


CHANGES = {
    "rows above": ("import torch\n", "# a comment\n\n\nimport torch\nx = 1\n"),
    "a function above": ("class Trainer", "def helper(x):\n    return x\n\n\nclass Trainer"),
    "another function renamed": ("def __init__", "def other"),
    "its function renamed": ("def info_nce_loss", "def loss"),
    "its class renamed": ("class Trainer", "class Learner"),
    "a comment on its row": ("dim=0)\n", "dim=0)  # todo\n"),
    "its row broken, with a trailing comma": (
        "torch.cat([torch.arange(self.args.batch_size) for i in range(self.args.n_views)], dim=0)",
        "torch.cat(\n            [torch.arange(self.args.batch_size) for i in range(self.args.n_views)],\n"
        "            dim=0,\n        )",
    ),
    "its variable renamed": ("labels", "targets"),
    "put into a block": (
        "        labels = torch.cat",
        "        if True:\n            pass\n        labels = torch.cat",
    ),
    "decorated": ("    def info_nce_loss", "    @torch.no_grad()\n    def info_nce_loss"),
    "other row ends": ("\n", "\r\n"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_it_stays_known_when_the_file_changes_elsewhere(command: Command, known: Path, name: str) -> None:
    old, new = CHANGES[name]
    changed = BAD.replace(old, new)
    assert changed != BAD
    (known / "bad.py").write_bytes(changed.encode())
    assert [line.split()[1] for line in command("--output-format", "concise", "-q").out.splitlines()] == ["NCE001"]
    assert lint(command) == []


def test_a_second_one_is_new(command: Command, known: Path) -> None:
    twice = "        again = torch.arange(self.args.batch_size)\n        labels = torch.cat"
    (known / "bad.py").write_text(OTHER + BAD, encoding="utf-8")
    row = BAD_PLACE[0]
    assert lint(command) == [f"bad.py:{row}:{BAD_PLACE[1]}: NCE001"]  # the class that came in front, not the known one
    (known / "bad.py").write_text(BAD + BAD, encoding="utf-8")
    assert len(lint(command)) == 1  # of two that are the same in everything, one
    same_function = BAD.replace("        labels = torch.cat", twice, 1).replace(
        "dim=0)\n", "dim=0)\n        labels = labels + again.repeat(2)\n", 1
    )
    (known / "bad.py").write_text(same_function, encoding="utf-8")
    assert lint(command) == [f"bad.py:{row}:{len('        again = torch.arange(') + 1}: NCE001"]
    (known / "new.py").write_text(BAD, encoding="utf-8")
    assert lint(command, "new.py") == [f"new.py:{row}:{BAD_PLACE[1]}: NCE001"]


def test_what_is_known_is_not_fixed(command: Command, known: Path) -> None:
    (known / "bad.py").write_text(BAD + "\n\n" + OTHER, encoding="utf-8")
    done = command("--baseline", "baseline.json", "--fix")
    assert (done.code, done.out) == (0, "Found 1 finding (1 fixed, 0 remaining).\n")
    fixed = (known / "bad.py").read_text(encoding="utf-8")
    assert fixed.startswith(BAD)
    assert fixed.count("actual_batch_size = ") == 1
    assert command("--baseline", "baseline.json", "--fix").out == "All checks passed!\n"
    assert command("--baseline", "baseline.json", "--diff").code == 0
    assert command("--fix").code == 0
    assert (known / "bad.py").read_text(encoding="utf-8").count("actual_batch_size = ") == 2


def test_diff_shows_what_fix_would_do(command: Command, known: Path) -> None:
    (known / "bad.py").write_text(BAD + "\n\n" + OTHER, encoding="utf-8")
    done = command("--baseline", "baseline.json", "--diff")
    assert done.code == 1
    assert done.out.count("+        actual_batch_size = ") == 1
    assert done.err == "Would fix 1 finding.\n"


def test_a_loss_that_is_known_in_part_is_not_fixed_by_half(command: Command, known: Path) -> None:
    more = BAD.replace(
        "positives = similarity_matrix[labels.bool()].view(labels.shape[0], -1)",
        "positives = similarity_matrix[labels.bool()].view(self.args.n_views * self.args.batch_size, -1)",
    )
    (known / "bad.py").write_text(more, encoding="utf-8")
    done = command("--baseline", "baseline.json", "--fix", "--output-format", "concise")
    assert done.code == 1
    assert "NCE003" in done.out and "NCE001" not in done.out
    assert "the baseline holds the finding on row 10 of the same loss; fix them together with --no-baseline" in done.out
    assert (known / "bad.py").read_text(encoding="utf-8") == more


def test_a_notebook_says_in_which_cell_the_known_half_stands(command: Command, project: Path) -> None:
    (project / "a.ipynb").write_text(notebook("x = 1\n", BAD), encoding="utf-8")
    assert command("--write-baseline", "baseline.json").code == 0
    more = BAD.replace("~mask].view(similarity_matrix.shape[0], -1)", "~mask].view(self.args.batch_size, -1)")
    (project / "a.ipynb").write_text(notebook("x = 1\n", more), encoding="utf-8")
    done = command("--baseline", "baseline.json", "--output-format", "concise")
    assert "the baseline holds the finding on row 10 of cell 3 of the same loss" in done.out


def test_add_noqa_passes_over_what_is_known(command: Command, known: Path) -> None:
    (known / "bad.py").write_text(BAD + "\n\n" + OTHER, encoding="utf-8")
    assert command("--baseline", "baseline.json", "--add-noqa").out == "Added 1 noqa directive.\n"
    after = (known / "bad.py").read_text(encoding="utf-8")
    assert after.startswith(BAD)
    assert lint(command) == []


def test_what_is_gone_is_noted_and_dropped(command: Command, known: Path) -> None:
    (known / "gone.py").write_text(BAD, encoding="utf-8")
    command("--write-baseline", "baseline.json")
    (known / "gone.py").unlink()
    (known / "bad.py").write_text(CLEAN, encoding="utf-8")
    done = command("--baseline", "baseline.json")
    note = "2 findings of baseline.json no longer occur; --write-baseline baseline.json drops them"
    assert (done.code, done.err) == (0, f"infonce-lint: note: {note}\n")
    assert command("--baseline", "baseline.json", "-q").err == ""
    assert command("--baseline", "baseline.json", "--ignore", "NCE001", "bad.py").err.count("1 finding of") == 1
    assert command("--write-baseline", "baseline.json").out == "Wrote 0 findings to baseline.json.\n"
    assert json.loads((known / "baseline.json").read_text(encoding="utf-8"))["findings"] == {}


def test_a_file_that_does_not_parse_is_not_taken_for_repaired(command: Command, known: Path) -> None:
    (known / "bad.py").write_text(BAD + "def f(:\n", encoding="utf-8")
    done = command("--baseline", "baseline.json", "--output-format", "concise")
    assert done.code == 1
    assert "NCE900" in done.out
    assert done.err == ""


def test_a_run_over_a_part_keeps_what_it_did_not_look_at(command: Command, project: Path) -> None:
    for name in ("a", "b"):
        (project / name).mkdir()
        (project / name / "bad.py").write_text(BAD, encoding="utf-8")
    command("--write-baseline", "baseline.json")
    (project / "a" / "bad.py").write_text(CLEAN, encoding="utf-8")
    (project / "b" / "bad.py").write_text(CLEAN, encoding="utf-8")
    assert command("--write-baseline", "baseline.json", "a").out == "Wrote 1 finding to baseline.json.\n"
    assert list(Baseline.read("baseline.json")._known) == ["b/bad.py"]
    (project / "b" / "bad.py").write_text(BAD, encoding="utf-8")
    command("--write-baseline", "baseline.json", "--select", "NCE002", ".")  # it did not look for NCE001
    assert Baseline.read("baseline.json").count() == 1
    command("--write-baseline", "baseline.json", "--exclude", "b", ".")
    assert Baseline.read("baseline.json").count() == 0


def test_paths_are_relative_to_the_baseline(command: Command, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (project / "src" / "ü").mkdir(parents=True)
    (project / "ci").mkdir()
    (project / "src" / "ü" / "bad.py").write_text(BAD, encoding="utf-8")
    command("--write-baseline", "ci/baseline.json", "src")
    text = (project / "ci" / "baseline.json").read_text(encoding="utf-8")
    assert list(json.loads(text)["findings"]) == ["../src/ü/bad.py"]
    assert "ü" in text
    monkeypatch.chdir(project / "src")
    assert command("--baseline", "../ci/baseline.json", "ü/bad.py").code == 0
    assert command("--baseline", "../ci/baseline.json", project / "src").code == 0


def test_writing_it_twice_changes_nothing(command: Command, known: Path) -> None:
    before = (known / "baseline.json").read_bytes()
    (known / "bad.py").write_text("\n\n# moved\n" + BAD, encoding="utf-8")
    command("--write-baseline", "baseline.json")
    assert (known / "baseline.json").read_bytes() == before


def test_the_configuration_can_name_it(command: Command, known: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (known / "pyproject.toml").write_text('[tool.infonce-lint]\nbaseline = "baseline.json"\n', encoding="utf-8")
    assert command().code == 0
    assert command("--no-baseline").code == 1
    assert command("--isolated").code == 1
    (known / "sub").mkdir()
    monkeypatch.chdir(known / "sub")
    assert command("../bad.py").code == 0
    monkeypatch.chdir(known)
    (known / "more.py").write_text(OTHER, encoding="utf-8")
    assert command().code == 1
    assert command("--write-baseline", "baseline.json").out == "Wrote 2 findings to baseline.json.\n"
    assert command().code == 0


def test_flake8_reads_it_from_the_configuration(command: Command, known: Path) -> None:
    def flake8() -> subprocess.CompletedProcess[str]:
        return run("--select", "NCE", "bad.py", cwd=known, module="flake8")

    assert flake8().returncode == 1
    (known / "pyproject.toml").write_text('[tool.infonce-lint]\nbaseline = "baseline.json"\n', encoding="utf-8")
    assert (flake8().returncode, flake8().stdout) == (0, "")
    silenced = BAD.replace("dim=0)\n", "dim=0)  # noqa: NCE001\n")
    (known / "bad.py").write_text(silenced + OTHER, encoding="utf-8")
    assert flake8().stdout == ""  # one silenced, one known by its statement
    (known / "bad.py").write_text(BAD + OTHER, encoding="utf-8")
    assert flake8().stdout.count("NCE001") == 1
    (known / "baseline.json").write_text("{", encoding="utf-8")
    assert "infonce-lint: baseline.json: not a baseline" in flake8().stderr + flake8().stdout


def test_standard_input_has_one_by_its_name(command: Command, known: Path) -> None:
    named = ("--baseline", "baseline.json", "-", "--stdin-filename")
    assert command(*named, "bad.py", stdin=b"\n\n" + BAD.encode()).code == 0
    assert command(*named, "other.py", stdin=BAD.encode()).code == 1
    assert command(*named, "bad.py", "--fix", stdin=BAD.encode()).out == BAD


def test_a_notebook_keeps_what_is_known_of_it(command: Command, project: Path) -> None:
    path = project / "a.ipynb"
    path.write_text(notebook("%matplotlib inline\n", BAD, "x = (\n"), encoding="utf-8")
    assert command("--write-baseline", "baseline.json").out == "Wrote 2 findings to baseline.json.\n"
    assert lint(command) == []
    moved = notebook("!ls\nfiles = !ls\n", "y = 1\n", "x = (\n", "%pip install x\n" + BAD)
    path.write_text(moved, encoding="utf-8")
    assert lint(command) == []
    assert command("--baseline", "baseline.json", "--fix").code == 0
    assert path.read_text(encoding="utf-8") == moved


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "baseline.json: no such baseline; --write-baseline baseline.json makes it"),
        ("{", "baseline.json: not a baseline: bad JSON (Expecting property name"),
        ("[]", 'baseline.json: not a baseline: expected an object with a "version" from 1 to 1'),
        ('{"version": "1"}', "baseline.json: not a baseline: expected an object"),
        ('{"version": 2, "findings": {}}', "baseline.json: a baseline of version 2; infonce-lint "),
        ('{"version": 1}', 'baseline.json: not a baseline: expected "findings": {path: '),
        ('{"version": 1, "findings": []}', 'baseline.json: not a baseline: expected "findings": {path: '),
        ('{"version": 1, "findings": {"a.py": [{"code": 1}]}}', "baseline.json: not a baseline: expected "),
        (
            '{"version": 1, "findings": {"a.py": [{"code": "a", "scope": "", "text": "", "count": 0}]}}',
            "baseline.json: not a baseline: expected ",
        ),
        ("\ud800", "baseline.json: not a baseline: bad JSON ("),
    ],
)
def test_one_that_cannot_be_used_is_one_line(command: Command, project: Path, text: str | None, said: str) -> None:
    (project / "bad.py").write_text(BAD, encoding="utf-8")
    if text is not None:
        (project / "baseline.json").write_bytes(text.encode("utf-8", "surrogatepass"))
    for arguments in [("--baseline", "baseline.json"), ("--write-baseline", "baseline.json")]:
        if text is None and "--write-baseline" in arguments:
            continue
        done = command(*arguments)
        assert (done.code, done.out) == (2, "")
        assert done.err.startswith(f"infonce-lint: error: {said}")
        assert done.err.count("\n") == 1
    if text is not None:  # it may be anything: it is not written over
        assert (project / "baseline.json").read_bytes() == text.encode("utf-8", "surrogatepass")


def test_a_place_that_cannot_be_written_is_one_line(command: Command, project: Path) -> None:
    done = command("--write-baseline", "no/such/folder.json")
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("infonce-lint: error: no/such/folder.json: cannot be written: ")
    assert command("--baseline", ".").err.startswith("infonce-lint: error: ")


def test_nothing_is_written_after_an_error(command: Command, known: Path) -> None:
    before = (known / "baseline.json").read_bytes()
    assert command("--write-baseline", "baseline.json", "bad.py", "missing.py").code == 2
    assert (known / "baseline.json").read_bytes() == before


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("--write-baseline=b.json", "--fix"),
        ("--write-baseline=b.json", "--diff"),
        ("--write-baseline=b.json", "--watch"),
        ("--write-baseline=b.json", "--baseline=b.json"),
        ("--no-baseline", "--baseline=b.json"),
    ],
)
def test_options_that_contradict_each_other(command: Command, project: Path, one: str, other: str) -> None:
    done = command(one, other)
    assert done.code == 2
    assert done.err.count("\n") == 1
    assert "cannot be combined" in done.err


def test_every_fixture_can_be_a_baseline(command: Command, project: Path) -> None:
    command("--write-baseline", "baseline.json", "-q", FIXTURES)
    done = command("--baseline", "baseline.json", FIXTURES)
    assert (done.code, done.out, done.err) == (0, "All checks passed!\n", "")


def test_marks_that_agree_in_more_go_first() -> None:
    text = "import torch\n" + BAD
    file = report_of(text)
    ((finding, mark),) = marks(file)
    assert mark == Mark("NCE001", "Trainer.info_nce_loss", STATEMENT)
    for other in (mark, mark._replace(scope="x"), mark._replace(text="x")):
        assert split(file, [other]) == ((), (finding,))
    assert split(file, [mark._replace(code="NCE002")]) == ((finding,), ())
    assert split(file, [mark._replace(scope="x", text="x")]) == ((finding,), ())
    two = report_of(BAD + OTHER)
    (first, _), (second, known) = marks(two)
    assert split(two, [known]) == ((first,), (second,))


ANYWHERE = ("\n", "# a comment with args.batch_size\n", "            # a deep comment\n")
STATEMENTS = (
    "x = 3\n",
    "import os\n",
    "def fresh(a, b):\n    return a + b\n",
    "async def later():\n    pass\n",
    "class Fresh:\n    def method(self):\n        return 1\n",
)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 60), st.sampled_from((*ANYWHERE, *STATEMENTS))), max_size=6),
    st.sampled_from(["py", "ipynb"]),
)
def test_what_is_put_in_between_brings_nothing_back(inserted: list[tuple[int, str]], kind: str) -> None:
    text = BAD + "\n\n" + OTHER
    known = [mark for _, mark in marks(report_of(text))]
    assert len(known) == 2
    rows = text.splitlines(keepends=True)
    for at, more in inserted:
        starts = [n for n, row in enumerate(rows) if more in ANYWHERE or re.match(r"(    def|class|import)\b", row)]
        row = starts[at % len(starts)]
        indent = " " * (len(rows[row]) - len(rows[row].lstrip())) if more in STATEMENTS else ""
        rows[row:row] = [indent + line for line in more.splitlines(keepends=True)]
    changed = "".join(rows)
    if kind == "py":
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "b.json"
            Baseline(str(path), {"a.py": known}).write()
            read = Baseline.read(str(path)).known_in(str(Path(folder) / "a.py"))
        new, old = split(report_of(changed), read)
    else:
        found = tuple(lint_bytes(notebook("import os\n", changed).encode(), "a.ipynb", Settings()))
        new, old = split(FileReport("a.ipynb", found, lambda cell: changed), known)
    assert new == ()
    assert len(old) == 2


def test_a_baseline_error_is_a_sentence() -> None:
    with pytest.raises(BaselineError, match=r"^nowhere\.json: no such baseline"):
        Baseline.read("nowhere.json")
