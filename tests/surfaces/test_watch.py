"""``--watch`` in a process of its own, with files that really change."""

from __future__ import annotations

import os
import queue
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.surfaces.conftest import Command
from tests.surfaces.samples import BAD, CLEAN, notebook

READY = "Watching for file changes; Ctrl-C ends it."
PATIENCE = 30.0


def save(path: Path, text: str) -> None:
    """Write a file as most editors do: beside it, and then in its place."""
    beside = path.with_name(f"{path.name}~")
    beside.write_text(text, encoding="utf-8")
    os.replace(beside, path)


class Watching:
    """A running ``infonce-lint --watch``: its output comes in rounds, each of which ends with `READY`."""

    def __init__(self, cwd: Path, *arguments: str) -> None:
        environment = {key: value for key, value in os.environ.items() if key not in ("FORCE_COLOR", "COLUMNS")}
        self.process = subprocess.Popen(
            [sys.executable, "-u", "-m", "infonce_lint", "--no-cache", "--watch", *arguments],
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={**environment, "PYTHONUTF8": "1"},
        )
        self._lines: queue.Queue[str | None] = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._lines.put(line.decode().rstrip("\n"))
        self._lines.put(None)

    def round(self) -> list[str]:
        """The lines of the next round."""
        lines: list[str] = []
        while True:
            line = self._lines.get(timeout=PATIENCE)
            assert line is not None, lines
            if line == READY:
                return lines
            lines.append(line)

    def codes(self) -> list[str]:
        """The codes that the next round reports, one a finding."""
        return re.findall(r"\bNCE\d{3}\b", "\n".join(line for line in self.round() if ": NCE" in line))

    def is_quiet(self, seconds: float = 1.0) -> bool:
        """Whether nothing is said for so long."""
        time.sleep(seconds)
        return self._lines.empty()

    def interrupt(self) -> int:
        """The exit code after Ctrl-C."""
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(PATIENCE)


Start = Callable[..., Watching]


@pytest.fixture
def watching(project: Path) -> Iterator[Start]:
    """Starts the command in the project folder; it ends with the test."""
    pytest.importorskip("watchfiles")
    started: list[Watching] = []

    def start(*arguments: str) -> Watching:
        started.append(Watching(project, "--output-format", "concise", *arguments))
        return started[-1]

    yield start
    for each in started:
        each.process.kill()
        each.process.wait(PATIENCE)
        if each.process.stdout is not None:
            each.process.stdout.close()


def test_files_come_change_break_and_go(watching: Start, project: Path) -> None:
    save(project / "a.py", CLEAN)
    (project / "sub").mkdir()
    save(project / "sub" / "b.py", CLEAN)
    watch = watching()
    assert watch.round() == ["All checks passed!"]
    save(project / "a.py", BAD)
    assert watch.codes() == ["NCE001"]
    save(project / "sub" / "b.py", BAD.replace("def info", "def (info"))  # it could hold a finding
    assert watch.codes() == ["NCE001", "NCE900"]
    (project / "sub" / "b.py").unlink()
    assert watch.codes() == ["NCE001"]
    save(project / "c.ipynb", notebook(BAD))
    assert watch.codes() == ["NCE001", "NCE001"]
    os.replace(project / "a.py", project / "notes.txt")
    assert watch.codes() == ["NCE001"]
    assert watch.interrupt() == 130


def test_folders_come_and_go(watching: Start, project: Path) -> None:
    save(project / "a.py", CLEAN)
    watch = watching(".")
    watch.round()
    (project / "new").mkdir()
    watch.round()
    save(project / "new" / "bad.py", BAD)
    assert watch.codes() == ["NCE001"]
    os.replace(project / "new", project.parent / "elsewhere")
    assert watch.codes() == []


def test_configuration_files_count(watching: Start, project: Path) -> None:
    save(project / "a.py", BAD)
    watch = watching("a.py")
    assert watch.codes() == ["NCE001"]
    configuration = project / "pyproject.toml"
    save(configuration, '[tool.infonce-lint]\nignore = ["NCE001"]\n')
    assert watch.round() == ["All checks passed!"]
    save(configuration, '[tool.infonce-lint]\nignor = ["NCE001"]\n')
    (line,) = watch.round()
    assert 'unknown key "ignor"' in line
    configuration.unlink()
    assert watch.codes() == ["NCE001"]


def test_a_bad_file_of_the_option_is_waited_for(watching: Start, project: Path) -> None:
    save(project / "a.py", BAD)
    (project / "settings").mkdir()
    save(project / "settings" / "own.toml", "selec = []\n")
    watch = watching("--config", "settings/own.toml", "a.py")
    (line,) = watch.round()
    assert 'unknown key "selec"' in line
    save(project / "settings" / "own.toml", 'select = ["NCE"]\n')
    assert watch.codes() == ["NCE001"]


def test_what_is_not_linted_starts_nothing(watching: Start, project: Path) -> None:
    save(project / "a.py", BAD)
    save(project / "other.py", CLEAN)
    (project / "build").mkdir()
    watch = watching("a.py")
    watch.round()
    save(project / "other.py", BAD)
    save(project / "notes.txt", "x")
    save(project / "build" / "a.py", BAD)
    assert watch.is_quiet()
    save(project / "a.py", CLEAN)
    assert watch.round() == ["All checks passed!"]


def test_it_fixes_what_is_saved_and_does_not_answer_itself(watching: Start, project: Path) -> None:
    save(project / "a.py", CLEAN)
    watch = watching("--fix")
    watch.round()
    save(project / "a.py", BAD)
    assert watch.round() == ["Found 1 finding (1 fixed, 0 remaining)."]
    assert "actual_batch_size" in (project / "a.py").read_text(encoding="utf-8")
    assert watch.is_quiet()
    save(project / "a.py", BAD + "\n\nx = 1\n")
    assert watch.round() == ["Found 1 finding (1 fixed, 0 remaining)."]


def test_a_baseline_counts(watching: Start, project: Path, command: Command) -> None:
    save(project / "a.py", BAD)
    command("--write-baseline", "known.json")
    watch = watching("--baseline", "known.json")
    assert watch.round() == ["All checks passed!"]
    save(project / "known.json", "{")
    (line,) = watch.round()
    assert "known.json: not a baseline" in line


def test_the_screen_is_cleared_on_terminals_only(watching: Start, project: Path) -> None:
    save(project / "a.py", CLEAN)
    assert not any("\x1b" in line for line in watching().round())
    pty = pytest.importorskip("pty")
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "infonce_lint", "--no-cache", "--watch"],
        cwd=project,
        stdin=subprocess.DEVNULL,
        stdout=theirs,
        stderr=theirs,
        env={**os.environ, "NO_COLOR": "1"},
    )
    os.close(theirs)
    try:
        shown = b""
        while READY.encode() not in shown:
            shown += os.read(ours, 1024)
        assert shown.startswith(b"\x1b[H\x1b[2J\x1b[3JAll checks passed!")
    finally:
        process.kill()
        process.wait(PATIENCE)
        os.close(ours)


def test_without_watchfiles_it_names_the_extra(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "watchfiles", None)
    done = command("--watch")
    assert (done.code, done.out) == (2, "")
    assert done.err == "infonce-lint: error: --watch needs watchfiles: pip install 'infonce-lint[watch]'\n"


def test_it_needs_files_that_there_are(command: Command) -> None:
    pytest.importorskip("watchfiles")
    done = command("--watch", "missing.py")
    assert (done.code, done.err) == (2, "infonce-lint: error: missing.py: no such file or folder\n")
    assert command("--watch", "-").err.startswith("infonce-lint: error: --watch needs files or folders")
