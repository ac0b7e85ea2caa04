"""Files are run statement by statement, and only as far as the loss needs them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")

import torch

from infonce_lint.verify.knobs import Knobs
from infonce_lint.verify.loading import LazyModule, load
from infonce_lint.verify.objects import piecewise
from infonce_lint.verify.stub import CannotRun, Config, Maker, Record, StandIn
from tests.verify.samples import write


def loaded(text: str, path: Path | str = "/project/file.py", **knobs: Any) -> LazyModule:
    return load(str(path), text, Maker(Knobs(**knobs), Record()))


def test_only_what_is_needed_runs(tmp_path: Path) -> None:
    mark = tmp_path / "ran"
    text = (
        f"open({str(mark)!r}, 'w')\n"
        "raise RuntimeError('a script')\n"
        "import package_that_is_not_there\n"
        "scale = 3\n"
        "def loss(x):\n"
        "    return helper(x)\n"
        "def helper(x):\n"
        "    return scale * x\n"
    )
    assert loaded(text).loss(2) == 6
    assert not mark.exists()


def test_main_guard_never_runs() -> None:
    text = "def loss():\n    return batch_size\nif __name__ == '__main__':\n    batch_size = 64\n    raise SystemExit\n"
    assert loaded(text, configured=5).loss() == 5, "its name says what it holds"


def test_statements_that_change_a_value_run_with_it() -> None:
    text = "import torch\nmask = torch.ones(2, 2)\nfor i in range(2):\n    mask[i, i] = 0\nmask.mul_(3)\n"
    assert loaded(text).mask.tolist() == [[0, 3], [3, 0]]


def test_names_in_class_bodies_defaults_and_decorators_are_bound() -> None:
    text = (
        "import torch\nwidth = 4\ndef twice(f):\n    return lambda *a: 2 * f(*a)\n"
        "class Loss(torch.nn.Module):\n    size = width\n"
        "    @twice\n    def forward(self, x, k=width):\n        return x * k\n"
    )
    module = loaded(text)
    assert (module.Loss.size, module.Loss().forward(1)) == (4, 8)


def test_names_that_hide_builtins_are_those_of_the_file() -> None:
    assert loaded("def loss(x):\n    return sum(x)\ndef sum(x):\n    return 'mine'\n").loss([1]) == "mine"
    assert loaded("def loss(x):\n    return sum(x)\n").loss([1, 2]) == 3


def test_configured_literals_are_turned() -> None:
    text = (
        "BATCH_SIZE = 64\nN = 64\nfrom dataclasses import dataclass\n"
        "@dataclass\nclass Config:\n    batch_size: int = 32\n    width: int = 32\n"
        "table = {'batch_size': 16, 'width': 16}\n"
    )
    module = loaded(text, configured=5)
    assert (module.BATCH_SIZE, module.N, module.Config().batch_size, module.Config().width) == (5, 64, 5, 32)
    assert module.table == {"batch_size": 5, "width": 16}
    assert loaded("N = 64\n", configured=5, sizes=frozenset({"N"})).N == 5


def test_modules_of_the_project_are_run_lazily_too(tmp_path: Path) -> None:
    package = tmp_path / "package"
    package.mkdir()
    write(package, "", "__init__.py")
    write(package, "import package_that_is_not_there\nraise RuntimeError\ndef gather(x):\n    return [x]\n", "tools.py")
    write(package, "factor = 7\n_hidden = 1\n", "constants.py")
    text = (
        "from .tools import gather\nfrom package.constants import *\nimport package.constants as c\n"
        "def loss(x):\n    return gather(x * factor), c.factor\n"
    )
    assert loaded(text, package / "losses.py").loss(1) == ([7], 7)


def test_what_is_not_installed_is_stood_in_for() -> None:
    text = (
        "from package_that_is_not_there import Base, decorate, nce\nimport package_that_is_not_there.part as part\n"
        "class Loss(Base):\n    @decorate\n    def forward(self, x):\n        part.log(x)\n        return x\n"
        "def broken(x):\n    return nce(x) + 1\n"
    )
    module = loaded(text)
    assert module.Loss().forward(3) == 3
    with pytest.raises(CannotRun, match=r"it needs package_that_is_not_there.nce\(...\): ModuleNotFoundError"):
        module.broken(torch.ones(1))


def test_optional_imports_fail_where_the_code_expects_it() -> None:
    text = (
        "try:\n    import package_that_is_not_there\n    HAS = True\nexcept ImportError:\n    HAS = False\n"
        "def loss():\n    return HAS\n"
    )
    assert loaded(text).loss() is False


def test_command_lines_are_not_parsed() -> None:
    text = (
        "import argparse\nparser = argparse.ArgumentParser()\nparser.add_argument('--batch_size', required=True)\n"
        "args = parser.parse_args()\ndef loss():\n    return args.batch_size, args.temperature\n"
    )
    assert loaded(text, configured=5, temperature=0.2).loss() == (5, 0.2)


def test_configuration_of_the_file_is_kept_but_for_what_a_check_turns() -> None:
    text = (
        "config = {'batch_size': 64, 'alpha': 0.25, 'loss': {'temperature': 3.0, 'kind': 'x'}}\n"
        "def loss():\n    return config\n"
    )
    config = loaded(text, configured=5, temperature=0.2).loss()
    assert isinstance(config, Config)
    assert (config["batch_size"], config["alpha"], config["loss"]["temperature"]) == (5, 0.25, 0.2)
    assert config["loss"]["kind"] == "x"


def test_object_is_built_attribute_by_attribute() -> None:
    text = (
        "import torch\nfrom torch import nn\n"
        "class Trainer(nn.Module):\n"
        "    def __init__(self, *args, **kwargs):\n"
        "        super().__init__()\n"
        "        self.args = kwargs['args']\n"
        "        self.writer = open('/nowhere/log', 'w')\n"
        "        self.model = kwargs['model'].to(self.args.device)\n"
        "        size = 2 * self.args.batch_size\n"
        "        mask = torch.ones(size, size)\n"
        "        for i in range(size):\n"
        "            mask[i, i] = 0\n"
        "        self.register_buffer('mask', mask)\n"
        "        self.temperature = 0.5\n"
    )
    module = loaded(text, configured=3, temperature=0.2)
    trainer: Any = piecewise(module.Trainer, module, module.scope._maker)
    assert trainer.mask.shape == (6, 6)
    assert trainer.mask.diagonal().sum() == 0
    assert (trainer.temperature, trainer.args.n_views) == (0.2, 2)
    assert isinstance(trainer.model, StandIn)
