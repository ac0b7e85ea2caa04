"""Every row of the table of operations, executed: shapes are the real ones, facts are what the code needs to run."""

from __future__ import annotations

import re

import numpy as np
import pytest
import torch

from infonce_lint.semantic.shapes import table
from infonce_lint.semantic.shapes.dims import number
from infonce_lint.semantic.shapes.domain import Number, Opaque, Parts, Tensor
from tests.semantic.shapes.running import environments, executed, holds, needs, problems, understood
from tests.semantic.shapes.snippets_numpy import NUMPY
from tests.semantic.shapes.snippets_others import OTHERS
from tests.semantic.shapes.snippets_torch import CREATION, ENTRYWISE, JOINING, TAKING
from tests.semantic.shapes.snippets_torch_more import LOSSES, MEETING, PRODUCTS, REDUCING, RESHAPING

SNIPPETS = {
    "entrywise": ENTRYWISE, "creation": CREATION, "joining": JOINING, "taking": TAKING, "reshaping": RESHAPING,
    "meeting": MEETING, "products": PRODUCTS, "reducing": REDUCING, "losses": LOSSES, "numpy": NUMPY,
}  # fmt: skip


#: What raises for another reason than two dimensions that differ: entries of an index behind the end, unlike ranks.
UNCHECKED = {
    "torch.stack([z[i] for i in range(S)])",
    "z[torch.randperm(S)]",
    "z[[i for i in range(S)]]",
    "torch.split(z, [S, N - S])",
    "a, b = torch.split(z, split_size_or_sections=[S, N - S], dim=0)\na",
    "a = torch.zeros(N, N)\na[torch.arange(S), torch.arange(S)] = 1\na",
    "sim[np.arange(S), np.arange(S)] = 0\nsim",
    "F.margin_ranking_loss(sim, sim, torch.ones(S))",
}


def contradictions(snippet: str, library: str = "torch") -> list[str]:
    """Where the interpreter says of a snippet what running it refutes."""
    told = understood(snippet)
    found = []
    for numbers in environments():
        if not all(holds(each, numbers) for each in needs(told.facts, "KEPT", "CUT")):
            continue  # nothing is said where an axis is not parted as the code takes it to be
        here = {name: numbers[name] for name in "NDVMS"}
        false = [each for each in needs(told.facts, "EQUAL", "BELOW") if not holds(each, numbers)]
        try:
            real = executed(snippet, numbers, library)
        except (RuntimeError, ValueError, IndexError, AssertionError) as error:
            if not false and snippet not in UNCHECKED:
                found.append(f"raises though every fact is true: {here}: {error}")
            continue
        except (TypeError, AttributeError, NameError, SyntaxError) as error:
            return [f"broken snippet: {error!r}"]
        found += [f"runs though {each.relation.name} {each.left.terms} {each.right.terms} {here}" for each in false]
        found += [f"{each} {here}" for each in problems(told.result, real, numbers, {})]
    return found


@pytest.mark.parametrize("family", SNIPPETS)
@pytest.mark.filterwarnings("ignore")
def test_what_running_shows(family: str) -> None:
    library = "numpy" if family == "numpy" else "torch"
    found = {snippet: contradictions(snippet, library) for snippet in SNIPPETS[family]}
    assert not {snippet: each[:3] for snippet, each in found.items() if each}


@pytest.mark.filterwarnings("ignore")
def test_kinds_of_other_entries() -> None:
    """The same operations on whole numbers and on truth values, where those take them."""
    for snippet in (each for each in ENTRYWISE + REDUCING if each.startswith("z.") or "(z" in each):
        for name in ("y", "mask"):
            other = re.sub(r"\bz\b", name, snippet)
            try:
                real = executed(other, NUMBERS, "torch")
            except (RuntimeError, ValueError, IndexError, TypeError, AttributeError):
                continue
            assert not list(problems(understood(other).result, real, NUMBERS, {})), other


NUMBERS = {"N": 6, "D": 5, "V": 3, "M": 4, "S": 6}


def test_most_snippets_are_understood() -> None:
    snippets = [each for rows in SNIPPETS.values() for each in rows]
    known = [each for each in snippets if not isinstance(understood(each).result, Opaque)]
    assert len(snippets) > 1400
    assert len(known) > 0.96 * len(snippets)


def test_every_spelling_occurs() -> None:
    """Each spelling of the table stands in some snippet: those of torch and numpy in one that is executed."""
    run = set(re.findall(r"\w+", "\n".join(each for rows in SNIPPETS.values() for each in rows)))
    written = run | set(re.findall(r"\w+", "\n".join(OTHERS)))
    homes = (torch, torch.Tensor, torch.nn, torch.nn.functional, torch.linalg, np, np.ndarray, np.linalg, np.random)
    missing = set()
    for library, name in table.spellings():
        executable = library in ("", "torch", "numpy") and any(hasattr(home, name) for home in homes)
        if name not in (run if executable else written) and name not in NOT_HERE:
            missing.add(f"{library}:{name}")
    assert not missing


#: Needs a device or a sparse tensor, or belongs to a package that is not described here.
NOT_HERE = frozenset("cuda pin_memory record_stream coalesce to_dense trange shape_list".split())


@pytest.mark.parametrize("snippet", OTHERS)
def test_other_libraries(snippet: str) -> None:
    result = understood(snippet).result
    wanted = OTHERS[snippet]
    if wanted is not None:
        assert stated(result) == expected(wanted)


def stated(known: object) -> object:
    """What is known, as dimensions that can be compared."""
    if isinstance(known, Parts):
        return [stated(each) for each in known.items]
    if isinstance(known, Tensor):
        return known.dims
    return known.dim if isinstance(known, Number) else known


def expected(wanted: object) -> object:
    """Sizes that are written as a text, as dimensions."""
    if isinstance(wanted, list):
        return [expected(each) for each in wanted]
    if isinstance(wanted, tuple):
        return tuple(expected(each) for each in wanted)
    if isinstance(wanted, int):
        return number(wanted)
    told = understood(str(wanted)).result
    assert isinstance(told, Number)
    return told.dim
