"""Value and gradient against the reference loss, for every number of views that the loss takes."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from infonce_lint.verify.checks.base import (
    Table,
    aside_of,
    attempt,
    batch_of,
    has_queue,
    held_on_purpose,
    size_for,
    view_counts,
)
from infonce_lint.verify.forms import TWO_VIEWS_ONLY, Form, keys_held, keys_held_towers
from infonce_lint.verify.knobs import Role, role_of
from infonce_lint.verify.matching import (
    SAMPLES,
    Match,
    fitted,
    fixed_denominator,
    forms_for,
    is_additive,
    match,
    mistake,
    temperatures,
    tolerance,
)
from infonce_lint.verify.rows import Row
from infonce_lint.verify.stacking import Layout
from infonce_lint.verify.subject import Subject

FAMILY = "value"


def check(subject: Subject) -> tuple[list[Row], Match | None, str]:
    """Rows for 2, 3 and 4 views, what the loss computes on the fewest that it takes, and why it is none to compare."""
    table = Table(FAMILY)
    aside = aside_of(subject)
    if aside or not subject.plan.layout.is_plain:
        table.inapplicable("value", aside or f"the reference takes no {subject.plan.layout.value}")
        return table.rows, None, aside
    if subject.plan.views < 2:
        table.inapplicable("value", "the loss takes one view, and nothing is its positive")
        return table.rows, None, ""
    first: Match | None = None
    counts = view_counts(subject)
    for count in (2, 3, 4):
        if count not in counts:
            table.inapplicable(f"value, {count} views", f"it takes {counts[0]} views")
            continue
        name = f"value, {count} views"
        batch = batch_of(subject, SAMPLES[0], count)
        value, problem = attempt(
            subject.value, batch, configured=subject.plan.configured if _in_blocks(first) else SAMPLES[0]
        )
        if value is None:
            table.add(name, False, problem)
            continue
        if count > 2 and _reads_only_two(subject, batch, value):
            table.inapplicable(name, "it reads the first 2 views and leaves the others out")
            continue
        found = match(subject, count)
        if found is None and first is None:
            aside = _not_to_compare(subject)
            if aside:
                table.inapplicable("value", aside)
                return table.rows, None, "" if has_queue(subject) else aside
        told = "" if found is not None else mistake(subject, count)
        if told == TWO_VIEWS_ONLY and count > 2:
            table.add(name, False, f"for two views only: it is the value {told}{_way_out(subject)}")
            for other in range(count + 1, 5):
                table.inapplicable(f"value, {other} views", f"for two views only, as the row for {count} says")
            break
        if found is None and not told and not subject.plan.takes_temperature:
            found = fitted(subject, count)
        first = first or found
        if found is None:
            table.add(name, False, _no_match(subject, count, told))
            continue
        table.add(name, True, _told(subject, found))
        _gradient(table, subject, found, count)
    return table.rows, first, ""


def _in_blocks(found: Match | None) -> bool:
    return found is not None and found.blocks > 1


def _not_to_compare(subject: Subject) -> str:
    """Why a loss that has no form is none that should have one; empty if it should."""
    if has_queue(subject):
        return "it compares with a queue of rows besides the batch, which the reference has not"
    plan = subject.plan
    if plan.layout is Layout.SEPARATE and plan.views > 2 and not _are_alike(plan.features):
        return f"`{', '.join(plan.features)}` are no views of each other, which the reference compares"
    if is_additive(subject):
        return "no sample meets another one's rows in it: it is no InfoNCE over the batch"
    return ""


def _are_alike(names: Sequence[str]) -> bool:
    """Whether names differ in a number or a letter at their end alone: ``z1, z2, z3``."""
    stems = {name.rstrip("0123456789").rstrip("ijkabc").rstrip("_") for name in names}
    return len(stems) == 1


def _way_out(subject: Subject) -> str:
    path = next((path for path, _ in subject.plan.made if role_of(path.rpartition(".")[2]) is Role.VIEWS), "n_views")
    return f"; say so with --set {path}=2, or take infonce_lint.reference, which is right for any number"


def _told(subject: Subject, found: Match) -> str:
    """What a loss computes, and what its callers have to know of it."""
    notes = []
    if found.fitted:
        notes.append("fitted: no number of the text is this temperature")
    if found.loose:
        notes.append("to four digits: it computes with numbers of float32")
    if subject.plan.layout is Layout.SAMPLE_MAJOR:
        notes.append("rows stand sample by sample (2k and 2k + 1 are partners); view by view they would be strangers")
    if subject.plan.layout is Layout.COLUMNS:
        notes.append("of columns: each column is compared, no row")
    return f"{found.told} at temperature {found.temperature:.4g}" + (f"; told: {'; '.join(notes)}" if notes else "")


def _reads_only_two(subject: Subject, batch: Sequence[Tensor], value: Tensor) -> bool:
    pair, _ = attempt(subject.value, batch[:2], configured=len(batch[0]))
    return pair is not None and torch.equal(pair, value)


def _gradient(table: Table, subject: Subject, found: Match, count: int) -> None:
    name = f"gradient, {count} views"
    if subject.plan.arrays:
        table.inapplicable(name, "it takes numpy arrays")
        return
    if not subject.plan.differentiable:
        table.add(name, False, "it has no gradient at its features")
        return
    samples = SAMPLES[1] if found.blocks == 1 else 2 * found.blocks
    held = subject.plan.still if held_on_purpose(subject, found) else ()
    mine = batch_of(subject, samples, count)
    ours = _along(_gradients(subject.value(mine, configured=size_for(subject, found, samples)), mine), mine, held)

    def of(form: Form) -> Tensor:
        views = batch_of(subject, samples, count)
        return _along(_gradients(form(views, found.temperature), views), views, held)

    theirs = of(lambda views, temperature: found.expected(views, temperature))
    distance = float((ours - theirs).norm() / theirs.norm())
    if distance <= 10 * tolerance(subject) * (30 if found.loose else 1):
        table.add(name, True, f"that of {found.told}" + (", where the code lets it flow" if held else ""))
        return
    ratio = float(ours.norm() / theirs.norm())
    cosine = float(torch.cosine_similarity(ours, theirs, dim=0))
    cause = "part of the loss is detached"
    variants = (keys_held, keys_held_towers) if count == 2 else (keys_held,)
    if subject.plan.still or any(torch.cosine_similarity(ours, of(each), dim=0) > 1 - 1e-6 for each in variants):
        cause += ": keys detached, so that rows learn as anchors only"
    elif cosine > 1 - 1e-6:
        cause = "it is scaled on its way back"
    table.add(
        name,
        False,
        f"the value is that of {found.told}, the gradient is not (length x {ratio:.3g}, cosine {cosine:.3g}): {cause}",
    )


def _gradients(value: Tensor, views: Sequence[Tensor]) -> list[Tensor]:
    found = torch.autograd.grad(value, list(views), allow_unused=True)
    return [torch.zeros_like(view) if each is None else each for view, each in zip(views, found)]


def _along(gradients: Sequence[Tensor], views: Sequence[Tensor], held: Sequence[int] = ()) -> Tensor:
    """Gradients without their part along each row: whether rows are brought to length 1 is another check's concern."""
    flat = []
    for number, (gradient, view) in enumerate(zip(gradients, views)):
        row = view.detach()
        if number not in held:
            flat.append(gradient - (gradient * row).sum(dim=1, keepdim=True) * row)
    return torch.cat([each.flatten() for each in flat])


def _no_match(subject: Subject, count: int, told: str) -> str:
    fixed = fixed_denominator(subject, count)
    if fixed is not None:
        return f"its sum is divided by {fixed:.4g} whatever the batch: a fixed denominator"
    batch = batch_of(subject, SAMPLES[1], count)
    value = float(subject.value(batch, configured=SAMPLES[1]).detach())
    temperature = temperatures(subject)[0]
    forms = {name: float(form(batch, temperature).detach()) for name, form in forms_for(subject, count).items()}
    named = {name: wanted for name, wanted in forms.items() if "," not in name}
    digits = next(
        (each for each in (4, 6, 8) if f"{value:.{each}g}" not in {f"{w:.{each}g}" for w in named.values()}), 10
    )
    shown = ", ".join(f"{name} {wanted:.{digits}g}" for name, wanted in named.items())
    text = f"{value:.{digits}g} is no form of the loss ({shown})"
    if told:
        return f"{text}; it is the value {told}"
    other = fitted(subject, count) if subject.plan.takes_temperature else None
    if other is not None:
        text += f"; it is {other.told} at temperature {other.temperature:.4g}, where {temperature:g} is given"
    return text
