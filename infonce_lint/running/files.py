"""Which files to lint: paths and folders, less what is excluded, in a stable order and each one once."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from infonce_lint.running.configuration import Configuration, ConfigurationError, Configurations
from infonce_lint.running.patterns import PathPatterns, is_below
from infonce_lint.settings import Settings
from infonce_lint.sources.document import SUFFIXES

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

    from infonce_lint.engine.marks import Mark


class Target(NamedTuple):
    """A file to lint: its path as it is shown (relative to the current folder where it lies below it).

    ``known`` are the findings that its baseline holds; ``named`` files were asked for one by one, not with a folder.
    """

    path: str
    settings: Settings
    known: tuple[Mark, ...] = ()
    named: bool = False


class Discovery:
    """The files found, and the ``folders`` searched; ``errors`` make the exit code 2, ``warnings`` do not."""

    def __init__(self) -> None:
        self.targets: list[Target] = []
        self.folders: list[str] = []
        self.errors: list[str] = []
        self.warnings: list[str] = []


def discover(paths: Sequence[str], configurations: Configurations) -> Discovery:
    """All files that ``paths`` name or hold.

    A path that does not exist and a configuration that cannot be used are collected as errors, and the rest goes on.
    A file named explicitly is linted whatever its suffix, and even if excluded, unless ``force-exclude`` is set.
    """
    return _Search(configurations).run(paths)


def is_excluded(path: str, configuration: Configuration) -> bool:
    """Whether ``exclude`` covers ``path`` or one of the folders that it lies in."""
    return _excluded(configuration).covers_part(os.path.abspath(path), configuration.root)


def shown(path: str) -> str:
    """``path`` as people want to read it: relative to the current folder if it lies below it."""
    absolute, here = os.path.abspath(path), os.getcwd()
    return os.path.relpath(absolute, here) if is_below(absolute, here) else path


class _Search:
    def __init__(self, configurations: Configurations) -> None:
        self._configurations = configurations
        self._found = Discovery()
        self._seen: dict[str, bool] = {}  # real paths, and whether each was met under its own name
        self._links: list[tuple[int, str]] = []  # targets that are symbolic links: index and real path
        self._exclusions: dict[Configuration, PathPatterns] = {}
        self._named: set[str] = set()  # real paths

    def run(self, paths: Sequence[str]) -> Discovery:
        self._named = {os.path.realpath(path) for path in paths if os.path.isfile(path)}
        for path in paths:
            if os.path.isdir(path):
                self._take_folder(path)
            elif os.path.isfile(path):
                self._take_file(path)
            elif os.path.exists(path):
                self._report(f"{path}: neither a file nor a folder; give what it holds on standard input, as -")
            else:
                self._report(f"{path}: no such file or folder")
        for index, real in reversed(self._links):
            if self._seen[real]:  # its own name stands for it
                del self._found.targets[index]
        return self._found

    def _report(self, error: str) -> None:
        if error not in self._found.errors:  # one bad configuration serves many folders
            self._found.errors.append(error)

    def _configuration(self, folder: str) -> Configuration | None:
        try:
            return self._configurations.for_folder(folder)
        except ConfigurationError as error:
            self._report(str(error))
            return None

    def _take_file(self, path: str) -> None:
        absolute = os.path.abspath(path)
        folder = os.path.dirname(absolute)
        configuration = self._configuration(folder)
        if configuration is None:
            return
        if configuration.settings.force_exclude:
            if is_excluded(absolute, configuration):
                return
            if configuration.settings.respect_gitignore and _Ignores.above(folder).within(folder).ignore(absolute):
                return
        self._take(os.path.realpath(absolute), absolute, shown(path), configuration, is_link=os.path.islink(absolute))

    def _take(self, real: str, absolute: str, name: str, configuration: Configuration, *, is_link: bool) -> None:
        """Add a file unless it is there; one that is there under a link's name alone is added under its own."""
        if self._seen.get(real) or (is_link and real in self._seen):
            return
        self._seen[real] = not is_link
        if is_link:
            self._links.append((len(self._found.targets), real))
        self._found.targets.append(Target(name, configuration.for_file(absolute), named=real in self._named))

    def _take_folder(self, path: str) -> None:
        folder = os.path.abspath(path)
        configuration = self._configuration(folder)
        if configuration is None:
            return
        settings = configuration.settings
        ignores = _Ignores.above(folder) if settings.respect_gitignore else _Ignores()
        if settings.force_exclude and (is_excluded(folder, configuration) or ignores.ignore(folder, is_folder=True)):
            return
        if ignores.ignore(folder, is_folder=True):
            ignores = _Ignores()  # asked for by name: walked even where `.gitignore` names it
        real = os.path.realpath(folder)
        prefix = "" if folder == os.getcwd() else shown(path)
        errors, empty = len(self._found.errors), True
        for entry, found_with in self._walk(folder, ignores):
            empty = False
            inside = entry.path[len(folder) :].lstrip(os.sep)
            is_link = entry.is_symlink()
            identity = os.path.realpath(entry.path) if is_link else os.path.join(real, inside)
            self._take(identity, entry.path, os.path.join(prefix, inside), found_with, is_link=is_link)
        if empty and len(self._found.errors) == errors:
            self._found.warnings.append(f"{path}: no Python files or notebooks found (excluded ones aside)")

    def _walk(self, folder: str, ignores: _Ignores) -> Iterator[tuple[os.DirEntry[str], Configuration]]:
        """Files below ``folder`` by name; symbolic links to folders are not followed, so no loop can catch us."""
        self._found.folders.append(folder)
        configuration = self._configuration(folder)
        if configuration is None:
            return
        try:
            with os.scandir(folder) as listing:
                wanted = (entry for entry in listing if _is_source(entry.name) or _is_folder(entry))
                entries = sorted(wanted, key=lambda entry: entry.name)
        except OSError as error:
            self._report(f"{shown(folder)}: cannot be read: {error.strerror or error}")
            return
        if configuration.settings.respect_gitignore:
            ignores = ignores.within(folder)
        excluded = self._exclusion(configuration)
        for entry in entries:
            is_folder = _is_folder(entry)
            if not is_folder and not os.path.isfile(entry.path):
                continue
            if excluded.covers(entry.path, is_folder=is_folder) or ignores.ignore(entry.path, is_folder=is_folder):
                continue
            if is_folder:
                yield from self._walk(entry.path, ignores)
            else:
                yield entry, configuration

    def _exclusion(self, configuration: Configuration) -> PathPatterns:
        if configuration not in self._exclusions:
            self._exclusions[configuration] = _excluded(configuration)
        return self._exclusions[configuration]


def _is_source(name: str) -> bool:
    """Whether a file of a folder is looked at; ``._a.py`` holds what macOS knows of ``a.py``, and no Python."""
    return name.endswith(SUFFIXES) and not name.startswith("._")


def _is_folder(entry: os.DirEntry[str]) -> bool:
    return entry.is_dir(follow_symlinks=False)


def _excluded(configuration: Configuration) -> PathPatterns:
    return PathPatterns((*configuration.settings.exclude, *configuration.settings.extend_exclude))


class _Ignores(NamedTuple):
    """The ``.gitignore`` files that apply to a folder, outermost first; the innermost that speaks decides."""

    chain: tuple[tuple[str, GitIgnoreSpec], ...] = ()

    @classmethod
    def above(cls, folder: str) -> _Ignores:
        """Those of the folders from the root of the git repository down to the parent of ``folder``."""
        outer: list[str] = []
        top = folder
        while not os.path.exists(os.path.join(top, ".git")):
            if os.path.dirname(top) == top:
                return cls()  # no repository around us
            top = os.path.dirname(top)
            outer.append(top)
        ignores = cls()
        for above in reversed(outer):
            ignores = ignores.within(above)
        return ignores

    def within(self, folder: str) -> _Ignores:
        """These and the ones that ``folder`` itself holds."""
        added = tuple(
            (folder, spec)
            for name in (os.path.join(".git", "info", "exclude"), ".gitignore")
            if (spec := _read_ignores(os.path.join(folder, name))) is not None
        )
        return _Ignores(self.chain + added) if added else self

    def ignore(self, path: str, *, is_folder: bool = False) -> bool:
        """Whether git would pass over ``path``."""
        for folder, spec in reversed(self.chain):
            if is_below(path, folder):
                inside = os.path.relpath(path, folder).replace(os.sep, "/") + "/" * is_folder
                verdict = spec.check_file(inside).include
                if verdict is not None:
                    return verdict
        return False


def _read_ignores(path: str) -> GitIgnoreSpec | None:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            lines = [line for line in file.read().splitlines() if line.strip() and not line.startswith("#")]
    except OSError:
        return None
    if not lines:
        return None
    from pathspec import GitIgnoreSpec

    try:
        return GitIgnoreSpec.from_lines(lines)
    except ValueError:  # a line that is no pattern: git reports it, we lint
        return None
