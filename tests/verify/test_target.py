"""TARGET on the command line, and the losses that are found behind it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from infonce_lint.settings import Settings
from infonce_lint.verify.target import Target, TargetError, parse_target, read_source, sites_of
from tests.verify.samples import INLINED, PAIR, SIDE_BY_SIDE, STACKED, TOWERS, TRAINER, site, sites, write


def test_file_and_names_in_it(tmp_path: Path) -> None:
    path = write(tmp_path, STACKED)
    assert parse_target(f"{path}") == Target(f"{path}", f"{path}")
    assert parse_target(f"{path}::nt_xent") == Target(f"{path}::nt_xent", f"{path}", "nt_xent")
    assert parse_target(f"{path}::Loss.forward").name == "Loss.forward"


def test_module_is_found_without_importing_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "package").mkdir()
    write(tmp_path / "package", "raise SystemExit('imported')\n", "__init__.py")
    path = write(tmp_path / "package", STACKED, "losses.py")
    monkeypatch.chdir(tmp_path)
    target = parse_target("package.losses:nt_xent")
    assert (target.module, target.name, Path(target.path).resolve()) == ("package.losses", "nt_xent", path.resolve())


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("missing.py", "missing.py: no such file"),
        ("missing.py::loss", "missing.py: no such file"),
        (
            "no.such.module:loss",
            "no.such.module:loss: there is no module no.such.module here or among the installed ones",
        ),
        ("neither", "neither: expected file.py, file.py::function, file.py::Class.method or package.module:attribute"),
        ("json:", "json:: expected file.py"),
    ],
)
def test_what_is_not_there_is_named(text: str, message: str) -> None:
    with pytest.raises(TargetError) as error:
        parse_target(text)
    assert str(error.value).startswith(message)


def test_folder_and_bad_name_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path, STACKED)
    with pytest.raises(TargetError, match="a folder, where a file is expected"):
        parse_target(str(tmp_path))
    with pytest.raises(TargetError, match=r"expected a function or Class\.method after ::"):
        parse_target(f"{path}::")


def test_features_are_the_parameters_that_the_similarity_compares() -> None:
    assert site(STACKED).features == ("features",)
    assert (site(PAIR).name, site(PAIR).features) == ("PairLoss.forward", ("z_i", "z_j"))
    assert site(TOWERS).features == ("image_features", "text_features")
    assert site(SIDE_BY_SIDE).features == ("features",)


def test_loss_with_findings_is_told_from_its_training_loop() -> None:
    (found,) = sites(TRAINER)
    assert (found.name, found.buggy, found.sizes) == ("Trainer.info_nce", True, ("batch_size",))
    assert found.reads == (TRAINER[: TRAINER.index("torch.arange(self.args")].count("\n") + 1,)


def test_loss_in_a_loop_cannot_be_run_alone_and_says_why() -> None:
    found = site(INLINED)
    assert found.inlined
    assert "written inside `train`, from features that `net(...)` makes there" in found.problem


def test_named_losses() -> None:
    assert site(PAIR, "PairLoss").name == "PairLoss.forward"
    assert site(PAIR, "PairLoss.forward").name == "PairLoss.forward"
    helper = STACKED + "\n\ndef helper(a, b):\n    return a + b\n"
    assert site(helper, "helper").name == "helper", "whoever names a function says that it is a loss"
    with pytest.raises(TargetError, match=r"no function other in .*; the losses there: nt_xent"):
        sites(STACKED, "other")


def test_file_without_a_loss_is_an_error() -> None:
    with pytest.raises(TargetError, match="no contrastive loss in this file"):
        sites("import torch\n\n\ndef f(x):\n    return x + 1\n")


def test_other_frameworks_are_named() -> None:
    text = (
        "import tensorflow as tf\n\n\ndef contrastive_loss(z, temperature):\n"
        "    logits = tf.matmul(z, z, transpose_b=True) / temperature\n"
        "    return tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits(tf.eye(len(z)), logits))\n"
    )
    assert site(text).problem == "it is written for tensorflow, and verify runs torch"


def test_notebook_is_read_as_its_cells(tmp_path: Path) -> None:
    import json

    cells = [
        {"cell_type": "code", "source": part, "metadata": {}, "outputs": [], "execution_count": None}
        for part in ("%matplotlib inline", STACKED)
    ]
    path = write(tmp_path, json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}), "a.ipynb")
    found = sites_of(Target(str(path), str(path)), read_source(str(path)), Settings())
    assert [each.name for each in found] == ["nt_xent"]


def test_looking_imports_no_torch() -> None:
    code = (
        "import sys\nimport infonce_lint.command.cli, infonce_lint.testing\n"
        "import infonce_lint.command.verify, infonce_lint.verify.proving\n"
        "assert 'torch' not in sys.modules and 'rich' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
