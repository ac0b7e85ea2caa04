"""Path patterns with the grammar of ``.gitignore``, for ``exclude`` and ``per-file-ignores``."""

from __future__ import annotations

import os
from collections.abc import Iterable
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

_WILDCARDS = frozenset("*?[]!\\#")


def anchor(pattern: str, folder: str) -> str:
    """The same pattern as an absolute one, read relative to ``folder``.

    A plain name (``build``, ``conftest.py``) stays as it is: it names an entry of any folder.
    """
    if "/" not in pattern and not _WILDCARDS & set(pattern):
        return pattern
    sign = "!" if pattern.startswith("!") else ""
    body = pattern[len(sign) :]
    body = body.removeprefix("./")
    base = "".join("\\" + c if c in _WILDCARDS else c for c in _posix(folder).rstrip("/"))
    return f"{sign}{base}/{'' if '/' in body.rstrip('/') else '**/'}{body.lstrip('/')}"


class PathPatterns:
    """Anchored patterns; plain names are looked up in a set, so the usual excludes never import pathspec."""

    def __init__(self, patterns: Iterable[str]) -> None:
        self._names = {p for p in patterns if "/" not in p}
        self._globs = [p for p in patterns if "/" in p]

    def covers(self, path: str, *, is_folder: bool = False) -> bool:
        """Whether the entry at the absolute ``path`` is meant, by its own name or by a pattern with folders."""
        return os.path.basename(path) in self._names or self.globs_cover(path, is_folder=is_folder)

    def covers_part(self, path: str, root: str) -> bool:
        """Whether ``path`` or a folder between ``root`` and it is meant."""
        inside = os.path.relpath(path, root).split(os.sep) if is_below(path, root) else [os.path.basename(path)]
        return not self._names.isdisjoint(inside) or self.globs_cover(path)

    def globs_cover(self, path: str, *, is_folder: bool = False) -> bool:
        """Whether a pattern other than a plain name means ``path`` or a folder above it."""
        # pathspec 0.12.0 says None where no pattern speaks
        return bool(self._globs) and bool(self._spec.match_file(_posix(path).lstrip("/") + "/" * is_folder))

    def is_valid(self) -> bool:
        """Whether all patterns can be understood."""
        try:
            return not self._globs or bool(self._spec)
        except ValueError:
            return False

    @cached_property
    def _spec(self) -> GitIgnoreSpec:
        from pathspec import GitIgnoreSpec

        return GitIgnoreSpec.from_lines(p if p.startswith(("/", "!")) else f"/{p}" for p in self._globs)


def is_below(path: str, folder: str) -> bool:
    """Whether the absolute ``path`` lies inside the absolute ``folder``."""
    return path.startswith(folder.rstrip(os.sep) + os.sep)


def _posix(path: str) -> str:
    return path.replace(os.sep, "/") if os.sep != "/" else path
