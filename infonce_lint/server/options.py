"""What the editor's user sets for the server, and the settings of a file that follow from it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from infonce_lint.engine.marks import Mark
from infonce_lint.running.baseline import Baseline
from infonce_lint.running.configuration import ConfigurationError, Configurations, Overrides, check_codes, did_you_mean
from infonce_lint.running.files import is_excluded, shown
from infonce_lint.running.formatting import as_project_writes
from infonce_lint.settings import Settings

SECTION = "infonce-lint"
KEYS = ("configuration", "extendSelect", "ignore", "select", "showUnsafeFixes")


class Policy(NamedTuple):
    """What counts for a file.

    Attributes:
        known: the findings that the baseline holds.
        problem: a configuration file or baseline that cannot be used and is left out.
    """

    settings: Settings
    known: tuple[Mark, ...] = ()
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Options:
    """The editor's word, as strong as that of the command line.

    Attributes:
        configuration: this file in place of the nearest pyproject.toml or infonce-lint.toml.
        show_unsafe_fixes: offer the fixes too that a person should read first.
    """

    overrides: Overrides = field(default_factory=Overrides)
    configuration: str | None = None
    show_unsafe_fixes: bool = True

    def policy(self, path: str) -> Policy | None:
        """What counts for a file, read afresh from the disk; None if the file is excluded."""
        configurations = Configurations(self.configuration, overrides=self.overrides)
        problem = ""
        known: tuple[Mark, ...] = ()
        try:
            configuration = configurations.for_folder(os.path.dirname(path))
        except ConfigurationError as error:
            problem = str(error)
            configuration = Configurations(isolated=True, overrides=self.overrides).for_folder(os.getcwd())
        if is_excluded(path, configuration):
            return None
        settings = configuration.for_file(path)
        if settings.baseline:
            try:
                known = Baseline.read(shown(settings.baseline)).known_in(path)
            except ConfigurationError as error:
                problem = str(error)
        return Policy(as_project_writes(settings, path), known, problem)


def section_of(settings: object) -> Mapping[str, Any] | None:
    """Our part of what a client calls its settings; None if there is none.

    Clients send ``{"infonce-lint": {...}}``, or our part alone.
    """
    if not isinstance(settings, Mapping):
        return None
    inner = settings.get(SECTION, settings)
    return inner if isinstance(inner, Mapping) and (inner is not settings or set(KEYS) & set(inner)) else None


def read_options(values: Mapping[str, Any]) -> tuple[Options, list[str]]:
    """The options that are good, and one line about each value that is not."""
    problems: list[str] = []
    for key in values:
        if key not in KEYS:
            problems.append(f'unknown key "{key}"{did_you_mean(str(key), KEYS)}; accepted keys: {", ".join(KEYS)}')
    codes = {key: _codes(values.get(key), key, problems) for key in ("select", "ignore", "extendSelect")}
    overrides = Overrides(codes["select"], codes["ignore"], codes["extendSelect"] or ())
    configuration = _checked(values, "configuration", str, "the path of a file", problems)
    shown = _checked(values, "showUnsafeFixes", bool, "true or false", problems)
    path = os.path.abspath(os.path.expanduser(configuration)) if configuration else None
    return Options(overrides, path, shown is not False), problems


def _codes(value: object, key: str, problems: list[str]) -> tuple[str, ...] | None:
    if value is None:
        return None
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        problems.append(f'{key} is {value!r}; expected a list of rule codes, such as ["NCE001"]')
        return None
    try:
        return check_codes(value, key)
    except ConfigurationError as error:
        problems.append(str(error))
        return None


def _checked(values: Mapping[str, Any], key: str, kind: type, expected: str, problems: list[str]) -> Any:
    """The value of ``key`` if it is of that kind; None if it is not, or not there."""
    value = values.get(key)
    if value is not None and not isinstance(value, kind):
        problems.append(f"{key} is {value!r}; expected {expected}")
        return None
    return value
