"""Behind a fix: a use of the size that it does not rewrite withholds it, unless that use is seen to be harmless."""

from __future__ import annotations

from textwrap import dedent, indent

import pytest

from infonce_lint import fix_source, lint_source
from infonce_lint.finding import Finding
from tests.repair.snippets import PREFIX

HEAD = PREFIX + "import math\nimport torch.nn as nn\nfrom functools import partial\n\n"
LOSS = """
{around}

def loss(q, k, args):
    sim = q @ k.t() / 0.5
    out = F.cross_entropy(sim, torch.arange(args.batch_size), reduction="sum")
{more}
"""
CRITERION = """
class Contrast(nn.Module):
    def __init__(self, batch_size):
        super().__init__()
        self.batch_size = batch_size
{built}

    def forward(self, q, k):
        sim = q @ k.t() / 0.5
        out = F.cross_entropy(sim, torch.arange(self.batch_size), reduction="sum")
        return {result}
"""


def _findings(code: str) -> list[Finding]:
    found = lint_source((HEAD + dedent(code)).encode(), "loss.py")
    assert found
    return found


def _reasons(code: str) -> set[str]:
    found = _findings(code)
    assert all(each.fix is None for each in found)
    return {each.withheld for each in found}


def _is_repaired(code: str) -> bool:
    return all(each.fix is not None and each.fix.applicability.value == "safe" for each in _findings(code))


def _loss(more: str, around: str = "") -> str:
    return LOSS.format(around=dedent(around), more=indent(dedent(more), "    "))


def _criterion(built: str = "", result: str = "out", after: str = "") -> str:
    return CRITERION.format(built=indent(dedent(built), " " * 8), result=result) + dedent(after)


def test_the_reason_names_the_read_and_its_row() -> None:
    code = _loss("return OPS['mean'](out)", "def mean(x):\n    return x / args.batch_size\nOPS = {'mean': mean}")
    row = (HEAD + code).splitlines().index("    return x / args.batch_size") + 1
    why = f"`args.batch_size` on row {row} may also reach the loss and is not rewritten; repair both by hand"
    assert _reasons(code) == {why}


class TestWithheld:
    @pytest.mark.parametrize(
        ("more", "around"),
        [
            (
                "return scaled(out)",
                "def over(n):\n    return lambda f: lambda x: f(x)/n\n@over(args.batch_size)\ndef scaled(x): return x",
            ),
            ("return sum(map(lambda x: x / args.batch_size, [out]))", ""),
            ("parts = (out, args.batch_size)\nreturn over(*parts)", "def over(x, n):\n    return x / n"),
            ("return over(out, **vars(args))", "def over(x, batch_size, **_):\n    return x / batch_size"),
            ("name = 'batch' + '_size'\nreturn out / getattr(args, name)", ""),
            ("return out * float(f'{args.batch_size}')", ""),
            ("return out / eval('args.batch_size')", ""),
            (
                "return out * Weight(1 / args.batch_size).w",
                "class Weight:\n    def __init__(self, w):\n        self.w = w",
            ),
            ("out.register_hook(lambda g: g.div(args.batch_size))\nreturn out * 1", ""),
        ],
    )
    def test_a_divisor_that_is_handed_on(self, more: str, around: str) -> None:
        assert _reasons(_loss(more, around))

    @pytest.mark.parametrize(
        "more",
        [
            "for _ in range(args.batch_size):\n    out = out * 1.1\nreturn out",
            "match args.batch_size:\n    case 8:\n        return out\n    case _:\n        return out * 2",
        ],
    )
    def test_a_size_that_decides_what_runs(self, more: str) -> None:
        assert _reasons(_loss(more))

    def test_a_test_that_is_rewritten_with_it(self) -> None:
        code = _loss("if is_big(args.batch_size):\n    out = out * 2\nreturn out", "def is_big(n):\n    return n > 6")
        texts = [edit.content for each in _findings(code) if each.fix is not None for edit in each.fix.edits]
        assert texts.count("q.shape[0]") == 2

    @pytest.mark.parametrize(
        ("built", "result"),
        [
            ("self.log_n = math.log(batch_size)", "out - self.log_n"),
            ("self.hard = max(1, batch_size // 4)", "out + sim.topk(self.hard, 1).values.mean()"),
            ("self.pool = nn.AdaptiveAvgPool1d(batch_size // 2)", "out + self.pool(sim).mean()"),
            ("self.mean = partial(torch.mul, 1.0 / batch_size)", "self.mean(out)"),
        ],
    )
    def test_what_the_constructor_makes_of_the_size(self, built: str, result: str) -> None:
        assert _reasons(_criterion(built, result))

    def test_a_trainer_that_divides_by_what_it_hands_to_the_loss(self) -> None:
        after = """
        class Trainer:
            def __init__(self, args):
                self.args = args
                self.parts = nn.ModuleList([Contrast(args.batch_size)])

            def step(self, q, k):
                return sum(part(q, k) for part in self.parts) / self.args.batch_size
        """
        (why,) = _reasons(_criterion(after=after))
        assert "args.batch_size` on row" in why

    def test_a_parent_that_divides_what_it_is_handed(self) -> None:
        code = """
        class Base(nn.Module):
            def __init__(self, batch_size):
                super().__init__()
                self.batch_size = batch_size

            def forward(self, out):
                return out / self.batch_size

        class Contrast(Base):
            def forward(self, q, k):
                out = F.cross_entropy(q @ k.t(), torch.arange(self.batch_size), reduction="sum")
                return super().forward(out)
        """
        assert _reasons(code)

    def test_the_pointer_of_a_queue(self) -> None:
        code = """
        class MoCo(nn.Module):
            def __init__(self, batch_size, K=120):
                super().__init__()
                self.K, self.batch_size, self.ptr = K, batch_size, 0
                self.register_buffer("queue", torch.ones(K, 6))

            def enqueue(self, k):
                self.queue[self.ptr : self.ptr + self.batch_size] = k
                self.ptr = (self.ptr + self.batch_size) % self.K

            def forward(self, q, k):
                logits = torch.cat([(q * k).sum(1, keepdim=True), q @ self.queue.clone().t()], 1)
                self.enqueue(k.detach())
                return F.cross_entropy(logits, torch.zeros(self.batch_size, dtype=torch.long))
        """
        assert _reasons(code)


class TestRepaired:
    @pytest.mark.parametrize(
        "after",
        [
            "loader = torch.utils.data.DataLoader(data, batch_size=args.batch_size)\nContrast(args.batch_size)",
            "optimizer = torch.optim.SGD(net.parameters(), lr=0.1 * args.batch_size / 256)",
            "steps = len(data) // args.batch_size\nfor step in range(steps):\n    criterion(*next(batches))",
            "print(f'{args.batch_size} rows', args.batch_size / 2)",
            "torch.save(net.state_dict(), f'net_{args.batch_size}.pt')",
            "if args.batch_size > 256:\n    args.warm = True",
            "meter.update(criterion(q, k).item(), args.batch_size)",
            "total, n = 0.0, 0\nfor q, k in batches:\n    total += criterion(q, k).item() * args.batch_size\n"
            "    n += args.batch_size\nprint(total / n)",
        ],
    )
    def test_what_loads_schedules_counts_or_logs(self, after: str) -> None:
        build = "criterion = Contrast(args.batch_size)\n"
        assert _is_repaired(
            _criterion(after=f"def main(args, net, data, batches, meter, q, k):\n{indent(build + after, '    ')}")
        )

    def test_what_shows_the_object(self) -> None:
        shown = '    def extra_repr(self):\n        return "rows=" + str(self.batch_size)\n'
        assert _is_repaired(_criterion() + "\n" + shown)

    def test_a_divisor_in_the_loss_itself(self) -> None:
        assert _is_repaired(_loss("return out / args.batch_size"))
        assert _is_repaired(_criterion(result="out / self.batch_size"))

    def test_a_meter_of_the_file(self) -> None:
        meter = """
        class AverageMeter:
            def update(self, value, n):
                self.total += value * n
                self.count += n
                self.avg = self.total / self.count

        def train(q, k, args):
            criterion, losses = Contrast(args.batch_size), AverageMeter()
            losses.update(criterion(q, k).item(), args.batch_size)
            return losses.avg
        """
        assert _is_repaired(_criterion(after=meter))

    def test_another_size(self) -> None:
        after = "def score(x, args):\n    return x / args.test_batch_size\nContrast(args.batch_size)"
        assert _is_repaired(_criterion(after=after))


@pytest.mark.parametrize("bound", ["least", "len(args.__dict__) + 2", "sim.dim() * 3"])
def test_a_comparison_with_a_setting_is_no_guard(bound: str) -> None:
    code = f"""
    def loss(q, k, args, least=6):
        sim = q @ k.t() / 0.5
        weight = 1.0 if args.batch_size > {bound} else 0.5
        return weight * F.cross_entropy(sim, torch.arange(args.batch_size))
    """
    source = (HEAD + dedent(code)).encode()
    assert lint_source(source, "loss.py")
    left = fix_source(source, "loss.py").data.decode().count("args.batch_size")
    assert left in (0, 2)  # both reads or neither


def test_a_comparison_with_the_batch_is_a_guard() -> None:
    code = """
    def loss(q, k, args, n=None):
        if args.batch_size != len(q):
            return None
        return F.cross_entropy(q @ k.t(), torch.arange(args.batch_size))
    """
    assert not lint_source((HEAD + dedent(code)).encode(), "loss.py")
