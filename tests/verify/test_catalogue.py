"""No right loss of the catalogue is failed, and each wrong one is, by its row and with its cause."""

from __future__ import annotations

import re

import pytest

pytest.importorskip("torch")

from infonce_lint.verify.examination import examine
from infonce_lint.verify.target import TargetError
from infonce_lint.verify.worker import Worker
from tests.verify.catalogue import RIGHT, WRONG, Entry
from tests.verify.samples import Examination, failed, sites


def examination_of(entry: Entry, worker: Worker) -> Examination:
    """The one loss of an entry, or the function that it is listed for."""
    try:
        (found,) = sites(entry.text)
    except TargetError:  # the linter takes it for no contrastive loss, and a user names it
        (found,) = sites(entry.text, re.findall(r"^def (\w+)", entry.text, re.MULTILINE)[-1])
    return examine(found, entry.text, worker, families=entry.families)


def shown(examination: Examination) -> str:
    return "\n".join(
        [*examination.how, *(f"{each.status.value} {each.name}: {each.detail}" for each in examination.rows)]
    )


@pytest.mark.parametrize("entry", RIGHT, ids=lambda entry: str(entry.name))
def test_right_loss_is_not_failed(entry: Entry, worker: Worker) -> None:
    found = examination_of(entry, worker)
    assert not failed(found), shown(found)
    assert entry.says in shown(found)


@pytest.mark.parametrize("entry", WRONG, ids=lambda entry: str(entry.name))
def test_wrong_loss_is_failed_with_its_cause(entry: Entry, worker: Worker) -> None:
    found = examination_of(entry, worker)
    assert failed(found) >= entry.fails, shown(found)
    assert any(entry.says in each.detail for each in found.rows if each.name in entry.fails), shown(found)


def test_there_are_enough() -> None:
    assert len({entry.name for entry in (*RIGHT, *WRONG)}) == len(RIGHT) + len(WRONG) >= 30
