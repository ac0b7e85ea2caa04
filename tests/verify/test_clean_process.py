"""Which process runs what: forks of a clean child, one child for the device, and no error of ours as a verdict."""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("torch")

from infonce_lint.verify.checks import DEVICE_RANKS, FAMILIES, ON_DEVICE
from infonce_lint.verify.examination import examine
from infonce_lint.verify.rows import Status
from infonce_lint.verify.worker import Worker
from tests.verify.samples import STACKED, examined, failed, row, site


def test_the_child_of_the_device_answers_in_one_process_and_starts_each_question_afresh() -> None:
    with Worker(60, in_place=True) as worker:
        first = examine(site(STACKED), STACKED, worker, families=("sizes",))
        pid = worker.start().pid
        text = STACKED.replace("    z = F.normalize", "    torch.set_default_dtype(torch.float16)\n    z = F.normalize")
        examine(site(text), text, worker, families=("sizes",))
        second = examine(site(STACKED), STACKED, worker, families=("sizes",))
        assert worker.start().pid == pid
    assert not failed(first)
    assert first.rows == second.rows, "what the loss between set is taken back"


class Recorded(Worker):
    """A worker on a machine that says it has a GPU."""

    def __init__(self) -> None:
        super().__init__(60)
        self.asked: list[tuple[str, str]] = []

    def start(self) -> Any:
        process = super().start()
        self.has_cuda = True
        return process

    def ask(self, question: str, **details: Any) -> dict[str, Any]:
        self.asked.append(("clean", details.get("family", question)))
        return super().ask(question, **details)

    def ask_on_device(self, question: str, **details: Any) -> dict[str, Any]:
        self.asked.append(("device", details["family"]))
        return super().ask_on_device(question, **details)


def test_cuda_is_used_in_one_child_and_ranks_are_forked_from_the_clean_one() -> None:
    with Recorded() as worker:
        for _ in range(2):
            found = examine(site(STACKED), STACKED, worker, families=("device",))
            assert [each.name for each in found.rows] == [
                "value and gradient on cuda", "fp16 under autocast on cuda", "bf16 under autocast on cuda",
                "ranks on nccl",
            ]  # fmt: skip
    assert [each for each in worker.asked if each[1] in (ON_DEVICE, DEVICE_RANKS)] == [
        ("device", ON_DEVICE),
        ("clean", DEVICE_RANKS),
    ] * 2
    assert "device" in FAMILIES
    assert ON_DEVICE not in FAMILIES


def test_a_device_child_that_cuda_has_failed_in_is_started_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    with Worker(60) as worker:
        worker.ask_on_device("plan", site=site(STACKED).as_json(), text=STACKED)
        inner = worker._on_device
        assert inner is not None
        first = inner.start().pid
        broken = STACKED.replace(
            "    z = F.normalize", "    raise RuntimeError('CUDA error: an assert')\n    z = F.normalize"
        )
        assert "CUDA error" in str(worker.ask_on_device("plan", site=site(broken).as_json(), text=broken))
        assert inner.start().pid != first


def test_an_error_of_ours_is_no_verdict(worker: Worker) -> None:
    answer = worker.ask("check", site=site(STACKED).as_json(), text=STACKED, family="none of them", plan={}, match=None)
    assert answer["ours"] is True


def test_an_error_of_ours_is_told_as_such(worker: Worker, monkeypatch: pytest.MonkeyPatch) -> None:
    ask = worker.ask

    def broken(question: str, **details: Any) -> dict[str, Any]:
        if question == "check":
            return {"error": "KeyError: 'x'", "ours": True}
        return ask(question, **details)

    monkeypatch.setattr(worker, "ask", broken)
    found = row(examined(STACKED, worker, ("sizes",)), "sizes")
    assert (found.status, found.detail) == (Status.INAPPLICABLE, "verify itself failed: KeyError: 'x'")


def test_products_are_exact_in_the_child(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TORCH_ALLOW_TF32_CUBLAS_OVERRIDE", "1")
    text = STACKED.replace(
        "    z = F.normalize", "    assert torch.get_float32_matmul_precision() == 'highest'\n    z = F.normalize"
    )
    with Worker(60) as worker:
        assert not failed(examined(text, worker, ("sizes",)))
