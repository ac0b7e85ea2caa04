"""The findings that a project knows of and does not want to hear about: a file that lists them, and what matches it.

A finding is known by its code, its function and its statement, never by its row (`engine/marks.py`).
"""

from __future__ import annotations

import contextlib
import json
import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from infonce_lint import __version__
from infonce_lint.engine.checked import FileReport
from infonce_lint.engine.marks import Mark, marks
from infonce_lint.finding import Finding
from infonce_lint.running.configuration import ConfigurationError
from infonce_lint.running.writing import write_atomically
from infonce_lint.settings import Settings
from infonce_lint.sources.source import SourceFile

if TYPE_CHECKING:
    from infonce_lint.engine.linter import Linted

VERSION = 1
"""The version of the file's format."""


class BaselineError(ConfigurationError):
    """A baseline that cannot be used; its text is one line that names the file."""


class Baseline:
    """The known findings of many files; the paths in the file at ``path`` are relative to its folder.

    Args:
        path: the baseline's own file.
        known: the marks of each file's findings, by the file's path as it stands in the baseline.
    """

    def __init__(self, path: str, known: Mapping[str, Iterable[Mark]] | None = None) -> None:
        self.path = path
        self._folder = os.path.dirname(os.path.abspath(path))
        self._known = {name: tuple(entries) for name, entries in (known or {}).items()}

    @classmethod
    def read(cls, path: str) -> Baseline:
        """The baseline in the file at ``path``.

        Raises:
            BaselineError: it is missing, cannot be read, is no baseline, or one of a later version.
        """
        try:
            with open(path, encoding="utf-8-sig") as file:
                root = json.load(file)
        except FileNotFoundError:
            raise BaselineError(f"{path}: no such baseline; --write-baseline {path} makes it") from None
        except OSError as error:
            raise BaselineError(f"{path}: cannot be read: {error.strerror or error}") from None
        except (ValueError, RecursionError) as error:
            raise BaselineError(f"{path}: not a baseline: bad JSON ({' '.join(str(error).split())})") from None
        version = root.get("version") if isinstance(root, dict) else None
        if not isinstance(version, int) or isinstance(version, bool) or version < 1:
            raise BaselineError(f'{path}: not a baseline: expected an object with a "version" from 1 to {VERSION}')
        if version > VERSION:
            raise BaselineError(
                f"{path}: a baseline of version {version}; infonce-lint {__version__} reads versions up to {VERSION}"
            )
        try:
            return cls(path, {str(name): _marks(entries) for name, entries in root["findings"].items()})
        except (KeyError, TypeError, AttributeError):
            wanted = '"findings": {path: [{"code", "scope", "text", "count"}]}'
            raise BaselineError(f"{path}: not a baseline: expected {wanted}") from None

    @classmethod
    def read_or_new(cls, path: str) -> Baseline:
        """The baseline in the file at ``path``, an empty one if there is no such file.

        Raises:
            BaselineError: there is one that cannot be used; it may be some other file.
        """
        return cls.read(path) if os.path.exists(path) else cls(path)

    def known_in(self, path: str) -> tuple[Mark, ...]:
        """What is known of the file at ``path``, one mark a finding."""
        return self._known.get(self._name(path), ())

    def gone(self) -> int:
        """How many findings are known of files that no longer exist."""
        return sum(len(known) for name, known in self._known.items() if not os.path.exists(self._place(name)))

    def renewed(self, files: Sequence[FileReport], paths: Sequence[str], settings: Mapping[str, Settings]) -> Baseline:
        """The baseline after a run: the findings of ``files``, and what is known of all that the run did not look at.

        Args:
            files: the reports of the run, in which nothing counted as known.
            paths: the files and folders that the run was given.
            settings: those of each file, by its path.
        """
        looked_at = [os.path.abspath(path) for path in paths]
        by_name = {self._name(path): each for path, each in settings.items()}
        kept: dict[str, list[Mark]] = {}
        for name, known in self._known.items():
            place = self._place(name)
            covered = any(place == path or place.startswith(os.path.join(path, "")) for path in looked_at)
            if name in by_name:
                kept[name] = [mark for mark in known if not by_name[name].selects(mark.code)]
            elif not covered and os.path.exists(place):
                kept[name] = list(known)
        for file in files:
            kept.setdefault(self._name(file.path), []).extend(mark for _, mark in marks(file))
        return Baseline(self.path, {name: known for name, known in kept.items() if known})

    def write(self) -> None:
        """Write the file, sorted and indented, so that it changes where findings did and nowhere else.

        Raises:
            OSError: it cannot be written.
        """
        findings = {}
        for name, known in sorted(self._known.items()):
            counted = sorted(Counter(known).items())
            findings[name] = [{**mark._asdict(), "count": count} for mark, count in counted]
        root = {"version": VERSION, "findings": findings}
        try:
            data = json.dumps(root, indent=2, ensure_ascii=False).encode()
        except UnicodeEncodeError:  # a file name that is no text
            data = json.dumps(root, indent=2).encode()
        if os.path.exists(self.path):
            write_atomically(self.path, data + b"\n")
        else:
            with open(self.path, "xb") as file:
                file.write(data + b"\n")

    def count(self) -> int:
        """How many findings are known."""
        return sum(map(len, self._known.values()))

    def _name(self, path: str) -> str:
        """A file's path as the baseline holds it: relative to its folder, with forward slashes."""
        absolute = os.path.abspath(path)
        with contextlib.suppress(ValueError):  # another drive
            absolute = os.path.relpath(absolute, self._folder)
        return absolute.replace(os.sep, "/")

    def _place(self, name: str) -> str:
        return os.path.normpath(os.path.join(self._folder, name))


def _marks(entries: list[dict[str, Any]]) -> list[Mark]:
    found = []
    for entry in entries:
        mark, count = Mark(entry["code"], entry["scope"], entry["text"]), entry["count"]
        if not all(isinstance(part, str) for part in mark) or not isinstance(count, int) or not 0 < count < 1_000_000:
            raise TypeError
        found += [mark] * count
    return found


def split(file: FileReport, known: Sequence[Mark]) -> tuple[tuple[Finding, ...], tuple[Finding, ...]]:
    """The findings of a file that are new, and those that are ``known``; each mark covers one finding.

    Marks that agree in everything are matched first, then those of the same function (its statement was edited), then
    those of the same statement (its function was renamed, or the statement moved).
    """
    left, waiting = list(known), list(enumerate(marks(file)))
    covered: set[int] = set()
    for identity in (_whole, _scope, _statement):
        unmatched = []
        places: dict[tuple[str, ...], list[Mark]] = {}
        for mark in left:
            places.setdefault(identity(mark), []).append(mark)
        for index, (finding, mark) in waiting:
            same = places.get(identity(mark))
            if same:
                same.pop()
                covered.add(index)
            else:
                unmatched.append((index, (finding, mark)))
        left, waiting = [mark for same in places.values() for mark in same], unmatched
    new = tuple(each for index, each in enumerate(file.findings) if index not in covered)
    return new, tuple(each for index, each in enumerate(file.findings) if index in covered)


def _whole(mark: Mark) -> tuple[str, ...]:
    return mark.code, mark.scope, mark.squeezed


def _scope(mark: Mark) -> tuple[str, ...]:
    return mark.code, mark.scope


def _statement(mark: Mark) -> tuple[str, ...]:
    return mark.code, mark.squeezed


def without_known(linted: Linted, known: Sequence[Mark]) -> Linted:
    """``linted`` without the findings that are ``known``."""
    return lambda source, settings: list(split_source(source, linted(source, settings), known)[0])


def not_fixing_known(linted: Linted, known: Sequence[Mark]) -> Linted:
    """``linted`` with no fix for the losses that have a finding which is ``known``."""

    def judged(source: SourceFile, settings: Settings) -> list[Finding]:
        found = linted(source, settings)
        _, old = split_source(source, found, known)
        places = {each.unit: source.spoken(each.span.start) for each in reversed(old) if each.unit is not None}
        return [
            replace(each, fix=None)
            if each in old
            else replace(each, fix=None, withheld=_WITHHELD.format(places[each.unit]))
            if each.fix is not None and each.unit in places
            else each
            for each in found
        ]

    return judged


_WITHHELD = "the baseline holds the finding on {} of the same loss; fix them together with --no-baseline"


def split_source(
    source: SourceFile, found: list[Finding], known: Sequence[Mark]
) -> tuple[tuple[Finding, ...], tuple[Finding, ...]]:
    """As `split`, for findings that are given in the positions of ``source``."""
    return split(FileReport(source.path, tuple(found), lambda _: source.text), known)
