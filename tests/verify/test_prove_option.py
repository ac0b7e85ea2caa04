"""``--fix --prove`` writes what is proven and lists the rest."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path

import pytest

pytest.importorskip("torch")

from infonce_lint.command.cli import main
from tests.verify.samples import IMPORTS, TRAINER, write

#: The safe fix takes its rows from the features; but this loss compares each row with itself once more on other sizes.
UNPROVABLE = IMPORTS + (
    "\n\ndef info_nce(features, args):\n"
    "    assert len(features) == 2 * 8, 'a batch of another size never worked here'\n"
    "    z = F.normalize(features, dim=1)\n"
    "    labels = torch.cat([torch.arange(args.batch_size) for _ in range(args.n_views)])\n"
    "    same = (labels.unsqueeze(0) == labels.unsqueeze(1)).float().fill_diagonal_(0)\n"
    "    share = F.log_softmax((z @ z.T / args.temperature).fill_diagonal_(-1e4), dim=1)\n"
    "    return -(share * same).sum(dim=1).mean()\n"
)


def test_proven_fixes_are_written_and_the_rest_is_listed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    proven, other = write(tmp_path, TRAINER, "proven.py"), write(tmp_path, UNPROVABLE, "other.py")
    assert main(["--fix", "--prove", "--isolated", "--no-cache", "--output-format=concise", str(tmp_path)]) == 1
    assert "actual_batch_size" in proven.read_text(encoding="utf-8")
    assert other.read_text(encoding="utf-8") == UNPROVABLE
    out = capsys.readouterr().out
    assert "other.py:9:38: NCE001" in out
    assert "not proven: info_nce: even configured for 5 it fails on 5: AssertionError" in out
    assert "1 fixed, 1 remaining" in out


def test_without_prove_both_are_written(tmp_path: Path) -> None:
    other = write(tmp_path, UNPROVABLE, "other.py")
    main(["--fix", "--isolated", "--no-cache", "--quiet", str(tmp_path)])
    assert other.read_text(encoding="utf-8") != UNPROVABLE


def test_one_of_two_losses_of_a_file_is_written(tmp_path: Path) -> None:
    both = write(tmp_path, TRAINER + UNPROVABLE.removeprefix(IMPORTS), "both.py")
    assert main(["--fix", "--prove", "--isolated", "--no-cache", "--quiet", str(both)]) == 1
    text = both.read_text(encoding="utf-8")
    assert "range(self.args.n_views)" in text
    assert "self.args.batch_size" not in text
    assert "torch.arange(args.batch_size)" in text


def test_diff_shows_proven_fixes_only(tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    write(tmp_path, TRAINER, "proven.py")
    write(tmp_path, UNPROVABLE, "other.py")
    assert main(["--diff", "--prove", "--isolated", "--no-cache", "--quiet", str(tmp_path)]) == 1
    out = capsysbinary.readouterr().out
    assert b"proven.py" in out
    assert b"other.py" not in out


def test_standard_input(monkeypatch: pytest.MonkeyPatch, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(TRAINER.encode()), encoding="utf-8"))
    assert main(["--fix", "--prove", "--isolated", "--no-cache", "-"]) == 0
    assert b"actual_batch_size" in capsysbinary.readouterr().out


def test_notebook(tmp_path: Path) -> None:
    cells = [{"cell_type": "code", "source": TRAINER, "metadata": {}, "outputs": [], "execution_count": None}]
    notebook = {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    path = write(tmp_path, json.dumps(notebook), "train.ipynb")
    assert main(["--fix", "--prove", "--isolated", "--no-cache", "--quiet", str(path)]) == 0
    assert "actual_batch_size" in path.read_text(encoding="utf-8")


def test_losses_that_need_each_other_are_proven_in_turn(tmp_path: Path) -> None:
    text = IMPORTS + (
        "\n\nclass NTXent(nn.Module):\n"
        "    def __init__(self, batch_size, temperature):\n"
        "        super().__init__()\n"
        "        self.batch_size, self.temperature = batch_size, temperature\n\n"
        "    def forward(self, z_i, z_j):\n"
        "        logits = F.normalize(z_i, dim=1) @ F.normalize(z_j, dim=1).t() / self.temperature\n"
        "        return F.cross_entropy(logits, torch.arange(self.batch_size))\n\n\n"
        "class Trainer:\n"
        "    def __init__(self, args, model):\n"
        "        self.args, self.model = args, model\n"
        "        self.loss = NTXent(args.batch_size, args.temperature)\n\n"
        "    def train(self, loader):\n"
        "        for images, _ in loader:\n"
        "            features = self.model(torch.cat(images, dim=0))\n"
        "            loss = self.loss(features[: self.args.batch_size], features[self.args.batch_size :])\n"
        "            loss.backward()\n"
    )
    path = write(tmp_path, text)
    assert main(["--fix", "--prove", "--unsafe-fixes", "--isolated", "--no-cache", "--quiet", str(path)]) == 0
    assert "self.args.batch_size" not in path.read_text(encoding="utf-8")


def test_prove_needs_something_to_prove(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(["--prove", "."])
    assert left.value.code == 2
    assert "--prove needs --fix or --diff" in capsys.readouterr().err


def test_without_torch_nothing_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "hidden").mkdir()
    write(tmp_path / "hidden", "raise ImportError('not here')\n", "torch.py")
    monkeypatch.syspath_prepend(str(tmp_path / "hidden"))
    path = write(tmp_path, TRAINER)
    assert main(["--fix", "--prove", "--isolated", "--no-cache", str(path)]) == 2
    assert "verify needs torch" in capsys.readouterr().err
    assert path.read_text(encoding="utf-8") == TRAINER
