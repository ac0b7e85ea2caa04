"""``infonce-lint verify``: what it prints and the code it leaves with."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

pytest.importorskip("torch")

from infonce_lint.command.cli import main
from tests.verify.samples import IMPORTS, INLINED, STACKED, TRAINER, write

QUICK = ["--checks", "value,sizes,views", "--isolated"]


def run(*arguments: object) -> int:
    return main(["verify", *map(str, arguments)])


def test_right_loss_leaves_with_0(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(tmp_path, STACKED)
    assert run(path, *QUICK) == 0
    out = capsys.readouterr().out
    assert f"{path}:6 nt_xent\n" in out
    assert "  PASS     value, 3 views" in out
    assert "given view-major rows [V * B, D] in `features`" in out
    assert out.endswith("1 loss; checks: 11 passed, 0 failed, 0 skipped, 0 n/a.\n")


def test_buggy_loss_is_reproduced_and_its_fix_proven(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(tmp_path, TRAINER)
    assert run(path, *QUICK) == 1
    out = capsys.readouterr().out
    assert "  reproduced: configured 8, given 5: IndexError: mask [16, 16], tensor [10, 10]\n" in out
    assert "  proven: same value at 8, value of a configured 5 at 5\n" in out
    assert "it is the value of positives first with target 0" in out
    assert "1 loss, 1 with findings, 1 of their fixes proven" in out
    assert path.read_text(encoding="utf-8") == TRAINER, "the fix is applied in memory"


def test_loss_in_a_loop(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(write(tmp_path, INLINED), *QUICK) == 1
    out = capsys.readouterr().out
    assert "proven: same value at 8" in out
    assert "given one argument a view [B, D] in `out_1, out_2`" in out


def test_loss_that_cannot_be_run_says_why(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = IMPORTS + (
        "\n\ndef train(loader, net, opt):\n"
        "    for x, y in loader:\n"
        "        logits = net(x) @ net(y).t() / opt.temperature\n"
        "        opt.losses[0] += F.cross_entropy(logits, torch.arange(len(x)))\n"
    )
    assert run(write(tmp_path, text), *QUICK) == 1
    out = capsys.readouterr().out
    assert (
        "not run: it cannot be run alone: the loss is written inside `train`, from features that `net(...)` makes"
        in out
    )
    assert "1 loss, 1 not run" in out


def test_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    right, buggy = write(tmp_path, STACKED, "right.py"), write(tmp_path, TRAINER, "buggy.py")
    assert run(f"{right}::nt_xent", buggy, "--checks=sizes", "--isolated", "--output-format=json") == 1
    first, second = json.loads(capsys.readouterr().out)
    assert (first["loss"], first["passed"], first["proven"], first["problem"]) == ("nt_xent", True, None, None)
    assert {check["status"] for check in first["checks"]} == {"PASS"}
    assert (second["filename"], second["fix"], second["proven"]) == (str(buggy), "safe", True)
    assert second["reproduced"].startswith("configured 8, given 5: IndexError")
    assert second["passed"] is False


def test_gpu_rows_are_skipped_and_counted_or_required(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import torch

    if torch.cuda.is_available():
        pytest.skip("there is a device")
    path = write(tmp_path, STACKED)
    assert run(path, "--checks=device", "--isolated") == 0
    assert "checks: 0 passed, 0 failed, 4 skipped (no CUDA device here), 0 n/a." in capsys.readouterr().out
    assert run(path, "--checks=device", "--isolated", "--require-gpu") == 1
    assert "0 passed, 4 failed" in capsys.readouterr().out


def test_set_reaches_the_loss(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(tmp_path, TRAINER)
    run(path, "--checks=sizes", "--isolated", "--set", "args.temperature=0.5", "--set", "args.n_views=2")
    assert "args.temperature=0.5" in capsys.readouterr().out


def test_set_that_no_loss_reads_leaves_with_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(write(tmp_path, STACKED), *QUICK, "--set", "temprature=0.2") == 2
    assert (
        'error: --set temprature: no loss reads it (did you mean "temperature"?); they read n_views, temperature'
        in capsys.readouterr().err
    )


def test_unsafe_fix_is_marked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = IMPORTS + (
        "\n\ndef nce_loss(a, b, args):\n"
        "    logits = F.normalize(a, dim=1) @ F.normalize(b, dim=1).t() / args.temperature\n"
        "    return (torch.logsumexp(logits, dim=1) - logits.diagonal()).sum() / args.batch_size\n"
    )
    assert run(write(tmp_path, text), *QUICK) == 1
    assert (
        "proven: same value at 8, value of a configured 5 at 5 (an unsafe fix: --unsafe-fixes)"
        in capsys.readouterr().out
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["missing.py"], "missing.py: no such file"),
        (["no.such.module:loss"], "there is no module no.such.module"),
        (["bad.py"], "bad.py: "),
        (["none.py"], "none.py: no contrastive loss in this file"),
    ],
)
def test_target_that_is_not_there_leaves_with_2(
    arguments: list[str],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    write(tmp_path, "def f(:\n", "bad.py")
    write(tmp_path, "x = 1\n", "none.py")
    assert run(*arguments, "--isolated") == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--set", "temperature", "a.py"], "'temperature' is not NAME=VALUE"),
        (["--checks", "sises", "a.py"], "unknown 'sises'"),
        (["--time-limit", "0", "a.py"], "'0' is not a number of seconds above 0"),
        ([], "the following arguments are required: TARGET"),
    ],
)
def test_wrong_options_are_one_line(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        run(*arguments)
    err = capsys.readouterr().err
    assert left.value.code == 2
    assert message in err
    assert err.count("\n") == 1


def test_imported_target(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    write(tmp_path, STACKED, "some_losses_of_mine.py")
    write(tmp_path, "raise ImportError('this is not the library')\n", "random.py")
    assert run("some_losses_of_mine:nt_xent", "infonce_lint.reference:InfoNCELoss", *QUICK) == 0
    assert "2 losses" in capsys.readouterr().out
