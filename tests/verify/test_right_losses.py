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


def test_views_of_unequal_length_are_told(worker: Worker) -> None:
    text = IMPORTS + (
        "\n\ndef nt_xent(z1, z2, temperature=0.5):\n"
        "    z = F.normalize(torch.cat([z1, z2]), dim=1)\n"
        "    logits = (z @ z.t() / temperature).fill_diagonal_(float('-inf'))\n"
        "    return F.cross_entropy(logits, torch.arange(len(z)).roll(len(z) // 2))\n"
    )
    found = row(examined(text, worker, ("views",)), "rows that are no whole views")
    assert found.status is Status.PASS
    assert found.detail.startswith("told: 8 and 7 rows give")


def test_a_view_that_is_bound_anew_is_still_a_view(worker: Worker) -> None:
    text = IMPORTS + (
        "\n\ndef nt_xent(out0, out1, temperature=0.5):\n"
        "    out1, _ = remembered(out1)\n"
        "    z = F.normalize(torch.cat([out0, out1]), dim=1)\n"
        "    logits = (z @ z.t() / temperature).fill_diagonal_(float('-inf'))\n"
        "    return F.cross_entropy(logits, torch.arange(len(z)).roll(len(z) // 2))\n"
        "\n\ndef remembered(rows):\n"
        "    return rows, None\n"
    )
    found = examined(text, worker, ("value",))
    assert not failed(found)
    assert row(found, "value, 2 views").detail.startswith("`out` at temperature")


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


QUEUED = (
    IMPORTS
    + """

class Momentum(nn.Module):
    def __init__(self, dim, K=64, T=0.07):
        super().__init__()
        self.T = T
        self.register_buffer("queue", F.normalize(torch.randn(dim, K), dim=0))

    def contrastive_loss(self, q, k):
        q, k = F.normalize(q, dim=1), F.normalize(k, dim=1).detach()
        own = (q * k).sum(dim=1, keepdim=True)
        logits = torch.cat([own, q @ self.queue.to(q.dtype)], dim=1) / self.T
        return F.cross_entropy(logits, torch.zeros(len(q), dtype=torch.long))
"""
)


def test_loss_with_a_queue_is_not_held_against_the_batch(worker: Worker) -> None:
    found = examined(QUEUED, worker, ("value", "sizes", "symmetries", "gradients"))
    assert not failed(found)
    assert "a queue of rows besides the batch" in row(found, "value").detail
    for name in ("view rotation", "all rows equal", "gradcheck", "every view learns"):
        assert row(found, name).status is Status.INAPPLICABLE
    argument = QUEUED.replace("def contrastive_loss(self, q, k):", "def contrastive_loss(self, q, k, negatives):")
    found = examined(argument.replace("self.queue", "negatives.T"), worker, ("value",))
    assert row(found, "value").status is Status.INAPPLICABLE


HELD = QUEUED.replace("q @ self.queue.to(q.dtype)", "(q @ k.T).masked_fill(torch.eye(len(q)).bool(), -1e9)")


def test_keys_that_the_code_holds_still_are_told_once(worker: Worker) -> None:
    found = examined(HELD, worker, ("value", "gradients"))
    assert not failed(found)
    assert "`clip, first to second`" in row(found, "value, 2 views").detail
    told = [each.name for each in found.rows if "told" in each.detail]
    assert told == ["every view learns"]
    assert "view 2 stands still, as the code says on row" in row(found, "every view learns").detail


def test_a_side_that_a_symmetric_loss_holds_still_fails(worker: Worker) -> None:
    text = PAIR.replace("torch.stack([z_i, z_j])", "torch.stack([z_i, z_j.detach()])")
    found = examined(text, worker, ("value", "gradients"))
    assert failed(found) >= {"gradient, 2 views", "every view learns"}
    assert "keys detached" in row(found, "gradient, 2 views").detail


def test_a_side_that_is_lost_without_a_word_fails(worker: Worker) -> None:
    text = HELD.replace("F.normalize(k, dim=1).detach()", "F.normalize(k.data, dim=1)")
    assert "every view learns" in failed(examined(text, worker, ("value", "gradients")))


def test_arrays_have_no_gradient_to_check(worker: Worker) -> None:
    text = (
        "import numpy as np\n\n\n"
        "def info_nce(x, y, temperature=0.1):\n"
        "    x = x / np.linalg.norm(x, axis=1, keepdims=True)\n"
        "    y = y / np.linalg.norm(y, axis=1, keepdims=True)\n"
        "    logits = x @ y.T / temperature\n"
        "    return np.mean(np.log(np.exp(logits).sum(axis=1)) - np.diag(logits))\n"
    )
    found = examined(text, worker, ("value", "gradients"))
    assert not failed(found)
    assert "`clip, first to second`" in row(found, "value, 2 views").detail
    assert row(found, "gradcheck").detail == row(found, "gradient, 2 views").detail == "it takes numpy arrays"


def test_logarithm_of_the_scale_is_taken_back(worker: Worker) -> None:
    text = TOWERS.replace("logit_scale * image_features", "logit_scale.exp() * image_features")
    assert not failed(examined(text, worker, ("value", "temperature")))


def test_size_that_the_loss_does_not_read_is_not_told(worker: Worker) -> None:
    text = STACKED.replace("\n\ndef", "\n\nclass Config:\n    batch_size: int = 64\n\n\ndef")
    assert not any("batch_size" in fact for fact in examined(text, worker, ()).how)


@pytest.mark.parametrize("decorator", ["torch.jit.script", "torch.compile", "torch.compile(mode='max-autotune')"])
def test_decorators_that_compile_are_left_out(decorator: str, worker: Worker) -> None:
    text = IMPORTS + (
        f"\n\n@{decorator}\n"
        "def info_nce(a: torch.Tensor, b: torch.Tensor, temperature: float = 0.1) -> torch.Tensor:\n"
        "    logits = F.normalize(a, dim=1) @ F.normalize(b, dim=1).t() / temperature\n"
        "    return F.cross_entropy(logits, torch.arange(a.size(0)))\n"
    )
    assert not failed(examined(text, worker, ("value", "sizes", "distributed")))


def test_views_that_a_loss_does_not_read_are_not_held_against_it(worker: Worker) -> None:
    text = IMPORTS + (
        "\n\ndef contrastive_loss(pooled, temperature=0.1):\n"
        "    first, second = pooled[:, 0], pooled[:, 1]\n"
        "    logits = F.cosine_similarity(first.unsqueeze(1), second.unsqueeze(0), dim=2) / temperature\n"
        "    return F.cross_entropy(logits, torch.arange(len(logits)))\n"
    )
    found = examined(text, worker, ("value",))
    assert not failed(found)
    assert row(found, "value, 2 views").status is Status.PASS
    assert row(found, "value, 3 views").detail == "it reads the first 2 views and leaves the others out"


def test_why_a_loss_cannot_be_run_is_one_line(worker: Worker) -> None:
    text = STACKED.replace("z = F.normalize", "z = helper(features)\n    z = F.normalize")
    text += "\n\ndef fail():\n    raise ValueError('first\\nsecond')\n\n\nhelper = fail()\n"
    assert "ValueError: first second" in examined(text, worker, ()).problem


def test_half_precision_that_torch_refuses_does_not_apply(monkeypatch: pytest.MonkeyPatch) -> None:
    from infonce_lint.reference import info_nce_loss
    from infonce_lint.verify.callables import CallableSubject
    from infonce_lint.verify.checks import precision
    from infonce_lint.verify.search import find_plan

    subject = CallableSubject(info_nce_loss, "info_nce_loss", {})
    subject.plan = find_plan(subject)
    told = "RuntimeError: Currently, AutocastCPU only support Bfloat16 as the autocast_cpu_dtype"
    monkeypatch.setattr(precision, "_under_autocast", lambda *_: (None, told))
    assert {each.status for each in precision.check(subject)} == {Status.INAPPLICABLE}


def test_settings_that_crash_a_loss_are_a_verdict(worker: Worker) -> None:
    text = STACKED.replace("features, n_views=2, temperature=0.1", "features, args").replace(
        "/ temperature", "/ args.temperature"
    )
    text = text.replace("samples = len(z) // n_views", "samples = len(z) // 2; n_views = args.n_views").replace(
        "if samples * n_views != len(z):", "if False:"
    )
    assert not failed(examine(site(text), text, worker, families=("sizes",)))
    found = examine(site(text), text, worker, families=("sizes",), sets={"args.n_views": 3})
    (only,) = found.rows
    assert only.status is Status.FAIL
    assert only.detail.startswith("with args.n_views=3 it raises ")
