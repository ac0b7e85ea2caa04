"""A loss that can be run: how it is built, how it wants its rows, and what it returns on them."""

from __future__ import annotations

import inspect
import itertools
import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import torch
from torch import Tensor

from infonce_lint.semantic.names import words
from infonce_lint.verify.devices import without_cuda
from infonce_lint.verify.knobs import CONFIGURED, Knobs, Role, role_of
from infonce_lint.verify.loading import LazyModule, load
from infonce_lint.verify.objects import by_role, construct, piecewise
from infonce_lint.verify.outcome import NoLoss, Outcome, read
from infonce_lint.verify.site import Site
from infonce_lint.verify.stacking import EXTRAS, Layout, extra, views_of
from infonce_lint.verify.stub import MISSING, CannotRun, Maker, Record, StandIn, Thing

_LABEL_WORDS = frozenset("label labels target targets targ y gt ids idx index indices class".split())
_SURE_LABEL_WORDS = frozenset("label labels target targets targ".split())
_QUEUE_WORDS = frozenset("queue bank memory negatives negative".split())
_MASK_WORDS = frozenset("mask masks".split())
_SEARCH_SECONDS, _SEARCH_RUNS = 20.0, 120


@dataclass(frozen=True, slots=True)
class Plan:
    """How one loss is built and called, found by trying; it holds for every size, view count and temperature."""

    build: str = "function"  # or "construct", "piecewise"
    layout: Layout = Layout.STACKED
    views: int = 2
    features: tuple[str, ...] = ()
    extras: tuple[tuple[str, str], ...] = ()  # what other parameters without a role are given
    group: bool = False  # it asks for a process group even alone
    arrays: bool = False  # it wants numpy
    double: bool = True  # it works in float64
    differentiable: bool = True
    configured: int = CONFIGURED  # the size that it runs at, where that is written into its code
    roles: tuple[str, ...] = ()  # what it asked for
    made: tuple[tuple[str, str], ...] = ()  # every made-up value, for the report
    note: str = ""

    def asks(self, role: Role) -> bool:
        """Whether the loss takes its number for ``role`` from the outside."""
        return role.name in self.roles

    def as_json(self) -> dict[str, Any]:
        """Plain data; `from_json` reads it."""
        return asdict(self) | {"layout": self.layout.name}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Plan:
        """The plan that `as_json` wrote."""
        pairs = {key: tuple(tuple(pair) for pair in data[key]) for key in ("extras", "made")}
        single = {key: tuple(data[key]) for key in ("features", "roles")}
        return cls(**data | pairs | single | {"layout": Layout[data["layout"]]})


Loss = Callable[[Sequence[Tensor]], Outcome]


class Subject:
    """The loss of a site in one version of its file's text."""

    def __init__(self, site: Site, text: str, knobs: Knobs, plan: Plan | None = None) -> None:
        self.site = site
        self.text = text
        self.knobs = replace(knobs, sizes=frozenset(site.sizes))
        self.plan = plan if plan is not None else self._search()

    # -- running -----------------------------------------------------------------------------------------------------

    def value(self, views: Sequence[Tensor], **knobs: Any) -> Tensor:
        """The loss of ``V`` tensors ``[B, D]``, built with the given knobs (``configured``, ``temperature``, ...)."""
        return self.outcome(views, **knobs).value

    def outcome(self, views: Sequence[Tensor], **knobs: Any) -> Outcome:
        """The loss and everything else that the call returns."""
        settings = replace(self.knobs, **({"views": len(views), "given": len(views[0])} | knobs))
        return self._run(self.plan, settings, views, Record())

    def raw(self, arguments: Sequence[Any], samples: int, **knobs: Any) -> Tensor:
        """The loss of feature arguments that no batch would give: for what a loss should refuse."""
        settings = replace(self.knobs, **({"given": samples} | knobs))
        like = views_of(samples, settings.views, dtype=torch.float32)
        return self._run(self.plan, settings, like, Record(), arguments).value

    def _run(
        self,
        plan: Plan,
        knobs: Knobs,
        views: Sequence[Tensor],
        record: Record,
        arranged: Sequence[Any] | None = None,
    ) -> Outcome:
        _seed()
        with without_cuda():
            if plan.group:
                _join_alone()
            maker = Maker(knobs, record)
            function = self._function(plan.build, maker)
            if arranged is None:
                arranged = plan.layout.arrange([each.clone() for each in views])  # features are never leaves
            arguments, keywords = self._arguments(function, plan, maker, views, list(arranged))
            return read(function(*arguments, **keywords))

    def _function(self, build: str, maker: Maker) -> Callable[..., Any]:
        if self.site.module:
            return _member_of(_imported(self.site.module), self.site.name, build, maker, None)
        module = load(self.site.path, self.text, maker)
        return _member_of(module, self.site.name, build, maker, module)

    def _arguments(
        self,
        function: Callable[..., Any],
        plan: Plan,
        maker: Maker,
        views: Sequence[Tensor],
        arranged: list[Any],
    ) -> tuple[list[Any], dict[str, Any]]:
        if plan.arrays:
            arranged = [_as_array(each) for each in arranged]
        extras = dict(plan.extras)
        keywords: dict[str, Any] = {}
        positional: list[Any] = []
        for parameter in inspect.signature(function).parameters.values():
            name = parameter.name
            if parameter.kind is parameter.VAR_KEYWORD:
                continue
            if parameter.kind is parameter.VAR_POSITIONAL:
                if name in plan.features:
                    positional += arranged
                continue
            if name in plan.features:
                value = arranged[plan.features.index(name)]
            elif extras.get(name) == "an object":
                value = Thing(name, maker)
            elif name in extras:
                value = extra(extras[name], len(views[0]), len(views), views[0])
                value = _as_array(value) if plan.arrays else value
            else:
                value = by_role(parameter, maker)
                if value is MISSING:
                    value = StandIn(name, "nothing in the file says what it is")
            if parameter.kind is parameter.KEYWORD_ONLY:
                keywords[name] = value
            else:
                positional.append(value)
        return positional, keywords

    def numbers(self) -> list[float]:
        """The fractions that the loss's text holds, any of which may be its temperature."""
        import ast

        if not self.text:
            return []
        found = [node.value for node in ast.walk(ast.parse(self.text)) if isinstance(node, ast.Constant)]
        return [each for each in dict.fromkeys(found) if isinstance(each, float) and 0.001 <= each <= 20]

    # -- finding out how -----------------------------------------------------------------------------------------------

    def _search(self) -> Plan:
        """The first way of building and calling the loss that gives a finite number with a gradient.

        Raises:
            CannotRun: there is none; the text tells what stopped the most promising one.
        """
        if self.site.problem:
            raise CannotRun(self.site.problem)
        unbuilt: list[str] = []
        failures: list[str] = []
        flat: Plan | None = None
        deadline = time.monotonic() + _SEARCH_SECONDS
        for plan in itertools.islice(self._candidates(unbuilt), _SEARCH_RUNS):
            for tried in (plan, replace(plan, group=True)):
                found = self._try(tried, failures)
                if found is not None and found.differentiable:
                    return found
                flat = flat or found
                if found is not None or "process group" not in failures[-1]:
                    break
            if time.monotonic() > deadline:
                break
        if flat is not None:
            return flat
        told = [each for each in failures if "--set" in each or each.startswith("it needs")]
        raise CannotRun([*told, *failures, *unbuilt, "it takes no features"][0])

    def _try(self, plan: Plan, failures: list[str]) -> Plan | None:
        record = Record()
        knobs = replace(self.knobs, views=plan.views, configured=plan.configured, given=plan.configured)
        for dtype in (torch.float32, torch.float64):
            views = [
                each.requires_grad_(not plan.arrays) for each in views_of(plan.configured, plan.views, dtype=dtype)
            ]
            try:
                outcome = self._run(plan, knobs, views, record)
                if not outcome.value.isfinite():
                    raise NoLoss(f"it returns {outcome.value.item()}")
            except (Exception, SystemExit) as error:
                failures.append(str(error) if isinstance(error, CannotRun | NoLoss) else short(error))
                return None if dtype is torch.float32 else replace(plan, double=False)
            plan = replace(
                plan,
                differentiable=_has_gradient(outcome.value, views),
                roles=tuple(sorted(role.name for role in record.roles)),
                made=tuple((path, str(value)) for path, value in record.values.items()),
                note=outcome.note,
            )
        return plan

    def _candidates(self, unbuilt: list[str]) -> Iterator[Plan]:
        """Ways to build and call the loss, the usual ones first."""
        for build in _builds(self.site):
            try:
                with without_cuda():
                    maker = Maker(self.knobs, Record())
                    function = self._function(build, maker)
                    parameters = list(inspect.signature(function).parameters.values())
            except (CannotRun, AttributeError, NameError, TypeError, ValueError) as error:
                unbuilt.append(str(error) if isinstance(error, CannotRun) else short(error))
                continue
            features = _features(parameters, self.site.features, self.knobs.sizes)
            open_ones = [each for each in parameters if each.name not in features and _is_open(each, maker)]
            literals = _compared(self.text)
            choices = [
                [(each.name, kind) for kind in (*literals.get(each.name, ()), *_kinds(each.name))] for each in open_ones
            ]
            for arrays in (False, True):
                for configured in dict.fromkeys((CONFIGURED, *_literals(self.text, self.site))):
                    for extras in itertools.islice(itertools.product(*choices), 24):
                        for layout, views in _layouts(features, parameters):
                            yield Plan(
                                build, layout, views, features, tuple(extras), arrays=arrays, configured=configured
                            )
                            if configured != CONFIGURED:
                                break


def short(error: BaseException) -> str:
    """One line for an exception, with torch's longer explanations cut to their numbers."""
    import re

    text = " ".join(str(error).split())
    mask = re.search(r"shape of the mask (\[[\d, ]*\]).*indexed tensor (\[[\d, ]*\])", text)
    if mask:
        text = f"mask {mask[1]}, tensor {mask[2]}"
    return f"{type(error).__name__}: {text}"[:240].rstrip(": ")


def _member_of(root: Any, name: str, build: str, maker: Maker, module: LazyModule | None) -> Callable[..., Any]:
    outer, _, inner = name.partition(".<locals>.")
    parts = outer.split(".")
    found: Any = root
    for part in parts:
        owner, found = found, getattr(found, part)
    if isinstance(found, type):
        owner, found = found, getattr(found, "forward", None) or getattr(found, "__call__")
        parts = [*parts, found.__name__]
    if isinstance(owner, type) and not isinstance(inspect.getattr_static(owner, parts[-1]), staticmethod | classmethod):
        obj = piecewise(owner, module, maker) if build == "piecewise" and module is not None else construct(owner, maker)
        if isinstance(obj, torch.nn.Module):
            torch.nn.Module.train(obj)  # a trainer's own `train` means something else
        calls_itself = parts[-1] in ("forward", "__call__") and build == "construct"
        found = obj if calls_itself and callable(obj) else getattr(obj, parts[-1])
    if inner:
        found = _inner(found, inner, maker)
    return _signed(found)


def _signed(found: Any) -> Callable[..., Any]:
    """A module is called as a whole, but its signature is that of ``forward``."""
    if isinstance(found, torch.nn.Module):
        forward = found.forward
        module = found

        def call(*arguments: Any, **keywords: Any) -> Any:
            return module(*arguments, **keywords)

        call.__signature__ = inspect.signature(forward)  # type: ignore[attr-defined]
        return call
    if not callable(found):
        raise CannotRun(f"it is a {type(found).__name__} and cannot be called")
    function: Callable[..., Any] = found
    return function


def _inner(outer: Callable[..., Any], name: str, maker: Maker) -> Callable[..., Any]:
    """The function that ``outer`` builds and returns, itself or in a container."""
    arguments = {}
    for parameter in inspect.signature(outer).parameters.values():
        value = by_role(parameter, maker)
        arguments[parameter.name] = StandIn(parameter.name, "nothing says what it is") if value is MISSING else value
    made = outer(**arguments)
    several = made.values() if isinstance(made, dict) else made if isinstance(made, tuple | list) else [made]
    for each in several:
        if callable(each) and getattr(each, "__name__", "") == name.rpartition(".")[2]:
            function: Callable[..., Any] = each
            return function
    raise CannotRun(f"`{name}` is a function inside another one that does not return it")


def _imported(name: str) -> Any:
    import importlib

    try:
        return importlib.import_module(name)
    except Exception as error:
        raise CannotRun(f"{name} cannot be imported: {short(error)}") from error


def _builds(site: Site) -> tuple[str, ...]:
    first = site.name.partition(".<locals>.")[0]
    if site.module:
        return ("construct",)
    return ("construct", "piecewise") if "." in first or first[:1].isupper() else ("function",)


def _features(
    parameters: Sequence[inspect.Parameter], known: tuple[str, ...], sizes: frozenset[str]
) -> tuple[str, ...]:
    """The parameters that take the features: those the model knows, or those that nothing else explains."""
    names = {each.name: each for each in parameters}
    given = [name for name in names if name in known and not set(words(name)) & _SURE_LABEL_WORDS]
    kept = [name for name in given if names[name].default is inspect.Parameter.empty and not _is_queue(name)]
    if kept:
        return tuple(kept)
    guessed = [
        each.name
        for each in parameters
        if each.default is inspect.Parameter.empty
        and each.kind is not each.VAR_KEYWORD
        and role_of(each.name, sizes) is None
        and not set(words(each.name)) & (_LABEL_WORDS | _QUEUE_WORDS | _MASK_WORDS)
    ]
    return tuple(given or guessed or [each.name for each in parameters[:1]])


def _is_queue(name: str) -> bool:
    return not _QUEUE_WORDS.isdisjoint(words(name))


def _is_open(parameter: inspect.Parameter, maker: Maker) -> bool:
    if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
        return False
    return by_role(parameter, maker) is MISSING or (
        parameter.default is inspect.Parameter.empty and not {"label", "labels"}.isdisjoint(words(parameter.name))
    )


def _kinds(name: str) -> tuple[str, ...]:
    """What a parameter without a role may be given, likeliest first."""
    found = set(words(name))
    if found & _LABEL_WORDS:
        return ("sample ids", "row ids", "row ids as numbers", "none", "sample ids as numbers")
    if found & _QUEUE_WORDS:
        return ("queue", "queue in columns", "other rows", "none")
    if found & _MASK_WORDS:
        return ("none",)
    return EXTRAS


def _layouts(features: Sequence[str], parameters: Sequence[inspect.Parameter]) -> list[tuple[Layout, int]]:
    variadic = any(each.kind is each.VAR_POSITIONAL and each.name in features for each in parameters)
    if variadic:
        return [(Layout.SEPARATE, 2)]
    if len(features) == 1:
        return [
            (Layout.STACKED, 2), (Layout.SIDE_BY_SIDE, 2), (Layout.LISTED, 2), (Layout.STACKED, 3), (Layout.STACKED, 4),
            (Layout.STACKED, 1),
        ]  # fmt: skip
    if len(features) == 2:
        plain = (Layout.SEPARATE, Layout.SEQUENCES, Layout.TIME_FIRST, Layout.COLUMNS, Layout.STACKED_TWICE, Layout.MAPS)
        return [(layout, 2) for layout in plain]
    return [(Layout.SEPARATE, len(features)), (Layout.SEQUENCES, len(features))]


def _compared(text: str) -> dict[str, list[str]]:
    """The texts that a name is compared with, as kinds of extras: ``if estimator == "hard"``."""
    import ast

    found: dict[str, list[str]] = {}
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Compare) and isinstance(node.left, ast.Name):
            for other in node.comparators:
                if isinstance(other, ast.Constant) and isinstance(other.value, str):
                    found.setdefault(node.left.id, []).append(f"={other.value}")
    return found


def _literals(text: str, site: Site) -> list[int]:
    """Sizes that may be written into the loss: the few whole numbers of its text between 3 and 512."""
    import ast

    last = site.name.rpartition(".")[2]
    found: dict[int, None] = {}
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef) and node.name in (last, "__init__"):
            for inner in ast.walk(node):
                if isinstance(inner, ast.Constant) and type(inner.value) is int and 3 <= inner.value <= 512:
                    found.setdefault(inner.value)
    return list(found)[:3]


def _has_gradient(value: Tensor, views: Sequence[Tensor]) -> bool:
    if not value.requires_grad:
        return False
    gradients = torch.autograd.grad(value, list(views), allow_unused=True)
    return any(each is not None and bool(each.abs().max() > 0) for each in gradients)


def _as_array(value: Any) -> Any:
    if isinstance(value, Tensor):
        return value.detach().numpy()
    return [_as_array(each) for each in value] if isinstance(value, list) else value


def _seed() -> None:
    torch.manual_seed(0)
    random.seed(0)
    try:
        import numpy as np
    except ImportError:
        return
    np.random.seed(0)


def _join_alone() -> None:
    """A process group of one, for code that asks for its rank without asking whether there are ranks."""
    import torch.distributed as dist

    if dist.is_available() and not dist.is_initialized():
        dist.init_process_group("gloo", store=dist.HashStore(), rank=0, world_size=1)
