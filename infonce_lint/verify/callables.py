"""A loss that is at hand as an object, for test suites: a function, a class, or something that is called."""

from __future__ import annotations

import inspect
import textwrap
from collections.abc import Callable, Mapping
from typing import Any

from torch import nn

from infonce_lint.verify.entry import called_module, instance
from infonce_lint.verify.knobs import Knobs, Role, role_of
from infonce_lint.verify.plan import Plan
from infonce_lint.verify.site import Site
from infonce_lint.verify.stub import Maker
from infonce_lint.verify.subject import Subject


class CallableSubject(Subject):
    """A `Subject` that needs no file. ``arguments`` are values of parameters by name."""

    def __init__(self, loss: Callable[..., Any], name: str, arguments: Mapping[str, object]) -> None:
        super().__init__(Site("", name, 1), _text_of(loss), Knobs(sets=dict(arguments)), Plan())
        self._loss = loss

    def function(self, build: str, maker: Maker) -> Callable[..., Any]:
        """The loss itself; an object of it, where it is a class."""
        loss: Any = self._loss
        if isinstance(loss, type):
            loss = instance(loss, None, "construct", maker)
        if isinstance(loss, nn.Module):
            return called_module(loss)
        function: Callable[..., Any] = loss
        return function

    def numbers(self) -> list[float]:
        """What may be its temperature: an object's own, then the fractions of its text."""
        stored = [] if isinstance(self._loss, type) or inspect.isfunction(self._loss) else vars(self._loss).items()
        own = [float(each) for name, each in stored if role_of(name) is Role.TEMPERATURE and isinstance(each, float)]
        return own + super().numbers()


def _text_of(loss: Callable[..., Any]) -> str:
    """The source text of a loss or of its class; empty where there is none."""
    where = loss if inspect.isfunction(loss) or inspect.ismethod(loss) or isinstance(loss, type) else type(loss)
    try:
        text = textwrap.dedent(inspect.getsource(where))
        compile(text, "<loss>", "exec")
    except (OSError, TypeError, SyntaxError):
        return ""
    return text
