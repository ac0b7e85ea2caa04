"""The rules, one file each; a new file in this folder is a new rule."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

from infonce_lint.rule import Rule


def discover() -> tuple[Rule, ...]:
    """An instance of every rule class defined in this folder's files, in the order of their codes."""
    found: list[Rule] = []
    for file in sorted(Path(__file__).parent.glob("[a-z]*.py")):
        module = import_module(f"{__name__}.{file.stem}")
        for each in vars(module).values():
            if isinstance(each, type) and issubclass(each, Rule) and each.__module__ == module.__name__:
                found.append(each())
    return tuple(sorted(found, key=lambda rule: rule.code))


RULES: tuple[Rule, ...] = discover()
