"""The fixtures are what they claim: each runs at its configured size and fails, or differs, at another one."""

from __future__ import annotations

import pytest

pytest.importorskip("torch")

import torch

from tests.execution.batch import Batch
from tests.execution.case import Case
from tests.execution.cases import CASES
from tests.execution.running import run_text, same
from tests.fixture_cases import name_of, rule_fixtures

CONFIGURED, RAGGED = 8, 5
NEEDS_ANOTHER_FRAMEWORK = ("import tensorflow", "import jax", "import mindspore", "import paddle")


@pytest.mark.parametrize("case", CASES, ids=str)
def test_original_runs_at_the_configured_size(case: Case) -> None:
    for size in (CONFIGURED, RAGGED):
        values = run_text(case, case.data, size, Batch(size))
        assert all(torch.isfinite(value).all() for value in values), values
        assert same(values, run_text(case, case.data, size, Batch(size)), exact=True), "two equal runs differ"


@pytest.mark.parametrize("case", CASES, ids=str)
def test_original_is_buggy(case: Case) -> None:
    right = run_text(case, case.data, RAGGED, Batch(RAGGED))
    try:
        wrong = run_text(case, case.data, CONFIGURED, Batch(RAGGED))
    except Exception:  # any crash shows the defect
        return
    assert not all(a.shape == b.shape and torch.allclose(a, b, rtol=1e-3) for a, b in zip(right, wrong, strict=True)), (
        f"{case}: configured for {CONFIGURED}, it returns for {RAGGED} images what it should"
    )


def test_every_torch_and_numpy_fixture_is_executed() -> None:
    executable = {
        name_of(path).removeprefix("rules/")
        for path in rule_fixtures()
        if not any(name in path.read_text(encoding="utf-8") for name in NEEDS_ANOTHER_FRAMEWORK)
    }
    executed = [case.fixture for case in CASES]
    assert sorted(executed) == sorted(executable)
    assert len(executed) >= 60
