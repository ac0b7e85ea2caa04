"""A loss that can be run: what it returns on rows, built for one size, view count and temperature or another."""

from __future__ import annotations

import ast
import inspect
import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from infonce_lint.verify.devices import without_cuda
from infonce_lint.verify.entry import entry, parameters_of
from infonce_lint.verify.knobs import Knobs, Role, role_of
from infonce_lint.verify.objects import by_role
from infonce_lint.verify.outcome import Outcome, read
from infonce_lint.verify.plan import Plan
from infonce_lint.verify.site import Site
from infonce_lint.verify.stacking import Layout, extra, views_of
from infonce_lint.verify.stub import MISSING, Maker, Record, StandIn, Thing


class Subject:
    """The loss of a site in one version of its file's text, built and called as ``plan`` says (see `search.py`)."""

    def __init__(self, site: Site, text: str, knobs: Knobs, plan: Plan) -> None:
        self.site = site
        self.text = text
        self.knobs = replace(knobs, sizes=frozenset(site.sizes))
        self.plan = plan

    def value(self, views: Sequence[Tensor], **knobs: Any) -> Tensor:
        """The loss of ``V`` tensors ``[B, D]``, built with the given knobs (``configured``, ``temperature``, ...)."""
        return self.outcome(views, **knobs).value

    def outcome(self, views: Sequence[Tensor], **knobs: Any) -> Outcome:
        """The loss and everything else that the call returns."""
        settings = replace(self.knobs, **({"views": len(views), "given": len(views[0])} | knobs))
        return self.run(self.plan, settings, views, Record())

    def raw(self, arguments: Sequence[Any], samples: int, **knobs: Any) -> Tensor:
        """The loss of feature arguments that no batch would give: for what a loss should refuse."""
        settings = replace(self.knobs, **({"given": samples, "views": self.plan.views} | knobs))
        like = views_of(samples, settings.views, dtype=torch.float32)
        return self.run(self.plan, settings, like, Record(), arguments).value

    def numbers(self) -> list[float]:
        """The fractions that the loss's text holds, any of which may be its temperature."""
        nodes = ast.walk(ast.parse(self.text)) if self.text else ()
        found = [node.value for node in nodes if isinstance(node, ast.Constant)]
        return [each for each in dict.fromkeys(found) if isinstance(each, float) and 0.001 <= each <= 20]

    def run(
        self,
        plan: Plan,
        knobs: Knobs,
        views: Sequence[Tensor],
        record: Record,
        arranged: Sequence[Any] | None = None,
        learned: dict[str, Tensor] | None = None,
    ) -> Outcome:
        """One run, with the same random numbers every time.

        ``record`` learns what was made up for it, ``learned`` the parameters of the module whose method it is.
        """
        _seed(0)
        with without_cuda():
            if plan.group:
                _join_alone()
            maker = Maker(knobs, record)
            function = self.function(plan.build, maker)
            if knobs.seed:  # the object is the same one; what the call itself draws is another
                _seed(knobs.seed)
            if learned is not None:
                learned.update(parameters_of(function))
            if arranged is None:
                arranged = plan.layout.arrange([each.clone() for each in views])  # features are never leaves
            arguments, keywords = self._arguments(function, maker, plan, views, arranged)
            return read(function(*arguments, **keywords))

    def function(self, build: str, maker: Maker) -> Callable[..., Any]:
        """The loss as a function, its object newly built."""
        return entry(self.site, self.text, build, maker)

    def _arguments(
        self, function: Callable[..., Any], maker: Maker, plan: Plan, views: Sequence[Tensor], arranged: Sequence[Any]
    ) -> tuple[list[Any], dict[str, Any]]:
        """The arguments of a call: features where the plan says, everything else by role."""
        rows = [_as_array(each) for each in arranged] if plan.arrays else list(arranged)
        positional: list[Any] = []
        keywords: dict[str, Any] = {}
        for parameter in inspect.signature(function).parameters.values():
            if parameter.kind is parameter.VAR_KEYWORD:
                continue
            if parameter.kind is parameter.VAR_POSITIONAL:
                positional += rows if parameter.name in plan.features else []
                continue
            if parameter.name in plan.features:
                value = rows[plan.features.index(parameter.name)]
            else:
                value = self._argument(parameter, maker, plan, views)
            if parameter.kind is parameter.KEYWORD_ONLY:
                keywords[parameter.name] = value
            else:
                positional.append(value)
        return positional, keywords

    def _argument(self, parameter: inspect.Parameter, maker: Maker, plan: Plan, views: Sequence[Tensor]) -> Any:
        """An argument that takes no features."""
        name = parameter.name
        kind = dict(plan.extras).get(name)
        if kind == "an object":
            return Thing(name, maker)
        if kind is not None:
            knobs = maker.knobs
            value = extra(kind, len(views[0]), len(views), views[0], first=knobs.first, alone=knobs.alone)
            if plan.layout is Layout.SAMPLE_MAJOR and kind.startswith("row ids"):
                value = value.reshape(len(views), -1).t().flatten()
            return _as_array(value) if plan.arrays else value
        is_size = role_of(name, maker.knobs.sizes) is Role.SIZE and name not in maker.knobs.sets
        mended = maker.knobs.repaired and name in self.site.passed
        if is_size and (mended or not self.site.buggy):
            if parameter.default is None or isinstance(parameter.default, bool):
                return parameter.default
            maker.record.note(name, "the rows given")  # its callers know how many rows they pass
            return maker.knobs.given
        value = by_role(parameter, maker)
        return StandIn(name, "nothing in the file says what it is") if value is MISSING else value


def _as_array(value: Any) -> Any:
    if isinstance(value, Tensor):
        return value.detach().numpy()
    return [_as_array(each) for each in value] if isinstance(value, list) else value


def _seed(number: int) -> None:
    torch.manual_seed(number)
    random.seed(number)
    try:
        import numpy as np
    except ImportError:
        return
    np.random.seed(number)


def _join_alone() -> None:
    """A process group of one, for code that asks for its rank without asking whether there are ranks."""
    import torch.distributed as dist

    if dist.is_available() and not dist.is_initialized():
        store = dist.HashStore()  # type: ignore[attr-defined]
        dist.init_process_group("gloo", store=store, rank=0, world_size=1)
