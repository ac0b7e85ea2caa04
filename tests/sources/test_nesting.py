"""However deeply a text nests, libcst survives it or never gets it; a child process tries it, since it may crash."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.hostile import FIXTURES, FLAT, HUGE, NESTED

CHILD = """
import json, sys, time
import libcst
from infonce_lint.sources.nesting import too_deep
from infonce_lint.sources.source import SourceError, SourceFile
from tests.hostile import FLAT, HUGE, NESTED

def analyse(name, text):
    print(json.dumps(name), end=" ", flush=True)  # a crash leaves its name behind
    begun = time.perf_counter()
    source = SourceFile.from_text(text, name)
    try:
        source.module.visit(libcst.CSTVisitor())
        source.span(source.module)
        outcome = "" if source.editable else source.why_not_editable
    except SourceError as error:
        source.offset(error.position)
        outcome = error.message
    print(json.dumps([outcome, round(time.perf_counter() - begun, 1)]), flush=True)

def accepted(text):
    source = SourceFile.from_text(text, "")
    try:
        return too_deep(source.tree, source.rows) is None
    except SourceError:
        return False

for name, text in HUGE.items():
    analyse("huge " + name, text)
for name, build in FLAT.items():
    analyse("flat " + name, build(3000))
for name, build in NESTED.items():
    low, high = 1, 200
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if accepted(build(middle)) else (low, middle)
    analyse(f"deepest {name}", build(low))
"""


@pytest.fixture(scope="module")
def outcomes() -> dict[str, tuple[str, float]]:
    """What became of each hostile text, analysed in a child process: the message, or nothing, and the seconds."""
    done = subprocess.run(
        [sys.executable, "-c", CHILD], capture_output=True, text=True, cwd=FIXTURES.parent.parent, timeout=240
    )
    assert done.returncode == 0, f"the process died at {done.stdout.splitlines()[-1:]}: {done.stderr[-500:]}"
    decoder = json.JSONDecoder()
    found = {}
    for row in done.stdout.splitlines():
        name, end = decoder.raw_decode(row)
        found[name] = tuple(json.loads(row[end:]))
    return found


@pytest.mark.parametrize("name", HUGE)
def test_huge_nesting_gets_a_tidy_error(name: str, outcomes: dict[str, tuple[str, float]]) -> None:
    message, seconds = outcomes[f"huge {name}"]
    if name == "parentheses that CPython takes":
        assert message == ""
    else:
        assert "nested" in message or "syntax error" in message
    assert seconds < 10


@pytest.mark.parametrize("name", FLAT)
def test_long_files_are_analysed(name: str, outcomes: dict[str, tuple[str, float]]) -> None:
    assert outcomes[f"flat {name}"][0] == ""


@pytest.mark.parametrize("name", NESTED)
def test_the_deepest_nesting_let_through_is_survived(name: str, outcomes: dict[str, tuple[str, float]]) -> None:
    message, seconds = outcomes[f"deepest {name}"]
    assert message == ""
    assert seconds < 10
