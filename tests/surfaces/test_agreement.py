"""All surfaces report the same file, row, column and code, on every file below fixtures/."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ElementTree
from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest

from tests.fixture_cases import FIXTURES, silent_fixtures
from tests.surfaces.samples import run

Place = tuple[str, int, int, str]

#: flake8 has its own words for what does not parse.
FLAKE8S_OWN = "NCE900"


@pytest.fixture(scope="module")
def by_json() -> Counter[Place]:
    done = run("--isolated", "--no-cache", "--output-format", "json", FIXTURES, cwd=FIXTURES.parent)
    assert done.returncode == 1, done.stderr
    return Counter(
        (f["filename"], f["location"]["row"], f["location"]["column"], f["code"])
        for f in json.loads(done.stdout)
        if f["cell"] is None
    )


def places(lines: list[str], folder: Path) -> Counter[Place]:
    found: Counter[Place] = Counter()
    for line in lines:
        match = re.match(r"(.+\.pyi?):(\d+):(\d+): (NCE\d+) ", line)
        if match:
            path, row, column, code = match.groups()
            found[str((folder / path).resolve()), int(row), int(column), code] += 1
    return found


def test_there_is_something_to_agree_on(by_json: Counter[Place]) -> None:
    assert len(by_json) >= 60
    assert {code for *_, code in by_json} >= {"NCE001", "NCE002", "NCE003", "NCE004", "NCE005"}


@pytest.mark.parametrize("form", ["concise", "full", "github"])
def test_the_text_formats_agree_with_json(by_json: Counter[Place], form: str) -> None:
    done = run("--isolated", "--output-format", form, FIXTURES, cwd=FIXTURES.parent)
    lines = [line.split("::", 2)[-1] for line in done.stdout.splitlines()]
    if form == "full":  # code and place stand on two rows
        lines = [
            f"{place.split('--> ', 1)[1]}: {header}"
            for header, place in pairwise(lines)
            if place.lstrip().startswith("--> ")
        ]
    assert places(lines, FIXTURES.parent) == by_json


def test_sarif_gitlab_and_junit_agree_with_json(by_json: Counter[Place]) -> None:
    def output(form: str) -> str:
        return run("--isolated", "--output-format", form, FIXTURES, cwd=FIXTURES.parent).stdout

    root = FIXTURES.parent
    sarif: Counter[Place] = Counter()
    for result in json.loads(output("sarif"))["runs"][0]["results"]:
        (location,) = result["locations"]
        where, region = location["physicalLocation"]["artifactLocation"], location["physicalLocation"]["region"]
        if "logicalLocations" not in location and "suppressions" not in result:
            sarif[str(root / where["uri"]), region["startLine"], region["startColumn"], result["ruleId"]] += 1
    assert sarif == by_json
    gitlab: Counter[Place] = Counter()
    for entry in json.loads(output("gitlab")):
        begin = entry["location"]["positions"]["begin"]
        if not entry["location"]["path"].endswith(".ipynb"):
            gitlab[str(root / entry["location"]["path"]), begin["line"], begin["column"], entry["check_name"]] += 1
    assert gitlab == by_json
    failures = ElementTree.fromstring(output("junit")).iter("failure")
    assert places([failure.attrib["message"] for failure in failures], root) == by_json


def test_flake8_agrees_with_json(by_json: Counter[Place]) -> None:
    arguments = ["--isolated", "--select", "NCE", "--exclude", "", "-j", "2", str(FIXTURES)]
    done = run(*arguments, cwd=FIXTURES.parent, module="flake8")
    expected = Counter({place: times for place, times in by_json.items() if place[3] != FLAKE8S_OWN})
    assert places(done.stdout.splitlines(), FIXTURES.parent) == expected


def test_flake8_and_the_command_print_the_same_texts() -> None:
    ours = run("--isolated", "--output-format", "concise", FIXTURES, cwd=FIXTURES.parent).stdout
    theirs = run("--isolated", "--select", "NCE", str(FIXTURES), cwd=FIXTURES.parent, module="flake8").stdout

    def texts(output: str) -> Counter[str]:
        found = (re.search(r": (NCE\d+ .*)", line) for line in output.splitlines() if ".ipynb:" not in line)
        said = (match[1].replace(" [*] ", " ", 1) for match in found if match)
        return Counter(text for text in said if not text.startswith(FLAKE8S_OWN))

    assert texts(ours) == texts(theirs)


def test_silent_fixtures_are_silent_everywhere() -> None:
    folder = silent_fixtures()[0].parent
    done = run("--isolated", folder, cwd=FIXTURES.parent)
    assert (done.returncode, done.stdout) == (0, "All checks passed!\n")
