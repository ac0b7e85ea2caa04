"""How the text of a fix looks: the file's own indentation and row ends, and no comment lost."""

from __future__ import annotations

import ast
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infonce_lint import fix_source, lint_source
from infonce_lint.finding import Finding
from infonce_lint.repair.layout import break_of
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
    assert indents == {step * level for level in range(4 if guard == "assert" else 5)}


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


LOSS = """
import torch
import torch.nn.functional as F

def loss(features, args):
    sim = features @ features.T / args.temperature
    labels = torch.cat([torch.arange(args.batch_size) for _ in range(args.n_views)], dim=0)
    return F.cross_entropy(sim, labels)
"""


def rows_of(text: str, length: int) -> list[str]:
    return fix_source(text, settings=Settings(line_length=length)).data.decode().split("\n")


@pytest.mark.parametrize("length", [60, 72, 79, 88, 100, 120])
def test_rows_of_a_fix_are_no_longer_than_asked(length: int) -> None:
    old = set(LOSS.split("\n"))
    new = [row for row in rows_of(LOSS, length) if row not in old]
    was_longer = max(map(len, old)) > length
    assert [row for row in new if len(row) > length and "labels" not in row] == []
    assert was_longer or max(map(len, new)) <= length
    compile("\n".join(rows_of(LOSS, length)), "loss.py", "exec")


def test_a_row_that_a_fix_makes_too_long_is_broken_inside_its_brackets() -> None:
    text = LOSS.replace("args.batch_size", "args.bs").replace("for _ in range(args.n_views)", "for _ in range(2)")
    assert "    labels = torch.cat([torch.arange(args.bs) for _ in range(2)], dim=0)" in text
    fixed = "\n".join(rows_of(text, 79))
    assert (
        "    labels = torch.cat(\n        [torch.arange(actual_batch_size) for _ in range(2)], dim=0\n    )\n" in fixed
    )


def test_a_row_that_was_too_long_already_stays_in_one() -> None:
    assert any(row.startswith("    labels = torch.cat([") and row.endswith("dim=0)") for row in rows_of(LOSS, 72))


@pytest.mark.parametrize(
    ("row", "broken"),
    [
        ("x = f(aaaaaaaa, bbbbbbbb)", "x = f(|aaaaaaaa, bbbbbbbb|)"),
        ("x = (aaaaaaaa + bbbbbbbb).bool()", "x = (|aaaaaaaa + bbbbbbbb|).bool()"),
        ("x = s[aaaaaaaa].view(bbbbbbbbbbbb)", "x = s[aaaaaaaa].view(|bbbbbbbbbbbb|)"),
        ('x = f("a(b", cccccccc, d)', 'x = f(|"a(b", cccccccc, d|)'),
        ("x = f(aaaaaaaa, bbbbbbbb)  # said", None),
        ("aaaaaaaa = bbbbbbbb + cccccccc", None),
        ("x = f(aaaaaaaa,", None),
        ('x = """aaaaaaaaaaaaaaaaaaaaaa (', None),
        ("x = f(aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa)", None),
    ],
)
def test_where_a_row_is_broken(row: str, broken: str | None) -> None:
    found = break_of(row, "    ", 24)
    told = None if found is None else f"{row[: found[0]]}|{row[found[0] : found[1]]}|{row[found[1] :]}"
    assert told == broken


@pytest.mark.parametrize("quote", ['"', "'"])
def test_strings_have_the_quotes_of_the_file(quote: str) -> None:
    text = LOSS + "".join(f"name_{number} = {quote}a{quote}\n" for number in range(3))
    assert f"f{quote}Features dim 0" in fix_source(text).data.decode()


def test_quotes_inside_what_is_shown_are_the_other_ones() -> None:
    text = LOSS.replace("args.n_views", "args['n_views']") + "a, b = 'a', 'b'\n"
    fixed = fix_source(text).data.decode()
    (message,) = re.findall(r"""f(['"])(Features dim 0.*)\1""", fixed)
    assert message[0] not in message[1]
    compile(fixed, "loss.py", "exec")


@given(st.integers(40, 130), st.booleans(), st.sampled_from(["features", "f", "the_embeddings_of_both_views"]))
@settings(max_examples=60, deadline=None)
def test_broken_rows_mean_the_same(length: int, raises: bool, name: str) -> None:
    text = LOSS.replace("features", name)
    told = Settings(guard="raise" if raises else "assert", line_length=1000)
    whole = fix_source(text, settings=told).data.decode()
    broken = fix_source(text, settings=told._replace(line_length=length)).data.decode()
    assert ast.dump(ast.parse(whole)) == ast.dump(ast.parse(broken))
    assert fix_source(broken, settings=told).data.decode() == broken
