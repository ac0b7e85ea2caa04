"""The README says what the code says."""

from __future__ import annotations

import re

from infonce_lint.report import FORMATS
from infonce_lint.running.configuration import DEFAULT_EXCLUDE
from infonce_lint.settings import Settings
from tests.readme import BEGIN, END, README, with_rule_table

TEXT = README.read_text(encoding="utf-8")


def test_the_rule_table_is_fresh() -> None:
    assert TEXT.count(BEGIN) == TEXT.count(END) == 1
    assert with_rule_table(TEXT) == TEXT, "run: python -m tests.readme"


def test_every_setting_and_format_is_explained() -> None:
    for name in Settings._fields:
        assert f"`{name.replace('_', '-')}`" in TEXT, name
    for form in FORMATS:
        assert f"`{form}`" in TEXT, form
    for folder in DEFAULT_EXCLUDE:
        assert folder in TEXT, folder


def test_the_example_is_real() -> None:
    """The code before is reported where the README says, and its fix is the code after."""
    from infonce_lint import fix_source, lint_source

    before, after = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)[:2]
    (finding,) = lint_source(before)
    assert f":{finding.span.start.row}:{finding.span.start.column}: {finding.code} [*] {finding.text}\n" in TEXT
    assert fix_source(before).data.decode() == after


def test_there_is_one_command_for_each_job() -> None:
    commands = [line for line in TEXT.splitlines() if line.startswith("python -m pip install")]
    assert commands == [
        "python -m pip install . && infonce-lint fixtures",
        "python -m pip install '.[test]' && python -m pytest -q -n auto",
    ]
