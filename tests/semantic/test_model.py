"""Loss units: which reads are reported, under which purpose, and what keeps the model silent."""

from __future__ import annotations

import ast
import warnings

import hypothesmith
import libcst as cst
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from infonce_lint.semantic.losses.model import SemanticModel
from infonce_lint.semantic.shapes.domain import Number, Opaque, Tensor
from infonce_lint.semantic.shapes.interpreter import Interpreter
from infonce_lint.semantic.shapes.theory import Theory
from infonce_lint.settings import Settings
from tests.semantic.snippets import model_of, purposes

PREFIX = "import torch\nimport torch.nn.functional as F\n"
LOSS = """
import torch
import torch.nn.functional as F

class Loss:
    def __init__(self, {parameters}):
        {init}

    def forward(self, z):
        {before}
        labels = torch.arange({size})
        {after}
        return F.cross_entropy(z @ z.T, labels)
"""


def loss(size: str = "self.batch_size", *, init: str = "pass", parameters: str = "args", **parts: str) -> str:
    """A loss whose labels have the given size."""
    filled = {"before": "pass", "after": "pass", "more": "", **parts}
    return LOSS.format(size=size, init=init, parameters=parameters, **filled) + filled["more"]


REPORTED = {
    "an attribute set outside": (loss(), {"self.batch_size": "labels"}),
    "an attribute of the arguments": (loss("self.args.batch_size"), {"self.args.batch_size": "labels"}),
    "a constructor parameter that nobody fills": (
        loss(init="self.batch_size = batch_size", parameters="batch_size"),
        {"self.batch_size": "labels"},
    ),
    "a literal kept on self": (loss(init="self.batch_size = 112"), {"self.batch_size": "labels"}),
    "a literal in a smoke test": (
        loss(init="self.batch_size = n", parameters="n", more="\nif __name__ == '__main__':\n    Loss(8)\n")
        + "Loss(args.batch_size)\n",
        {"self.batch_size": "labels"},
    ),
    "an alias, at its read": (loss("n", before="n = 2 * self.batch_size"), {"self.batch_size": "labels"}),
    "an assertion after the use": (loss(after="assert len(z) == self.batch_size"), {"self.batch_size": "labels"}),
    "one branch is configured": (
        loss("n", before="n = self.batch_size if self.training else len(z)"),
        {"self.batch_size": "labels"},
    ),
    "drop_last hides nothing": (
        loss(more="\nloader = DataLoader(data, batch_size=8, drop_last=True)\n"),
        {"self.batch_size": "labels"},
    ),
}


@pytest.mark.parametrize("name", REPORTED)
def test_reported(name: str) -> None:
    code, expected = REPORTED[name]
    assert purposes(code) == expected


SILENT = {
    "the rows of the features": loss("z.shape[0]"),
    "their length": loss("len(z)"),
    "set from a shape in the class": loss(
        init="self.batch_size = args.batch_size", more="\n    def g(self, x):\n        self.batch_size = len(x)\n"
    ),
    "recomputed on a difference": loss(
        "n", before="n = self.batch_size\n        if n != len(z):\n            n = len(z)"
    ),
    "asserted before": loss(before="assert z.shape[0] == self.batch_size"),
    "raised before": loss(before="if z.shape[0] != self.batch_size:\n            raise ValueError(z.shape)"),
    "returned before": loss(before="if z.shape[0] != self.batch_size:\n            return None"),
    "checked by a helper": loss(
        before="self.check(z)",
        more="\n    def check(self, z):\n        assert len(z) == self.batch_size\n",
    ),
    "constructed with a shape": loss(
        init="self.batch_size = batch_size",
        parameters="batch_size",
        more="\ndef f(z):\n    return Loss(z.shape[0])(z)\n",
    ),
    "a world size alone": loss("self.args.world_size"),
    "class_num": loss("self.class_num", init="self.class_num = 10"),
    "a queue's length": loss("self.queue_size", init="self.queue_size = 4096"),
    "a plain parameter": f"{PREFIX}def f(z, n_rows):\n    return F.cross_entropy(z @ z.T, torch.arange(n_rows))",
    "a telling parameter": f"{PREFIX}def f(z, batch_size):\n    return F.cross_entropy(z @ z.T, arange(batch_size))",
    "a numeric default": f"{PREFIX}def f(z, n=8):\n    return F.cross_entropy(z @ z.T, torch.arange(n))",
    "a comment": loss("len(z)", before="# self.batch_size\n        pass"),
    "a string": loss("len(z)", before="'self.batch_size'"),
    "labels that no loss reads": (
        f"{PREFIX}def f(z, args):\n    y = torch.arange(args.batch_size)\n    return (z @ z.T).log()"
    ),
    "a GAN": f"{PREFIX}def f(net, x, args):\n    return F.binary_cross_entropy(net(x), torch.ones(args.batch_size))",
    "a VAE": f"{PREFIX}def f(net, args):\n    return F.mse_loss(net(torch.randn(args.batch_size, 8)), target)",
    "a smoke test's own tensors": (
        f"{PREFIX}BATCH_SIZE = 8\nz = torch.randn(BATCH_SIZE, 4)\ny = torch.arange(BATCH_SIZE)\n"
        "print(F.cross_entropy(z @ z.T, y))"
    ),
    "an empty module": "",
}


@pytest.mark.parametrize("name", SILENT)
def test_silent(name: str) -> None:
    assert purposes(SILENT[name]) == {}


class TestPurpose:
    CODE = (
        "import torch\nimport torch.nn.functional as F\n"
        "def loss(z, args):\n    n = args.batch_size\n    sim = z @ z.T / args.temperature\n    return {}"
    )

    @pytest.mark.parametrize(
        ("expression", "purpose"),
        [
            ("F.cross_entropy(sim, torch.arange(n))", "labels"),
            ("sim[~torch.eye(n).bool()].mean()", "mask"),
            ("sim.view(n, -1).mean()", "layout"),
            ("F.cross_entropy(sim, y, reduction='sum') / n", "normaliser"),
            ("F.cross_entropy(sim[~torch.eye(n).bool()].view(n, -1), torch.zeros(n).long()) / n", "labels"),
            ("sim[~torch.eye(n).bool()].view(n, -1).log().sum() / n", "mask"),
            ("sim.view(n, -1).log().sum() / n", "layout"),
        ],
    )
    def test_the_gravest_use_names_it(self, expression: str, purpose: str) -> None:
        assert purposes(self.CODE.format(expression)) == {"args.batch_size": purpose}

    def test_frozen_outranks_all(self) -> None:
        code = """
        import torch
        class Loss:
            def __init__(self, batch_size):
                self.mask = ~torch.eye(batch_size, dtype=torch.bool)
            def forward(self, z):
                sim = z @ z.T / self.temperature
                return sim[self.mask].mean()
        """
        assert purposes(code) == {"batch_size": "frozen"}


class TestUnits:
    def test_methods_of_one_loss_are_one_unit(self) -> None:
        model = model_of(
            """
            import torch
            import torch.nn.functional as F
            class Loss:
                def mask(self):
                    return ~torch.eye(self.batch_size).bool()
                def forward(self, z):
                    sim = z @ z.T / self.temperature
                    logits = sim[self.mask()].view(self.batch_size, -1)
                    return F.cross_entropy(logits, torch.zeros(self.batch_size).long())
            """
        )
        (unit,) = model.losses
        assert unit.name == "Loss.forward"
        assert [each.name for each in unit.functions] == ["forward", "mask"]
        assert len(unit.size_uses) == 3

    def test_two_losses_are_two_units(self) -> None:
        one = "def {}(z, args):\n    return F.cross_entropy(z @ z.T, torch.arange(args.batch_size))\n"
        model = model_of(PREFIX + one.format("a") + one.format("b"))
        assert [(unit.number, unit.name) for unit in model.losses] == [(0, "a"), (1, "b")]

    def test_code_of_a_notebook_is_a_unit(self) -> None:
        model = model_of(
            f"{PREFIX}batch_size = 8\nz = net(x)\nlabels = torch.arange(batch_size)\nF.cross_entropy(z @ z.T, labels)"
        )
        assert [unit.name for unit in model.losses] == ["<module>"]

    def test_each_read_of_a_size_is_a_use(self) -> None:
        code = (
            f"{PREFIX}def f(z, args):\n    a = torch.arange(args.batch_size)\n    b = torch.arange(args.batch_size)\n"
            "    return F.cross_entropy(z @ z.T, torch.cat([a, b]))"
        )
        (unit,) = model_of(code).losses
        assert len(unit.size_uses) == 2

    def test_modular_partners_join_the_loss_that_uses_the_size(self) -> None:
        code = (
            f"{PREFIX}def f(z, args):\n    sim = z @ z.T / args.temperature\n    total = 0\n"
            "    for i in range(args.batch_size):\n"
            "        j = (i + args.batch_size // 2) % args.batch_size\n"
            "        total = total + sim[i, j]\n    return total"
        )
        (unit,) = model_of(code).losses
        assert {use.purpose.name for use in unit.size_uses} == {"LAYOUT"}
        assert len(unit.size_uses) == 3


# -- any Python at all -----------------------------------------------------------------------------------------------

RARE = [
    "",
    "f()()()[0]()",
    "size(x)[0]",
    "x = y = z = x",
    "(a, *b), c = d",
    "[*a, b] = c",
    "a[0][1].b = 2",
    "self.x = 1",
    "def f(): yield\ndef g(): x = yield from f()",
    "async def f():\n    async with a as b: await c\n    async for d in e: return d",
    "lambda *a, **k: (a, k)",
    "class A(A): pass",
    "class A(B):\n    x: int\nclass B(A):\n    def f(self): return self.x",
    "global x\nx = 1",
    "def f():\n    nonlocal_ = 1\n    def g():\n        nonlocal nonlocal_\n        nonlocal_ = 2",
    "match x:\n    case [a, *b] if a: pass\n    case {'k': v, **rest}: pass\n    case A(y=1) | None: pass",
    "with (open(a) as b, c): pass",
    "try: pass\nexcept* (A, B) as e: pass\nelse: pass\nfinally: pass",
    "f(*a, **b)",
    "register_buffer('x')\nclass A:\n    def __init__(self):\n        self.register_buffer('m')",
    "x @ x @ x",
    "del a, b[0], c.d",
    "print(f'{a!r:>{b}}' 'c')",
    "einsum(',b->b', x, y)",
    "a = lambda: a()\na()",
    "def f(x=f): return f(f)",
    "@property\ndef f(self): return self.f",
    "if a: pass\nelif b: pass\nelif c: raise\nelse: pass",
    "for a[0] in b: pass\nelse: c",
    "while (n := n - 1): continue",
    "import a.b.c, d as e\nfrom . import *\nfrom ..f import g as h",
    "x = 1" + "0" * 5000,
    "def f(): return self",
]


def interpreted(model: SemanticModel) -> Interpreter:
    """The interpreter of a model after it ran every function."""
    roles = model.roles
    interpreter = Interpreter(
        model.origins,
        roles.features | roles.cone,
        lambda function: model.values_by_function.get(function, []),
        roles.compared,
    )
    interpreter.run(model.module.functions)
    return interpreter


def explore(code: str) -> None:
    """Ask a model everything that rules and the planner ask."""
    model = SemanticModel(cst.parse_module(code), Settings())
    interpreter = interpreted(model)
    theory = Theory(interpreter.facts)
    for value in model.module.values:
        model.origins.sources(value)
        model.origins.is_shape(value)
        model.origins.story(value)
        known = interpreter.evaluate(value, interpreter.root(value.function))
        if isinstance(known, Opaque):
            interpreter.as_tensor(known)
        elif isinstance(known, Number):
            theory.of(known.dim)
        elif isinstance(known, Tensor):
            for dim in known.opened(2).dims:
                theory.of(dim)


@pytest.mark.parametrize("code", RARE)
def test_rare_python_is_understood(code: str) -> None:
    explore(code)


_ATOMS = st.sampled_from(
    "z w sim mask args self BATCH_SIZE n (0) (1) (2) (-1) None args.batch_size self.batch_size self.mask z.shape "
    "z.shape[0] len(z) () [] {} (z,w) [0] 'nc,mc->nm' ',b->b'".split()
)
_FORMS = st.sampled_from(
    [
        "({0} @ {1})",
        "({0} + {1})",
        "({0} * {1})",
        "({0} // {1})",
        "({0} % {1})",
        "torch.cat([{0}, {1}], dim={1})",
        "torch.cat({0})",
        "torch.cat([{0}] * {1})",
        "torch.cat([{0} for _ in {1}])",
        "torch.arange({0}, {1})",
        "torch.eye({0})",
        "{0}.view({1}, -1)",
        "{0}.repeat({1})",
        "{0}.chunk({1})[0]",
        "torch.split({0}, {1})",
        "torch.diag({0}, {1})",
        "{0}[{1}]",
        "{0}[:{1}]",
        "{0}.T",
        "F.cross_entropy({0}, {1})",
        "({0} if {1} else {0})",
        "({0} == {1})",
        "helper({0}, n={1})",
        "Loss({0})({1})",
        "all_gather({0})",
        "torch.einsum({0}, {1}, {1})",
        "size({0})[0]",
        "{0}.unsqueeze({1})",
        "torch.unbind({0}, {1})",
        "(lambda z: {0})",
        "(n := {0})",
    ]
)
_EXPRESSIONS = st.recursive(
    _ATOMS, lambda inner: st.builds(lambda form, a, b: form.format(a, b), _FORMS, inner, inner), max_leaves=6
)
_STATEMENTS = st.sampled_from(
    [
        "sim = {}",
        "self.mask = {}",
        "n = {}",
        "z, w = {}",
        "mask[n] = {}",
        "assert {}",
        "if {}:\n            n = 1",
        "for n in {}:\n            z = w",
        "return {}",
        "mask.fill_(\n            {})",
    ]
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(_STATEMENTS, _EXPRESSIONS), min_size=1, max_size=5), st.integers(0, 5))
def test_any_loss_like_code_is_understood(statements: list[tuple[str, str]], cut: int) -> None:
    rows = [form.format(expression) for form, expression in statements]
    body = ["\n        ".join(part or ["pass"]) for part in (rows[:cut], rows[cut:])]
    code = (
        f"{PREFIX}BATCH_SIZE = 8\ndef helper(z, n=BATCH_SIZE):\n    return z @ z.T\n"
        f"class Loss:\n    def __init__(self, batch_size, args, z, w):\n        {body[0]}\n"
        f"    def forward(self, z, w, args, mask):\n        {body[1]}\n"
    )
    assume(is_python(code))
    explore(code)


def is_python(code: str) -> bool:
    """Whether CPython takes a text; its warnings about odd expressions are not of interest."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            ast.parse(code)
        except SyntaxError:
            return False
    return True


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(hypothesmith.from_grammar())
def test_any_python_is_understood(code: str) -> None:
    try:
        cst.parse_module(code)
    except Exception:  # libcst knows less Python than the grammar; `source.py` reports that
        return
    explore(code)
