"""Guards: a comparison protects the uses that it dominates, and no others."""

from __future__ import annotations

import pytest

from tests.semantic.snippets import model_of, probes

KEYS = frozenset({"self.batch_size"})

PROTECTED = {
    "an assertion before": "assert len(z) == self.batch_size\nprobe()",
    "a raise before": "if len(z) != self.batch_size:\n    raise ValueError\nprobe()",
    "a return before": "if self.batch_size != z.shape[0]:\n    return None\nprobe()",
    "a skipped batch": "for z in loader:\n    if len(z) != self.batch_size:\n        continue\n    probe()",
    "inside the branch": "if len(z) == self.batch_size:\n    probe()",
    "in the other branch": "if len(z) != self.batch_size:\n    pass\nelse:\n    probe()",
    "in an elif": "if flag:\n    pass\nelif len(z) == self.batch_size:\n    probe()",
    "one test of several": "if flag and len(z) == self.batch_size:\n    probe()",
    "deeper inside": "assert len(z) == self.batch_size\nif flag:\n    for i in z:\n        probe()",
    "in a helper called before": "self.check(z)\nprobe()",
}
UNPROTECTED = {
    "an assertion after": "probe()\nassert len(z) == self.batch_size",
    "an assertion in one branch": "if flag:\n    assert len(z) == self.batch_size\nprobe()",
    "an assertion in the other branch": "if flag:\n    assert len(z) == self.batch_size\nelse:\n    probe()",
    "a comparison of something else": "assert len(z) == self.n\nprobe()",
    "a comparison with a number": "assert self.batch_size > 1\nprobe()",
    "a warning only": "if len(z) != self.batch_size:\n    warn()\nprobe()",
    "a helper called after": "probe()\nself.check(z)",
    "a helper that checks sometimes": "self.maybe(z)\nprobe()",
    "no guard": "probe()",
}
CLASS = """
class Loss:
    def check(self, z):
        assert len(z) == self.batch_size
    def maybe(self, z):
        if flag:
            assert len(z) == self.batch_size
    def forward(self, z, loader, flag):
"""


def protects(body: str, name: str = "probe") -> list[bool]:
    model = model_of(CLASS + "\n".join(f"        {row}" for row in body.splitlines()))
    return [model.guards.protects(call, KEYS) for call in probes(model, name)]


@pytest.mark.parametrize("name", PROTECTED)
def test_protected(name: str) -> None:
    assert protects(PROTECTED[name]) == [True]


@pytest.mark.parametrize("name", UNPROTECTED)
def test_unprotected(name: str) -> None:
    assert protects(UNPROTECTED[name]) == [False]


@pytest.mark.parametrize(("second", "expected"), [("self.helper()", False), ("self.check(z)\nself.helper()", True)])
def test_a_helper_is_protected_when_every_caller_protects_it(second: str, expected: bool) -> None:
    rows = "\n".join(f"        {row}" for row in f"self.check(z)\nself.helper()\n{second}".splitlines())
    other = "\n".join(f"        {row}" for row in second.splitlines())
    model = model_of(f"{CLASS}{rows}\n    def more(self, z):\n{other}\n    def helper(self):\n        probe()")
    (call,) = probes(model)
    assert model.guards.protects(call, KEYS) is expected


def test_helpers_that_call_each_other_come_to_an_end() -> None:
    model = model_of("def f():\n    probe()\n    g()\ndef g():\n    f()")
    (call,) = probes(model)
    assert not model.guards.protects(call, KEYS)


def test_nothing_protects_no_key() -> None:
    model = model_of("def f():\n    probe()")
    assert not model.guards.protects(probes(model)[0], frozenset())
