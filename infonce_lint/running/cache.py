"""What earlier runs found out: the files that had no finding, each as it stood then and for the settings it had then.

Only "nothing to report" is kept, so a cache that is lost, torn or out of date costs time and never a finding. The files
in `FOLDER` are rows of text, one for each file that was linted: its path, a NUL, its number, size and times.
"""

from __future__ import annotations

import contextlib
import os
import stat
import sys
import time
import zlib
from collections.abc import Iterator

from infonce_lint import __version__
from infonce_lint.running.files import Target
from infonce_lint.settings import Settings

FOLDER = ".infonce_lint_cache"
SETTLED_NS = 2_000_000_000
"""A file changed this shortly ago may change again within one tick of the clock; it is not remembered yet."""
_LONGEST = 200_000_000
"""Bytes; no file of ours is longer."""
_PARSED = " parsed"
"""Behind the identity of a file that has no syntax error either, which is told of the files that are named alone."""


class _Shelf:
    """The clean files for one combination of settings, path -> identity, and the file at ``place`` that keeps them."""

    def __init__(self, place: str, title: str, known: dict[str, str]) -> None:
        self.place = place
        self.title = title
        self.known = known
        self.added: dict[str, str] = {}


class ResultCache:
    """The files below one folder that are known to be clean; ``save`` writes what was learned.

    Nothing here raises: where the cache cannot be read or written there is none.
    """

    def __init__(self, folder: str) -> None:
        self._folder = os.path.join(folder, FOLDER)
        self._stamp = _stamp()
        self._shelves: dict[Settings, _Shelf] = {}

    def is_clean(self, target: Target, status: os.stat_result | None) -> bool:
        """Whether a file, as it stands, had no finding under its settings; one that is named must have been parsed."""
        if status is None:
            return False
        known, identity = self._shelf(target.settings).known.get(target.path), _identity(status)
        return known == identity + _PARSED or (known == identity and not target.named)

    def remember(self, target: Target, status: os.stat_result | None) -> None:
        """Note that a file had no finding; ``status`` is its `os.stat` from before it was read."""
        if status is None or any(mark in target.path for mark in "\0\n"):
            return
        if time.time_ns() - max(status.st_mtime_ns, status.st_ctime_ns) > SETTLED_NS:
            self._shelf(target.settings).added[target.path] = _identity(status) + _PARSED * target.named

    def save(self) -> None:
        """Write what was learned, at once and whole; of two runs that end together one wins."""
        with contextlib.suppress(OSError, UnicodeError):
            for shelf in self._shelves.values():
                if shelf.added:
                    self._prepare()
                    self._write(shelf)

    def _shelf(self, settings: Settings) -> _Shelf:
        shelf = self._shelves.get(settings)
        if shelf is None:
            place = os.path.join(self._folder, _name(settings))
            title = f"{self._stamp} {settings!r}"
            shelf = self._shelves[settings] = _Shelf(place, title, self._read(place, title))
        return shelf

    def _read(self, place: str, title: str) -> dict[str, str]:
        try:
            status = os.stat(place)
            if not stat.S_ISREG(status.st_mode) or status.st_size > _LONGEST:
                return {}
            with open(place, encoding="utf-8", errors="surrogateescape", newline="\n") as file:
                rows = file.read().split("\n")
        except (OSError, UnicodeError):
            return {}
        if rows[0] != title:
            return {}
        return dict(pair for row in rows if len(pair := row.split("\0")) == 2)

    def _prepare(self) -> None:
        """Make the folder, which tells git and backup programs to pass over it."""
        if os.path.isdir(self._folder):
            return
        os.makedirs(self._folder, exist_ok=True)
        for name, text in (
            (".gitignore", "# made by infonce-lint\n*\n"),
            ("CACHEDIR.TAG", "Signature: 8a477f597d28d172789f06886806bc55\n# made by infonce-lint\n"),
        ):
            with open(os.path.join(self._folder, name), "w", encoding="utf-8") as file:
                file.write(text)

    def _write(self, shelf: _Shelf) -> None:
        kept = {path: known for path, known in shelf.known.items() if path in shelf.added or os.path.exists(path)}
        rows = (f"{path}\0{identity}\n" for path, identity in {**kept, **shelf.added}.items())
        temporary = f"{shelf.place}.{os.getpid()}.tmp"
        try:
            with open(temporary, "w", encoding="utf-8", errors="surrogateescape", newline="\n") as file:
                file.write(f"{shelf.title}\n")
                file.writelines(rows)
            os.replace(temporary, shelf.place)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(temporary)
            raise


def _identity(status: os.stat_result) -> str:
    """A file's contents, as far as the system tells without reading them: no write leaves all of this as it was.

    Its number is needed too: files made in one tick of the clock have the same times, and folders can change places.
    """
    return f"{status.st_dev}:{status.st_ino} {status.st_size} {status.st_mtime_ns} {status.st_ctime_ns}"


def _name(settings: Settings) -> str:
    """The name of the file for these settings; its first row tells whether it really is."""
    return f"{zlib.crc32(repr(settings).encode(errors='backslashreplace')):08x}"


def _stamp() -> str:
    """This version of the linter, down to its own files, and of Python."""
    files = list(_own_files(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
    newest = max((each.st_mtime_ns for each in files), default=0)
    size = sum(each.st_size for each in files)
    return f"{__version__} {len(files)} {size} {newest} {sys.implementation.cache_tag} {sys.version_info.micro}"


def _own_files(folder: str) -> Iterator[os.stat_result]:
    """The state of every Python file of the package: any of them may decide what a finding is."""
    with contextlib.suppress(OSError), os.scandir(folder) as listing:
        for entry in listing:
            if entry.name.endswith(".py"):
                yield entry.stat()
            elif entry.is_dir(follow_symlinks=False) and entry.name != "__pycache__":
                yield from _own_files(entry.path)
