"""The child process survives what it runs: crashes, endless loops, exits, noise."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytest.importorskip("torch")

from infonce_lint.verify.examination import examine
from infonce_lint.verify.rows import Status
from infonce_lint.verify.worker import Worker, WorkerError
from tests.verify.samples import IMPORTS, STACKED, comes_true, failed, is_running, site


def behaving(statement: str) -> str:
    """The right loss, doing something else first."""
    return STACKED.replace("    z = F.normalize", f"    {statement}\n    z = F.normalize")


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("import os; os._exit(3)", "it ended the process that ran it (exit code 3)"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", "it ended the process that ran it (SIGSEGV)"),
        ("raise SystemExit('no')", "SystemExit: no"),
        ("def again(): return again()\n    again()", "RecursionError"),
    ],
)
def test_what_the_loss_does_is_a_row_and_no_more(statement: str, told: str, worker: Worker) -> None:
    text = behaving(statement)
    found = examine(site(text), text, worker, families=())
    assert told in found.problem
    assert not failed(examine(site(STACKED), STACKED, worker, families=("sizes",))), "the next question is answered"


def test_endless_loss_is_stopped() -> None:
    text = behaving("while True: pass")
    with Worker(1.0) as impatient:
        start = time.monotonic()
        found = examine(site(text), text, impatient, families=())
        assert "it took more than 1 s and was stopped" in found.problem
        assert time.monotonic() - start < 30
        assert not failed(examine(site(STACKED), STACKED, impatient, families=("sizes",)))


def test_a_family_that_takes_too_long_is_no_verdict() -> None:
    text = behaving("while len(features) < 12: pass")
    with Worker(3.0) as impatient:
        found = examine(site(text), text, impatient, families=("sizes",))
    assert [(row.status, row.detail) for row in found.rows] == [
        (Status.SKIPPED, "it took more than 3 s and was stopped")
    ]


@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="needs processes that can be stopped")
def test_a_child_that_takes_no_question_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("infonce_lint.verify.worker._GRACE", 1.0)
    monkeypatch.setattr("infonce_lint.verify.worker._LEAVE_SECONDS", 1.0)
    with Worker(1.0) as worker:
        child = worker.start()
        child.send_signal(signal.SIGSTOP)
        assert worker.ask("plan", text="x" * 1_000_000)["late"]
        assert child.returncode == -signal.SIGKILL


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs processes that fork")
@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_an_interrupted_parent_leaves_no_process_behind(end: signal.Signals, tmp_path: Path) -> None:
    told = tmp_path / "pid"
    statement = f"import os, time; open({str(told)!r}, 'w').write(str(os.getpid())); time.sleep(600)"
    losses = tmp_path / "losses.py"
    losses.write_text(behaving(statement), encoding="utf-8")
    command = [sys.executable, "-m", "infonce_lint", "verify", "--isolated", str(losses)]
    parent = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        assert comes_true(lambda: told.exists() and told.read_text() != "")
        parent.send_signal(end)
        parent.wait(30)
        assert comes_true(lambda: not is_running(int(told.read_text())))
    finally:
        with contextlib.suppress(ProcessLookupError):
            parent.kill()


def test_noise_and_questions_reach_nobody(worker: Worker, capfd: pytest.CaptureFixture[str]) -> None:
    text = behaving("print('noise'); __import__('os').write(1, b'noise'); __import__('sys').stdin.read()")
    assert not failed(examine(site(text), text, worker, families=("sizes",)))
    assert capfd.readouterr().out == ""


def test_files_land_in_a_scratch_folder(worker: Worker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    text = behaving("open('training.log', 'w').close()")
    assert not failed(examine(site(text, path=str(tmp_path / "losses.py")), text, worker, families=("sizes",)))
    assert not list(tmp_path.iterdir())


def test_debugger_is_not_entered(worker: Worker) -> None:
    text = behaving("try:\n        1 / 0\n    except Exception:\n        import pdb; pdb.set_trace()")
    assert "ZeroDivisionError" in examine(site(text), text, worker, families=()).problem


def test_code_for_a_gpu_runs_without_one(worker: Worker) -> None:
    text = IMPORTS + (
        "\n\nclass ContrastiveLoss(nn.Module):\n"
        "    def __init__(self, temperature):\n"
        "        super().__init__()\n"
        "        torch.cuda.set_device(0)\n"
        "        self.temperature = torch.tensor(temperature, device='cuda:0')\n"
        "        self.criterion = nn.CrossEntropyLoss().cuda()\n\n"
        "    def forward(self, a, b):\n"
        "        a, b = F.normalize(a, dim=1).cuda(), F.normalize(b, dim=1).to('cuda')\n"
        "        logits = a @ b.t() / self.temperature.cuda()\n"
        "        return self.criterion(logits, torch.arange(len(a)).to(torch.device('cuda')))\n"
    )
    assert not failed(examine(site(text), text, worker, families=("value", "sizes")))


def test_without_torch_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "torch.py").write_text("raise ImportError('not here')\n", encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    with (
        Worker() as worker,
        pytest.raises(WorkerError, match=r"verify needs torch: pip install 'infonce-lint\[verify\]'"),
    ):
        worker.start()
