"""What `--fix` wrote, executed: the configured size keeps its value, any other gets that of a loss made for it."""

from __future__ import annotations

import ast
from functools import cache

import pytest

pytest.importorskip("torch")

from infonce_lint.engine.linter import fix_bytes, lint_bytes
from infonce_lint.settings import Settings
from tests.execution.batch import Batch
from tests.execution.case import Case, Outcome
from tests.execution.cases import CASES
from tests.execution.running import run_text, same

CONFIGURED = 8
RAGGED = (5, 11)
REPAIRABLE = [case for case in CASES if case.fix is not Outcome.WITHHELD]
STACKED = [case for case in REPAIRABLE if case.views]


@cache
def repaired(case: Case, *, unsafe: bool = True) -> bytes:
    """The fixture's bytes after the fix; its own bytes where nothing was fixed."""
    return fix_bytes(case.data, case.fixture, Settings(), unsafe=unsafe).data


def repaired_or_skip(case: Case) -> bytes:
    """The repaired fixture, or a skip where its fix is withheld: `test_outcome` judges whether it may be."""
    data = repaired(case)
    if data == case.data:
        pytest.skip(f"{case}: not fixed")
    return data


@pytest.mark.parametrize("case", CASES, ids=str)
def test_outcome(case: Case) -> None:
    safe, unsafe = repaired(case, unsafe=False) != case.data, repaired(case) != case.data
    if case.fix is Outcome.SAFE:
        assert safe, f"{case}: --fix leaves it as it is: {reasons(case)}"
    elif case.fix is Outcome.UNSAFE:
        assert not safe, f"{case}: --fix changes what only --unsafe-fixes may change"
        assert unsafe, f"{case}: --unsafe-fixes leaves it as it is: {reasons(case)}"
    elif case.fix is Outcome.EITHER:
        assert unsafe, f"{case}: --unsafe-fixes leaves it as it is: {reasons(case)}"
    elif case.fix is Outcome.NOT_SAFE:
        assert not safe, f"{case}: --fix changes what the file itself contradicts"
    elif case.fix is Outcome.WITHHELD:
        assert not unsafe, f"{case}: the fix must be withheld"
    if not unsafe:
        findings = lint_bytes(case.data, case.fixture, Settings())
        assert findings, f"{case}: no finding at all"
        assert all(finding.withheld for finding in findings), f"{case}: a finding without a fix and without a reason"


@pytest.mark.parametrize("case", REPAIRABLE, ids=str)
def test_configured_size_keeps_its_value(case: Case) -> None:
    before = run_text(case, case.data, CONFIGURED, Batch(CONFIGURED))
    after = run_text(case, repaired_or_skip(case), CONFIGURED, Batch(CONFIGURED))
    assert same(before, after, exact=case.exact), f"{case}: {before} became {after}"


@pytest.mark.parametrize("rows", RAGGED)
@pytest.mark.parametrize("case", REPAIRABLE, ids=str)
def test_other_size_gets_the_value_configured_for_it(case: Case, rows: int) -> None:
    wanted = run_text(case, case.data, rows, Batch(rows))
    data = repaired_or_skip(case)
    if case.asserts_size:
        with pytest.raises(AssertionError):
            run_text(case, data, CONFIGURED, Batch(rows))
        return
    got = run_text(case, data, CONFIGURED, Batch(rows))
    assert same(wanted, got, exact=case.exact), f"{case}: {got} at {rows} rows, wanted {wanted}"


@pytest.mark.parametrize("case", STACKED, ids=str)
def test_rows_that_do_not_divide_are_named(case: Case) -> None:
    assert case.views is not None
    data = repaired_or_skip(case)
    total = 5 * case.views + 1
    with pytest.raises(AssertionError) as error:
        run_text(case, data, CONFIGURED, Batch(5, extra=1))
    assert str(total) in str(error.value), error.value
    assert str(case.views) in str(error.value), error.value


@pytest.mark.parametrize("case", STACKED, ids=str)
def test_rows_that_do_not_divide_raise_under_the_raise_guard(case: Case) -> None:
    repaired_or_skip(case)  # what is repaired with an assertion is repaired with this guard too
    fixed = fix_bytes(case.data, case.fixture, Settings(guard="raise"), unsafe=True)
    assert fixed.changed
    with pytest.raises(ValueError, match=str(5 * (case.views or 0) + 1)):
        run_text(case, fixed.data, CONFIGURED, Batch(5, extra=1))


@pytest.mark.parametrize("case", REPAIRABLE, ids=str)
def test_repaired_file_is_clean_and_stays_as_it_is(case: Case) -> None:
    data = repaired_or_skip(case)
    ast.parse(data)
    left = [(finding.span.start.row, finding.code) for finding in lint_bytes(data, case.fixture, Settings())]
    assert not left, f"{case}: findings remain after the fix: {left}"
    assert not fix_bytes(data, case.fixture, Settings(), unsafe=True).changed, f"{case}: a second run changes it again"


def reasons(case: Case) -> str:
    """Why the findings of a fixture have no fix, for a failure's text."""
    findings = lint_bytes(case.data, case.fixture, Settings())
    return "; ".join(sorted({f.withheld or (f.fix.why if f.fix else "") for f in findings})) or "no findings"
