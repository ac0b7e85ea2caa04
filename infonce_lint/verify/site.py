"""Where a loss stands: all that the child process needs to build and run it, as plain data."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from infonce_lint.semantic.graph.values import Function


@dataclass(frozen=True, slots=True)
class Site:
    """One loss of a file.

    Attributes:
        path: the file, absolute (it need not exist: an unsaved buffer, a notebook's joined cells).
        name: ``function``, ``Class.method``, or ``outer.<locals>.inner``; empty if there is no such function.
        row: where it stands, from 1.
        features: the parameters that bring the features; empty if they are to be guessed from the signature.
        sizes: names that hold the configured batch size although they do not say so.
        passed: parameters through which callers in the file pass the configured size; a fix mends the callers.
        buggy: the linter has findings in it.
        reads: the rows on which its unit reads configured sizes.
        module: a dotted module to import the loss from, in place of running parts of the file.
        problem: why it cannot be run alone.
        inlined: it is written among other code, and may be cut out of it.
        foreign: the loss of another file that it calls; all that can be run is what that is given.
        cut_from: the function that the loss was cut out of (`cutting.py`), as a person would name it.
    """

    path: str
    name: str
    row: int
    features: tuple[str, ...] = ()
    sizes: tuple[str, ...] = ()
    passed: tuple[str, ...] = ()
    buggy: bool = False
    reads: tuple[int, ...] = ()
    module: str = ""
    problem: str = ""
    inlined: bool = False
    foreign: str = ""
    cut_from: str = ""

    @property
    def title(self) -> str:
        """The loss as a person would name it."""
        return self.cut_from or self.name.replace(".<locals>.", ".") or "<module>"

    def as_json(self) -> dict[str, Any]:
        """Plain data; `from_json` reads it."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Site:
        """The site that `as_json` wrote."""
        fields: dict[str, Any] = {key: tuple(each) if isinstance(each, list) else each for key, each in data.items()}
        return cls(**fields)


def path_of(function: Function) -> str:
    """``Class.method`` or ``outer.<locals>.inner``."""
    if function.owner is not None:
        return f"{function.owner.name}.{function.name}"
    if function.parent is not None and not function.parent.is_module:
        return f"{path_of(function.parent)}.<locals>.{function.name}"
    return function.name
