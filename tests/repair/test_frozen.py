"""What a stored tensor must be for its expression to be repeated in the loss: unchanged, and built of what stays."""

from __future__ import annotations

import pytest

from tests.repair.snippets import is_safe, new_rows, refusal

IMPORTS = "import math\nimport numpy as np\nimport torch\nimport torch.nn.functional as F\n\n"
LOSS = """{before}
class Loss(torch.nn.Module):
    def __init__(self, batch_size{parameters}):
        super().__init__()
        {store}

    def forward(self, z, w{more}):
        sim = z @ w.T - 10 * self.mask
        return F.cross_entropy(sim, torch.arange(len(z)))
{after}
"""
EYE = "torch.eye(batch_size)"


def loss(
    built: str = EYE, *, store: str = "", before: str = "", after: str = "", parameters: str = "", more: str = ""
) -> str:
    """A loss that keeps one tensor, with what stands before it, in its constructor and after it."""
    keep = store.format(EYE=EYE) or f"self.mask = {built}"
    return LOSS.format(before=before, parameters=parameters, store=keep, more=more, after=after)


def built_anew(code: str) -> str:
    """The row of the fix that builds the tensor again."""
    return next(row for row in new_rows(code) if row.startswith("mask = ") and row != "mask = self.mask")


class TestWhatMayBeNone:
    @pytest.mark.parametrize(
        ("store", "reason"),
        [
            ("self.mask = {EYE} if use else None", "may be None or another thing than a tensor"),
            ("self.mask = None if batch_size is None else {EYE}", "may be None or another thing than a tensor"),
            ("self.mask = None\n        if use:\n            self.mask = {EYE}", "may be None where the loss reads it"),
            ("if use:\n            self.mask = {EYE}", "is not set on every way through the constructor"),
            ("if not use:\n            return\n        self.mask = {EYE}", "is not set on every way"),
        ],
    )
    def test_it_is_not_built_again(self, store: str, reason: str) -> None:
        assert reason in refusal(loss(store=store, parameters=", use=True"))

    def test_none_that_the_constructor_replaces(self) -> None:
        assert is_safe(loss(store="self.mask = None\n        self.mask = {EYE}"))


KEPT = "self.scale = scale\n        self.mask = {EYE} * scale"


class TestParameters:
    def test_the_attribute_that_keeps_one_is_asked(self) -> None:
        assert "torch.eye(z.shape[0]) * self.scale" in built_anew(loss(store=KEPT, parameters=", scale=2.0"))

    def test_a_stranger_has_an_attribute_of_that_name(self) -> None:
        after = "class Other:\n    def step(self):\n        self.scale = 1"
        assert is_safe(loss(store=KEPT, parameters=", scale=2.0", after=after))

    @pytest.mark.parametrize(
        ("after", "reason"),
        [
            ("    def anneal(self):\n        self.scale *= 0.5", "`self.scale` is set or changed in several places"),
            ("def step(criterion):\n    criterion.scale = 1.0", "`self.scale` is set or changed in several places"),
            ("class Child(Loss):\n    def set(self):\n        self.scale = 1", "is set or changed in several places"),
            ("class Mixin:\n    def set(self):\n        self.scale = 1\nclass C(Mixin, Loss):\n    pass", "several"),
            ("def step(c, scale):\n    setattr(c, 'scale', scale)", "may be set by its name"),
            ("def step(c, values):\n    vars(c).update(values)", "may be set by its name"),
            ("def step(c):\n    del c.scale", "may be deleted"),
            ("def run(z):\n    s = torch.ones(1)\n    c = Loss(8, s)\n    s.mul_(2)\n    return c(z, z)", "in place"),
        ],
    )
    def test_an_attribute_that_may_be_another_by_then(self, after: str, reason: str) -> None:
        assert reason in refusal(loss(store=KEPT, parameters=", scale=2.0", after=after))

    def test_an_attribute_of_a_parameter(self) -> None:
        store = "self.cfg = cfg\n        self.mask = {EYE} * cfg.margin"
        assert "* self.cfg.margin" in built_anew(loss(store=store, parameters=", cfg"))
        after = "def step(cfg):\n    cfg.margin = 0.0"
        assert "depends on `margin`" in refusal(loss(store=store, parameters=", cfg", after=after))


class TestNames:
    def test_a_number_of_the_module(self) -> None:
        assert is_safe(loss(f"SCALE * {EYE}", before="SCALE = 3.0"))

    @pytest.mark.parametrize(
        ("before", "after", "reason"),
        [
            ("SCALE = 3.0", "def step():\n    global SCALE\n    SCALE = 1.0", "is bound in several places"),
            ("SCALE = 3.0", "def step():\n    globals()['SCALE'] = 1.0", "may be set by its name"),
            ("SCALE = torch.ones(1)", "", "is an object that may change"),
            ("for SCALE in (1.0, 2.0):\n    pass", "", "`SCALE`, which is"),
            ("from .constants import *", "", "is bound outside this file"),
        ],
    )
    def test_one_that_may_stand_for_another_number(self, before: str, after: str, reason: str) -> None:
        assert reason in refusal(loss(f"SCALE * {EYE}", before=before, after=after))

    @pytest.mark.parametrize("name", ["torch", "scale"])
    def test_one_that_the_loss_binds_itself(self, name: str) -> None:
        code = loss(f"scale(2 * {EYE})", before="def scale(x):\n    return 3 * x", more=f", {name}=None")
        code = code.replace("torch.arange(len(z))", "range(len(z))")
        assert f"`{name}` means something else in `Loss.forward`" in refusal(code)

    @pytest.mark.parametrize("local", ["from torch import eye as make", "make = lambda n: torch.eye(n)"])
    def test_one_that_the_constructor_alone_knows(self, local: str) -> None:
        code = loss(store=f"{local}\n        self.mask = make(batch_size)")
        assert "with `make`, which the constructor alone knows" in refusal(code)

    def test_an_import_of_the_module(self) -> None:
        assert "ones(z.shape[0], z.shape[0]).triu(1)" in built_anew(
            loss("ones(batch_size, batch_size).triu(1)", before="from torch import ones")
        )

    def test_a_device_of_the_module(self) -> None:
        before = 'DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")'
        assert is_safe(loss("torch.eye(batch_size, device=DEVICE)", before=before))


class TestChanges:
    @pytest.mark.parametrize(
        "change",
        [
            "m = self.mask\n        m += 1",
            "m = self.mask.view(-1)\n        m[0] = 1",
            "bump(self.mask)",
            "torch.nn.init.ones_(self.mask)",
            "F.relu(self.mask, inplace=True)",
            "for row in self.mask:\n            row.zero_()",
            "getattr(self, 'mask').add_(1)",
        ],
    )
    def test_another_name_for_it_is_changed(self, change: str) -> None:
        after = f"    def step(self):\n        {change}\n\ndef bump(m):\n    m.add_(1)"
        assert "`self.mask` is changed in place" in refusal(loss(after=after))

    def test_all_buffers_are_changed(self) -> None:
        store = 'self.register_buffer("mask", {EYE})'
        after = "def step(c):\n    for name, each in c.named_buffers():\n        each.mul_(3)"
        assert "with all others of its module" in refusal(loss(store=store, after=after))
        assert is_safe(loss(store=store, after=after.replace("each.mul_(3)", "print(name, each.mul(3))")))

    def test_it_is_kept_under_two_names(self) -> None:
        store = "self.mask = self.other = {EYE}"
        assert "is changed in place" in refusal(loss(store=store, after="def step(c):\n    c.other.add_(1)"))


class TestCalls:
    @pytest.mark.parametrize(
        ("built", "reason"),
        [
            (f"F.dropout({EYE}, 0.3)", "is drawn at random once"),
            (f"{EYE} * float(np.random.laplace())", "is drawn at random once"),
            ("torch.empty(batch_size, batch_size)", "is drawn at random once"),
            (f"{EYE} * decorrelate(2)", "with `decorrelate`, of which it is not known"),
            (f"jitter({EYE})", "is drawn at random once"),
            (f"count({EYE})", "`count` may give another tensor at another call"),
        ],
    )
    def test_one_that_may_give_another_tensor(self, built: str, reason: str) -> None:
        before = (
            "from .masks import decorrelate\ndef jitter(x):\n    return x + torch.rand(1)\n"
            "def count(x):\n    global CALLS\n    CALLS = 1\n    return x\n"
        )
        assert reason in refusal(loss(built, before=before), imports=IMPORTS)

    @pytest.mark.parametrize("built", [f"F.normalize({EYE})", f"fill(2 * {EYE})", "torch.eye(batch_size) * float('2')"])
    def test_one_that_gives_the_same(self, built: str) -> None:
        assert is_safe(loss(built, before="def fill(x):\n    x[0] = 1\n    return x.clone()"))

    def test_a_helper_that_an_object_replaces(self) -> None:
        code = """
        class Loss:
            def __init__(self, batch_size):
                self.batch_size = batch_size
            def own(self):
                return torch.eye(2 * self.batch_size).bool()
            def forward(self, z):
                return ((z @ z.T).exp()[~self.own()]).log().mean()
        """
        assert is_safe(code)
        child = """
        class Child(Loss):
            def __init__(self, batch_size):
                self.own = lambda: torch.ones(2 * batch_size).bool()
        """
        assert "what `own` runs is not seen (it is also set anew" in refusal(code + child)


def test_an_array_has_no_device() -> None:
    code = loss("1 - np.eye(batch_size)", before="import numpy as np")
    code = code.replace("10 * self.mask", "torch.from_numpy(self.mask)")
    assert built_anew(code) == "mask = 1 - np.eye(z.shape[0])"
    code = loss("torch.from_numpy(1 - np.eye(batch_size))", before="import numpy as np")
    assert built_anew(code).endswith(".to(z.device, mask.dtype)")
