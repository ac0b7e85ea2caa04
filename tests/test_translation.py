"""README.zh-CN.md keeps up with README.md: the same commands, tables, headings and names."""

from __future__ import annotations

import re

import pytest

from infonce_lint.rules.catalogue import catalogue
from tests.readme import CHINESE, FENCE, README, with_fences_of

ENGLISH, TRANSLATION = (file.read_text(encoding="utf-8") for file in (README, CHINESE))


def prose(text: str) -> str:
    """The text without its code blocks."""
    return FENCE.sub("", text)


def outline(text: str) -> list[str]:
    """What the two must have in common, in order: levels of headings, and the code spans of first cells of tables."""
    found = []
    for line in prose(text).splitlines():
        if heading := re.match(r"#+ ", line):
            found.append(heading[0])
        elif line.startswith("| "):
            found.append(f"row of {line.count(' | ')}: {' '.join(re.findall(r'`[^`]+`', line.split(' | ')[0]))}")
    return found


def test_code_blocks_are_the_same() -> None:
    assert with_fences_of(ENGLISH, TRANSLATION) == TRANSLATION, "run: python -m tests.readme"


def test_a_missing_code_block_is_told() -> None:
    with pytest.raises(ValueError, match="has 2 code blocks, its translation 1"):
        with_fences_of("```sh\na\n```\n```sh\nb\n```\n", "```sh\na\n```\n")


def test_headings_and_tables_are_the_same() -> None:
    assert outline(TRANSLATION) == outline(ENGLISH)


def test_every_rule_is_there() -> None:
    for entry in catalogue():
        assert re.search(rf"^\| {entry.code} \| `{entry.name}` \| .*[\u4e00-\u9fff]", TRANSLATION, re.MULTILINE), (
            entry.code
        )


def test_code_spans_are_the_same() -> None:
    """Options, keys, files and functions: whatever is code in one text is code in the other, as often or not."""
    spans = [set(re.findall(r"`([^`\n]+)`", " ".join(prose(text).split()))) for text in (ENGLISH, TRANSLATION)]
    assert spans[0] ^ spans[1] <= {"args.batch_size"}


def test_each_links_to_the_other() -> None:
    assert f"]({CHINESE.name})" in ENGLISH.split("\n##")[0]
    assert f"]({README.name})" in TRANSLATION.split("\n##")[0]
