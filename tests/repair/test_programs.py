"""Programs around a loss in which the obvious fix would be wrong, each beside a twin in which it is right.

Every entry stands for a mechanism: code that runs otherwise than it reads, a name that means something else, a use of
the size that stays behind, a rank that is only likely.
"""

from __future__ import annotations

from textwrap import dedent, indent
from typing import ClassVar

import pytest

from infonce_lint import fix_source, lint_source

IMPORTS = "import contextlib\nimport torch\nimport torch.nn as nn\nimport torch.nn.functional as F\n\n"

LOSS = """
def loss(a, b, args):
    s = a @ b.t() / args.temperature
{body}
"""

OBJECT = """
class Loss(nn.Module):
    def __init__(self, args):
        super().__init__()
        self.args = args
{made}
    def sim(self, a, b):
        return a @ b.t()

    def forward(self, a, b):
        s = self.sim(a, b)
{body}
        return F.cross_entropy(s, torch.arange(self.args.batch_size))
{behind}
"""


def verdicts(code: str) -> list[str]:
    """What becomes of each finding: ``safe``, ``unsafe`` or ``withheld``."""
    found = lint_source((IMPORTS + code).encode(), "loss.py")
    assert found, code
    return [each.fix.applicability.value if each.fix else "withheld" for each in found]


def of_loss(body: str, before: str = "") -> str:
    return dedent(before) + LOSS.format(body=indent(dedent(body).strip("\n"), "    "))


def of_object(body: str = "pass", made: str = "", behind: str = "") -> str:
    return OBJECT.format(
        body=indent(dedent(body).strip("\n"), "        "),
        made=indent(dedent(made).strip("\n"), "        "),
        behind=dedent(behind),
    )


LABELS = "return F.cross_entropy(s, torch.arange(args.batch_size))"
#: The only operation that tells the size stands in ``{...}``; the rows are read from the stacked tensor.
INSIDE = """
n = args.batch_size
z = torch.cat([a, b])
out = (a * b).sum() / n
{around}
return out
"""
FACT = "out = F.cross_entropy(z @ z.t(), torch.arange(2 * n))"


class TestCodeThatMayNotRun:
    """An operation behind which the code goes on, however it ends, tells nothing of a size that is read before it."""

    OWN = (
        "class Quiet:\n    def __enter__(self):\n        return self\n"
        "    def __exit__(self, *error):\n        return {}\n"
    )
    MADE = "@contextlib.contextmanager\ndef quiet():\n    try:\n        yield\n    except ValueError:\n        {}\n"

    @pytest.mark.parametrize(
        ("before", "around"),
        [
            (OWN.format("True"), f"with Quiet():\n    {FACT}"),
            (OWN.format("error[0] is ValueError"), f"with Quiet():\n    {FACT}"),
            (OWN.format("True") + "Hush = Quiet\n", f"with Hush():\n    {FACT}"),
            (MADE.format("pass"), f"with quiet():\n    {FACT}"),
            ("from contextlib import suppress as hush\n", f"with hush(ValueError):\n    {FACT}"),
            ("", f"with contextlib.ExitStack() as stack:\n    {FACT}"),
            ("", f"try:\n    {FACT}\nfinally:\n    return out"),
            ("", f"for _ in range(2):\n    try:\n        {FACT}\n    finally:\n        break"),
            ("", f"try:\n    z = z.float()\nexcept ValueError:\n    pass\nelse:\n    {FACT}"),
            ("", f"for row in z:\n    if row.sum() > 0:\n        break\nelse:\n    {FACT}"),
            ("", "1 < 0 < F.cross_entropy(z @ z.t(), torch.arange(2 * n))"),
            ("", "later = (F.cross_entropy(z @ z.t(), torch.arange(2 * n)) for _ in range(3))"),
            ("", "async def later():\n    return F.cross_entropy(z @ z.t(), torch.arange(2 * n))\nlater().close()"),
        ],
    )
    def test_tells_nothing(self, before: str, around: str) -> None:
        assert "safe" not in verdicts(of_loss(INSIDE.format(around=around), before))

    @pytest.mark.parametrize(
        ("before", "around"),
        [
            ("", FACT),
            (OWN.format("None"), f"with Quiet():\n    {FACT}"),
            (MADE.format("raise"), f"with quiet():\n    {FACT}"),
            ("", f"with torch.autocast('cpu'):\n    {FACT}"),
            ("", f"try:\n    {FACT}\nfinally:\n    print(out)"),
            ("", f"try:\n    print(out)\nfinally:\n    {FACT}"),
            ("", f"try:\n    print(out)\nexcept ValueError:\n    raise\nelse:\n    {FACT}"),
            ("", "out = sum(F.cross_entropy(z @ z.t(), torch.arange(2 * n)) for _ in range(3))"),
        ],
    )
    def test_tells_the_size(self, before: str, around: str) -> None:
        assert set(verdicts(of_loss(INSIDE.format(around=around), before))) == {"safe"}


class TestWhatIsCalled:
    """A call may run another function than the one that is defined first."""

    HALF = "return a[::2] @ b.t()"
    CHILD = "class Child(Loss):\n    def sim(self, a, b):\n        {}\n"

    @pytest.mark.parametrize(
        "behind",
        [
            CHILD.format(HALF),
            "class Mid(Loss):\n    pass\n"
            "class Child(Mid):\n    def sim(self, a, b):\n        return super().sim(a[::2], b)\n",
            "class Half:\n    def sim(self, a, b):\n        return a[::2] @ b.t()\n"
            "class Child(Half, Loss):\n    pass\n",
            "Loss.sim = lambda self, a, b: a[::2] @ b.t()\n",
            "setattr(Loss, 'sim', lambda self, a, b: a[::2] @ b.t())\n",
            "Child = type('Child', (Loss,), {'sim': lambda self, a, b: a[::2] @ b.t()})\n",
            "class Child(Loss):\n    def __init__(self, args):\n        super().__init__(args)\n"
            "        self.sim = lambda a, b: a[::2] @ b.t()\n",
        ],
    )
    def test_a_method_that_is_another_one_for_some_objects(self, behind: str) -> None:
        fixed = of_object(behind=behind)
        found = lint_source((IMPORTS + fixed).encode(), "loss.py")
        written = [edit.content for each in found if each.fix for edit in each.fix.edits]
        is_safe = all(each.fix is not None and each.fix.applicability.value == "safe" for each in found)
        assert not is_safe or written == ["s.shape[0]"], written

    def test_a_method_whose_other_versions_agree(self) -> None:
        code = of_object(behind=self.CHILD.format("return F.normalize(a, dim=1) @ b.t()"))
        assert set(verdicts(code)) == {"safe"}

    @pytest.mark.parametrize(
        "decorator", ["halved", "torch.vmap", "functools.partial(torch.vmap, in_dims=(0, 0, None))", "Grouped"]
    )
    def test_what_a_decorator_makes_of_a_function(self, decorator: str) -> None:
        before = f"""
        def halved(f):
            return lambda a, b, n: f(a[::2], b[::2], n)

        class Grouped:
            def __init__(self, f):
                self.f = f
            def __call__(self, a, b, n):
                return sum(self.f(x, y, n) for x, y in zip(a, b))

        @{decorator}
        def nce(a, b, n):
            return F.cross_entropy(a @ b.t(), torch.arange(n))

        def total(a, b, args):
            return nce(a, b, args.batch_size)
        """
        assert "safe" not in verdicts(dedent(before))


class TestNames:
    """A tensor's name holds something else where the size is read."""

    @pytest.mark.parametrize(
        "rebound",
        [
            "a = b = a.tolist()",
            "a = b = iter(a)",
            "a = b = list(a)",
            "[(a := x) for x in (1,)]; b = a",
            "any((a := x) for x in (1,)); b = a",
            "{1: (a := x) for x in (1,)}; b = a",
        ],
    )
    def test_is_not_written(self, rebound: str) -> None:
        found = lint_source((IMPORTS + of_loss(f"{rebound}\n{LABELS}")).encode(), "loss.py")
        assert [edit.content for each in found if each.fix for edit in each.fix.edits] == ["s.shape[0]"]

    @pytest.mark.parametrize(
        "changed",
        [
            "a.data = a.data[:1]",
            "for x in (a, b): x.t_()",
            "getattr(a, 't_')()",
            "torch.Tensor.t_(a)",
            "a.squeeze_().unsqueeze_(0)",
        ],
    )
    def test_a_shape_that_is_changed_in_place(self, changed: str) -> None:
        assert "safe" not in verdicts(of_loss(f"{changed}\n{LABELS}"))

    def test_a_size_that_is_a_tensor(self) -> None:
        assert "safe" not in verdicts(of_object("s = s / self.args.batch_size.float().sqrt()"))


class TestWhatStaysBehind:
    """A size that no fix rewrites decides over the value: the batch that had raised would get another one."""

    GUARDS: ClassVar = [
        "s = s * (1 if len(a) >= self.args.batch_size else 2)",
        "full = len(a) == self.args.batch_size\nif full:\n    s = s * 2",
        "if s.shape[0] > self.args.batch_size:\n    s = s.masked_fill(torch.ones(len(a), len(b)).bool(), 0)",
        "try:\n    assert len(a) == self.args.batch_size\n    s = s * 2\nexcept AssertionError:\n    s = s * 3",
        "i = 0\nwhile True:\n    i += 1\n    if i > self.args.batch_size: break\n    s = s * 1.05",
        "w = torch.zeros(len(a), 1)\nfor i in range(len(a)):\n    if i > self.args.batch_size // 2: continue\n"
        "    w[i] = 1\ns = s * w",
        "import random\nrandom.seed(self.args.batch_size)\ns = s * random.random()",
        "s = s * {'b8': 1.0}.get(f'b{self.args.batch_size}', 3.0)",
        "s = s * len(f'{self.args.batch_size:b}')",
    ]

    @pytest.mark.parametrize("body", GUARDS)
    def test_in_the_loss(self, body: str) -> None:
        assert "safe" not in verdicts(of_object(body))

    @pytest.mark.parametrize("name", ["eta", "lr_scale", "warmup"])
    def test_under_the_name_of_a_learning_rate(self, name: str) -> None:
        code = of_object(f"s = s * self.{name}", made=f"self.{name} = 1 if args.batch_size > 6 else 2")
        assert "safe" not in verdicts(code)

    @pytest.mark.parametrize("name", ["HardNegativeSampler", "PairLoader", "QueueIterator", "PairTracker"])
    def test_in_a_class_that_is_named_like_a_loader(self, name: str) -> None:
        before = f"""
        class {name}:
            def __init__(self, args):
                self.args = args

            def pick(self, s):
                return s.topk(self.args.batch_size // 2, dim=1)[0]
        """
        code = dedent(before) + of_object("s = torch.cat([s, self.pick(s)], 1)", made=f"self.pick = {name}(args).pick")
        assert "safe" not in verdicts(code)

    @pytest.mark.parametrize(
        "body",
        [
            "assert self.args.batch_size > 1",
            "print(f'{self.args.batch_size} rows')",
            "if self.args.batch_size < 2:\n    raise ValueError(f'{len(a)} rows')",
        ],
    )
    def test_what_only_checks_or_shows_is_no_danger(self, body: str) -> None:
        assert set(verdicts(of_object(body))) == {"safe"}


class TestRanks:
    """A rank that is only likely decides nothing."""

    @pytest.mark.parametrize(
        "q",
        ["q * self.scale", "q - k.mean(0)", "(q - k.mean(0)) / k.std(0)", "k.sum(0) * q", "q @ torch.diag(self.gain)"],
    )
    def test_a_vector_meets_features(self, q: str) -> None:
        code = f"""
        class Loss(nn.Module):
            def __init__(self, args, dim=6):
                super().__init__()
                self.args = args
                self.scale = nn.Parameter(torch.ones(1))
                self.gain = nn.Parameter(torch.ones(dim))

            def forward(self, q, k):
                labels = torch.arange(self.args.batch_size)
                q = {q}
                return F.cross_entropy(q @ k.t(), labels)
        """
        found = lint_source((IMPORTS + dedent(code)).encode(), "loss.py")
        written = [edit.content for each in found if each.fix for edit in each.fix.edits]
        is_safe = any(each.fix and each.fix.applicability.value == "safe" for each in found)
        assert not is_safe or written == ["q.shape[0]"], written

    @pytest.mark.parametrize("flat", ["s.flatten(0, -2)", "s.view(-1, s.size(-1))", "s.reshape(-1, s.shape[-1])"])
    def test_all_axes_but_the_last_in_one(self, flat: str) -> None:
        code = f"""
        def loss(q, k, args):
            s = q @ k.transpose(-1, -2) / args.temperature
            return F.cross_entropy({flat}, torch.arange(args.batch_size).repeat(3))
        """
        assert "safe" not in verdicts(dedent(code))

    @pytest.mark.parametrize(
        "pooled",
        [
            "q.mean(1)",
            "q.max(dim=1).values",
            "F.normalize(q.mean(1), dim=-1)",
            "torch.stack([q, q.detach()]).mean(0)",
            "(q.norm(dim=-1).softmax(-1).unsqueeze(-1) * q).sum(1)",
            "(q + self.positions).mean(1)",
        ],
    )
    def test_pooled_features_beside_keys_with_hard_negatives(self, pooled: str) -> None:
        code = f"""
        class Loss(nn.Module):
            def __init__(self, args):
                super().__init__()
                self.args = args
                self.positions = nn.Parameter(torch.zeros(4, 6))

            def forward(self, q, k):
                x = {pooled}
                return F.cross_entropy(x @ k.t(), torch.arange(self.args.batch_size))
        """
        found = lint_source((IMPORTS + dedent(code)).encode(), "loss.py")
        written = [edit.content for each in found if each.fix for edit in each.fix.edits]
        is_safe = any(each.fix and each.fix.applicability.value == "safe" for each in found)
        assert not is_safe or written in (["q.shape[0]"], ["x.shape[0]"]), written

    def test_a_weight_is_no_batch_of_weights(self) -> None:
        code = """
        def loss(x, w, k, args):
            x = x.view(args.batch_size, 2, -1) @ w
            return F.cross_entropy(x.mean(1) @ k.t(), torch.arange(args.batch_size))
        """
        found = lint_source((IMPORTS + dedent(code)).encode(), "loss.py")
        assert not any("w.shape" in edit.content for each in found if each.fix for edit in each.fix.edits)


class TestSharedCode:
    CODE = """
    class Loss(nn.Module):
        def __init__(self, args):
            super().__init__()
            self.args = args

        def negatives(self, y, n):
            b, t, d = y.shape
            rows = torch.arange(self.args.batch_size)[:, None] * t
            index = torch.arange(t).repeat(n)[None].repeat(self.args.batch_size, 1) + rows
            return y.reshape(-1, d)[index.reshape(-1)].view(self.args.batch_size, t, n, d).permute(2, 0, 1, 3)

        def forward(self, x, y):
            targets = torch.cat([y.unsqueeze(0), self.negatives(y, 3)], 0)
            s = torch.cosine_similarity(x, targets, dim=-1) / 0.1
            s = s.permute(1, 2, 0).reshape(-1, 4)
            total = F.cross_entropy(s, torch.zeros(s.shape[0], dtype=torch.long), reduction="sum")
            return total / (self.args.batch_size * x.shape[1])
    """

    def test_is_repaired_whole_or_not_at_all(self) -> None:
        before = (IMPORTS + dedent(self.CODE)).encode()
        after = fix_source(before, "loss.py").data
        assert after == before or b"/ (self.args.batch_size" not in after
        assert after == before or b"torch.arange(self.args.batch_size)" not in after

    def test_the_device_of_a_mask_is_not_asked_of_what_may_be_none(self) -> None:
        code = """
        class Loss(nn.Module):
            def __init__(self, batch_size):
                super().__init__()
                self.register_buffer("eye", torch.eye(batch_size, dtype=torch.bool))

            def forward(self, a, b, negatives=None):
                s = a @ b.t()
                if negatives is not None:
                    s = s - (a @ negatives.t()).logsumexp(1, keepdim=True)
                return s.masked_fill(self.eye, -1e9).logsumexp(1).mean() + F.cross_entropy(s, torch.arange(len(a)))
        """
        assert b"negatives.device" not in fix_source((IMPORTS + dedent(code)).encode(), "loss.py", unsafe=True).data
