"""Every mutant of a right loss is caught, by the row that is named after what it breaks."""

from __future__ import annotations

import pytest

pytest.importorskip("torch")

from infonce_lint.verify.examination import Examination
from infonce_lint.verify.rows import Status
from infonce_lint.verify.worker import Worker
from tests.verify.mutants import MUTANTS, Mutant
from tests.verify.samples import IMPORTS, STACKED, examined, failed, has_fp16_on_cpu, row

SYMBOLS = {Status.PASS: ".", Status.FAIL: "X", Status.SKIPPED: "s", Status.INAPPLICABLE: "-"}


@pytest.fixture(scope="module")
def examinations(worker: Worker) -> dict[str, Examination]:
    """The right loss and its mutants, examined."""
    found = {"none": examined(STACKED, worker)}
    return found | {mutant.name: examined(mutant.text, worker) for mutant in MUTANTS}


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: str(mutant.name))
def test_mutant_is_caught_by_its_row(mutant: Mutant, examinations: dict[str, Examination]) -> None:
    if mutant.row.startswith("fp16") and not has_fp16_on_cpu():
        assert row(examinations[mutant.name], mutant.row).status is Status.INAPPLICABLE
        return
    assert mutant.row in failed(examinations[mutant.name])


def test_the_right_loss_passes_every_row(examinations: dict[str, Examination]) -> None:
    assert not failed(examinations["none"])


def test_matrix(examinations: dict[str, Examination]) -> None:
    names = list(dict.fromkeys(each.name for found in examinations.values() for each in found.rows))
    width = max(map(len, names))
    for number, name in enumerate(examinations):
        print(f"{chr(ord('a') + number)}  {name}")
    print(" " * width, " ".join(chr(ord("a") + number) for number in range(len(examinations))))
    for name in names:
        found = [next((each for each in one.rows if each.name == name), None) for one in examinations.values()]
        print(f"{name:<{width}} {' '.join(SYMBOLS[each.status] if each else ' ' for each in found)}")
    seen = [each for each in MUTANTS if has_fp16_on_cpu() or not each.row.startswith("fp16")]
    assert all(failed(examinations[mutant.name]) for mutant in seen)


@pytest.mark.parametrize(
    ("name", "of_row", "told"),
    [
        ("target 0 at three views", "value, 3 views", "positives first with target 0"),
        ("unmasked diagonal", "value, 2 views", "unmasked diagonal"),
        ("unmasked diagonal", "all rows equal", "log M: each row counts itself"),
        ("temperature multiplied", "value, 2 views", "multiplied with the temperature"),
        ("double softmax", "value, 2 views", "two softmaxes"),
        ("one side detached", "gradient, 2 views", "part of the loss is detached: keys detached"),
        ("fixed denominator", "value, 2 views", "divided by 16 whatever the batch"),
        ("exp without shift", "temperature 0.01", "logsumexp"),
    ],
)
def test_row_says_what_is_wrong(name: str, of_row: str, told: str, examinations: dict[str, Examination]) -> None:
    assert told in row(examinations[name], of_row).detail


WRONG_LAYOUT = """

def nt_xent(a, b, temperature=0.1):
    z = F.normalize(torch.cat([a, b]), dim=1)
    sample = torch.arange(len(a)).repeat_interleave(2)
    logits = (z @ z.t() / temperature).masked_fill(torch.eye(len(z)).bool(), float("-inf"))
    partner = (sample[:, None] == sample[None, :]) & ~torch.eye(len(z)).bool()
    return F.cross_entropy(logits, partner.int().argmax(dim=1))
"""


def test_rows_that_the_loss_itself_stacks_otherwise_than_it_pairs_them_fail(worker: Worker) -> None:
    found = row(examined(IMPORTS + WRONG_LAYOUT, worker, ("value",)), "value, 2 views")
    assert found.status is Status.FAIL
    assert "view by view when the loss wants them sample by sample" in found.detail


def test_rows_that_callers_stack_may_stand_sample_by_sample(worker: Worker) -> None:
    """Whether rows stand view by view is their callers' word, and is told."""
    found = examined(
        STACKED.replace(".repeat(n_views)", ".repeat_interleave(n_views)"), worker, ("value", "symmetries")
    )
    assert not failed(found)
    told = row(found, "value, 2 views").detail
    assert "told: rows stand sample by sample (2k and 2k + 1 are partners)" in told


TWICE = """

def info_nce(a, b, temperature=0.1):
    a, b = F.normalize(a, dim=1), F.normalize(b, dim=1)
    return F.cross_entropy((a @ b.t() / temperature).softmax(dim=1), torch.arange(len(a)))
"""
TWICE_WHOLE = """

def nt_xent(a, b, temperature=0.1):
    z = F.normalize(torch.stack([a, b]).flatten(0, 1), dim=1)
    logits = (z @ z.t() / temperature).masked_fill(torch.eye(len(z)).bool(), float("-inf"))
    return F.cross_entropy(logits.softmax(dim=1), torch.arange(len(z)).roll(len(a)))
"""


@pytest.mark.parametrize("text", [TWICE, TWICE_WHOLE], ids=["towers", "stacked"])
def test_two_softmaxes_are_told_however_they_are_written(text: str, worker: Worker) -> None:
    found = row(examined(IMPORTS + text, worker, ("value",)), "value, 2 views")
    assert found.status is Status.FAIL
    assert "two softmaxes" in found.detail


def test_mistake_is_told_only_where_every_batch_has_its_value(worker: Worker) -> None:
    coincidence = "\n\ndef info_nce(a, b, temperature=0.1):\n    return (a * b).sum() * 0 + 7.168\n"
    found = row(examined(IMPORTS + coincidence, worker, ("value",), "info_nce"), "value, 2 views")
    assert found.status is Status.FAIL
    assert "it is the value of" not in found.detail
