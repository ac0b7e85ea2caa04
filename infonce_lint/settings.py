"""The frozen settings that every layer reads; where they come from is the concern of `running/configuration.py`."""

from __future__ import annotations

from typing import NamedTuple

USUAL_LINE_LENGTH = 88
"""Characters of a row where neither we nor a formatter are told of any: what black and ruff take."""

SHORTEST_LINE, LONGEST_LINE = 40, 1000
"""What can be asked for."""


class Settings(NamedTuple):
    """What to report, where, and how a fix is written.

    ``select``, ``ignore`` and ``extend_select`` hold code prefixes; the longest matching prefix wins and, at equal
    length, ``ignore``. ``config_names`` and ``size_names`` add names to those that the semantic model knows.
    ``guard`` is ``"assert"`` or ``"raise"``; ``line_length`` counts the characters that a row of a fix may have (0: as
    the project's formatter says, else 88). ``baseline`` is the absolute path of a file of known findings, if any.
    """

    select: tuple[str, ...] = ("NCE",)
    ignore: tuple[str, ...] = ()
    extend_select: tuple[str, ...] = ()
    per_file_ignores: tuple[tuple[str, tuple[str, ...]], ...] = ()
    exclude: tuple[str, ...] = ()
    extend_exclude: tuple[str, ...] = ()
    force_exclude: bool = False
    respect_gitignore: bool = True
    config_names: tuple[str, ...] = ()
    size_names: tuple[str, ...] = ()
    guard: str = "assert"
    local_name: str = "actual_batch_size"
    line_length: int = 0
    baseline: str = ""

    def selects(self, code: str) -> bool:
        """Whether findings of ``code`` are wanted."""
        wanted = max((len(p) for p in (*self.select, *self.extend_select) if code.startswith(p)), default=-1)
        unwanted = max((len(p) for p in self.ignore if code.startswith(p)), default=-1)
        return wanted > unwanted
