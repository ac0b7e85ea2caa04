"""Files that cannot be linted: one finding and one line each, and the files beside them are linted all the same."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

import pytest

from tests.surfaces.conftest import Command
from tests.surfaces.samples import BAD, notebook, run

HOSTILE: dict[str, bytes] = {
    "syntax_error.py": b"def f(:\n    pass\n",
    "python_2.py": b"print 'loss', loss\n",
    "invalid_utf8.py": b"x = 1\ny = '\xff'\n",
    "nul.py": b"x = 1\0\n",
    "unknown_encoding.py": b"# -*- coding: no-such-encoding -*-\nx = 1\n",
    "utf16.py": "x = 1\n".encode("utf-16"),
    "unfinished.py": b"def f():\n    x = (1,\n",
    "not_json.ipynb": b"{",
    "no_notebook.ipynb": b"[]",
    "deep.py": b"x = " + b"(" * 5000 + b")" * 5000 + b"\n",
    "deep_lists.py": b"x = " + b"[" * 3000 + b"]" * 3000 + b"\n",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_such_a_file_is_one_finding_where_it_is_named(command: Command, project: Path, name: str) -> None:
    (project / name).write_bytes(HOSTILE[name])
    (project / "zz_bad.py").write_text(BAD, encoding="utf-8")
    done = command("--output-format", "concise", name, ".")
    assert done.code == 1
    first, second, *_ = done.out.splitlines()
    assert first.startswith(f"{name}:")
    assert ": NCE900 " in first
    assert second.startswith("zz_bad.py:10:42: NCE001 ")
    assert done.err == ""


@pytest.mark.parametrize("form", ["full", "json", "sarif", "github", "gitlab", "junit"])
def test_every_format_can_say_so(command: Command, project: Path, form: str) -> None:
    for name, data in HOSTILE.items():
        (project / name).write_bytes(data)
    done = command("--output-format", form, *HOSTILE)
    assert (done.code, done.err) == (1, "")
    for name in HOSTILE:
        assert name in done.out


def test_fix_leaves_such_files_alone(command: Command, project: Path) -> None:
    for name, data in HOSTILE.items():
        (project / name).write_bytes(data)
    assert command("--fix", "--unsafe-fixes", *HOSTILE).code == 1
    assert {name: (project / name).read_bytes() for name in HOSTILE} == HOSTILE


def test_a_folder_is_silent_of_them_where_they_can_hold_no_finding(command: Command, project: Path) -> None:
    for name, data in HOSTILE.items():
        (project / name).write_bytes(data)
    done = command("--output-format", "concise", ".")
    assert (done.code, done.out, done.err) == (0, "All checks passed!\n", "")


#: What could hold a finding, if it were Python, and what could not although a batch is mentioned.
BROKEN_LOSS = BAD + "print 'done'\n"
BROKEN_LOADER = "loader = Loader(data, args.batch_size)\nprint 'done'\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1"])
def test_a_folder_names_what_could_hold_a_finding(command: Command, project: Path, encoding: str) -> None:
    cookie = "" if encoding.startswith("utf-8") else f"# -*- coding: {encoding} -*-\n# \xe9\n"
    (project / "loss.py").write_bytes((cookie + BROKEN_LOSS).encode(encoding))
    (project / "loader.py").write_bytes((cookie + BROKEN_LOADER).encode(encoding))
    (project / "loss.ipynb").write_text(notebook("x = 1", BROKEN_LOSS), encoding="utf-8")
    (project / "loader.ipynb").write_text(notebook("x = 1", BROKEN_LOADER), encoding="utf-8")
    lines = [line for line in command("--output-format", "concise", ".").out.splitlines() if " NCE900 " in line]
    assert [line.split(":")[0] for line in lines] == ["loss.ipynb", "loss.py"]
    named = command("--output-format", "concise", "loader.py", "loader.ipynb", ".").out
    assert named.count(" NCE900 ") == 4


def test_a_file_that_is_found_and_named_is_named(command: Command, project: Path) -> None:
    (project / "a.py").write_bytes(HOSTILE["syntax_error.py"])
    (project / "b.py").symlink_to("a.py")
    for paths in ((".", "a.py"), ("a.py", "."), ("b.py", "."), (str(project / "a.py"),)):
        done = command("--output-format", "concise", *paths)
        assert (done.code, done.out.count(" NCE900 ")) == (1, 1), paths


def test_what_a_folder_was_silent_of_is_told_where_it_is_named_later(
    command: Command, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("infonce_lint.running.cache.SETTLED_NS", -1)
    (project / "a.py").write_bytes(HOSTILE["syntax_error.py"])
    (project / "b.py").write_text("x = 1\n", encoding="utf-8")
    assert command(".").code == 0
    assert command("a.py", "b.py").code == 1
    assert command("b.py").code == 0


@pytest.mark.parametrize("name", ["._a.py", "._a.ipynb"])
def test_what_macos_keeps_beside_a_file_is_passed_over(command: Command, project: Path, name: str) -> None:
    (project / name).write_bytes(b"\x00\x05\x16\x07" + BROKEN_LOSS.encode())
    assert command(".").code == 0
    assert " NCE900 " in command("--output-format", "concise", name).out


def test_a_file_with_a_nul_byte_is_passed_over(command: Command, project: Path) -> None:
    (project / "a.py").write_bytes(BROKEN_LOSS.encode() + b"\0")
    assert command(".").code == 0
    assert "contains a NUL byte" in command("a.py").out


@pytest.mark.parametrize(
    "text",
    [
        BAD + "x = " + "+".join(["1"] * 20_000) + "\n",
        BAD + "x = f" + "(1)" * 20_000 + "\n",
        BAD + "x = a" + ".b" * 20_000 + "\n",
        BAD + "x = " + "-" * 20_000 + "1\n",
        BAD + "if a:\n    pass\n" + "elif a:\n    pass\n" * 5_000,
        BAD + "".join(f"{' ' * n}if a:\n" for n in range(120)) + " " * 120 + "pass\n",
        BAD + "x = " + "lambda: " * 5_000 + "1\n",
    ],
    ids=["sum", "calls", "attributes", "signs", "elifs", "blocks", "lambdas"],
)
def test_no_text_kills_the_process(project: Path, text: str) -> None:
    (project / "a.py").write_text(text, encoding="utf-8")
    (project / "b.py").write_text(BAD, encoding="utf-8")
    done = run("--output-format", "concise", ".", cwd=project)
    assert done.returncode == 1, done.stderr
    assert "b.py:10:42: NCE001 " in done.stdout
    assert "a.py:" in done.stdout
    assert done.stderr == ""


def test_an_unreadable_file(command: Command, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("a.py", "b.py"):
        (project / name).write_text(BAD, encoding="utf-8")
    (project / "a.py").chmod(0)
    if os.access(project / "a.py", os.R_OK):  # root reads everything, but no pages of an address that is not mapped
        (project / "a.py").unlink()
        (project / "a.py").symlink_to("/proc/self/mem")
    done = command("--output-format", "concise", "a.py", "b.py")
    assert done.code == 1
    assert done.out.startswith("a.py:1:1: NCE900 The file cannot be read: ")
    assert "b.py:10:42: NCE001 " in done.out
    assert command("--fix", "a.py").code == 1


def test_a_cell_with_a_syntax_error_does_not_hide_the_others(command: Command, project: Path) -> None:
    (project / "a.ipynb").write_text(notebook("x = (\n", BAD, "%matplotlib inline\n!ls\n"), encoding="utf-8")
    lines = command("--output-format", "concise", "a.ipynb").out.splitlines()
    assert lines[0].startswith("a.ipynb:cell 2:")
    assert ": NCE900 " in lines[0]
    assert lines[1].startswith("a.ipynb:cell 3:10:42: NCE001 ")


def test_an_error_of_our_own_is_one_line_and_the_rest_goes_on(
    command: Command, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from infonce_lint.engine import linter

    for name in ("a.py", "b.py"):
        (project / name).write_text(BAD, encoding="utf-8")
    real = linter.lint_bytes

    def fails_for_a(data: bytes, path: str, settings: object, **more: object) -> object:
        if path == "a.py":
            raise RecursionError("maximum recursion depth\nexceeded")
        return real(data, path, settings, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(linter, "lint_bytes", fails_for_a)
    done = command("--output-format", "concise", ".")
    assert done.code == 2
    assert done.out.startswith("b.py:10:42: NCE001 ")
    said = "a.py: internal error, please report it: RecursionError: maximum recursion depth exceeded"
    assert done.err == f"infonce-lint: error: {said}\n"


def test_an_error_anywhere_is_one_line(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> None:
        raise OSError("the current folder is gone")

    monkeypatch.setattr("infonce_lint.running.files.discover", fails)
    done = command(".")
    assert done.code == 2
    assert done.err == "infonce-lint: internal error, please report it: OSError: the current folder is gone\n"


def test_file_names_may_hold_anything(project: Path) -> None:
    names = ["with space.py", "ü.py", "a:b,c%.py", "quote'\".py", "-dash.py"]
    with contextlib.suppress(OSError):  # a file system that knows UTF-8 only
        (project / os.fsdecode(b"\xff.py")).write_text(BAD, encoding="utf-8")
    for name in names:
        (project / name).write_text(BAD, encoding="utf-8")
    for form in ("full", "concise", "json", "sarif", "github", "gitlab", "junit"):
        done = run("--output-format", form, ".", cwd=project)
        assert (done.returncode, done.stderr) == (1, "")
        assert "with" in done.stdout
