"""What the child process can be asked: how a loss is run, one family of checks, and whether a fix is right."""

from __future__ import annotations

import base64
import pickle
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from infonce_lint.verify.knobs import Knobs
from infonce_lint.verify.site import Site
from infonce_lint.verify.stub import CannotRun


def answer(request: dict[str, Any]) -> dict[str, Any]:
    """The answer to one request; ``{"cannot": why}`` for a loss that cannot be run alone."""
    if request["question"] == "ranks":
        return _ranks(request)
    site = Site.from_json(request["site"])
    knobs = Knobs(sets=request.get("sets", {}))
    try:
        return _QUESTIONS[request["question"]](site, knobs, request)
    except CannotRun as error:
        return {"cannot": " ".join(str(error).split())}


def _ranks(request: dict[str, Any]) -> dict[str, Any]:
    """The rows of ranks for a loss that another process of this package has packed."""
    from infonce_lint.verify.checks import distributed

    subject, match, aside = pickle.loads(base64.b64decode(request["packed"]))
    return {"rows": [row.as_json() for row in distributed.check(subject, match, aside, moves=False)]}


def _plan(site: Site, knobs: Knobs, request: dict[str, Any]) -> dict[str, Any]:
    from infonce_lint.verify.search import find_subject

    try:
        return {"plan": find_subject(site, request["text"], knobs).plan.as_json()}
    except CannotRun as error:
        # A loss that runs without the user's settings fails of them: that is a verdict, and no loss that cannot be run.
        if not knobs.sets:
            raise
        plan = find_subject(site, request["text"], replace(knobs, sets={})).plan
        return {"plan": plan.as_json(), "refused": str(error)}


def _prove(site: Site, knobs: Knobs, request: dict[str, Any]) -> dict[str, Any]:
    from infonce_lint.verify.experiment import experiment

    return experiment(site, request["text"], request["fixed"], knobs)


def _value(site: Site, knobs: Knobs, request: dict[str, Any]) -> dict[str, Any]:
    from infonce_lint.verify.checks import value
    from infonce_lint.verify.plan import Plan
    from infonce_lint.verify.subject import Subject

    subject = Subject(site, request["text"], knobs, Plan.from_json(request["plan"]))
    rows, match, aside = value.check(subject)
    told = match.as_json() if match is not None else None
    return {"rows": [row.as_json() for row in rows], "match": told, "aside": aside}


def _check(site: Site, knobs: Knobs, request: dict[str, Any]) -> dict[str, Any]:
    from infonce_lint.verify.checks import run_family
    from infonce_lint.verify.matching import Match
    from infonce_lint.verify.plan import Plan
    from infonce_lint.verify.subject import Subject

    subject = Subject(site, request["text"], knobs, Plan.from_json(request["plan"]))
    match = Match(**request["match"]) if request["match"] else None
    rows = run_family(request["family"], subject, match, unit_rows=request["unit_rows"], aside=request["aside"])
    return {"rows": [row.as_json() for row in rows]}


_QUESTIONS: dict[str, Callable[[Site, Knobs, dict[str, Any]], dict[str, Any]]] = {
    "plan": _plan,
    "prove": _prove,
    "value": _value,
    "check": _check,
}
