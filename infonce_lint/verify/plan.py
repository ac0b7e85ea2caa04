"""How one loss is built and called, as plain data."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from infonce_lint.verify.knobs import CONFIGURED, Role
from infonce_lint.verify.stacking import Layout


@dataclass(frozen=True, slots=True)
class Plan:
    """How one loss is built and called, found by trying; it holds for every size, view count and temperature.

    Attributes:
        build: ``function``, ``construct`` (by its constructor) or ``piecewise`` (attribute by attribute).
        layout: how it takes its rows.
        views: how many views it was found to run on.
        features: the parameters that take the rows.
        extras: what parameters that no role explains are given, by the words of `stacking.extra`.
        group: it asks for a process group even alone.
        arrays: it takes numpy arrays.
        double: it works in float64.
        differentiable: a gradient reaches the features.
        nature: what its operations make it: see `nature.py`; empty if nothing is known.
        random: it draws random numbers: another seed, another value.
        still: the views, from 0, that no gradient reaches while it reaches others.
        configured: the size that it runs at, where that is written into its code.
        roles: the roles whose number it takes from the outside.
        made: every made-up value by its path.
        note: which part of its result is the loss.
    """

    build: str = "function"
    layout: Layout = Layout.STACKED
    views: int = 2
    features: tuple[str, ...] = ()
    extras: tuple[tuple[str, str], ...] = ()
    group: bool = False
    arrays: bool = False
    double: bool = True
    differentiable: bool = True
    nature: str = ""
    random: bool = False
    still: tuple[int, ...] = ()
    configured: int = CONFIGURED
    roles: tuple[str, ...] = ()
    made: tuple[tuple[str, str], ...] = ()
    note: str = ""

    def asks(self, role: Role) -> bool:
        """Whether the loss takes its number for ``role`` from the outside."""
        return role.name in self.roles

    @property
    def takes_temperature(self) -> bool:
        """Whether the temperature can be turned."""
        return self.asks(Role.TEMPERATURE) or self.asks(Role.SCALE)

    def as_json(self) -> dict[str, Any]:
        """Plain data; `from_json` reads it."""
        return asdict(self) | {"layout": self.layout.name}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Plan:
        """The plan that `as_json` wrote."""
        pairs = {key: tuple(tuple(pair) for pair in data[key]) for key in ("extras", "made")}
        single = {key: tuple(data[key]) for key in ("features", "roles", "still")}
        return cls(**data | pairs | single | {"layout": Layout[data["layout"]]})
