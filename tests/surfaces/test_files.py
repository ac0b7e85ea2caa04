"""Which files are linted, in which order, and what is left out."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from infonce_lint.running.configuration import Configurations, Overrides
from infonce_lint.running.files import Discovery, discover
from infonce_lint.running.patterns import PathPatterns, anchor


def make(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x = 1\n", encoding="utf-8")


def search(*paths: str, **overrides: object) -> Discovery:
    return discover(paths, Configurations(overrides=Overrides(**overrides)))  # type: ignore[arg-type]


def found(*paths: str, **overrides: object) -> list[str]:
    result = search(*paths, **overrides)
    assert not result.errors
    return [target.path for target in result.targets]


def test_folders_give_python_and_notebooks_by_name(project: Path) -> None:
    make(project, "b.py", "a.pyi", "c.ipynb", "d.txt", "Z.py", "sub/e.py", "b.pyc", "py", "aa/f.py")
    assert found(".") == ["Z.py", "a.pyi", "aa/f.py", "b.py", "c.ipynb", "sub/e.py"]


def test_paths_are_shown_relative_to_the_current_folder(project: Path) -> None:
    make(project, "sub/a.py")
    make(project.parent, "beside/b.py")
    assert found("./sub/", str(project / "sub" / "a.py")) == ["sub/a.py"]
    assert found(str(project)) == ["sub/a.py"]
    assert found("../beside") == ["../beside/b.py"]
    assert found("../beside/b.py", str(project.parent / "beside")) == ["../beside/b.py"]


def test_an_explicit_file_needs_no_suffix(project: Path) -> None:
    make(project, "script", "data.txt")
    assert found("script", "data.txt") == ["script", "data.txt"]


def test_the_usual_folders_are_left_out(project: Path) -> None:
    names = [".git", ".tox", ".venv", "venv", "node_modules", "__pycache__", "build", "dist", ".ipynb_checkpoints"]
    make(project, "a.py", *(f"sub/{name}/x.py" for name in names))
    assert found(".") == ["a.py"]
    assert found("sub/build") == ["sub/build/x.py"]  # asked for by name
    assert found("sub/build/x.py") == ["sub/build/x.py"]


def test_exclude_replaces_and_extend_exclude_adds(project: Path) -> None:
    make(project, "a.py", "build/b.py", "old/c.py", "old/deep/d.py")
    assert found(".", exclude=("old",)) == ["a.py", "build/b.py"]
    assert found(".", extend_exclude=("old",)) == ["a.py"]
    assert found(".", extend_exclude=(anchor("old/*.py", str(project)),)) == ["a.py", "old/deep/d.py"]
    assert found(".", extend_exclude=(anchor("old/**", str(project)), "a.py")) == []


def test_patterns_of_a_configuration_are_relative_to_it(project: Path) -> None:
    make(project, "gen/a.py", "sub/gen/a.py", "sub/gen/deep/a.py", "sub/b_pb2.py")
    (project / "sub" / "infonce-lint.toml").write_text('extend-exclude = ["gen/*.py", "*_pb2.py"]\n', encoding="utf-8")
    assert found(".") == ["gen/a.py", "sub/gen/deep/a.py"]


def test_force_exclude_is_for_explicit_paths(project: Path) -> None:
    make(project, "a.py", "build/b.py", "build/deep/c.py")
    explicit = ("a.py", "build/b.py", "build/deep/c.py", "build")
    assert found(*explicit) == ["a.py", "build/b.py", "build/deep/c.py"]
    assert found(*explicit, force_exclude=True) == ["a.py"]


def test_a_project_below_a_folder_named_build_is_not_left_out(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make(project, "build/home/a.py")
    monkeypatch.chdir(project / "build" / "home")
    assert found("a.py", ".", force_exclude=True) == ["a.py"]


def test_gitignore_is_respected_with_its_nesting_and_exceptions(project: Path) -> None:
    make(project, "a.py", "gen/b.py", "keep/x_gen.py", "keep/y_gen.py", "sub/local.py", "sub/deep/local.py", "top.py")
    (project / ".gitignore").write_text("# made\ngen/\n*_gen.py\n/top.py\n", encoding="utf-8")
    (project / "keep" / ".gitignore").write_text("!x_gen.py\n", encoding="utf-8")
    (project / "sub" / ".gitignore").write_text("/local.py\n", encoding="utf-8")
    expected = ["a.py", "keep/x_gen.py", "sub/deep/local.py"]
    assert found(".") == expected
    subprocess.run(["git", "init", "-q"], cwd=project, check=True, timeout=60)
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "*.py"],
        cwd=project,
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert listed.stdout.split() == expected
    (project / ".git" / "info" / "exclude").write_text("a.py\n", encoding="utf-8")
    assert found(".") == expected[1:]
    assert found("sub", "keep") == ["sub/deep/local.py", "keep/x_gen.py"]  # the root's file counts below it too
    assert found("gen") == ["gen/b.py"]  # asked for by name
    assert found("gen", "gen/b.py", "a.py", "keep/x_gen.py", force_exclude=True) == ["keep/x_gen.py"]


def test_gitignore_can_be_disregarded(project: Path) -> None:
    make(project, "a.py")
    (project / ".gitignore").write_text("a.py\n", encoding="utf-8")
    (project / "infonce-lint.toml").write_text("respect-gitignore = false\n", encoding="utf-8")
    assert found(".") == ["a.py"]


def test_a_missing_path_is_an_error_and_the_rest_goes_on(project: Path) -> None:
    make(project, "a.py")
    (project / "dangling.py").symlink_to("nowhere")
    result = search("none.py", "dangling.py", "a.py")
    assert result.errors == ["none.py: no such file or folder", "dangling.py: no such file or folder"]
    assert [target.path for target in result.targets] == ["a.py"]


def test_a_folder_without_python_is_a_warning(project: Path) -> None:
    make(project, "docs/a.txt", "code/a.py", "code/none/x")
    result = search("docs", "code")
    assert not result.errors
    assert result.warnings == ["docs: no Python files or notebooks found (excluded ones aside)"]
    assert not search("code", "code").warnings  # found once, listed once


def test_symbolic_links_make_no_loops_and_no_duplicates(project: Path) -> None:
    make(project, "a.py", "sub/b.py")
    (project / "sub" / "up").symlink_to(project)
    (project / "self.py").symlink_to("self.py")
    (project / "again.py").symlink_to("a.py")
    (project / "zz.py").symlink_to("sub/b.py")
    assert found(".") == ["a.py", "sub/b.py"] or found(".") == ["a.py", "again.py", "sub/b.py"]
    assert len({os.path.realpath(path) for path in found(".", "sub/up")}) == len(found(".", "sub/up")) == 2


def test_a_file_keeps_its_own_name_though_a_link_comes_first(project: Path) -> None:
    make(project, "sub/z.py", "m.py", "other/o.py")
    for link in ("a.py", "b.py"):
        (project / link).symlink_to("sub/z.py")
    (project / "n.py").symlink_to("m.py")
    (project / "sub" / "far.py").symlink_to("../other/o.py")
    assert found(".") == ["m.py", "other/o.py", "sub/z.py"]
    assert found("a.py", "sub/z.py", "b.py", "m.py") == ["sub/z.py", "m.py"]
    assert found("b.py", "a.py") == ["b.py"]  # a link alone stands for its file
    assert found("sub") == ["sub/far.py", "sub/z.py"]


def test_what_is_no_file_is_refused_and_the_rest_goes_on(project: Path) -> None:
    """A pipe named on the command line would be waited for until someone writes into it."""
    make(project, "a.py")
    os.mkfifo(project / "pipe.py")
    (project / "link.py").symlink_to("pipe.py")
    result = search("pipe.py", "link.py", os.devnull, "a.py")
    reason = "neither a file nor a folder; give what it holds on standard input, as -"
    assert result.errors == [f"{name}: {reason}" for name in ("pipe.py", "link.py", os.devnull)]
    assert [target.path for target in result.targets] == ["a.py"]


def test_a_pipe_in_a_folder_is_not_read(project: Path) -> None:
    make(project, "a.py")
    os.mkfifo(project / "pipe.py")
    assert found(".") == ["a.py"]


@pytest.mark.parametrize(
    ("pattern", "path", "covered"),
    [
        ("build", "/p/q/build", True),
        ("build", "/p/q/builder", False),
        ("*.py", "/p/a.py", True),
        ("*.py", "/p/q/a.py", True),
        ("*.py", "/elsewhere/a.py", False),
        ("q/*.py", "/p/q/a.py", True),
        ("q/*.py", "/p/r/q/a.py", False),
        ("./q/*.py", "/p/q/a.py", True),
        ("/a.py", "/p/a.py", True),
        ("/a.py", "/p/q/a.py", False),
        ("**/q/a.py", "/p/r/q/a.py", True),
        ("q/", "/p/r/q/a.py", True),
        ("a[bc].py", "/p/ab.py", True),
    ],
)
def test_patterns_are_those_of_gitignore(pattern: str, path: str, covered: bool) -> None:
    assert PathPatterns([anchor(pattern, "/p")]).covers(path) is covered


def test_a_folder_with_wildcards_in_its_name_is_taken_literally() -> None:
    patterns = PathPatterns([anchor("q/*.py", "/p[1]*")])
    assert patterns.covers("/p[1]*/q/a.py")
    assert not patterns.covers("/p1x/q/a.py")
