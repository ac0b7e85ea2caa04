"""Which known form a loss computes, and with what factor; or which known mistake it looks like."""

from __future__ import annotations

import ast
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor

from infonce_lint.verify.forms import FORMS, MISTAKES, ONE_WAY, TOWERS, TRIPLES, TURNED_MISTAKES, Form
from infonce_lint.verify.knobs import Role
from infonce_lint.verify.stacking import Layout, views_of
from infonce_lint.verify.subject import Subject

__all__ = [
    "FORMS",
    "ONE_WAY",
    "SAMPLES",
    "TOWERS",
    "Match",
    "forms_for",
    "match",
    "mistake",
    "temperatures",
    "tolerance",
]

SAMPLES = (6, 10)
"""Batches on which a loss is compared; two of them, to tell a factor from a normaliser that knows one batch only."""
_LOOSE = 30
"""How much further apart values may lie where the loss has numbers of float32 in it."""
_LARGEST_BLOCKS = 16
_GRID = 24


@dataclass(frozen=True, slots=True)
class Match:
    """What a loss was found to compute.

    Attributes:
        form: one of `FORMS`.
        factor: what it is multiplied with.
        temperature: at which temperature.
        summed: over "rows" or "samples"; empty for a mean.
        blocks: rows are compared within each of so many equal blocks only.
        fitted: nothing that was given to the loss and no number of its text is this temperature.
        loose: it agrees in fewer digits than the precision that it was run in would allow.
    """

    form: str
    factor: float
    temperature: float
    summed: str = ""
    blocks: int = 1
    fitted: bool = False
    loose: bool = False

    def expected(self, views: Sequence[Tensor], temperature: float | None = None) -> Tensor:
        """What the loss should return on ``views``."""
        degrees = self.temperature if temperature is None else temperature
        value = _in_blocks(FORMS[self.form], views, degrees, self.blocks) * self.factor
        return value * _times(self.summed, len(views[0]), len(views))

    @property
    def told(self) -> str:
        """In words."""
        factor = "" if abs(self.factor - 1) < 1e-4 else f" x {self.factor:.4g}"
        where = f" within each of {self.blocks} blocks of rows" if self.blocks > 1 else ""
        return f"`{self.form}`{factor}{where}" + (f", summed over {self.summed}" if self.summed else "")

    def as_json(self) -> dict[str, Any]:
        """Plain data; ``Match(**data)`` reads it."""
        return asdict(self)


def _in_blocks(form: Form, views: Sequence[Tensor], temperature: float, blocks: int) -> Tensor:
    if blocks == 1:
        return form(views, temperature)
    parts = zip(*(view.chunk(blocks) for view in views))
    return torch.stack([form(part, temperature) for part in parts]).mean()


def _times(summed: str, samples: int, views: int) -> int:
    return samples * views if summed == "rows" else samples if summed == "samples" else 1


def forms_for(subject: Subject, count: int) -> Mapping[str, Form]:
    """The forms that make sense for a number of views."""
    triples = count == 3 and subject.plan.layout is Layout.SEPARATE
    return {
        name: form
        for name, form in FORMS.items()
        if (name not in TOWERS or count == 2) and (name not in TRIPLES or triples)
    }


def tolerance(subject: Subject) -> float:
    """How far values may lie apart: foreign losses add an epsilon here and there."""
    return 1e-5 if subject.plan.double else 1e-3


@dataclass(frozen=True, slots=True)
class _Runs:
    """The values of a loss on two batches, and the batches."""

    batches: tuple[list[Tensor], ...]
    values: tuple[float, ...]

    def close_to(self, form: Form, temperature: float, close: float, blocks: int = 1) -> Iterator[tuple[str, float]]:
        """How the values may be sums or multiples of a form: over what, and the factor, the same on both batches."""
        wanted = [float(_in_blocks(form, batch, temperature, blocks)) for batch in self.batches]
        if not all(map(math.isfinite, wanted)) or not all(wanted):
            return
        count = len(self.batches[0])
        for summed in ("", "rows", "samples"):
            shares = [
                value / want / _times(summed, len(batch[0]), count)
                for value, want, batch in zip(self.values, wanted, self.batches)
            ]
            if abs(shares[0] - shares[1]) <= close * abs(shares[1]):
                yield summed, shares[1]


def _runs(subject: Subject, count: int, samples: Sequence[int] = SAMPLES, configured: int = 0) -> _Runs:
    batches = tuple(_batch(subject, each, count) for each in samples)
    values = (subject.value(batch, configured=configured or len(batch[0])) for batch in batches)
    return _Runs(batches, tuple(float(value.detach()) for value in values))


def match(subject: Subject, count: int = 2) -> Match | None:
    """The form that a loss has on ``count`` views, or None.

    A plain match is likelier than a factor, a temperature of the text likelier than one that is fitted, and the whole
    batch likelier than blocks of it.
    """
    runs = _runs(subject, count)
    if not all(map(math.isfinite, runs.values)):
        return None
    close = tolerance(subject)
    for exact, within in ((True, close), (False, close), (True, _LOOSE * close)):
        for temperature in temperatures(subject):
            for name, form in forms_for(subject, count).items():
                for summed, share in runs.close_to(form, temperature, within):
                    whole = abs(share - 1) <= within
                    if whole if exact or summed else share > 0:
                        factor = 1.0 if whole else share
                        return Match(name, factor, temperature, summed, loose=within > close)
    return _in_some_blocks(subject, count)


def fitted(subject: Subject, count: int = 2) -> Match | None:
    """A form at a temperature that is neither given to the loss nor a number of its text."""
    runs = _runs(subject, count)
    close = tolerance(subject)
    for name, form in forms_for(subject, count).items():
        for temperature in _fits(form, runs.batches[0], runs.values[0]):
            found = runs.close_to(form, temperature, close)
            if any(not summed and abs(share - 1) <= close for summed, share in found):
                return Match(name, 1.0, temperature, fitted=True)
    return None


def _fits(form: Form, batch: Sequence[Tensor], value: float) -> Iterator[float]:
    """The temperatures at which a form has a value: where it crosses it between two points of a grid, by halving."""

    def above(place: float) -> bool:
        return float(form(batch, math.exp(place))) > value

    first, last = math.log(0.005), math.log(20.0)
    grid = [first + (last - first) * step / _GRID for step in range(_GRID + 1)]
    sides = [above(place) for place in grid]
    for low, high, side, other in zip(grid, grid[1:], sides, sides[1:]):
        if side is other:
            continue
        for _ in range(45):
            middle = (low + high) / 2
            low, high = (middle, high) if above(middle) is side else (low, middle)
        yield math.exp(low)


def _in_some_blocks(subject: Subject, count: int) -> Match | None:
    """A form within blocks of rows, as many as a number of the text or the configured size says."""
    close = tolerance(subject)
    for blocks in _block_counts(subject):
        try:
            runs = _runs(subject, count, (2 * blocks, 3 * blocks), subject.plan.configured)
        except Exception:  # rows that this loss does not take: it has no such blocks
            continue
        for temperature in temperatures(subject):
            for name, form in forms_for(subject, count).items():
                found = runs.close_to(form, temperature, close, blocks)
                if any(not summed and abs(share - 1) <= close for summed, share in found):
                    return Match(name, 1.0, temperature, blocks=blocks)
    return None


def _block_counts(subject: Subject) -> list[int]:
    nodes = ast.walk(ast.parse(subject.text)) if subject.text else ()
    found = [node.value for node in nodes if isinstance(node, ast.Constant)]
    counts = [each for each in dict.fromkeys(found) if type(each) is int and 2 < each <= _LARGEST_BLOCKS]
    return [*([subject.plan.configured] if subject.plan.asks(Role.SIZE) else []), *counts, 2][:4]


def fixed_denominator(subject: Subject, count: int) -> float | None:
    """The number that a loss divides its sum by whatever the batch, if that is what it does."""
    runs = _runs(subject, count)
    for temperature in temperatures(subject):
        for form in forms_for(subject, count).values():
            sums = [float(form(batch, temperature)) * len(batch[0]) * count for batch in runs.batches]
            over = [total / value if value else 0.0 for total, value in zip(sums, runs.values)]
            if over[1] and abs(over[0] - over[1]) <= tolerance(subject) * abs(over[1]):
                return over[1]
    return None


def mistake(subject: Subject, count: int) -> str:
    """The known mistake that a loss looks like on every batch, in words; empty if none."""
    runs = _runs(subject, count)
    known = [*MISTAKES, *(TURNED_MISTAKES if subject.plan.takes_temperature else ())]
    for temperature in temperatures(subject):
        for told, form in known:
            wanted = [float(form(batch, temperature)) for batch in runs.batches]
            near = (abs(a - b) <= tolerance(subject) * max(1.0, abs(b)) for a, b in zip(runs.values, wanted))
            if all(near):
                return told
    return ""


def temperatures(subject: Subject) -> list[float]:
    """The temperatures that a loss may have: the one that it was given, or those that its text could mean."""
    if subject.plan.takes_temperature:
        return [subject.knobs.temperature]
    return list(dict.fromkeys([*subject.numbers(), 0.07, 0.1, 0.5, 1.0, 0.05, 0.2]))


def is_additive(subject: Subject) -> bool:
    """Whether a batch has the mean or the sum of what its samples have alone: no sample meets another one's rows."""
    batch = _batch(subject, 4, subject.plan.views)
    try:
        whole = float(subject.value(batch, configured=4).detach())
        alone = [float(subject.value([view[n : n + 1] for view in batch], configured=1).detach()) for n in range(4)]
    except Exception:  # no loss of single samples
        return False
    close = tolerance(subject) * max(1.0, abs(whole))
    if max(alone) - min(alone) <= close:  # a constant says nothing
        return False
    return any(abs(whole - each) <= close for each in (sum(alone) / 4, sum(alone)))


def _batch(subject: Subject, samples: int, count: int) -> list[Tensor]:
    return views_of(samples, count, dtype=torch.float64 if subject.plan.double else torch.float32)
