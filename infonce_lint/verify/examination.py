"""The examination of one loss: every family of checks asked of the child process, one after the other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from infonce_lint.verify.checks import DEVICE_RANKS, FAMILIES, ON_DEVICE
from infonce_lint.verify.rows import Row, Status
from infonce_lint.verify.site import Site
from infonce_lint.verify.worker import Worker

#: What torch imports late, where a family needs it: seconds that each of its processes would take.
_WARM = {"distributed": ["torch._dynamo"], "gradients": ["torch.autograd.gradcheck", "torch.testing"]}


@dataclass(slots=True)
class Examination:
    """What was found out about one loss.

    Attributes:
        site: where it stands.
        how: how it was built and called, one line a fact.
        problem: why it cannot be run alone; there are no rows then.
        rows: the checks, in order.
        made: the paths of all values that were made up for it or came from the user.
    """

    site: Site
    how: tuple[str, ...] = ()
    problem: str = ""
    rows: list[Row] = field(default_factory=list)
    made: frozenset[str] = frozenset()


def examine(
    site: Site,
    text: str,
    worker: Worker,
    *,
    families: Sequence[str] = FAMILIES,
    sets: Mapping[str, object] | None = None,
    unit_rows: bool = False,
) -> Examination:
    """Run the checks of ``families`` on one loss.

    Args:
        site: the loss.
        text: its file's text.
        worker: the child process to ask.
        families: which checks; ``value`` runs in any case, since it tells the others what the loss computes.
        sets: values of parameters and attributes by dotted path.
        unit_rows: callers bring rows to length 1, as the loss expects.

    Raises:
        WorkerError: torch is not installed.
    """
    found = Examination(site)
    if site.problem:
        found.problem = site.problem
        return found
    asked: dict[str, Any] = {"site": site.as_json(), "text": text, "sets": dict(sets or {})}
    planned = worker.ask("plan", **asked)
    found.problem = planned.get("error") or planned.get("cannot") or ""
    if found.problem:
        return found
    plan = planned["plan"]
    found.how = tuple(_how(plan, built=not site.module))
    found.made = frozenset(path for path, _ in plan["made"])
    if "refused" in planned:
        given = ", ".join(f"{path}={value}" for path, value in asked["sets"].items())
        found.made |= frozenset(asked["sets"])
        told = f"with {given} it raises {planned['refused']}, and without it runs"
        found.rows = [Row("value", "the settings given", Status.FAIL, told)]
        return found
    answer = worker.ask("value", plan=plan, **asked)
    known = {"match": answer.get("match"), "aside": answer.get("aside", "")}
    if "value" in families:
        found.rows += _rows("value", answer)
    for family in families:
        if family != "value":
            details = {"plan": plan, "family": family, "unit_rows": unit_rows, **known, **asked}
            if family == "device" and worker.has_cuda:
                found.rows += _rows(family, worker.ask_on_device("check", **details | {"family": ON_DEVICE}))
                details["family"] = DEVICE_RANKS
            answer = worker.ask("check", warm=_WARM.get(family, []), **details)
            found.rows += _rows(family, answer)
    return found


def _rows(family: str, answer: dict[str, Any]) -> list[Row]:
    failure = answer.get("error") or answer.get("cannot")
    if failure:
        if answer.get("ours"):  # no verdict on the loss, which did not run then
            return [Row(family, family, Status.INAPPLICABLE, f"verify itself failed: {failure}")]
        return [Row(family, family, Status.SKIPPED if answer.get("late") else Status.FAIL, failure)]
    return [Row.from_json(each) for each in answer["rows"]]


def _how(plan: dict[str, Any], *, built: bool) -> Iterator[str]:
    """How a loss was built and called, for a reader who wonders what was run."""
    builds = {"construct": "built by its constructor", "piecewise": "built from the attributes that it reads"}
    from infonce_lint.verify.stacking import Layout

    given = f"given {Layout[plan['layout']].value} in `{', '.join(plan['features'])}`"
    yield "; ".join(each for each in (builds.get(plan["build"], "") if built else "", given, plan["note"]) if each)
    if plan["made"]:
        yield "with " + ", ".join(f"{path}={value}" for path, value in plan["made"])
    if plan["extras"]:
        yield "and " + ", ".join(f"{name}: {kind.removeprefix('=')}" for name, kind in plan["extras"])
