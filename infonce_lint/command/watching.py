"""``--watch``: check, and again whenever something changes that the result depends on."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, Any

from infonce_lint.command.arguments import Options
from infonce_lint.command.checking import check, configurations_for
from infonce_lint.command.delivery import deliver, say
from infonce_lint.running.configuration import DEFAULT_EXCLUDE, ConfigurationError
from infonce_lint.running.files import Discovery
from infonce_lint.running.runner import Mode
from infonce_lint.sources.document import SUFFIXES

if TYPE_CHECKING:
    from infonce_lint.command.checking import Checked

INTERRUPTED = 130
"""The exit code after Ctrl-C, which shells give every program that an interrupt ends (ruff's ``--watch`` too)."""

CONFIGURATION_FILES = ("infonce-lint.toml", "pyproject.toml", ".gitignore")
_CLEAR = "\x1b[H\x1b[2J\x1b[3J"
_TICK = 100  # milliseconds after which the watcher says that nothing happened


def watch(options: Options) -> int:
    """Check until Ctrl-C; the result is the exit code."""
    try:
        from watchfiles import watch as changes_in
    except ImportError:
        say("error", "--watch needs watchfiles: pip install 'infonce-lint[watch]'")
        return 2
    missing = [path for path in options.paths if not os.path.exists(path)]
    for path in missing:
        say("error", f"{path}: no such file or folder")
    if missing:
        return 2
    watcher = _Watcher(options, changes_in)
    try:
        while True:
            if sys.stdout.isatty():
                sys.stdout.write(_CLEAR)
            try:
                checked = check(options, configurations_for(options), watcher.follow)
                watcher.remember_written(checked)
                deliver(options, checked)
            except ConfigurationError as error:
                watcher.follow()
                say("error", str(error))
            if not options.quiet:
                print("Watching for file changes; Ctrl-C ends it.", file=sys.stderr)
            watcher.wait()
    except KeyboardInterrupt:
        return INTERRUPTED
    except _CannotWatch as error:
        say("error", str(error))
        return 2


class _CannotWatch(Exception):
    """The system does not let us watch; the text says why."""


class _Watcher:
    """Knows which files matter, and waits until one of them changes.

    Folders are watched one by one: what is left out (environments, caches, outputs) is not watched at all.
    """

    def __init__(self, options: Options, changes_in: Callable[..., Generator[set[Any], None, None]]) -> None:
        self._changes_in = changes_in
        self._fixes = options.mode is Mode.FIX
        self._paths = [os.path.abspath(path) for path in options.paths]
        self._named = {_real(path) for path in (*self._paths, options.config, options.baseline) if path}
        self._searched: set[str] = set()
        self._written: dict[str, tuple[int, int]] = {}
        self._watched: set[str] = set()
        self._changes: Generator[set[Any], None, None] | None = None

    def follow(self, found: Discovery | None = None) -> None:
        """Watch the files found, from before they are read, so that no change can fall between two looks.

        Raises:
            _CannotWatch: too many folders for the system, for one.
        """
        if found is not None:
            self._searched = {os.path.realpath(folder) for folder in found.folders}
            self._named |= {_real(each.settings.baseline) for each in found.targets if each.settings.baseline}
        above = {folder for path in self._paths for folder in _above(path)}
        beside = {os.path.dirname(path) for path in self._named}
        wanted = {os.path.realpath(folder) for folder in {*self._searched, *above, *beside, os.getcwd()}}
        wanted = {folder for folder in wanted if os.path.isdir(folder) and os.access(folder, os.R_OK)}
        if self._changes is not None and wanted == self._watched:
            return
        before, self._watched = self._changes, wanted
        self._changes = self._changes_in(
            *sorted(wanted), watch_filter=self._matters, recursive=False, yield_on_timeout=True, rust_timeout=_TICK
        )
        try:
            next(self._changes)  # only now it watches
        except (OSError, RuntimeError) as error:
            raise _CannotWatch(f"--watch: the files cannot be watched: {error}") from None
        if before is not None:
            before.close()

    def remember_written(self, checked: Checked) -> None:
        """Take note of the files that a fix has changed: our own writing must not start another check."""
        changed = [_real(outcome.path) for outcome in checked.outcomes if self._fixes and outcome.after is not None]
        self._written = {path: _identity(path) for path in changed}

    def wait(self) -> None:
        """Return when something changed, however long that takes: only Ctrl-C ends it before."""
        for changes in self._changes or ():
            if changes:
                return

    def _matters(self, change: object, path: str) -> bool:
        path = _real(path)
        folder, name = os.path.split(path)
        if path in self._written and self._written[path] == _identity(path):
            return False
        if name in CONFIGURATION_FILES or path in self._named or path in self._searched:
            return True
        if folder not in self._searched:
            return False
        return name.endswith(SUFFIXES) or (os.path.isdir(path) and name not in DEFAULT_EXCLUDE and name[0] != ".")


def _real(path: str) -> str:
    """The path with the links in its folder resolved: how a watcher names it."""
    folder, name = os.path.split(os.path.abspath(path))
    return os.path.join(os.path.realpath(folder), name)


def _above(path: str) -> list[str]:
    """The folders from ``path`` up to the outermost that holds a repository or a configuration file."""
    chain = [path]
    while os.path.dirname(chain[-1]) != chain[-1]:
        chain.append(os.path.dirname(chain[-1]))
    tops = [
        number
        for number, folder in enumerate(chain)
        if any(os.path.exists(os.path.join(folder, name)) for name in (".git", *CONFIGURATION_FILES))
    ]
    return chain[: max(tops, default=1) + 1]


def _identity(path: str) -> tuple[int, int]:
    """A file as it stands; (0, 0) if it is gone."""
    try:
        status = os.stat(path)
    except OSError:
        return 0, 0
    return status.st_mtime_ns, status.st_size
