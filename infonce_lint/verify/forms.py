"""The losses that verify knows: the right forms, those of several inputs, and what known mistakes compute.

Each takes ``V`` views ``[B, D]`` and a temperature, and gives one number with its gradient.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from infonce_lint.reference import clip_loss, info_nce_loss

Form = Callable[[Sequence[Tensor], float], Tensor]


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


def _towers(views: Sequence[Tensor], temperature: float) -> Tensor:
    first, second = (F.normalize(view, dim=1) for view in views[:2])
    return first @ second.T / temperature


def _decoupled_towers(views: Sequence[Tensor], temperature: float) -> Tensor:
    scores = _towers(views, temperature)
    own = torch.eye(len(scores), dtype=torch.bool, device=scores.device)
    rest = scores.masked_fill(own, -torch.inf)
    return ((rest.logsumexp(dim=1) + rest.logsumexp(dim=0)) / 2 - scores.diagonal()).mean()


def _hard_negatives(views: Sequence[Tensor], temperature: float) -> Tensor:
    """First to second, with the third tower's rows as negatives of everybody (Gao et al. 2021, SimCSE)."""
    scores = torch.cat([_towers(views, temperature), _towers((views[0], views[2]), temperature)], dim=1)
    return F.cross_entropy(scores, torch.arange(len(scores), device=scores.device))


def _own_negatives(views: Sequence[Tensor], temperature: float) -> Tensor:
    """Each row of the first tower between its own positive and its own negative."""
    close = _towers(views, temperature).diagonal()
    far = _towers((views[0], views[2]), temperature).diagonal()
    return F.softplus(far - close).mean()


#: The forms that a loss of any number of views may have, those of two towers, and those of three inputs, by the names
#: that rows print.
FORMS: dict[str, Form] = {
    "out": _stacked("out"),
    "pair": _stacked("pair"),
    "in": _stacked("in"),
    "clip": lambda views, t: clip_loss(views[0], views[1], 1 / t),
    "clip, first to second": lambda views, t: clip_loss(views[0], views[1], 1 / t, symmetric=False),
    "clip, second to first": lambda views, t: clip_loss(views[1], views[0], 1 / t, symmetric=False),
    "decoupled": _decoupled,
    "decoupled clip": _decoupled_towers,
    "out, first view's anchors": _first_anchors,
    "clip, first to second, the third as negatives": _hard_negatives,
    "first between second and third": _own_negatives,
}
TOWERS = frozenset({"clip", "clip, first to second", "clip, second to first", "decoupled clip"})
TRIPLES = frozenset({"clip, first to second, the third as negatives", "first between second and third"})
#: Forms that tell their sides apart: queries look for keys, and the keys may stand still.
ONE_WAY = frozenset({"clip, first to second", "clip, second to first", "out, first view's anchors", *TRIPLES})


def _scores(views: Sequence[Tensor], temperature: float) -> tuple[Tensor, Tensor, Tensor]:
    rows = F.normalize(torch.cat(list(views)), dim=1)
    return _compared(rows, rows, len(views), temperature)


def _compared(rows: Tensor, keys: Tensor, views: int, temperature: float) -> tuple[Tensor, Tensor, Tensor]:
    sample = torch.arange(len(rows) // views, device=rows.device).repeat(views)
    own = torch.eye(len(rows), dtype=torch.bool, device=rows.device)
    return rows @ keys.T / temperature, own, (sample.unsqueeze(0) == sample.unsqueeze(1)) & ~own


def keys_held(views: Sequence[Tensor], temperature: float) -> Tensor:
    """The form ``out`` whose rows, where they are others' keys, are constants."""
    rows = F.normalize(torch.cat(list(views)), dim=1)
    similarities, own, positive = _compared(rows, rows.detach(), len(views), temperature)
    total = similarities.masked_fill(own, -torch.inf).logsumexp(dim=1)
    return (total - (similarities * positive).sum(dim=1) / positive.sum(dim=1)).mean()


def keys_held_towers(views: Sequence[Tensor], temperature: float) -> Tensor:
    """The form ``clip`` of which each direction holds the other tower still."""
    first, second = views[:2]
    there = F.cross_entropy(_towers((first, second.detach()), temperature), torch.arange(len(first)))
    back = F.cross_entropy(_towers((second, first.detach()), temperature), torch.arange(len(first)))
    return (there + back) / 2


def others_are_constants(views: Sequence[Tensor], temperature: float, world: int, form: str, held: bool) -> Tensor:
    """The mean over ranks of a form to which other ranks' rows are constants; ``held``: of the rank's own anchors."""
    total = views[0].sum() * 0
    for rank in range(world):
        given = [_of_one_rank(view, world, rank) for view in views]
        each = _directions(given[0], given[1], temperature, form) if form in TOWERS else _anchors(given, temperature)
        own = slice(rank * len(each) // world, (rank + 1) * len(each) // world)
        total = total + (each[own] if held else each).mean() / world
    return total


def positives_of_first_rank(views: Sequence[Tensor], temperature: float, world: int, form: str, held: bool) -> Tensor:
    """The mean over ranks of each rank's rows looking for rank 0's; ``held``: other ranks' rows are constants."""
    total = views[0].sum() * 0
    for rank, (first, second) in enumerate(zip(views[0].chunk(world), views[1].chunk(world))):
        keys = [_of_one_rank(view, world, rank) if held else view for view in views]
        target = torch.arange(len(first))
        loss = F.cross_entropy(_towers((first, keys[1]), temperature), target)
        if form == "clip":
            loss = (loss + F.cross_entropy(_towers((second, keys[0]), temperature), target)) / 2
        total = total + loss / world
    return total


def _anchors(views: Sequence[Tensor], temperature: float) -> Tensor:
    losses = info_nce_loss(torch.cat(list(views)), len(views), temperature=temperature, reduction="none")
    return losses.reshape(len(views), -1).mean(dim=0)


def _directions(first: Tensor, second: Tensor, temperature: float, form: str) -> Tensor:
    """The loss of each pair, in the directions that a form of two towers looks."""
    scores = _towers((first, second) if form != "clip, second to first" else (second, first), temperature)
    target = torch.arange(len(scores))
    there = F.cross_entropy(scores, target, reduction="none")
    return (there + F.cross_entropy(scores.T, target, reduction="none")) / 2 if form == "clip" else there


def _of_one_rank(view: Tensor, world: int, rank: int) -> Tensor:
    """All ranks' rows, those of the others detached."""
    return torch.cat([part if number == rank else part.detach() for number, part in enumerate(view.chunk(world))])


def _positives_first(views: Sequence[Tensor], temperature: float) -> Tensor:
    similarities, own, positive = _scores(views, temperature)
    first = similarities[torch.arange(len(own)), positive.int().argmax(dim=1)]
    return (similarities.masked_fill(own, -torch.inf).logsumexp(dim=1) - first).mean()


def _diagonal_kept(views: Sequence[Tensor], temperature: float) -> Tensor:
    similarities, _, positive = _scores(views, temperature)
    return (similarities.logsumexp(dim=1) - (similarities * positive).sum(dim=1) / positive.sum(dim=1)).mean()


def _positives_twice(views: Sequence[Tensor], temperature: float) -> Tensor:
    similarities, own, positive = _scores(views, temperature)
    rest = similarities.masked_fill(own, -torch.inf).logsumexp(dim=1)
    close = (similarities * positive).sum(dim=1) / positive.sum(dim=1)
    return (torch.logaddexp(rest, close) - close).mean()


def _positives_twice_towers(views: Sequence[Tensor], temperature: float) -> Tensor:
    scores = _towers(views, temperature)
    return (torch.logaddexp(scores.logsumexp(dim=1), scores.diagonal()) - scores.diagonal()).mean()


def _log_of_mean(views: Sequence[Tensor], temperature: float) -> Tensor:
    similarities, own, positive = _scores(views, temperature)
    shares = similarities.masked_fill(own, -torch.inf).softmax(dim=1)
    return -(shares * positive).sum(dim=1).mean().log()


def _log_of_mean_towers(views: Sequence[Tensor], temperature: float) -> Tensor:
    return -_towers(views, temperature).softmax(dim=1).diagonal().mean().log()


def _no_log(views: Sequence[Tensor], temperature: float) -> Tensor:
    similarities, own, positive = _scores(views, temperature)
    return -(similarities.masked_fill(own, -torch.inf).softmax(dim=1) * positive).sum(dim=1).mean()


def _no_log_towers(views: Sequence[Tensor], temperature: float) -> Tensor:
    return -_towers(views, temperature).softmax(dim=1).diagonal().mean()


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
    shares = _towers(views, temperature).softmax(dim=1)
    return (shares.logsumexp(dim=1) - shares.diagonal()).mean()


def _interleaved(views: Sequence[Tensor], temperature: float) -> Tensor:
    rows = torch.cat(list(views))
    return info_nce_loss(
        torch.cat([rows[start :: len(views)] for start in range(len(views))]), len(views), temperature=temperature
    )


def _at(change: Callable[[float], float]) -> tuple[Form, Form, Form]:
    """Three usual forms at a temperature that became another."""
    return tuple(  # type: ignore[return-value]
        (lambda views, t, form=FORMS[name]: form(views, change(t))) for name in ("out", "clip", "clip, first to second")
    )


def _scaled(views: Sequence[Tensor], temperature: float) -> Tensor:
    return FORMS["out"](views, 1.0) / temperature


def _scaled_towers(views: Sequence[Tensor], temperature: float) -> Tensor:
    return FORMS["clip"](views, 1.0) / temperature


TWO_VIEWS_ONLY = "of positives first with target 0, which draws one positive near and pushes the others away"
_TWO_SOFTMAXES = "of two softmaxes: cross-entropy takes logits"
_LOG_OF_MEAN = "of the logarithm of a mean, where the mean of logarithms is meant"
_NO_LOG = "of shares whose logarithm is not taken"
_TWICE = "of positives that are counted among the negatives as well"
_OUTSIDE = "of a temperature outside the logarithm: it scales the loss, and the similarities are not divided by it"
#: What known mistakes compute, in words.
MISTAKES: tuple[tuple[str, Form], ...] = (
    (TWO_VIEWS_ONLY, _positives_first),
    ("of an unmasked diagonal: each row counts itself among its negatives", _diagonal_kept),
    *(("of a similarity multiplied with the temperature, not divided", form) for form in _at(lambda t: 1 / t)),
    (_TWO_SOFTMAXES, _softmax_twice),
    (_TWO_SOFTMAXES, _softmax_twice_whole),
    (_TWO_SOFTMAXES, _softmax_twice_towers),
    ("of rows that stand view by view when the loss wants them sample by sample", _interleaved),
    (_LOG_OF_MEAN, _log_of_mean),
    (_LOG_OF_MEAN, _log_of_mean_towers),
    (_NO_LOG, _no_log),
    (_NO_LOG, _no_log_towers),
    (_TWICE, _positives_twice),
    (_TWICE, _positives_twice_towers),
    (_OUTSIDE, _scaled),
    (_OUTSIDE, _scaled_towers),
)
#: Mistakes of a loss that is told its temperature; of a number that is only guessed they would say nothing.
TURNED_MISTAKES: tuple[tuple[str, Form], ...] = (
    *(("of temperature 1: the temperature is not applied", form) for form in _at(lambda t: 1.0)),
    *(("of a temperature that is applied twice", form) for form in _at(lambda t: t * t)),
)
