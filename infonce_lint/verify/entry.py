"""From the name of a loss to something that can be called: functions, methods with their object, inner functions."""

from __future__ import annotations

import importlib
import inspect
import os
import sys
from collections.abc import Callable
from typing import Any

from torch import Tensor, nn

from infonce_lint.verify.loading import LazyModule, load
from infonce_lint.verify.objects import by_role, construct, piecewise
from infonce_lint.verify.outcome import short
from infonce_lint.verify.site import Site
from infonce_lint.verify.stub import MISSING, CannotRun, Maker, StandIn

_CALLS = ("forward", "__call__")


def builds_of(site: Site) -> tuple[str, ...]:
    """The ways in which the loss of a site may be built, the truest first."""
    first = site.name.partition(".<locals>.")[0]
    if site.module:
        return ("construct",)
    return ("construct", "piecewise") if "." in first else ("function",)


def entry(site: Site, text: str, build: str, maker: Maker) -> Callable[..., Any]:
    """The loss of a site as a function of its features and of what else it takes.

    Raises:
        CannotRun: it cannot be built.
    """
    if site.module:
        return _member(_imported(site), site.name, build, maker)
    return _member(load(site.path, text, maker), site.name, build, maker)


def _imported(site: Site) -> Any:
    """The module of a site, from the folder that it was found in."""
    root = os.path.dirname(site.path)
    for _ in range(site.module.count(".") + os.path.basename(site.path).startswith("__init__.")):
        root = os.path.dirname(root)
    if root not in sys.path:
        sys.path.insert(0, root)
    try:
        return importlib.import_module(site.module)
    except (Exception, SystemExit) as error:  # whatever an import does
        raise CannotRun(f"{site.module} cannot be imported: {short(error)}") from error


def _member(root: Any, name: str, build: str, maker: Maker) -> Callable[..., Any]:
    outer, _, inner = name.partition(".<locals>.")
    owner: Any = None
    found: Any = root
    last = ""
    for last in outer.split("."):
        owner, found = found, getattr(found, last)
    if isinstance(found, type):
        owner, last = found, next((each for each in _CALLS if each in dir(found)), "")
    if isinstance(owner, type) and not isinstance(inspect.getattr_static(owner, last), staticmethod | classmethod):
        found = method_of(instance(owner, root, build, maker), last, build)
    if inner:
        found = _inner(found, inner, maker)
    if not callable(found):
        raise CannotRun(f"it is a {type(found).__name__} and cannot be called")
    function: Callable[..., Any] = found
    return function


def instance(cls: type, root: Any, build: str, maker: Maker) -> object:
    """An object of a class, in training mode."""
    if build == "piecewise" and isinstance(root, LazyModule):
        obj = piecewise(cls, root, maker)
    else:
        obj = construct(cls, maker)
    if isinstance(obj, nn.Module):
        nn.Module.train(obj)  # a trainer's own `train` means something else
    return obj


def method_of(obj: object, name: str, build: str) -> Any:
    """A method; ``forward`` of a module that its constructor built is called as users call it, hooks and all."""
    if name in _CALLS and build != "piecewise" and isinstance(obj, nn.Module):
        return called_module(obj)
    return getattr(obj, name)


def called_module(module: nn.Module) -> Callable[..., Any]:
    """A module as a function with the signature of its ``forward``."""

    def call(*arguments: Any, **keywords: Any) -> Any:
        return module(*arguments, **keywords)

    call.__signature__ = inspect.signature(module.forward)  # type: ignore[attr-defined]
    call.module = module  # type: ignore[attr-defined]
    return call


def parameters_of(function: Any) -> dict[str, Tensor]:
    """The parameters of the module that a function is a method of; none for other functions."""
    owner = getattr(function, "__self__", None) or getattr(function, "module", None)
    return dict(owner.named_parameters()) if isinstance(owner, nn.Module) else {}


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
