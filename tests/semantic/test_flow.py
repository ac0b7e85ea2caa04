"""The value graph: what a name stands for after assignments, branches, loops and scopes."""

from __future__ import annotations

import pytest

from tests.semantic.snippets import model_of, probed, probes, reached

AFTER = [
    ("n = 1\nn = 2", {2}),
    ("n = 1\nif c:\n    n = 2", {1, 2}),
    ("if c:\n    n = 1\nelse:\n    n = 2", {1, 2}),
    ("if c:\n    n = 1\nelif d:\n    n = 2\nelse:\n    n = 3", {1, 2, 3}),
    ("n = 1\nif c:\n    n = 2\n    raise ValueError", {1}),
    ("n = 1\nif c:\n    return\nelse:\n    n = 2", {2}),
    ("n = 1\nif c:\n    if d:\n        return 0\n    else:\n        raise ValueError", {1}),
    ("n = 1\nfor i in x:\n    n = 2", {1, 2}),
    ("n = 1\nwhile c:\n    n = 2", {1, 2}),
    ("n = 1\nfor i in x:\n    pass\nelse:\n    n = 3", {3}),
    ("n = 1\ntry:\n    n = 2\nexcept E:\n    n = 3", {2, 3}),
    ("n = 1\ntry:\n    n = 2\nexcept E:\n    raise", {2}),
    ("try:\n    n = 1\nfinally:\n    n = 4", {4}),
    ("n = 1\ntry:\n    pass\nexcept* E:\n    n = 2", {1, 2}),
    ("n = 1\nmatch c:\n    case 1:\n        n = 2\n    case _:\n        n = 3", {1, 2, 3}),
    ("with c as n:\n    n = 5", {5}),
    ("n = 1 if c else 2", {1, 2}),
    ("n, m = 1, 2", {1}),
    ("(m, n), k = (1, 2), 3", {2}),
    ("[n, *m] = 1, 2", {1}),
    ("[m, *n] = 1, 2", set()),  # a list
    ("*m, n = 1, 2, 3", {3}),
    ("n = 1\nfor i in x:\n    n = 2\n    if c:\n        n = 3\n        break\n    n = 4", {1, 3, 4}),
    ("n = 1\nfor i in x:\n    if c:\n        n = 3\n        continue\n    n = 4", {1, 3, 4}),
    ("for i in x:\n    if c:\n        n = 1\n        break\nelse:\n    n = 2", {1, 2}),
    ("n = 1\ntry:\n    n = 2\n    n = 3\nexcept E:\n    pass", {1, 2, 3}),
    ("n = 1\nmatch c:\n    case [n]:\n        n = 2\n    case {'k': d, **n}:\n        pass", {1, 2}),
    ("n = m = 7", {7}),
    ("n: int = 8", {8}),
    ("k = (n := 9)", {9}),
    ("t = (4, 5)\nn = t[1]", {5}),
    ("n = 1\ndef g():\n    n = 2", {1}),
    ("n = 1\nk = [n for n in x]", {1}),
    ("n = 1\nk = {n: n for n in x}", {1}),
    ("def g():\n    return 6\nn = g", set()),
    ("n = 'a'", {"a"}),
    ("n = 0x10", {16}),
    ("n = 1_000.5", {1000.5}),
    ("import n\nn = 3", {3}),
]


@pytest.mark.parametrize(("body", "expected"), AFTER)
def test_a_name_stands_for_the_last_values_bound_to_it(body: str, expected: set[object]) -> None:
    indented = "\n".join(f"    {row}" for row in body.splitlines())
    assert reached(probed(model_of(f"def f(c, d, x):\n{indented}\n    probe(n)"))) == expected


def test_a_loop_hands_its_round_to_the_next() -> None:
    model = model_of(
        """
        def f(x):
            n = 1
            for i in x:
                probe(n)
                n = 2
        """
    )
    assert reached(probed(model)) == {1, 2}


def test_augmented_assignment_is_arithmetic_on_the_old_value() -> None:
    total = probed(model_of("def f():\n    n = 3\n    n *= 4\n    probe(n)"))
    assert (total.op, total.name) == ("binop", "Multiply")
    assert [each.literal for each in total.inputs] == [3, 4]


def test_a_deleted_name_is_free_again() -> None:
    assert probed(model_of("def f():\n    n = 3\n    del n\n    probe(n)")).op == "global"


@pytest.mark.parametrize("call", ["mask.fill_diagonal_(0)", "mask.append(0)", "mask[0] = 0"])
def test_changes_in_place_make_a_new_version(call: str) -> None:
    version = probed(model_of(f"def f():\n    mask = make()\n    {call}\n    probe(mask)"))
    assert version.op in ("call", "setitem") and version.name != "make"


def test_a_method_ending_in_two_underscores_changes_nothing() -> None:
    assert probed(model_of("def f(x):\n    y = make()\n    y.__enter__()\n    probe(y)")).name == "make"


class TestScopes:
    def test_a_closure_reads_every_binding_of_its_function(self) -> None:
        model = model_of("def f():\n    n = 1\n    def g():\n        probe(n)\n    n = 2\n    g()")
        assert probed(model).op == "closure"
        assert reached(probed(model)) == {1, 2}

    def test_a_global_stands_for_the_last_binding_of_the_module(self) -> None:
        model = model_of("N = 1\ndef f():\n    probe(N)\nN = 2")
        assert probed(model).op == "global"
        assert reached(probed(model)) == {2}

    def test_a_global_statement_binds_in_the_module(self) -> None:
        model = model_of("N = 1\ndef g():\n    global N\n    N = 2\ndef f():\n    probe(N)")
        assert 2 in reached(probed(model))

    def test_a_lambda_has_parameters_of_its_own(self) -> None:
        value = probed(model_of("n = 1\nf = lambda n=5: probe(n)"))
        assert (value.op, value.inputs[0].op) == ("name", "param")

    def test_class_bodies_fill_attributes_and_hide_nothing_from_methods(self) -> None:
        model = model_of("class A:\n    n = 4\n    def f(self):\n        probe(self.n)")
        assert reached(probed(model)) == {4}

    def test_a_nested_function_has_the_self_of_its_method(self) -> None:
        model = model_of(
            """
            class A:
                def __init__(self):
                    self.n = 4
                def f(self):
                    def g():
                        return probe(self.n)
                    return g()
            """
        )
        assert reached(probed(model)) == {4}


class TestLinks:
    def test_arguments_flow_into_parameters_by_place_and_by_name(self) -> None:
        model = model_of("def f(a, b=0):\n    probe(b)\nf(1, 2)\nf(1, b=3)")
        assert reached(probed(model)) == {2, 3}

    def test_attributes_stand_for_what_the_family_stores(self) -> None:
        model = model_of(
            """
            class Base:
                def __init__(self):
                    self.n = 1
            class Loss(Base):
                def more(self):
                    self.n = 2
                def f(self):
                    probe(self.n)
            """
        )
        assert reached(probed(model)) == {1, 2}

    def test_an_attribute_stored_in_the_same_method_is_that_value(self) -> None:
        model = model_of("class A:\n    def f(self, x):\n        self.n = 3\n        probe(self.n)")
        assert reached(probed(model)) == {3}

    def test_a_registered_buffer_is_an_attribute(self) -> None:
        model = model_of(
            """
            class A:
                def __init__(self):
                    self.register_buffer("n", 3)
                def f(self):
                    probe(self.n)
            """
        )
        assert reached(probed(model)) == {3}

    def test_a_property_is_what_it_returns(self) -> None:
        model = model_of(
            "class A:\n    @property\n    def n(self):\n        return 6\n    def f(self):\n        probe(self.n)"
        )
        assert reached(probed(model)) == {6}

    @pytest.mark.parametrize("method", ["forward", "__call__", "call", "construct"])
    def test_an_instance_that_is_called_runs_its_class(self, method: str) -> None:
        model = model_of(
            f"""
            class Loss:
                def {method}(self, n):
                    probe(n)
            class Model:
                def __init__(self):
                    self.criterion = Loss()
                def step(self):
                    self.criterion(11)
            """
        )
        assert reached(probed(model)) == {11}

    def test_constructions_fill_the_constructor(self) -> None:
        model = model_of("class A:\n    def __init__(self, n):\n        probe(n)\nA(12)")
        assert reached(probed(model)) == {12}
        assert [each.name for each in model.module.classes[0].constructions] == ["A"]

    def test_super_hands_arguments_to_the_parent(self) -> None:
        model = model_of(
            """
            class Base:
                def __init__(self, n):
                    probe(n)
            class Loss(Base):
                def __init__(self):
                    super().__init__(13)
            """
        )
        assert reached(probed(model)) == {13}

    def test_overridden_helpers_may_all_run(self) -> None:
        model = model_of(
            """
            class Base:
                def make(self):
                    return 1
                def f(self):
                    probe(self.make())
            class Loss(Base):
                def make(self):
                    return 2
            """
        )
        (call,) = probes(model)
        returned = [each for each in call.inputs[1].inputs if each.op == "return"]
        assert {literal for each in returned for literal in reached(each)} == {1, 2}

    def test_classes_that_inherit_from_each_other_do_not_loop(self) -> None:
        model = model_of("class A(B): pass\nclass B(A):\n    def f(self):\n        probe(self.n)")
        assert reached(probed(model)) == set()
        assert all(each.name in "AB" for each in model.module.classes[0].family())


def test_reads_remember_the_variables_in_force() -> None:
    read = probed(model_of("def f(args, z):\n    y = z\n    probe(args.batch_size)\n    w = z"))
    assert read.scope is not None
    assert {"args", "z", "y"} <= set(read.scope) and "w" not in read.scope
