"""What a loss is made of, which temperature it has, and how it is handed its rows: without a child process."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("torch")

import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from infonce_lint.verify.forms import FORMS
from infonce_lint.verify.knobs import Knobs
from infonce_lint.verify.loading import load
from infonce_lint.verify.matching import _fits
from infonce_lint.verify.nature import SOFTMAX, detaching_rows, nature_of, still_views
from infonce_lint.verify.outcome import read
from infonce_lint.verify.stacking import Layout, extra, views_of
from infonce_lint.verify.stub import Maker, Record


@pytest.mark.parametrize(
    ("loss", "nature"),
    [
        (lambda s: F.cross_entropy(s, torch.arange(4)), SOFTMAX),
        (lambda s: -(s.exp().diagonal() / s.exp().sum(1)).log().mean(), SOFTMAX),
        (lambda s: (torch.logsumexp(s, 1) - s.diagonal()).mean(), SOFTMAX),
        (lambda s: (s * torch.tensor(2.0, requires_grad=True).exp()).square().mean(), "a loss without a softmax"),
        (lambda s: -F.logsigmoid(s.expand(2, 4, 4)).mean(), "a sigmoid loss"),
        (lambda s: F.softplus(s).mean(), "a sigmoid loss"),
        (lambda s: F.relu(0.2 + s - s.diagonal().unsqueeze(1)).mean(), "a margin loss"),
        (lambda s: (s - torch.eye(4)).square().mean(), "a loss without a softmax"),
        (lambda s: s.detach().mean(), ""),
    ],
)
def test_a_graph_tells_what_a_loss_is(loss: Callable[[Tensor], Tensor], nature: str) -> None:
    a, b = (each.requires_grad_() for each in views_of(4))
    assert nature_of(loss(a @ b.T)) == nature


def test_a_function_with_a_backward_pass_of_its_own_tells_nothing() -> None:
    class Own(torch.autograd.Function):
        @staticmethod
        def forward(ctx: object, scores: Tensor) -> Tensor:
            return scores.softmax(1).sum()

        @staticmethod
        def backward(ctx: object, *gradients: Tensor) -> Tensor:
            return gradients[0].expand(4, 4)

    scores = torch.rand(4, 4, requires_grad=True)
    assert nature_of(Own.apply(scores)) == ""  # type: ignore[no-untyped-call]


def test_views_that_stand_still_and_where_the_code_says_so() -> None:
    a, b = (each.requires_grad_() for each in views_of(4))
    assert still_views((a @ b.detach().T).sum(), (a, b)) == (1,)
    text = "def other(k):\n    return k.detach()\n\ndef loss(q, k):\n    with torch.no_grad():\n        return q\n"
    assert detaching_rows(text, "loss") == [5]
    assert detaching_rows("", "loss") == []


@settings(max_examples=25, deadline=None)
@given(st.sampled_from(["out", "clip", "clip, first to second", "decoupled"]), st.floats(0.02, 3.0))
def test_a_temperature_is_found_again(name: str, temperature: float) -> None:
    batch = views_of(6)
    found = list(_fits(FORMS[name], batch, float(FORMS[name](batch, temperature))))
    assert min(abs(each / temperature - 1) for each in found) < 1e-6


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 5), st.integers(2, 4))
def test_layouts_hold_the_same_rows(samples: int, count: int) -> None:
    views = views_of(samples, count)
    (stacked,), (by_sample,) = Layout.STACKED.arrange(views), Layout.SAMPLE_MAJOR.arrange(views)
    (beside,), (first) = Layout.SIDE_BY_SIDE.arrange(views), Layout.VIEWS_FIRST.arrange(views)[0]
    assert torch.equal(stacked, first.flatten(0, 1))
    assert torch.equal(by_sample, beside.flatten(0, 1))
    assert torch.equal(by_sample.reshape(samples, count, -1).transpose(0, 1), first)


def test_ids_of_other_ranks_and_of_rows_without_a_positive() -> None:
    like = torch.zeros(1)
    assert extra("sample ids", 3, 2, like, first=6).tolist() == [6, 7, 8]
    assert extra("row ids", 3, 2, like).tolist() == [0, 1, 2, 0, 1, 2]
    assert extra("row ids", 3, 2, like, alone=True).tolist() == [0, 1, 2, 3, 4, 5]


def test_the_loss_among_several_outputs() -> None:
    loss, other = torch.tensor(2.0), torch.tensor(5.0)
    assert read({"accuracy": other, "loss": loss}).value == 2
    assert read({"aux_loss": other, "info_nce": loss}).value == 2
    assert read({"aux_loss": other, "total_loss": loss, "nce": other}).value == 2
    assert read((torch.rand(3, 3), loss)).value == 2


FLAGS = """
class Values:
    def __call__(self, argv):
        raise SystemExit("it parses the command line")

    def __getattr__(self, name):
        raise AttributeError(name)  # as absl's flags do before they are parsed

    def __getitem__(self, name):
        if name != "sharpness":
            raise KeyError(name)
        return type("Flag", (), {"default": 3})


FLAGS = Values()
"""


def test_flags_that_nobody_parsed_are_stood_in_for(tmp_path: Path) -> None:
    path = tmp_path / "flags.py"
    module = load(str(path), FLAGS, Maker(Knobs(configured=5, temperature=0.2), Record()))
    flags = module.FLAGS
    assert (flags.batch_size, flags.temperature, flags.sharpness) == (5, 0.2, 3)
