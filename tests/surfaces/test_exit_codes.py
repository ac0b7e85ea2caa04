"""The table of exit codes: 0 clean or all fixed, 1 findings or changes, 2 usage or internal error."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.surfaces.conftest import Command
from tests.surfaces.samples import BAD, CLEAN, SUPPRESSED, UNUSED_NOQA, run

#: A finding without a fix: the places that the size flows into disagree.
UNFIXABLE = BAD.replace(
    "torch.eye(labels.shape[0], dtype=torch.bool)", "torch.eye(self.args.batch_size, dtype=torch.bool).repeat(2, 3)"
)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["clean.py"], 0),
        (["bad.py"], 1),
        (["."], 1),
        ([], 1),
        (["--exit-zero", "bad.py"], 0),
        (["--fix", "bad.py"], 0),
        (["--fix", "--exit-non-zero-on-fix", "bad.py"], 1),
        (["--fix", "--exit-non-zero-on-fix", "clean.py"], 0),
        (["--diff", "bad.py"], 1),
        (["--diff", "clean.py"], 0),
        (["--diff", "--exit-zero", "bad.py"], 0),
        (["--diff", "--exit-non-zero-on-fix", "bad.py"], 1),
        (["--diff", "--fix", "bad.py"], 1),
        (["--diff", "unfixable.py"], 0),
        (["--diff", "unfixable.py", "bad.py"], 1),
        (["--diff", "broken.py"], 0),
        (["--diff", "missing.py", "clean.py"], 2),
        (["--diff", "--statistics", "bad.py"], 2),
        (["--fix", "unfixable.py", "bad.py"], 1),
        (["--statistics", "bad.py"], 1),
        (["--statistics", "clean.py"], 0),
        (["--statistics", "--output-format", "github", "bad.py"], 2),
        (["--exit-zero", "--exit-non-zero-on-fix", "bad.py"], 2),
        (["--exit-non-zero-on-fix", "clean.py"], 0),
        (["suppressed.py"], 0),
        (["unused.py"], 1),
        (["--ignore", "NCE901", "unused.py"], 0),
        (["--fix", "unused.py"], 0),
        (["--select", "NCE002", "bad.py"], 0),
        (["--select", "NCE002", "--extend-select", "NCE001", "bad.py"], 1),
        (["--ignore", "NCE001", "bad.py"], 0),
        (["--ignore", "NCE0", "--select", "NCE001", "bad.py"], 1),
        (["--per-file-ignores", "bad.py:NCE001", "bad.py"], 0),
        (["--per-file-ignores", "other.py:NCE001", "bad.py"], 1),
        (["--exclude", "bad.py", "."], 1),
        (["--exclude", "bad.py,unused.py,broken.py,unfixable.py", "."], 0),
        (["--exclude", "bad.py", "bad.py"], 1),
        (["--exclude", "bad.py", "--force-exclude", "bad.py"], 0),
        (["broken.py"], 1),
        (["empty"], 0),
        (["missing.py"], 2),
        (["missing.py", "clean.py"], 2),
        (["--exit-zero", "missing.py"], 2),
        (["--select", "NCE999", "clean.py"], 2),
        (["--select", "E501", "clean.py"], 2),
        (["--no-such-option"], 2),
        (["-", "clean.py"], 2),
        (["--stdin-filename", "x.py", "clean.py"], 2),
        (["--config", "missing.toml", "clean.py"], 2),
        (["--config", "own.toml", "clean.py"], 0),
        (["--config", "own.toml", "--isolated", "clean.py"], 2),
        (["--select", "", "clean.py"], 2),
        (["--show-settings", "--watch"], 2),
        (["--output-format", "yaml"], 2),
        (["-j", "0", "clean.py"], 2),
        (["-j", "2", "--no-cache", "clean.py"], 0),
        (["--output-file", "empty", "clean.py"], 2),
        (["--version"], 0),
        (["--help"], 0),
        (["--show-settings"], 0),
        (["explain", "NCE001"], 0),
        (["explain", "NCE999"], 2),
        (["explain"], 2),
        (["./explain"], 0),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_exit_code(command: Command, project: Path, arguments: list[str], expected: int) -> None:
    for name, text in {
        "bad.py": BAD,
        "clean.py": CLEAN,
        "suppressed.py": SUPPRESSED,
        "unused.py": UNUSED_NOQA,
        "broken.py": "def f(:\n",
        "unfixable.py": UNFIXABLE,
    }.items():
        (project / name).write_text(text, encoding="utf-8")
    (project / "empty").mkdir()
    (project / "explain").mkdir()
    (project / "own.toml").touch()
    done = command(*arguments)
    assert done.code == expected, done.out + done.err


@pytest.mark.parametrize("name", ["bad.py", "new.py", "script"])
def test_a_report_never_replaces_a_source_file(command: Command, project: Path, name: str) -> None:
    """Nor does it make one that the next run, or the same with --watch, would lint."""
    for source in ("bad.py", "script"):
        (project / source).write_text(BAD, encoding="utf-8")
    done = command("--output-file", name, ".", "script")
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith(f"infonce-lint: error: --output-file {name}: a report would replace")
    assert (project / "script").read_text(encoding="utf-8") == (project / "bad.py").read_text(encoding="utf-8") == BAD


@pytest.mark.parametrize(
    ("arguments", "stdin", "expected"),
    [
        (["-"], BAD, 1),
        (["-"], CLEAN, 0),
        (["-", "--fix"], BAD, 0),
        (["-", "--diff"], BAD, 1),
        (["-"], "def f(:\n", 1),
        (["-", "--stdin-filename", "build/x.py", "--force-exclude"], BAD, 0),
    ],
)
def test_exit_code_of_standard_input(command: Command, arguments: list[str], stdin: str, expected: int) -> None:
    assert command(*arguments, stdin=stdin.encode()).code == expected


def test_the_process_exits_with_the_code(project: Path) -> None:
    (project / "bad.py").write_text(BAD, encoding="utf-8")
    assert run("bad.py", cwd=project).returncode == 1
    assert run("--fix", "bad.py", cwd=project).returncode == 0
    assert run("missing.py", cwd=project).returncode == 2


def test_a_reader_that_has_enough_gets_no_traceback(project: Path) -> None:
    for number in range(30):
        (project / f"bad{number}.py").write_text(BAD * 20, encoding="utf-8")
    with subprocess.Popen(
        [sys.executable, "-m", "infonce_lint", "."], cwd=project, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as child:
        assert child.stdout is not None and child.stderr is not None
        try:
            child.stdout.read(10)
            child.stdout.close()
            assert b"Traceback" not in child.stderr.read()
            assert child.wait(60) in (1, 141)
        finally:
            child.kill()  # the end of the block waits for it


def test_an_interrupt_is_one_line(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("infonce_lint.running.files.discover", interrupt)
    done = command(".")
    assert (done.code, done.err) == (130, "infonce-lint: interrupted\n")


def test_a_process_that_dies_is_one_line(project: Path) -> None:
    """As when the system runs out of memory: what came before is shown, and nothing hangs."""
    for number in range(20):
        (project / f"bad{number:02}.py").write_text(BAD, encoding="utf-8")
    script = """
import os, sys
from infonce_lint.running import runner
from infonce_lint.command.cli import main
parent, process = os.getpid(), runner.process
def dying(target, mode, **more):
    if target.path == "bad15.py" and os.getpid() != parent:
        os._exit(9)
    return process(target, mode, **more)
runner.process = dying
runner._PATIENCE = runner._WORTH_IT = 0.0
sys.exit(main(["--no-cache", "-j2", "--output-format", "concise", "."]))
"""
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=project, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 2
    said = "a process died while it linted (out of memory?); try --jobs 1, or fewer files"
    assert done.stderr == f"infonce-lint: error: {said}\n"
    assert done.stdout.startswith("bad00.py:10:42: NCE001 ")


@pytest.mark.skipif(not os.path.exists("/proc/self/stat"), reason="asks /proc for processes")
def test_a_process_that_hangs_is_one_line(project: Path) -> None:
    for number in range(20):
        (project / f"bad{number:02}.py").write_text(BAD, encoding="utf-8")
    script = """
import os, sys, time
from infonce_lint.running import runner
from infonce_lint.command.cli import main
parent, process = os.getpid(), runner.process
def hanging(target, mode, **more):
    if target.path == "bad15.py" and os.getpid() != parent:
        open("pid", "w").write(str(os.getpid()))
        time.sleep(600)
    return process(target, mode, **more)
runner.process = hanging
runner._PATIENCE = runner._WORTH_IT = 0.0
runner._SILENCE, runner._LEAVE_SECONDS = 5.0, 1.0
sys.exit(main(["--no-cache", "-j2", "--output-format", "concise", "."]))
"""
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=project, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 2
    assert done.stderr == "infonce-lint: error: a process gave no result in 5 s and was stopped; try --jobs 1\n"
    assert done.stdout.startswith("bad00.py:10:42: NCE001 ")
    assert not Path("/proc", (project / "pid").read_text()).exists()


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs a device that is always full")
@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize(
    "arguments",
    [
        ["bad.py"],
        ["clean.py"],
        ["--diff", "bad.py"],
        ["--help"],
        ["--version"],
        ["explain", "NCE001"],
        ["explain", "-h"],
    ],
    ids=" ".join,
)
def test_a_full_disk_is_one_line(project: Path, arguments: list[str], unbuffered: str) -> None:
    (project / "bad.py").write_text(BAD, encoding="utf-8")
    (project / "clean.py").write_text(CLEAN, encoding="utf-8")
    with open("/dev/full", "w", encoding="utf-8") as full:
        done = subprocess.run(
            [sys.executable, "-m", "infonce_lint", *arguments],
            cwd=project,
            stdout=full,
            stderr=subprocess.PIPE,
            env={**os.environ, "PYTHONUNBUFFERED": unbuffered},
            text=True,
            timeout=60,
            check=False,
        )
    assert done.returncode == 2
    assert done.stderr == "infonce-lint: error: standard output cannot be written: No space left on device\n"


@pytest.mark.skipif(os.name == "nt", reason="needs a POSIX shell")
def test_a_closed_output_is_one_line(project: Path) -> None:
    (project / "bad.py").write_text(BAD, encoding="utf-8")

    def shell(redirections: str) -> subprocess.CompletedProcess[str]:
        command = f'"$0" -m infonce_lint bad.py {redirections}'
        return subprocess.run(
            ["/bin/sh", "-c", command, sys.executable],
            cwd=project,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    done = shell(">&-")
    assert (done.returncode, done.stderr) == (2, "infonce-lint: error: standard output is closed\n")
    assert shell(">&- 2>&-").returncode == 2
    done = shell("2>&-")
    assert done.returncode == 1
    assert "NCE001" in done.stdout


def test_a_folder_without_python_has_passed_nothing(command: Command, project: Path) -> None:
    (project / "empty").mkdir()
    done = command("empty")
    assert (done.code, done.out) == (0, "")
    assert done.err == "infonce-lint: warning: empty: no Python files or notebooks found (excluded ones aside)\n"
