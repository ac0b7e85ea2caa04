"""The full format on screens: colours, widths, wide letters, and the same words as everywhere else."""

from __future__ import annotations

import os
import re
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from infonce_lint.engine.checked import FileReport
from infonce_lint.finding import Applicability, Edit, Finding, Fix, Position, Related, Span
from infonce_lint.report.full import report
from infonce_lint.report.text import clipped, columns, cut, visible, wrapped
from tests.surfaces.samples import BAD, run

ESCAPE = re.compile(r"\x1b\[[0-9;]*m")


def on_screen(project: Path, width: int, *arguments: str, **environment: str) -> str:
    """What the command prints on a terminal of ``width`` columns."""
    pty = pytest.importorskip("pty")
    fcntl, termios = pytest.importorskip("fcntl"), pytest.importorskip("termios")
    screen, keyboard = pty.openpty()
    fcntl.ioctl(keyboard, termios.TIOCSWINSZ, struct.pack("HHHH", 50, width, 0, 0))
    kept = {key: value for key, value in os.environ.items() if key not in ("COLUMNS", "NO_COLOR", "FORCE_COLOR")}
    process = subprocess.Popen(
        [sys.executable, "-m", "infonce_lint", "--isolated", "--no-cache", *arguments],
        cwd=project,
        env={**kept, "TERM": "xterm-256color", "PYTHONUTF8": "1", **environment},
        stdin=keyboard,
        stdout=keyboard,
        stderr=keyboard,
    )
    os.close(keyboard)
    data = b""
    while True:
        try:
            more = os.read(screen, 65536)
        except OSError:  # the other end is closed
            more = b""
        if not more:
            break
        data += more
    os.close(screen)
    process.wait(timeout=60)
    return data.decode().replace("\r\n", "\n")


def words(text: str) -> str:
    return " ".join(ESCAPE.sub("", text).split())


def test_a_screen_gets_colours_and_its_own_width(project: Path) -> None:
    (project / "a.py").write_text(BAD, encoding="utf-8")
    plain = run("--isolated", "--no-cache", "a.py", cwd=project).stdout
    assert "\x1b" not in plain
    wide = on_screen(project, 300, "a.py")
    assert "\x1b[1;31mNCE001" in wide
    assert ESCAPE.sub("", wide) == plain
    narrow = ESCAPE.sub("", on_screen(project, 40, "a.py"))
    assert max(map(columns, narrow.splitlines())) <= 40
    for sentence in re.findall(r"^(?:NCE001|help:|note:).*", plain, re.MULTILINE):
        assert words(sentence) in words(narrow)


@pytest.mark.parametrize(
    ("environment", "coloured"),
    [({"NO_COLOR": "1"}, False), ({"NO_COLOR": "", "FORCE_COLOR": "1"}, True), ({"TERM": "dumb"}, False)],
)
def test_a_screen_without_colours(project: Path, environment: dict[str, str], coloured: bool) -> None:
    (project / "a.py").write_text(BAD, encoding="utf-8")
    assert ("\x1b" in on_screen(project, 80, "a.py", **environment)) is coloured


def test_colours_can_be_forced_into_a_pipe(project: Path) -> None:
    (project / "a.py").write_text(BAD, encoding="utf-8")
    plain = run("--isolated", "--no-cache", "a.py", cwd=project).stdout
    forced = run("--isolated", "--no-cache", "a.py", cwd=project, env={"FORCE_COLOR": "1"}).stdout
    assert "\x1b[" in forced
    assert ESCAPE.sub("", forced) == plain
    both = run("--isolated", "--no-cache", "a.py", cwd=project, env={"FORCE_COLOR": "1", "NO_COLOR": "1"}).stdout
    assert both == plain
    to_file = run("--isolated", "--no-cache", "--output-file", "out", "a.py", cwd=project)
    assert (project / "out").read_text(encoding="utf-8") + to_file.stdout == plain


# ---- layout


def span(row: int, start: int, end: int) -> Span:
    return Span(Position(row, start), Position(row, end))


def lines(finding: Finding, text: str, width: int) -> list[str]:
    shown = "".join(report((FileReport("a.py", (finding,), lambda cell: text),), unsafe_fixes=False, width=width))
    return shown.splitlines()


@pytest.mark.parametrize("width", [20, 33, 40, 57, 80])
def test_nothing_is_wider_than_the_screen(width: int) -> None:
    row = "    " + "数据 = " + "值 + " * 30 + "size" + " + é\u0301" * 40
    start = row.index("size") + 1
    text = f"# {'长' * 60}\n{row}\n" + "\tx = [" + "1, " * 60 + "]\n"
    fix = Fix(
        Applicability.SAFE,
        "Derive the size of " + "数据" * 30,
        (Edit(span(2, start, start + 4), "rows_of_数据"), Edit(span(2, 5, 5), "rows_of_数据 = 值.shape[0]\n    ")),
        why="w" * 100,
    )
    finding = Finding(
        "NCE001",
        "`size` " + "is configured and 数据 " * 10,
        span(2, start, start + 4),
        related=(Related(span(2, start - 20, start + 9), "sizes 标签 " * 9), Related(span(3, 2, 90), "flows here")),
        fix=fix,
        origin=("`size` is read from " + "x" * 70, "and passed on"),
    )
    shown = lines(finding, text, width)
    assert [line for line in shown if columns(line) > width] == []
    bars = [line for line in shown if "^" in line]
    assert len(bars) == 1
    code = shown[shown.index(bars[0]) - 1]
    left = columns(bars[0][: bars[0].index("^")])
    before = next(code[:index] for index in range(len(code)) if columns(code[:index]) == left)
    assert code[len(before) :].startswith("size"[: bars[0].count("^")])


def test_a_reason_against_a_fix_stands_below() -> None:
    finding = Finding("NCE004", "`n` scales the loss", span(1, 1, 2), withheld="the tensor is not known; " * 3)
    shown = lines(finding, "n = 3\n", 50)
    assert shown[0] == "NCE004 `n` scales the loss"
    at = next(index for index, line in enumerate(shown) if line.startswith("note: no automatic fix: the tensor"))
    assert all(line.startswith("  ") for line in shown[at + 1 : -1])


def test_a_preview_shows_no_row_behind_the_last() -> None:
    fix = Fix(Applicability.SAFE, "m", (Edit(span(2, 5, 6), "3"),))
    shown = lines(Finding("NCE001", "m", span(2, 5, 6), fix=fix), "a = 1\nb = 2\n", 80)
    assert shown[-6:-2] == ["1 | a = 1", "  - b = 2", "2 + b = 3", "  |"]


def test_both_sides_of_a_long_row_are_cut_at_the_same_place() -> None:
    row = "x = " + "a + " * 50 + "size" + " + b" * 50
    start = row.index("size") + 1
    fix = Fix(Applicability.SAFE, "m", (Edit(span(1, start, start + 4), "rows"),))
    shown = lines(Finding("NCE001", "m", span(1, start, start + 4), fix=fix), row + "\n", 60)
    (old,) = [line for line in shown if line.startswith("  - ")]
    (new,) = [line for line in shown if line.startswith("1 + ")]
    assert old[4:].replace("size", "rows") == new[4:]
    assert "rows" in new


@pytest.mark.parametrize(
    ("text", "room", "first", "expected"),
    [
        ("aaa bbb ccc ddd", 7, 3, ["aaa", "bbb ccc", "ddd"]),
        ("x" * 25, 10, 0, ["x" * 10, "x" * 10, "x" * 5]),
        ("数据数 é", 5, 0, ["数据", "数 é"]),
        ("longword", 5, 4, ["", "longw", "ord"]),
        ("", 5, 2, [""]),
        ("a  b", 9, 0, ["a  b"]),
    ],
)
def test_wrapping(text: str, room: int, first: int, expected: list[str]) -> None:
    assert wrapped(text, room, first) == expected


def test_columns_and_cuts() -> None:
    assert columns("数é\u0301a") == 4
    assert (visible("\ta"), visible("数\ta"), visible("a\x1b\u200b")) == ("    a", "数  a", "a??")
    assert (clipped("数据", 3), clipped("ab", 3)) == ("数", "ab")
    assert (cut("abcdefghij", 0, 8), cut("abcdefghij", 2, 8)) == ("abcde...", "...fghij")
    assert columns(cut("数据" * 10, 3, 12)) <= 12
