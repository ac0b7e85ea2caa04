"""Named tensors: a fix names what is a tensor for certain, and the one that is compared; else there is none."""

from __future__ import annotations

import pytest

from tests.repair.snippets import is_safe, new_rows, plan

HEAD = "def loss(x, k, views, args, helper, state):\n"
LOSS = "    labels = torch.arange(args.batch_size)\n    return F.cross_entropy({left} @ {right}.t(), labels)\n"


def written(body: str, left: str, right: str, before: str = "") -> str | None:
    """The number of labels after the fix; None where there is no safe one."""
    rows = "".join(f"    {row}\n" for row in body.splitlines())
    code = before + HEAD + rows + LOSS.format(left=left, right=right)
    if not hasattr(plan(code)[0], "edits") or not is_safe(code):
        return None
    (row,) = [each for each in new_rows(code) if "arange" in each]
    return row.partition("arange(")[2].removesuffix(")")


LISTS = [
    ("views = views[:2]\nq, p = views", "q", "p", "q.shape[0]"),
    ("views = views[::-1]", "views[0]", "views[1]", None),
    ("views[0] = F.normalize(views[0])", "views[0]", "views[1]", None),
    ("views = views * 1", "views[0]", "views[1]", None),
    ("views = views.copy()", "views[0]", "views[1]", None),
    ("views = views.to('cpu')", "views[0]", "views[1]", None),
    ("zs = [k, x]\nzs[0], zs[1] = zs[1], zs[0]", "zs[0]", "zs[1]", "x.shape[0]"),
    ("views = views[:4]\nn = views.shape[0]", "views", "views", "n"),
    ("views = views[:, 0]", "views", "views", "views.shape[0]"),
    ("x = x.to('cpu')", "x", "k", "x.shape[0]"),
    ("x = x * 2", "x", "k", "x.shape[0]"),
]


@pytest.mark.parametrize(("body", "left", "right", "expected"), LISTS)
def test_what_may_be_a_list_is_no_tensor(body: str, left: str, right: str, expected: str | None) -> None:
    assert written(body, left, right) == expected


ROUNDS = [
    ("p, q = [F.normalize(each) for each in (k, x)]", "q", "p", "x.shape[0]"),
    ("p, q = [F.normalize(each) for each in views]", "q", "p", "q.shape[0]"),
    ("p, q = [helper(each) for each in (k, x)]", "q", "p", "q.shape[0]"),
    ("zs = [F.normalize(each) for each in views]", "zs[1]", "zs[0]", None),
    ("p, q = sorted([k, x], key=len)", "q", "p", "q.shape[0]"),
    ("(i, p), (j, q) = enumerate(views)", "q", "p", "q.shape[0]"),
    ("(p, i), (q, j) = zip(views, views)", "q", "p", "q.shape[0]"),
    ("q, *others = views", "q", "k", "q.shape[0]"),
    ("*others, q = x, k", "q", "x", "k.shape[0]"),
]


@pytest.mark.parametrize(("body", "left", "right", "expected"), ROUNDS)
def test_rounds_of_a_comprehension_are_told_apart(body: str, left: str, right: str, expected: str | None) -> None:
    assert written(body, left, right) == expected


def test_receivers_that_are_no_tensors() -> None:
    assert written("z = helper.normalize(x)", "z", "z") == "z.shape[0]"
    assert written("z = helper.matmul(x, k)", "z", "z") == "z.shape[0]"
    assert written("z = helper.relu(x)", "z", "z") == "z.shape[0]"
    assert written("z = x.relu()", "x", "k") == "x.shape[0]"
    assert written("z = x.matmul(k)", "x", "k") == "x.shape[0]"


PUSH = "class Queue:\n    def push(self, x):\n        self.rows = x\n\n\n"
PATHS = [
    ("p = state.rows\nstate.rows = x\nq = state.rows", "", "q.shape[0]"),
    ("p = state.rows\nsetattr(state, 'rows', x)\nq = state.rows", "", "q.shape[0]"),
    ("p = state['rows']\nother = state\nother['rows'] = x\nq = state['rows']", "", "q.shape[0]"),
    ("p = state.rows\nstate.push(x)\nq = state.rows", PUSH, "q.shape[0]"),
    ("p = state.rows\nstate(x)\nq = state.rows", "", "q.shape[0]"),
    ("p = state[0]\nq = state[1]", "", "q.shape[0]"),
    ("p = state.rows\nq = state.rows", "", "p.shape[0]"),
]


@pytest.mark.parametrize(("body", "before", "expected"), PATHS)
def test_a_path_that_changes_is_another_tensor(body: str, before: str, expected: str) -> None:
    assert written(body, "q", "p", before) == expected


CHANGES = [
    ("zs = [k, x, x]\nzs.pop(0)", "zs[0]", "zs[1]"),
    ("zs = [k, x, x]\nfirst = zs.pop(0)", "zs[0]", "zs[1]"),
    ("zs = [k, x]\nys = zs\nys.reverse()", "zs[0]", "zs[1]"),
    ("zs = [k, x, x]\ndel zs[0]", "zs[0]", "zs[1]"),
    ("z = x\ndef cut():\n    nonlocal z\n    z = z[::2]\ncut()", "z", "z"),
]


@pytest.mark.parametrize(("body", "left", "right"), CHANGES)
def test_a_changed_list_is_not_followed(body: str, left: str, right: str) -> None:
    assert written(body, left, right) not in ("x.shape[0]", "k.shape[0]")


def test_what_may_be_none_is_not_named() -> None:
    code = """
    def loss(x, args, helper):
        sim = x @ x.t()
        if helper:
            x = None
        return F.cross_entropy(sim, torch.arange(args.batch_size))
    """
    assert "torch.arange(sim.shape[0])" in new_rows(code)[0]


WAYS = [
    "z = x\nfor each in views:\n    if helper:\n        z = torch.cat([x, x])\n        break",
    "z = x\nfor each in views:\n    if helper:\n        z = torch.cat([x, x])\n        continue\n    z = x",
    "z = x\ntry:\n    z = torch.cat([x, x])\n    helper()\nexcept ValueError:\n    pass",
    "z = x\ntry:\n    helper()\nexcept ValueError as z:\n    pass",
    "z = x * 2\nmatch state:\n    case [z]:\n        pass",
]


@pytest.mark.parametrize("body", WAYS)
def test_every_way_counts(body: str) -> None:
    assert written(body, "z", "z") != "x.shape[0]"
    assert written("z = x\nfor each in views:\n    if helper:\n        break\n    z = z * 2", "z", "z") == "x.shape[0]"
