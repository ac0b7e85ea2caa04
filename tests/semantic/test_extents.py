"""Extents: the algebra of row counts, and the rows of integers and tensors in terms of each other."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infonce_lint.semantic.extents.extent import WORLD, Extent, number, symbol
from infonce_lint.semantic.extents.extents import Extents
from tests.semantic.snippets import model_of, probed

SYMBOLS = ["size:batch_size", "rows:1", "rows:2", "named:n_views", WORLD]
numbers = st.fractions(min_value=Fraction(1, 12), max_value=12, max_denominator=12)


@st.composite
def extents(draw: st.DrawFn) -> Extent:
    powers = draw(st.dictionaries(st.sampled_from(SYMBOLS), st.integers(-2, 2).filter(bool), max_size=3))
    return Extent(draw(numbers), tuple(sorted(powers.items())))


class TestAlgebra:
    @given(extents(), extents())
    def test_products_commute(self, a: Extent, b: Extent) -> None:
        assert a * b == b * a

    @given(extents(), extents(), extents())
    def test_products_associate(self, a: Extent, b: Extent, c: Extent) -> None:
        assert (a * b) * c == a * (b * c)

    @given(extents())
    def test_one_is_neutral(self, a: Extent) -> None:
        assert a * number(1) == a == a / number(1)

    @given(extents(), extents())
    def test_division_undoes_multiplication(self, a: Extent, b: Extent) -> None:
        assert a * b / b == a == a / b * b

    @given(extents())
    def test_anything_by_itself_is_one(self, a: Extent) -> None:
        assert a / a == number(1)

    @given(extents(), extents(), st.sampled_from(SYMBOLS))
    def test_powers_add_up(self, a: Extent, b: Extent, name: str) -> None:
        assert (a * b).power(name) == a.power(name) + b.power(name)
        assert (a / b).power(name) == a.power(name) - b.power(name)

    @given(extents(), st.sampled_from(SYMBOLS))
    def test_without_a_symbol_its_power_is_zero(self, a: Extent, name: str) -> None:
        rest = a.without(name)
        assert rest.power(name) == 0 and rest.number == a.number
        assert all(rest.power(other) == a.power(other) for other in SYMBOLS if other != name)

    @given(extents(), extents())
    def test_equal_extents_have_one_form(self, a: Extent, b: Extent) -> None:
        product = a * b
        assert list(product.symbols) == sorted(product.symbols)
        assert all(power for _, power in product.symbols)

    def test_symbols_by_kind(self) -> None:
        extent = symbol("size:n") * symbol("rows:7") * symbol("named:v")
        assert (extent.size_symbols, extent.row_symbols) == (["size:n"], ["rows:7"])

    def test_nothing_is_divided_by_zero_rows(self) -> None:
        with pytest.raises(ZeroDivisionError):
            symbol("rows:1") / number(0)


PREFIX = "import torch\nimport torch.nn.functional as F\n"
Z = symbol("Z")
SIZE = symbol("size:args.batch_size")


def extents_of(body: str, head: str = "") -> tuple[Extents, Extent | None, Extent | None]:
    """The extents of a function's body, the rows of what is probed, and the rows of its parameter ``z`` (base)."""
    rows = "\n    ".join(body.splitlines())
    model = model_of(f"{PREFIX}{head}\ndef f(self, z, w, args, flag, n_views, net, y):\n    base(z)\n    {rows}")
    found = Extents(model.origins, model.roles)
    probe = probed(model)
    asked = found.rows(probe)
    return found, asked, found.rows(probed(model, "base"))


def in_z(extent: Extent | None, base: Extent | None) -> Extent | None:
    """An extent with the rows of ``z`` written as the symbol Z."""
    assert base is not None
    if extent is None:
        return None
    for _ in range(abs(extent.power(base.row_symbols[0]))):
        extent = extent / base * Z if extent.power(base.row_symbols[0]) > 0 else extent * base / Z
    return extent


def rows(body: str, head: str = "") -> Extent | None:
    """The rows of the probed tensor."""
    _, asked, base = extents_of(body, head)
    return in_z(asked, base)


ROWS = {
    "itself": ("probe(z)", Z),
    "an alias": ("x = z\nprobe(x)", Z),
    "normalised": ("probe(F.normalize(z, dim=1).float())", Z),
    "two views stacked": ("probe(torch.cat([z, z], dim=0))", number(2) * Z),
    "a copy for each view": ("probe(torch.cat([z for _ in range(n_views)]))", symbol("named:n_views") * Z),
    "a list times a number": ("probe(torch.cat([z] * 3, dim=0))", number(3) * Z),
    "side by side": ("probe(torch.cat([z, w], dim=1))", Z),
    "a similarity": ("s = z @ z.T / tau\nprobe(s)", Z),
    "a similarity of stacked views": ("h = torch.cat([z, z])\nprobe(torch.mm(h, h.t()).exp().log())", number(2) * Z),
    "a similarity by broadcasting": (
        "probe(F.cosine_similarity(z.unsqueeze(1), z.unsqueeze(0), dim=2) / tau)",
        Z,
    ),
    "einsum": ("s = torch.einsum('nc,mc->nm', z, w)\nprobe(F.log_softmax(s, 1))", Z),
    "einsum, turned": ("s = torch.einsum('mc,nc->nm', w, z)\nprobe(F.log_softmax(s, 1))", Z),
    "half of a chunk": ("a, b = z.chunk(2)\nprobe(a)", Z / number(2)),
    "a chunk of columns": ("a, b = z.chunk(2, 1)\nprobe(a)", None),
    "a chunk of columns, named": ("a, b = torch.chunk(z, 2, dim=1)\nprobe(a)", None),
    "a split of unknown parts": ("a, b = torch.split(z, 4)\nprobe(a)", None),
    "the views of one tensor": ("probe(torch.cat(torch.unbind(z, dim=1), dim=0))", Z * symbol("named:z.shape[1]")),
    "gathered": ("probe(all_gather(z))", Z * symbol(WORLD)),
    "gathered or not": ("x = z\nif flag:\n    x = all_gather(z)\nprobe(x)", Z * symbol(WORLD)),
    "repeated": ("probe(z.repeat(2, 1))", number(2) * Z),
    "a new axis in front": ("probe(z.unsqueeze(0))", number(1)),
    "a new axis behind": ("probe(z.unsqueeze(1))", Z),
    "a new axis by subscript": ("probe(z[None])", number(1)),
    "all rows": ("probe(z[:, 0])", Z),
    "a column": ("probe(z.view(-1, 1))", Z),
    "other rows": ("probe(z.mean())", None),
    "transposed": ("probe(z.t())", None),
    "broadcast with a number": ("probe(2 * z + 1)", Z),
    "broadcast with one row": ("probe(z[None] * z)", Z),
    "zeros": ("probe(torch.zeros(z.shape[0], 3))", Z),
    "zeros of a tuple": ("probe(torch.zeros((2 * len(z), 3)))", number(2) * Z),
    "a mask": ("probe(~torch.eye(2 * z.size(0)).bool())", number(2) * Z),
    "numbers": ("probe(torch.arange(z.shape[0]))", Z),
    "numbers from zero": ("probe(torch.arange(0, z.shape[0]))", Z),
    "numbers of another rank": ("probe(torch.arange(z.shape[0], 3 * z.shape[0]))", number(2) * Z),
    "one-hot rows": ("probe(F.one_hot(torch.arange(len(z))))", Z),
    "a configured mask": ("probe(torch.eye(2 * args.batch_size))", number(2) * SIZE),
    "a configured branch": ("n = args.batch_size if flag else 3\nprobe(torch.eye(n))", SIZE),
    "a reshape": ("probe(z.view(args.batch_size, -1))", SIZE),
    "in a helper": ("probe(double(z))", number(2) * Z),
    "from a tuple": ("a, b = (z, w)\nprobe(a)", Z),
    "equal branches": ("x = z * 2 if flag else z\nprobe(x)", Z),
    "unequal branches": ("x = torch.cat([z, z]) if flag else z\nprobe(x)", None),
    "a tuple": ("probe((z, w))", None),
    "no rounds": ("probe(torch.cat([z for _ in ()]))", None),
    "no times": ("probe(z.repeat(()))", None),
    "rows that cancel": ("probe(torch.cat([torch.zeros(3 - 4), torch.zeros(1)]))", None),
}


@pytest.mark.parametrize("name", ROWS)
def test_rows(name: str) -> None:
    body, expected = ROWS[name]
    assert rows(body, "def double(x):\n    return torch.cat([x, x])") == expected


def test_a_models_output_has_rows_of_its_own() -> None:
    _, asked, base = extents_of("probe(net(z))")
    assert asked is not None and base is not None
    assert asked.row_symbols and asked != base


def test_picking_entries_gathers_no_processes() -> None:
    _, asked, _ = extents_of("probe(torch.gather(z, 1, y))")
    assert asked is not None and asked.power(WORLD) == 0


def test_views_concatenated_count_as_equal() -> None:
    _, asked, base = extents_of("other(w)\nh = torch.cat([z, w])\nprobe(h)")
    assert in_z(asked, base) == number(2) * Z


def test_unlike_tensors_are_no_twins() -> None:
    found, _, base = extents_of("probe(z)")
    assert base is not None
    assert found.make_twins(base, symbol("rows:other"))
    assert not found.make_twins(base, number(2))
    assert not found.make_twins(base, symbol("rows:other") * symbol("named:v"))


INTEGERS = {
    "a number": ("7", number(7)),
    "zero": ("0", None),
    "the rows": ("z.shape[0]", Z),
    "by size": ("z.size(0)", Z),
    "by length": ("len(z)", Z),
    "twice the rows": ("2 * len(z)", number(2) * Z),
    "half the rows": ("z.shape[0] // 2", Z / number(2)),
    "by views": ("z.shape[0] // n_views", Z / symbol("named:n_views")),
    "rows and rows": ("len(z) + len(z)", number(2) * Z),
    "rows minus one": ("len(z) - 1", None),
    "nothing left": ("len(z) - len(z)", None),
    "the configured size": ("args.batch_size", SIZE),
    "a multiple of it": ("int(args.batch_size * n_views)", SIZE * symbol("named:n_views")),
    "the sign does not count": ("-args.batch_size", SIZE),
    "all processes": ("args.batch_size * args.world_size", SIZE * symbol(WORLD)),
    "a call for the processes": ("dist.get_world_size()", symbol(WORLD)),
    "another axis": ("z.shape[1]", symbol("named:z.shape[1]")),
    "an attribute": ("self.n_views", symbol("named:self.n_views")),
    "a helper's": ("rows_of(z)", Z),
    "a remainder": ("len(z) % 2", None),
    "a function that is called size": ("size(z)[0]", symbol("named:size(z)[0]")),
}


@pytest.mark.parametrize("name", INTEGERS)
def test_integers(name: str) -> None:
    expression, expected = INTEGERS[name]
    model = model_of(
        f"{PREFIX}def rows_of(x):\n    return x.shape[0]\n"
        f"def f(self, z, args, n_views):\n    base(z)\n    probe({expression})"
    )
    found = Extents(model.origins, model.roles)
    assert in_z(found.integer(probed(model)), found.rows(probed(model, "base"))) == expected


def test_one_name_for_the_parameter_and_the_attribute_that_keeps_it() -> None:
    model = model_of(
        """
        class Loss:
            def __init__(self, batch_size):
                self.bs = batch_size
                first(batch_size)
            def forward(self):
                second(self.bs)
        """
    )
    found = Extents(model.origins, model.roles)
    assert found.integer(probed(model, "first")) == found.integer(probed(model, "second")) == symbol("size:self.bs")


def test_the_written_form_of_a_named_size_is_kept() -> None:
    found, asked, _ = extents_of("probe(torch.eye(self.n_views))")
    assert asked == symbol("named:self.n_views")
    assert found.texts["named:self.n_views"] == "self.n_views"
