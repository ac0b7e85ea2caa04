"""Getters: helpers that only give the size stay as they are, and their calls in the loss ask its tensors."""

from __future__ import annotations

import pytest

from tests.repair.snippets import is_safe, new_rows, refusal, repaired

METHOD = """
class Loss:
    def __init__(self, args):
        self.args = args

    {decorator}def size(self):
        return {given}

    def forward(self, z, w):
        sim = z @ w.T / self.args.temperature
        return F.cross_entropy(sim, torch.arange({call}))
"""
READ = "self.args.batch_size"


def test_the_call_of_a_method_is_replaced() -> None:
    code = METHOD.format(decorator="", given=READ, call="self.size()")
    assert new_rows(code) == ["return F.cross_entropy(sim, torch.arange(z.shape[0]))"]
    assert is_safe(code)
    assert f"def size(self):\n        return {READ}" in repaired(code)


def test_the_read_of_a_property_is_replaced() -> None:
    code = METHOD.format(decorator="@property\n    ", given=READ, call="self.size")
    assert new_rows(code) == ["return F.cross_entropy(sim, torch.arange(z.shape[0]))"]


@pytest.mark.parametrize(
    ("given", "call", "text"),
    [
        (f"2 * {READ}", "self.size() // 2", "z.shape[0]"),
        (READ, "self.size() // 1", "z.shape[0]"),
        (f"{READ} // 2", "self.size() * 2", "actual_batch_size * 2"),
    ],
)
def test_what_the_getter_computes_is_counted(given: str, call: str, text: str) -> None:
    row = new_rows(METHOD.format(decorator="", given=given, call=call))[-1]
    assert text in row and "self.size" not in row


def test_stacked_rows_are_divided_by_their_views() -> None:
    code = METHOD.format(decorator="", given=READ, call="self.size()").replace("z @ w.T", "z @ z.T")
    rows = new_rows(code.replace("torch.arange(self.size())", "torch.arange(self.size()).repeat(2)"))
    assert rows[-2:] == [
        "actual_batch_size = z.shape[0] // 2",
        "return F.cross_entropy(sim, torch.arange(actual_batch_size).repeat(2))",
    ]


def test_the_call_of_a_lambda_is_replaced() -> None:
    code = """
    def loss(z, w, args):
        size = lambda: args.batch_size
        sim = z @ w.T / args.temperature
        return F.cross_entropy(sim, torch.arange(size()), reduction="sum") / size()
    """
    assert new_rows(code) == ['return F.cross_entropy(sim, torch.arange(z.shape[0]), reduction="sum") / z.shape[0]']
    assert is_safe(code)


def test_the_call_of_a_function_is_replaced() -> None:
    code = """
    def size(args):
        return args.batch_size

    def loss(z, w, args):
        sim = z @ w.T / args.temperature
        return F.cross_entropy(sim, torch.arange(size(args)))
    """
    assert new_rows(code) == ["return F.cross_entropy(sim, torch.arange(z.shape[0]))"]


def test_a_getter_of_a_getter() -> None:
    code = METHOD.format(decorator="", given="self.rows()", call="self.size()")
    code += f"\n    def rows(self):\n        return {READ}\n"
    assert new_rows(code) == ["return F.cross_entropy(sim, torch.arange(z.shape[0]))"]


def test_a_call_outside_the_loss_keeps_the_configured_size() -> None:
    code = METHOD.format(decorator="", given=READ, call="self.size()")
    code += '\n    def __repr__(self):\n        return f"{self.size()} rows"\n'
    assert new_rows(code) == ["return F.cross_entropy(sim, torch.arange(z.shape[0]))"]


def test_a_call_where_no_rows_are_bound() -> None:
    code = """
    def loss(net, x, w, args):
        size = lambda: args.batch_size
        labels = torch.arange(size())
        return F.cross_entropy(net(x) @ w.T / args.temperature, labels)
    """
    assert "no tensor with the batch's rows is bound where `size` is called" in refusal(code)
