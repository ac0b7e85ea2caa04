"""The screen never loses a finding: whatever the model reports in a text, both of its stages let pass."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infonce_lint.engine.linter import lint_bytes
from infonce_lint.finding import Finding
from infonce_lint.screening.bytes import may_hold_finding, may_report, mentions
from infonce_lint.semantic.names import is_config_size_name, is_size_name
from infonce_lint.settings import Settings
from infonce_lint.sources.source import SourceFile
from tests.fixture_cases import rule_fixtures, silent_fixtures

DEFAULT = Settings()
PARTS = st.sampled_from(
    "batch Batch BATCH size Size SIZE sz samples bs BS Bs bsz BSZ bsize train Train per Per n N full local query _ 1 x"
    "".split()
)
NAMES = st.lists(PARTS, min_size=1, max_size=5).map("".join).filter(str.isidentifier)


def mentions_size(data: bytes) -> bool:
    return next(mentions(data), None) is not None


@contextmanager
def without_screen() -> Iterator[None]:
    with mock.patch("infonce_lint.engine.linter.may_hold_finding", lambda source, settings: True):
        yield


def unscreened(data: bytes, settings: Settings = DEFAULT) -> list[Finding]:
    with without_screen():
        return lint_bytes(data, "loss.py", settings)


def assert_nothing_is_lost(text: str) -> None:
    data = text.encode()
    found = unscreened(data)
    assert lint_bytes(data, "loss.py", DEFAULT) == found
    assert may_report(data, "loss.py", DEFAULT) or not found


# -- names -------------------------------------------------------------------------------------------------------------


@settings(max_examples=2000)
@given(NAMES)
def test_every_size_name_is_mentioned(name: str) -> None:
    if is_size_name(name):
        assert mentions_size(f"labels = arange({name})\n".encode())
    if is_config_size_name(name):
        assert mentions_size(f"labels = arange(args.{name})\n".encode())
        assert mentions_size(f'labels = arange(config["{name}"])\n'.encode())
        assert mentions_size(f"labels = arange(getattr(args, '{name}'))\n".encode())


@pytest.mark.parametrize(
    "text",
    [
        'n = config["train.batch-size"]',
        'n = config["batch_" "size"]',
        "n = args. \\\n  batch",
        "n = args.\\\n    batch",
        "n = (args.  # the samples\n     batch)",
    ],
)
def test_unusual_spellings_are_mentioned(text: str) -> None:
    assert mentions_size(text.encode())


@pytest.mark.parametrize(
    "text",
    [
        "y = abs(x) + probs[0]\n",
        "nn.BatchNorm2d(3)\n",
        "for batch in loader: pass\n",
        'names = ["batch_first", "batchnorm"]\n',
        "'''Pads the batch to its size.'''\n",
        "entry = {'name': 'batch_size', 'type': 'int'}\n",
    ],
)
def test_what_only_looks_alike_is_no_mention(text: str) -> None:
    assert not mentions_size(text.encode())


# -- losses ------------------------------------------------------------------------------------------------------------

SIZES = st.sampled_from(
    [
        "args.{name}",
        'config["{name}"]',
        "config.get('{name}', 64)",
        "getattr(args, '{name}')",
        "self.args.{name}",
        "self.{name}",
        "cfg.train.{name}",
        "cfg.\n{name}",
        "{name}",
        "CONSTANT",
    ]
)
BINDINGS = st.sampled_from(
    [
        "",
        "{name} = 64\n",
        "if fast:\n    {name} = 64\nelse:\n    {name} = 8\n",
        "from config import {name}\n",
        "from config import *\n",
        "from config import \\\n{name}\n",
        "from config import (\n{name},\nEPOCHS,\n)\n",
        "import config\n",
        "CONSTANT = args.{name}\n",
        "CONSTANT = {name} = 12\n",
        "class Config:\n    {name} = 64\n\n\nconfig = Config()\n",
        "def main():\n    global {name}\n    {name} = 3\n\n\n",
        "'''Row\ndef of the file: {name}\n'''\n{name} = 3\n",
    ]
)
PRODUCTS = st.sampled_from(
    [
        "z @ z.T",
        "torch.mm(z, z.t())",
        "torch.matmul(z, z.T)",
        "torch.einsum('id,jd->ij', z, z)",
        "F.cosine_similarity(z.unsqueeze(1), z.unsqueeze(0), dim=2)",
        "self.similarity_f(z.unsqueeze(1), z.unsqueeze(0))",
        "torch.cdist(z, z)",
        "(z * other).sum(dim=1)",
        "sim_matrix",
    ]
)
USES = st.sampled_from(
    [
        "labels = torch.arange({size})\n        return F.cross_entropy(s / 0.1, labels)",
        "mask = torch.eye(2 * {size}, dtype=torch.bool)\n        return -torch.log_softmax(s[~mask], 0)",
        "mask = torch.eye(2 * {size}) > 0\n        return torch.log(torch.exp(s / self.temperature)[mask]).sum()",
        "return torch.log(torch.exp(s).sum(1)).sum() / {size}",
        "return torch.relu(s + margin - s[:{size}]).sum() / {size}",
        "s = s.view({size}, -1)\n        return self.criterion(s, torch.zeros({size}).long())",
    ]
)
FRAMES = st.sampled_from(
    [
        "class {loss}(nn.Module):\n    def __init__(self, args, {name}=3):\n        self.args = args\n"
        "        self.{name} = {name}\n\n"
        "    def forward(self, z, other, sim_matrix):\n        s = {product}\n        {use}\n",
        "def {loss}(z, other, args, config, cfg, sim_matrix):\n    if True:\n        s = {product}\n        {use}\n",
        "def {loss}(z, other, {name}, sim_matrix):\n    if True:\n        s = {product}\n        {use}\n\n\n"
        "def train(loader, args, {name}):\n    for z in loader:\n        {loss}(z, z, {name}, z)\n\n\n"
        "train(loader, args, 64)\n",
    ]
)
LOSSES = st.sampled_from(["NTXent", "info_nce_loss", "step", "Loss", "forward_pass"])


@settings(max_examples=1500, deadline=None)
@given(NAMES | st.sampled_from(["batch_size", "BATCH_SIZE"]), BINDINGS, SIZES, PRODUCTS, USES, FRAMES, LOSSES)
def test_no_loss_is_lost(name: str, binding: str, size: str, product: str, use: str, frame: str, loss: str) -> None:
    use = use.format(size=size.format(name=name))
    body = frame.format(loss=loss, name=name, product=product, use=use)
    imports = "import torch\nimport torch.nn.functional as F\nfrom torch import nn\n"
    text = f"{imports}{binding.format(name=name)}{body}"
    try:
        compile(text, "loss.py", "exec")
    except SyntaxError:
        return
    assert_nothing_is_lost(text)


@pytest.mark.parametrize("path", [*rule_fixtures(), *silent_fixtures()], ids=lambda path: path.name)
def test_findings_are_the_same_without_it(path: Path) -> None:
    assert_nothing_is_lost(path.read_text(encoding="utf-8"))


IMPORTS = "import torch\nimport torch.nn.functional as F\nfrom torch import nn\n"
STEP = "    return F.cross_entropy(z @ z.T, torch.arange({size}))\n"
INFO_NCE = f"def info_nce(z, n):\n{STEP.format(size='n')}"
TRAIN = "def train(loader, batch_size):\n    for z in loader:\n        info_nce(z, batch_size).backward()\n"
METHOD = """\
class Trainer:
    def {method}(self, loader, batch_size):
        for z in loader:
            info_nce(z, batch_size).backward()


trainer = Trainer()
trainer(loader, 64)
"""


@pytest.mark.parametrize(
    "text",
    [
        # rows inside brackets that begin at the margin
        "from config import (\nBATCH_SIZE,\nEPOCHS,\n)\ndef info_nce(z):\n" + STEP.format(size="BATCH_SIZE"),
        "(\nBATCH_SIZE,\nEPOCHS,\n) = 64, 3\ndef info_nce(z):\n" + STEP.format(size="BATCH_SIZE"),
        "def info_nce(z, args):\n" + STEP.format(size="args.\nbatch_size,\ndevice=z.device"),
        "def info_nce(z, args):\n" + STEP.format(size="getattr(args,\nr'batch_size',\ndefault)"),
        # what is asked for has a name of its own
        "def info_nce(z, cfg):\n    key = 'batch_size'\n" + STEP.format(size="cfg[key]"),
        "def info_nce(z, cfg):\n    key: str = 'batch_size'\n" + STEP.format(size="getattr(cfg, key)"),
        "def info_nce(z, cfg):\n    rate, key = 'lr', 'batch_size'\n" + STEP.format(size="cfg.get(key)"),
        "def info_nce(z, cfg):\n" + STEP.format(size="cfg[(key := 'batch_size')]"),
        # a size that is handed to a loss inside a loop, by functions that are called in other ways
        INFO_NCE + TRAIN.replace("info_nce(z, batch_size)", "n = batch_size; info_nce(z, n)") + "train(loader, 64)\n",
        INFO_NCE + TRAIN + "torch.compile(train)(loader, 64)\n",
        INFO_NCE + TRAIN + "from functools import partial\npartial(train, batch_size=64)(loader)\n",
        INFO_NCE + METHOD.format(method="__call__"),
        INFO_NCE + METHOD.format(method="forward"),
        # one name for two imports, a display that is called, a self that is nobody's parameter
        "def rows(z):\n    import numpy as c\n    return c.array(z)\ndef info_nce(z):\n    import config as c\n"
        + STEP.format(size="c.batch_size"),
        "def step(z, args):\n    s = z @ z.T\n    n = args.batch_size\n"
        "    return [F.cross_entropy, F.nll_loss][0](s, torch.arange(n))\n",
        "class Loss:\n    def forward(this, z):\n    " + STEP.format(size="self.batch_size"),
    ],
)
def test_unusual_losses_are_found(text: str) -> None:
    assert unscreened((IMPORTS + text).encode())
    assert_nothing_is_lost(IMPORTS + text)


# -- ties --------------------------------------------------------------------------------------------------------------

GAPS = st.sampled_from(["", " ", "\t", " \\\n  "])
INNER_GAPS = GAPS | st.sampled_from(["\n", " # rows\n "])
#: How a number comes back, and from where: called with a size, they give it or rows of it.
MAKERS = st.sampled_from(
    [
        "torch{g}.{h}arange{g}({size})",
        "torch.{h}eye{h}(2 * {size})",
        "tf.{h}range{h}({size})",
        "ar{g}({size})",
        "again({size})",
        "(torch.arange{h}){g}({size})",
        "(torch.arange if tau else torch.eye)({size})",
        "(lambda k: torch.eye{g}(k))({size})",
        "[torch.eye, torch.arange][1]({size})",
        "both[0]({size})",
        "first({size})",
        "(held := torch.arange)({size})",
        "rows{g}({size})",
        "by_name(k={size})",
        "twice(torch.eye, {size})",
        "torch.arange(twice(int, {size}))",
        "torch.arange(short({size}))",
        "given()({size})",
        "P.Eye()({size}, {size})",
        "eyes({size}, {size})",
        "self.eyes({size}, {size})",
        "torch.ones{g}([{size}, {size}]).fill_diagonal_(0)",
        "makers['eye'{h}]{g}({size})",
        "makers[key]({size})",
    ]
)
TIED = """\
import torch
import torch.nn.functional as F
from functools import partial as part
from mindspore.ops import operations as P
from torch import arange as ar

again = ar
both = (torch.eye, torch.arange)
first, second = torch.arange, torch.eye
eyes = P.Eye()
short = lambda n: n + 0


def rows(count):
    return torch.eye{g}(count)


def given():
    return torch.arange


def twice(make, count):
    return make(count)


by_name = part(rows)


class {loss}(torch.nn.Module):
    def{one}__init__{g}(self, {name}, tau=0.1):
        self.kept = {name}
        self.eyes = P.Eye()
        key = "eye"
        self.made = {early}

    def forward(self, z, tau=1):
        s = z @ z.T / self.tau
        key = "arange"
        own, make = {late}, torch.eye
        made = self.made if {prefers} else own
        return {use}
"""
LATE = [
    "F.cross_entropy{g}(s, made)",
    "F.cross_entropy{g}(s.masked_fill(made.bool(), -9.0), torch.zeros(9))",
    "-torch.log_softmax{g}(s[made], 0).mean()",
]


@settings(max_examples=1200, deadline=None)
@given(
    st.sampled_from(["n_org", "length", "logits_length", "songs"]),
    st.sampled_from(["NTXentLoss", "SimCLR", "InfoNCE", "Head"]),
    MAKERS,
    MAKERS,
    st.tuples(GAPS, GAPS.filter(bool), INNER_GAPS),
    st.sampled_from(LATE),
    st.booleans(),
)
def test_no_tie_is_lost(
    name: str, loss: str, early: str, late: str, gaps: tuple[str, str, str], use: str, prefers: bool
) -> None:
    g, one, h = gaps
    makers = early.format(size=name, g=g, h=h), late.format(size="self.kept", g=g, h=h)
    text = tied(name, loss, makers, use.format(g=g), g, one, prefers=prefers)
    try:
        compile(text, "loss.py", "exec")
    except SyntaxError:
        return
    assert_nothing_is_lost(text)


def tied(
    name: str, loss: str, makers: tuple[str, str], use: str, g: str = "", one: str = " ", *, prefers: bool = False
) -> str:
    """A loss with a tie; it names no maker that is an object where it uses none."""
    early, late = (f"({each})" for each in makers)
    text = TIED.format(name=name, loss=loss, early=early, late=late, use=f"({use})", g=g, one=one, prefers=prefers)
    if "eyes" in early + late:
        return text
    return "".join(row for row in text.splitlines(keepends=True) if "eyes = " not in row)


@pytest.mark.parametrize(
    "maker",
    [
        "torch.arange({size})",
        "ar({size})",
        "tf.range({size})",
        "[torch.eye, torch.arange][1]({size})",
        "(held := torch.arange)({size})",
        "rows({size})",
        "torch.arange(short({size}))",
        "P.Eye()({size}, {size})",
        "eyes({size}, {size})",
        "self.eyes({size}, {size})",
        "makers['arange']({size})",
        "makers[key]({size})",
    ],
)
def test_ties_are_found(maker: str) -> None:
    text = tied("n_org", "NTXentLoss", ("0", maker.format(size="self.kept")), LATE[0].format(g=""))
    assert unscreened(text.encode())
    assert_nothing_is_lost(text)


# -- what switches it off ----------------------------------------------------------------------------------------------


def test_names_of_the_users_own_switch_it_off() -> None:
    source = SourceFile.from_text("x = 1\n", "loss.py")
    own = Settings(size_names=("rows",))
    assert may_hold_finding(source, own)
    assert may_report(b"x = 1\n", "loss.py", own)
    assert not may_hold_finding(source, DEFAULT)
    assert not may_report(b"x = 1\n", "loss.py", DEFAULT)


LOSS = """\
import torch
import torch.nn.functional as F


def info_nce_loss(z, args):
    return F.cross_entropy(z @ z.T, torch.arange(args.{name}))
"""


@pytest.mark.parametrize("name", ["batch_size", "batch_\u017fize", "\uff42atch_size"])
def test_letters_that_python_folds_into_ascii_pass(name: str) -> None:
    assert_nothing_is_lost(LOSS.format(name=name))


@pytest.mark.parametrize("encoding", ["utf-8-sig", "latin-1", "gbk", "utf-16"])
def test_other_encodings_lose_nothing(encoding: str) -> None:
    declared = "" if encoding.startswith("utf") else f"# -*- coding: {encoding} -*-\n"
    data = f"{declared}{LOSS.format(name='batch_size')}".encode(encoding)
    found = unscreened(data)
    assert lint_bytes(data, "loss.py", DEFAULT) == found
    assert may_report(data, "loss.py", DEFAULT) or encoding == "utf-16"


@pytest.mark.parametrize("newline", ["\r\n", "\r"])
def test_other_line_endings_lose_nothing(newline: str) -> None:
    data = LOSS.format(name="batch_size").replace("\n", newline).encode()
    assert unscreened(data) == lint_bytes(data, "loss.py", DEFAULT)
    assert may_report(data, "loss.py", DEFAULT)


def test_a_suppression_of_ours_is_reported_although_no_size_is_named() -> None:
    assert may_report(b"x = 1  # noqa: NCE001\n", "loss.py", DEFAULT)
