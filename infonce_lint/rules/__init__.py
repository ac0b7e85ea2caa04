"""The rules, one file each: a new file in this folder with a subclass of `Rule` is a new rule."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from inspect import isabstract
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from infonce_lint.rules.rule import Rule


@cache
def discover() -> tuple[Rule, ...]:
    """An instance of every rule class defined in this folder's files, in the order of their codes.

    Imports the model, so ask for them only when they are needed.
    """
    from infonce_lint.rules.rule import Rule

    found: list[Rule] = []
    for file in sorted(Path(__file__).parent.glob("[a-z]*.py")):
        module = import_module(f"{__name__}.{file.stem}")
        own = [each for each in vars(module).values() if getattr(each, "__module__", "") == module.__name__]
        found += [each() for each in own if isinstance(each, type) and issubclass(each, Rule) and not isabstract(each)]
    return tuple(sorted(found, key=lambda rule: rule.code))
