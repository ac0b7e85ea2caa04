"""``[tool.infonce-lint.verify]``: what ``infonce-lint verify`` is told in every run of a project."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from infonce_lint.running.configuration import SECTION, VERIFY, ConfigurationError, did_you_mean, table_of
from infonce_lint.verify.checks import FAMILIES
from infonce_lint.verify.knobs import parse_set

_KEYS = ("checks", "require-gpu", "set", "time-limit", "unit-rows")


@dataclass(frozen=True, slots=True)
class VerifyTable:
    """The values of the table; what the command line says comes on top.

    Attributes:
        sets: values of parameters and attributes by dotted path.
        checks: the families to run; empty for all.
        unit_rows: callers bring rows to length 1.
        require_gpu: checks that found no device have failed.
        time_limit: seconds for one family; 0 for the default.
    """

    sets: dict[str, object] = field(default_factory=dict)
    checks: tuple[str, ...] = ()
    unit_rows: bool = False
    require_gpu: bool = False
    time_limit: float = 0.0


def read_table(path: str | None) -> VerifyTable:
    """The table of a configuration file; an empty one where there is none.

    Raises:
        ConfigurationError: an unknown key, or a value that cannot be used.
    """
    table, _ = table_of(path) if path is not None else (None, "")
    values = (table or {}).get(VERIFY)
    if values is None:
        return VerifyTable()
    where = f"{path}: [{SECTION}.{VERIFY}]"
    if not isinstance(values, dict):
        raise ConfigurationError(f"{where} is {values!r}; expected a table")
    for key in values:
        if key not in _KEYS:
            raise ConfigurationError(
                f'{where}: unknown key "{key}"{did_you_mean(key, _KEYS)}; accepted keys: {", ".join(_KEYS)}'
            )
    return VerifyTable(
        _sets(values.get("set", []), f"{where}: set"),
        _checks(values.get("checks", []), f"{where}: checks"),
        _flag(values.get("unit-rows", False), f"{where}: unit-rows"),
        _flag(values.get("require-gpu", False), f"{where}: require-gpu"),
        _seconds(values.get("time-limit", 0.0), f"{where}: time-limit"),
    )


def _texts(value: Any, where: str, what: str) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise ConfigurationError(f"{where} is {value!r}; expected a list of {what}")
    return value


def _sets(value: Any, where: str) -> dict[str, object]:
    try:
        return dict(map(parse_set, _texts(value, where, 'settings, such as ["args.n_views=2"]')))
    except ValueError as error:
        raise ConfigurationError(f"{where}: {error}") from None


def _checks(value: Any, where: str) -> tuple[str, ...]:
    for each in _texts(value, where, f"families: {', '.join(FAMILIES)}"):
        if each not in FAMILIES:
            raise ConfigurationError(
                f"{where}: unknown {each!r}{did_you_mean(each, FAMILIES)}; there are {', '.join(FAMILIES)}"
            )
    return tuple(each for each in FAMILIES if each in value)


def _flag(value: Any, where: str) -> bool:
    if not isinstance(value, bool):
        raise ConfigurationError(f"{where} is {value!r}; expected true or false")
    return value


def _seconds(value: Any, where: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < float("inf"):
        raise ConfigurationError(f"{where} is {value!r}; expected a number of seconds above 0")
    return float(value)
