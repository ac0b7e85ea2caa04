"""How the text of a fix looks: the file's own indentation and row ends, and no comment lost."""

from __future__ import annotations

import re

import pytest

from infonce_lint import fix_source, lint_source
from infonce_lint.finding import Finding
from infonce_lint.settings import Settings
from tests.surfaces.samples import BAD

LONG = BAD.replace("n_views", "number_of_augmented_views")  # the assertion needs several rows


def only(text: str, settings: Settings | None = None) -> Finding:
    (finding,) = lint_source(text, settings=settings)
    return finding


@pytest.mark.parametrize("guard", ["assert", "raise"])
@pytest.mark.parametrize("step", ["\t", "  ", "   ", "    "], ids=["tab", "two", "three", "four"])
def test_new_rows_are_indented_as_the_file_is(step: str, guard: str) -> None:
    text = LONG.replace("    ", step)
    fixed = fix_source(text, settings=Settings(guard=guard)).data.decode()
    assert fixed != text
    indents = {match[0] for match in re.finditer(r"^[ \t]*(?=\S)", fixed, re.MULTILINE)}
    assert indents == {step * level for level in range(4)}


def test_a_rebuilt_tensor_is_indented_as_the_file_is() -> None:
    text = (
        "import torch\n\nclass Loss(torch.nn.Module):\n\tdef __init__(self, cfg):\n\t\tsuper().__init__()\n"
        "\t\tself.labels = torch.arange(cfg.batch_size)\n\n\tdef forward(self, a, b):\n"
        "\t\treturn torch.nn.functional.cross_entropy(a @ b.T, self.labels)\n"
    )
    fixed = fix_source(text).data.decode()
    assert "\n\t\tif labels.shape[0] != a.shape[0]:\n\t\t\tlabels = torch.arange(a.shape[0])" in fixed


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_the_edits_hold_the_row_ends_of_the_file(newline: str) -> None:
    fix = only(LONG.replace("\n", newline)).fix
    assert fix is not None
    assert {end for edit in fix.edits for end in re.findall(r"\r\n|\r|\n", edit.content)} == {newline}


def test_a_comment_inside_a_replaced_read_withholds_the_fix() -> None:
    split = "(self  # the trainer\n            .args.batch_size)"
    finding = only(BAD.replace("self.args.batch_size", split))
    assert finding.fix is None
    assert finding.withheld == "a comment stands inside the expression on row 10 that the fix replaces; move it first"
    beside = only(BAD.replace("self.args.batch_size", "(self.args.batch_size  # kept\n            )"))
    assert beside.fix is not None
    assert "# kept" in fix_source(BAD.replace("self.args.batch_size", "(self.args.batch_size  # kept\n)")).data.decode()


def test_form_feeds_are_named_to_users() -> None:
    finding = only(BAD.replace("    def info", "\f    def info"))
    assert finding.withheld == "a form feed on row 9 keeps a fix from being placed; remove it and run again"


def test_a_class_body_is_not_called_module_level() -> None:
    text = """\
import torch
BATCH_SIZE = 64
class Loss(torch.nn.Module):
    mask = torch.eye(BATCH_SIZE, dtype=torch.bool)
    def forward(self, z):
        sims = (z @ z.T).masked_fill(self.mask, -1e9)
        return torch.nn.functional.cross_entropy(sims, torch.arange(z.shape[0]))
"""
    assert "built in a class body" in only(text).withheld
    flat = text.replace("    mask =", "    pass\nmask =", 1).replace(
        "    def", "class Other(torch.nn.Module):\n    def", 1
    )
    assert "built at module level" in only(flat.replace("self.mask", "mask")).withheld
