"""How a loss wants to be built and called: the first way that gives a finite number with a gradient at the features.

A way under which a loss computes a known form is truer than the first one that runs: rows that stand sample by sample
run view by view as well, and are paired with strangers.
"""

from __future__ import annotations

import itertools
import time
from dataclasses import replace

import torch
from torch import Tensor

from infonce_lint.verify.candidates import candidates
from infonce_lint.verify.knobs import Knobs
from infonce_lint.verify.matching import match
from infonce_lint.verify.nature import SOFTMAX, nature_of, still_views
from infonce_lint.verify.outcome import NoLoss, short
from infonce_lint.verify.plan import Plan
from infonce_lint.verify.site import Site
from infonce_lint.verify.stacking import OTHER_ROWS, Layout, views_of
from infonce_lint.verify.stub import CannotRun, Record
from infonce_lint.verify.subject import Subject

_SECONDS, _RUNS = 20.0, 300
_SIBLINGS = 12  # other ways that run, of which one may compute a known form


def find_subject(site: Site, text: str, knobs: Knobs) -> Subject:
    """The loss of a site, with the plan that was found for it.

    Raises:
        CannotRun: see `find_plan`.
    """
    subject = Subject(site, text, knobs, Plan())
    subject.plan = find_plan(subject)
    return subject


def find_plan(subject: Subject) -> Plan:
    """The plan of a loss; the one that ``subject`` has is not looked at.

    Raises:
        CannotRun: no way was found; the text tells what stopped the most promising one.
    """
    if subject.site.problem:
        raise CannotRun(subject.site.problem)
    unbuilt: list[str] = []
    failures: list[_Failure] = []
    first: Plan | None = None
    flat: Plan | None = None
    siblings = 0
    deadline = time.monotonic() + _SECONDS
    for plan in itertools.islice(candidates(subject, unbuilt), _RUNS):
        if first is not None and not _is_sibling(plan, first):
            continue
        siblings += first is not None
        for tried in (plan, replace(plan, group=True)):
            found = _try(subject, tried, failures)
            if found is not None and found.differentiable:
                if _computes_a_form(subject, found):
                    return found
                first = first or found
            flat = flat or found
            if found is not None or "process group" not in failures[-1].text:
                break
        if siblings >= _SIBLINGS or time.monotonic() > deadline or (first is not None and not _may_be_otherwise(first)):
            break
    if first is not None:
        return _without_teacher(subject, first)
    if flat is not None:
        return flat
    raise CannotRun(_first_cause(failures, unbuilt))


def _may_be_otherwise(plan: Plan) -> bool:
    """Whether another way may be the true one: only softmax losses of plain rows have a form to be told by."""
    return plan.layout.is_plain and plan.nature in ("", SOFTMAX) and not plan.random


def _is_sibling(plan: Plan, first: Plan) -> bool:
    """Whether a plan builds the loss like ``first`` and hands its rows over otherwise."""
    same = plan.build == first.build and plan.arrays == first.arrays and plan.configured == first.configured
    if not same or not plan.layout.is_plain or plan.views != first.views:
        return False
    return plan.features != first.features or plan.extras == first.extras


def _computes_a_form(subject: Subject, plan: Plan) -> bool:
    if not plan.layout.is_plain or plan.views < 2 or plan.nature not in ("", SOFTMAX):
        return False
    before, subject.plan = subject.plan, plan
    try:
        return match(subject, plan.views) is not None
    except (Exception, SystemExit):  # it may refuse the batches of the comparison
        return False
    finally:
        subject.plan = before


def _without_teacher(subject: Subject, plan: Plan) -> Plan:
    """Of three or more towers, those that no gradient reaches while it reaches two are another model's."""
    learning = tuple(name for number, name in enumerate(plan.features) if number not in plan.still)
    if plan.layout is not Layout.SEPARATE or not plan.still or len(learning) < 2:
        return plan
    others = tuple((name, OTHER_ROWS) for name in plan.features if name not in learning)
    other = replace(plan, features=learning, views=len(learning), extras=(*plan.extras, *others), still=())
    return _try(subject, other, []) or plan


class _Failure:
    """Why one way did not work: in one line, and whether it is of the loss itself or of what it was given."""

    def __init__(self, error: BaseException, plan: Plan, record: Record) -> None:
        self.text = str(error) if isinstance(error, CannotRun | NoLoss) else short(error)
        self.plan = plan
        self.broken = next(iter(record.broken.values()), "")
        self.is_bare = isinstance(error, AttributeError) and "object has no attribute" in self.text


def _first_cause(failures: list[_Failure], unbuilt: list[str]) -> str:
    """What to tell of all that went wrong: what is missing, then what the loss says itself, then what built it says.

    An object without the attributes that the loss reads fails before the loss has begun; what the object with these
    attributes fails of is nearer to the truth.
    """
    told = [each.text for each in failures if "--set" in each.text or each.text.startswith("it needs")]
    broken = [each.broken for each in failures if each.broken]
    own = [each.text for each in failures if not each.is_bare]
    missing = [each for each in unbuilt if "No module named" in each]
    causes = [*told, *broken, *(missing if not own else ()), *own, *(each.text for each in failures), *unbuilt]
    return str(causes[0]) if causes else "it takes no features"


def _try(subject: Subject, plan: Plan, failures: list[_Failure]) -> Plan | None:
    """The plan with what one run of it in float32 and one in float64 showed; None if it fails."""
    knobs = replace(subject.knobs, views=plan.views, configured=plan.configured, given=plan.configured)
    for dtype in (torch.float32, torch.float64):
        record = Record()
        views = [each.requires_grad_(not plan.arrays) for each in views_of(plan.configured, plan.views, dtype=dtype)]
        try:
            outcome = subject.run(plan, knobs, views, record)
            if not outcome.value.isfinite():
                raise NoLoss(f"it returns {outcome.value.item()}")
        except (Exception, SystemExit) as error:
            failures.append(_Failure(error, plan, record))
            return None if dtype is torch.float32 else replace(plan, double=False)
        nature = nature_of(outcome.value)
        still = still_views(outcome.value, views) if outcome.value.requires_grad else tuple(range(len(views)))
        plan = replace(
            plan,
            differentiable=len(still) < len(views),
            nature=nature,
            still=still if len(still) < len(views) else (),
            roles=tuple(sorted(role.name for role in record.roles)),
            made=tuple((path, _shown(value)) for path, value in record.values.items()),
            note=outcome.note,
        )
    return replace(plan, random=_draws(subject, plan, knobs))


def _draws(subject: Subject, plan: Plan, knobs: Knobs) -> bool:
    """Whether another seed gives another value."""
    views = views_of(plan.configured, plan.views)
    try:
        one, other = (subject.run(plan, replace(knobs, seed=seed), views, Record()).value for seed in (0, 1))
    except (Exception, SystemExit):
        return False
    return not torch.equal(one, other)


def _shown(value: object) -> str:
    return f"a tensor {list(value.shape)}" if isinstance(value, Tensor) and value.dim() else str(value)
