"""Which form of the reference loss a loss computes, and with what factor; or which known mistake it looks like."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from infonce_lint.reference import clip_loss, info_nce_loss
from infonce_lint.verify.stacking import views_of
from infonce_lint.verify.subject import Subject

Form = Callable[[Sequence[Tensor], float], Tensor]
SAMPLES = (6, 10)
"""Batches on which a loss is compared; two of them, to tell a factor from a normaliser that knows one batch only."""


def _stacked(form: str) -> Form:
    return lambda views, t: info_nce_loss(torch.cat(list(views)), len(views), temperature=t, form=form)  # type: ignore[arg-type]


def _decoupled(views: Sequence[Tensor], temperature: float) -> Tensor:
    """The positives left out of the denominator (Yeh et al. 2021, "Decoupled Contrastive Learning")."""
    similarities, own, positive = _scores(views, temperature)
    negatives = similarities.masked_fill(own | positive, -torch.inf).logsumexp(dim=1)
    return (negatives - (similarities * positive).sum(dim=1) / positive.sum(dim=1)).mean()


def _first_anchors(views: Sequence[Tensor], temperature: float) -> Tensor:
    """The mean over the first view's rows alone (SupContrast's ``contrast_mode="one"``)."""
    rows = torch.cat(list(views))
    losses = info_nce_loss(rows, len(views), temperature=temperature, reduction="none")
    return losses[: len(views[0])].mean()


#: The forms that a loss of any number of views may have, and those of two towers, by the names that rows print.
FORMS: dict[str, Form] = {
    "out": _stacked("out"),
    "pair": _stacked("pair"),
    "in": _stacked("in"),
    "clip": lambda views, t: clip_loss(views[0], views[1], 1 / t),
    "clip, first to second": lambda views, t: clip_loss(views[0], views[1], 1 / t, symmetric=False),
    "clip, second to first": lambda views, t: clip_loss(views[1], views[0], 1 / t, symmetric=False),
    "decoupled": _decoupled,
    "out, first view's anchors": _first_anchors,
}
TOWERS = frozenset({"clip", "clip, first to second", "clip, second to first"})
ONE_WAY = frozenset({"clip, first to second", "clip, second to first", "out, first view's anchors"})


def _scores(views: Sequence[Tensor], temperature: float) -> tuple[Tensor, Tensor, Tensor]:
    rows = F.normalize(torch.cat(list(views)), dim=1)
    sample = torch.arange(len(views[0])).repeat(len(views))
    own = torch.eye(len(rows), dtype=torch.bool)
    return rows @ rows.T / temperature, own, (sample.unsqueeze(0) == sample.unsqueeze(1)) & ~own


def _positives_first(views: Sequence[Tensor], temperature: float) -> Tensor:
    similarities, own, positive = _scores(views, temperature)
    first = similarities[torch.arange(len(own)), positive.int().argmax(dim=1)]
    return (similarities.masked_fill(own, -torch.inf).logsumexp(dim=1) - first).mean()


def _diagonal_kept(views: Sequence[Tensor], temperature: float) -> Tensor:
    similarities, _, positive = _scores(views, temperature)
    return (similarities.logsumexp(dim=1) - (similarities * positive).sum(dim=1) / positive.sum(dim=1)).mean()


def _softmax_twice(views: Sequence[Tensor], temperature: float) -> Tensor:
    similarities, own, positive = _scores(views, temperature)
    shares = similarities.masked_fill(own, -torch.inf).softmax(dim=1)
    close = (shares * positive).sum(dim=1) / positive.sum(dim=1)
    return (shares.exp().masked_fill(own, 0).sum(dim=1).log() - close).mean()


def _softmax_twice_whole(views: Sequence[Tensor], temperature: float) -> Tensor:
    """The same without a mask at the second softmax, where each row meets its own share of 0."""
    similarities, own, positive = _scores(views, temperature)
    shares = similarities.masked_fill(own, -torch.inf).softmax(dim=1)
    return (shares.logsumexp(dim=1) - (shares * positive).sum(dim=1) / positive.sum(dim=1)).mean()


def _softmax_twice_towers(views: Sequence[Tensor], temperature: float) -> Tensor:
    """The same between the first two views."""
    first, second = (F.normalize(view, dim=1) for view in views[:2])
    shares = (first @ second.T / temperature).softmax(dim=1)
    return (shares.logsumexp(dim=1) - shares.diagonal()).mean()


def _interleaved(views: Sequence[Tensor], temperature: float) -> Tensor:
    rows = torch.cat(list(views))
    return info_nce_loss(
        torch.cat([rows[start :: len(views)] for start in range(len(views))]), len(views), temperature=temperature
    )


_TWO_SOFTMAXES = "of two softmaxes: cross-entropy takes logits"
#: What known mistakes compute, in words.
MISTAKES: tuple[tuple[str, Form], ...] = (
    ("of positives first with target 0, which draws one positive near and pushes the others away", _positives_first),
    ("of an unmasked diagonal: each row counts itself among its negatives", _diagonal_kept),
    (
        "of a similarity multiplied with the temperature, not divided",
        lambda views, t: FORMS["out"](views, 1 / t),
    ),
    (_TWO_SOFTMAXES, _softmax_twice),
    (_TWO_SOFTMAXES, _softmax_twice_whole),
    (_TWO_SOFTMAXES, _softmax_twice_towers),
    ("of rows that stand view by view when the loss wants them sample by sample", _interleaved),
)


@dataclass(frozen=True, slots=True)
class Match:
    """What a loss was found to compute: ``factor`` times ``form``, ``summed`` over "rows" or "samples" or averaged."""

    form: str
    factor: float
    temperature: float
    summed: str = ""

    def expected(self, views: Sequence[Tensor], temperature: float | None = None) -> Tensor:
        """What the loss should return on ``views``."""
        value = FORMS[self.form](views, self.temperature if temperature is None else temperature) * self.factor
        return value * _times(self.summed, len(views[0]), len(views))

    @property
    def told(self) -> str:
        """In words."""
        factor = "" if abs(self.factor - 1) < 1e-4 else f" x {self.factor:.4g}"
        return f"`{self.form}`{factor}" + (f", summed over {self.summed}" if self.summed else "")

    def as_json(self) -> dict[str, Any]:
        """Plain data; ``Match(**data)`` reads it."""
        return asdict(self)


def _times(summed: str, samples: int, views: int) -> int:
    return samples * views if summed == "rows" else samples if summed == "samples" else 1


def forms_for(subject: Subject, count: int) -> Mapping[str, Form]:
    """The forms that make sense for a number of views."""
    return {name: form for name, form in FORMS.items() if name not in TOWERS or count == 2}


def tolerance(subject: Subject) -> float:
    """How far values may lie apart: foreign losses add an epsilon here and there."""
    return 1e-5 if subject.plan.double else 1e-3


def match(subject: Subject, count: int = 2) -> Match | None:
    """The form that a loss has on ``count`` views, or None."""
    batches = [_batch(subject, samples, count) for samples in SAMPLES]
    values = [float(subject.value(batch, configured=len(batch[0])).detach()) for batch in batches]
    close = tolerance(subject)
    for exact in (True, False):  # a plain match at another temperature is likelier than a factor at this one
        for temperature in temperatures(subject):
            for name, form in forms_for(subject, count).items():
                wanted = [float(form(batch, temperature)) for batch in batches]
                ratios = [value / want for value, want in zip(values, wanted)]
                for summed in ("", "rows", "samples"):
                    shares = [ratio / _times(summed, samples, count) for ratio, samples in zip(ratios, SAMPLES)]
                    even = abs(shares[0] - shares[1]) <= close * abs(shares[1])
                    whole = abs(shares[1] - 1) <= close
                    if even and (whole if exact or summed else shares[1] > 0):
                        return Match(name, 1.0 if whole else shares[1], temperature, summed)
    return None


def fixed_denominator(subject: Subject, count: int) -> float | None:
    """The number that a loss divides its sum by whatever the batch, if that is what it does."""
    batches = [_batch(subject, samples, count) for samples in SAMPLES]
    values = [float(subject.value(batch, configured=len(batch[0])).detach()) for batch in batches]
    for temperature in temperatures(subject):
        for form in forms_for(subject, count).values():
            sums = [float(form(batch, temperature)) * samples * count for batch, samples in zip(batches, SAMPLES)]
            over = [total / value if value else 0.0 for total, value in zip(sums, values)]
            if over[1] and abs(over[0] - over[1]) <= tolerance(subject) * abs(over[1]):
                return over[1]
    return None


def mistake(subject: Subject, count: int) -> str:
    """The known mistake that a loss looks like on every batch, in words; empty if none."""
    batches = [_batch(subject, samples, count) for samples in SAMPLES]
    values = [float(subject.value(batch, configured=len(batch[0])).detach()) for batch in batches]
    for temperature in temperatures(subject):
        for told, form in MISTAKES:
            wanted = [float(form(batch, temperature)) for batch in batches]
            if all(abs(value - want) <= tolerance(subject) * max(1.0, want) for value, want in zip(values, wanted)):
                return told
    return ""


def temperatures(subject: Subject) -> list[float]:
    """The temperatures that a loss may have: the one that it was given, or those that its text could mean."""
    if subject.plan.takes_temperature:
        return [subject.knobs.temperature]
    return list(dict.fromkeys([*subject.numbers(), 0.07, 0.1, 0.5, 1.0, 0.05, 0.2]))


def _batch(subject: Subject, samples: int, count: int) -> list[Tensor]:
    return views_of(samples, count, dtype=torch.float64 if subject.plan.double else torch.float32)
