"""The screen never loses a finding: whatever the model takes for a configured size passes it."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infonce_lint.linter import lint_bytes
from infonce_lint.screen import may_hold_finding
from infonce_lint.semantic.names import is_config_size_name, is_size_name
from infonce_lint.settings import Settings
from infonce_lint.source import SourceFile
from tests.fixture_cases import rule_fixtures, silent_fixtures

PARTS = st.sampled_from(
    "batch Batch BATCH size Size SIZE sz samples bs BS Bs bsz BSZ bsize train Train per Per n N full local query _ 1 x"
    "".split()
)


def passes(text: str) -> bool:
    return may_hold_finding(SourceFile.from_text(text, "loss.py"), Settings())


@settings(max_examples=2000)
@given(st.lists(PARTS, min_size=1, max_size=5).map("".join).filter(str.isidentifier))
def test_every_size_name_passes(name: str) -> None:
    if is_size_name(name):
        assert passes(f"labels = arange({name})\n")
    if is_config_size_name(name):
        assert passes(f"labels = arange(args.{name})\n")
        assert passes(f'labels = arange(config["{name}"])\n')
        assert passes(f"labels = arange(getattr(args, '{name}'))\n")


@pytest.mark.parametrize("text", ["y = abs(x) + probs[0]\n", "nn.BatchNorm2d(3)\n", "for batch in loader: pass\n"])
def test_what_only_looks_alike_is_passed_over(text: str) -> None:
    assert not passes(text)


def test_names_of_the_users_own_switch_it_off() -> None:
    source = SourceFile.from_text("x = 1\n", "loss.py")
    assert may_hold_finding(source, Settings(size_names=("rows",)))
    assert may_hold_finding(SourceFile.from_text("größe = 1\n", "loss.py"), Settings())


@pytest.mark.parametrize("path", [*rule_fixtures(), *silent_fixtures()], ids=lambda path: path.name)
def test_findings_are_the_same_without_it(path, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    data = path.read_bytes()
    screened = lint_bytes(data, path.name, Settings())
    monkeypatch.setattr("infonce_lint.linter.may_hold_finding", lambda source, settings: True)
    assert lint_bytes(data, path.name, Settings()) == screened
