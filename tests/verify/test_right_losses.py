"""Right losses of every calling style pass, and the rows say what they compute."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("torch")

from infonce_lint.settings import Settings
from infonce_lint.verify.checks import FAMILIES
from infonce_lint.verify.examination import examine
from infonce_lint.verify.rows import Status, count
from infonce_lint.verify.target import parse_target, read_source, sites_of
from infonce_lint.verify.worker import Worker
from tests.verify.samples import IMPORTS, PAIR, SIDE_BY_SIDE, STACKED, TOWERS, examined, failed, row, site

REFERENCE = Path(__file__).resolve().parents[2] / "infonce_lint" / "reference"


@pytest.mark.parametrize("text", [STACKED, PAIR, TOWERS, SIDE_BY_SIDE], ids=["stacked", "pair", "towers", "labels"])
def test_right_loss_passes_all_rows_that_apply(text: str, worker: Worker) -> None:
    found = examined(text, worker)
    assert not failed(found), [each for each in found.rows if each.status is Status.FAIL]
    assert count(found.rows, Status.PASS) >= 14


@pytest.mark.parametrize(
    "target", ["loss.py::info_nce_loss", "loss.py::InfoNCELoss", "clip.py::clip_loss", "logits.py::info_nce_logits"]
)
def test_reference_passes_all_rows_that_apply(target: str, worker: Worker) -> None:
    parsed = parse_target(f"{REFERENCE}/{target}")
    source = read_source(parsed.path)
    (only,) = sites_of(parsed, source, Settings())
    families = FAMILIES if target == "loss.py::info_nce_loss" else FAMILIES[:7]
    found = examine(only, source.text, worker, families=families)
    assert not failed(found), [each for each in found.rows if each.status is Status.FAIL]
    assert count(found.rows, Status.PASS) >= 14


def test_forms_are_told_apart_above_two_views(worker: Worker) -> None:
    for form in ("out", "pair", "in"):
        text = (
            "from infonce_lint.reference import info_nce_loss\n\n\n"
            "def contrastive(features, n_views, temperature):\n"
            f"    return info_nce_loss(features, n_views, temperature=temperature, form={form!r})\n"
        )
        found = examined(text, worker, ("value",), "contrastive")
        assert f"`{form}`" in row(found, "value, 3 views").detail
        assert f"`{form}`" in row(found, "value, 4 views").detail


def test_constant_factor_is_told(worker: Worker) -> None:
    found = examined(SIDE_BY_SIDE, worker, ("value",))
    assert "`out` x 1.429 at temperature 0.1" in row(found, "value, 3 views").detail


def test_sum_is_told(worker: Worker) -> None:
    text = STACKED.replace(".mean()", ".sum()")
    assert "summed over rows" in row(examined(text, worker, ("value",)), "value, 2 views").detail


def test_one_direction_has_no_view_rotation(worker: Worker) -> None:
    one_way = TOWERS.replace(
        "(F.cross_entropy(logits, labels) + F.cross_entropy(logits.t(), labels)) / 2", "F.cross_entropy(logits, labels)"
    )
    found = examined(one_way, worker, ("value", "symmetries"))
    assert not failed(found)
    assert "`clip, first to second`" in row(found, "value, 2 views").detail
    assert row(found, "view rotation").status is Status.INAPPLICABLE


def test_temperature_of_the_text_is_found(worker: Worker) -> None:
    text = STACKED.replace(", temperature=0.1", "").replace("/ temperature", "/ 0.37")
    found = examined(text, worker, ("value", "temperature"))
    assert "at temperature 0.37" in row(found, "value, 2 views").detail
    assert row(found, "temperature 0.01").status is Status.INAPPLICABLE


def test_unit_rows_are_not_scaled(worker: Worker) -> None:
    text = STACKED.replace("F.normalize(features, dim=1)", "features")
    found = examine(site(text), text, worker, families=("symmetries",), unit_rows=True)
    assert not failed(found)
    assert row(found, "scale of rows").status is Status.INAPPLICABLE


def test_wrong_view_count_is_told(worker: Worker) -> None:
    found = row(examined(STACKED, worker, ("views",)), "wrong view count")
    assert found.status is Status.PASS
    assert "16 rows of 2 views under n_views=4" in found.detail


def test_rows_that_are_no_whole_views_must_raise(worker: Worker) -> None:
    silent = STACKED.replace("if samples * n_views != len(z):", "z = z[: samples * n_views]\n    if False:")
    found = row(examined(silent, worker, ("views",)), "rows that are no whole views")
    assert found.status is Status.FAIL
    assert "without a word" in found.detail


def test_size_argument_is_what_callers_pass(worker: Worker) -> None:
    text = IMPORTS + (
        "\n\ndef nt_xent(z1, z2, batch_size, temperature=0.5):\n"
        "    z = F.normalize(torch.cat([z1, z2]), dim=1)\n"
        "    own = torch.eye(2 * batch_size, dtype=torch.bool)\n"
        "    logits = (z @ z.t() / temperature).masked_fill(own, float('-inf'))\n"
        "    return F.cross_entropy(logits, torch.arange(2 * batch_size).roll(batch_size))\n"
    )
    assert not failed(examined(text, worker, ("sizes",)))


def test_size_that_is_written_into_the_code_is_found(worker: Worker) -> None:
    text = IMPORTS + (
        "\n\ndef nt_xent(z1, z2):\n"
        "    z = F.normalize(torch.cat([z1, z2]), dim=1)\n"
        "    logits = (z @ z.t() / 0.5).masked_fill(torch.eye(24, dtype=torch.bool), float('-inf'))\n"
        "    return F.cross_entropy(logits, torch.arange(24).roll(12))\n"
    )
    found = examined(text, worker, ("sizes",))
    assert row(found, "configured batch of 12").status is Status.PASS
    assert failed(found) >= {"ragged batch of 9", "twice the batch, 24"}


def test_device_rows_are_skipped_without_a_device(worker: Worker) -> None:
    import torch

    if torch.cuda.is_available():
        pytest.skip("there is a device")
    found = examined(STACKED, worker, ("device",))
    assert count(found.rows, Status.SKIPPED) == 4
