"""Where the settings come from: ``[tool.infonce-lint]`` of the nearest pyproject.toml, infonce-lint.toml, options."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from infonce_lint.running.patterns import PathPatterns, anchor
from infonce_lint.settings import LONGEST_LINE, SHORTEST_LINE, USUAL_LINE_LENGTH, Settings

#: Folders that hold other people's, generated or installed code.
DEFAULT_EXCLUDE = (
    ".bzr",
    ".direnv",
    ".eggs",
    ".git",
    ".hg",
    ".ipynb_checkpoints",
    ".mypy_cache",
    ".nox",
    ".pytest_cache",
    ".ruff_cache",
    ".svn",
    ".tox",
    ".venv",
    "__pycache__",
    "__pypackages__",
    "build",
    "dist",
    "node_modules",
    "site-packages",
    "venv",
)
SECTION = "tool.infonce-lint"
#: The key of the table that says how `verify` runs losses, which only that command reads.
VERIFY = "verify"
GUARDS = ("assert", "raise")


class ConfigurationError(Exception):
    """A setting that cannot be used; its text is one line that names the place, the value and what is accepted."""


class Overrides(NamedTuple):
    """What the command line says; None leaves the configuration's value. Patterns are anchored already."""

    select: tuple[str, ...] | None = None
    ignore: tuple[str, ...] | None = None
    extend_select: tuple[str, ...] = ()
    per_file_ignores: tuple[tuple[str, tuple[str, ...]], ...] | None = None
    exclude: tuple[str, ...] | None = None
    extend_exclude: tuple[str, ...] = ()
    force_exclude: bool = False
    baseline: str | None = None

    def apply(self, settings: Settings) -> Settings:
        """The settings with the command line's word put last; ``--select`` starts the selection afresh."""
        afresh = self.select is not None
        ignore = self.ignore if self.ignore is not None else () if afresh else settings.ignore
        return settings._replace(
            select=settings.select if self.select is None else self.select,
            ignore=ignore,
            extend_select=(() if afresh else settings.extend_select) + self.extend_select,
            per_file_ignores=settings.per_file_ignores if self.per_file_ignores is None else self.per_file_ignores,
            exclude=settings.exclude if self.exclude is None else self.exclude,
            extend_exclude=settings.extend_exclude + self.extend_exclude,
            force_exclude=settings.force_exclude or self.force_exclude,
            baseline=settings.baseline if self.baseline is None else self.baseline,
        )


class Configuration(NamedTuple):
    """The settings below ``root``, and the file that they were read from (None: the defaults)."""

    settings: Settings
    root: str
    source: str | None = None

    def for_file(self, path: str) -> Settings:
        """The settings of one file: ``per-file-ignores`` becomes part of its ``ignore``."""
        settings = self.settings
        if not settings.per_file_ignores:
            return settings
        ignored: list[str] = []
        for pattern, codes in settings.per_file_ignores:
            but = pattern.startswith("!")  # "all but these", as ruff reads it
            if PathPatterns([pattern.removeprefix("!")]).covers_part(path, self.root) is not but:
                # Whole codes, so that no longer prefix in `select` outweighs them.
                ignored += [code for code in known_codes() if code.startswith(codes)]
        return settings._replace(ignore=(*settings.ignore, *ignored), per_file_ignores=())


class Configurations:
    """Finds the configuration of every folder; each file is read once.

    Args:
        file: ``--config``: this file for every folder, its patterns relative to the current folder.
        isolated: ignore every configuration file.
        overrides: the command line's word.
    """

    def __init__(self, file: str | None = None, isolated: bool = False, overrides: Overrides | None = None) -> None:
        self.file = file
        self.isolated = isolated
        self.overrides = overrides or Overrides()
        self._known: dict[str, Configuration | ConfigurationError] = {}

    def for_folder(self, folder: str) -> Configuration:
        """The configuration of the files in ``folder``.

        Raises:
            ConfigurationError: its file cannot be read, or has an unknown key or a value of the wrong kind.
        """
        folder = os.path.abspath(folder)
        if folder not in self._known:
            try:
                self._known[folder] = self._find(folder)
            except ConfigurationError as error:
                self._known[folder] = error
        found = self._known[folder]
        if isinstance(found, ConfigurationError):
            raise found
        return found

    def _find(self, folder: str) -> Configuration:
        here = os.getcwd()
        if self.isolated:
            return self._build({"line_length": USUAL_LINE_LENGTH}, here)
        if self.file is not None:
            values = load(self.file, anchored_at=here)
            if values is None:
                raise ConfigurationError(f"{self.file}: has no [{SECTION}] table")
            return self._build(values, here, self.file)
        for name in ("infonce-lint.toml", "pyproject.toml"):
            path = os.path.join(folder, name)
            if os.path.isfile(path):
                values = load(path, anchored_at=folder)
                if values is not None:
                    return self._build(values, folder, path)
        parent = os.path.dirname(folder)
        return self._build({}, here) if parent == folder else self.for_folder(parent)

    def _build(self, values: Mapping[str, Any], root: str, source: str | None = None) -> Configuration:
        settings = Settings(**{"exclude": DEFAULT_EXCLUDE, **values})
        return Configuration(self.overrides.apply(settings), root, source)


def load(path: str, *, anchored_at: str) -> dict[str, Any] | None:
    """The values for `Settings` that the file at ``path`` sets; None if a pyproject.toml does not speak of us.

    Raises:
        ConfigurationError: the file cannot be read, is not TOML, or holds an unknown key or a wrong value.
    """
    table, where = table_of(path)
    if table is None:
        return None
    own = {key: value for key, value in table.items() if key != VERIFY}
    return {_field(key): _value(key, value, where, anchored_at) for key, value in own.items() if _known(key, where)}


def table_of(path: str) -> tuple[dict[str, Any] | None, str]:
    """Our table in the file at ``path`` and what to call it; None if a pyproject.toml does not speak of us.

    Raises:
        ConfigurationError: the file cannot be read, is not TOML, or holds something else than a table.
    """
    is_pyproject = os.path.basename(path) == "pyproject.toml"
    try:
        with open(path, "rb") as file:
            data = file.read()
    except OSError as error:
        raise ConfigurationError(f"{path}: cannot be read: {error.strerror or error}") from None
    if is_pyproject and b"infonce-lint" not in data:
        return None, path
    document = _parse(path, data)
    if is_pyproject:
        table = document.get("tool", {})
        table = table.get("infonce-lint") if isinstance(table, dict) else None
        if table is None:
            return None, path
    else:
        table = document
    where = f"{path}: [{SECTION}]" if is_pyproject else path
    if not isinstance(table, dict):
        raise ConfigurationError(f"{where} is {_shown(table)}; expected a table")
    return table, where


def known_codes() -> tuple[str, ...]:
    """Every code that a finding can have."""
    from infonce_lint.rules.catalogue import catalogue

    return tuple(entry.code for entry in catalogue())


def check_codes(codes: Iterable[str], where: str) -> tuple[str, ...]:
    """The codes or code prefixes, upper-cased.

    Raises:
        ConfigurationError: one of them begins no code that there is.
    """
    given = tuple(code.strip().upper() for code in codes if code.strip())
    known = known_codes() if given and given != ("NCE",) else ()
    for code in given:
        if known and not (code.startswith("NCE") and any(k.startswith(code) for k in known)):
            accepted = f"accepted are {', '.join(known)} and their prefixes, such as NCE0"
            raise ConfigurationError(f"{where}: unknown rule code {code!r}{did_you_mean(code, known)}; {accepted}")
    return given


def anchored(patterns: Iterable[str], folder: str, where: str) -> tuple[str, ...]:
    """The path patterns, read relative to ``folder``.

    Raises:
        ConfigurationError: one of them is no pattern.
    """
    made = tuple(anchor(pattern, folder) for pattern in patterns)
    for given, pattern in zip(patterns, made, strict=True):
        if not given.strip("!/ ") or not PathPatterns([pattern]).is_valid():
            raise _wrong(where, given, "a pattern as in .gitignore")
    return made


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`` (did you mean "x"?)`` for the nearest known word, or nothing."""
    from difflib import SequenceMatcher

    near = max(known, key=lambda other: SequenceMatcher(None, word, other).ratio(), default="")
    close = SequenceMatcher(None, word, near).ratio() >= 0.7
    return f' (did you mean "{near}"?)' if close else ""


def _parse(path: str, data: bytes) -> dict[str, Any]:
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    try:
        return tomllib.loads(data.decode("utf-8-sig"))
    except ValueError as error:  # TOMLDecodeError and UnicodeDecodeError alike
        raise ConfigurationError(f"{path}: not valid TOML: {' '.join(str(error).split())}") from None


def _field(key: str) -> str:
    return key.replace("-", "_")


def _known(key: str, where: str) -> bool:
    keys = [name.replace("_", "-") for name in Settings._fields]
    if key not in keys:
        hint = did_you_mean(key, keys)
        raise ConfigurationError(f'{where}: unknown key "{key}"{hint}; accepted keys: {", ".join(sorted(keys))}')
    return True


def _value(key: str, value: object, where: str, folder: str) -> object:
    """The value of ``key`` as `Settings` holds it."""
    return _READERS[_field(key)](value, f"{where}: {key}", folder)


def _flag(value: object, where: str, folder: str) -> bool:
    if not isinstance(value, bool):
        raise _wrong(where, value, "true or false")
    return value


def _strings(value: object, where: str, what: str) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(item, str) and item for item in value):
        raise _wrong(where, value, f"a list of {what}")
    return value


def _codes(value: object, where: str, folder: str) -> tuple[str, ...]:
    return check_codes(_strings(value, where, 'rule codes, such as ["NCE001"]'), where)


def _patterns(value: object, where: str, folder: str) -> tuple[str, ...]:
    return anchored(_strings(value, where, 'path patterns, such as ["build", "old/*.py"]'), folder, where)


def _names(value: object, where: str, folder: str) -> tuple[str, ...]:
    names = _strings(value, where, 'names, such as ["my_config"]')
    return tuple(check_name(name, where) for name in names)


def _per_file(value: object, where: str, folder: str) -> tuple[tuple[str, tuple[str, ...]], ...]:
    if not isinstance(value, dict):
        raise _wrong(where, value, 'a table of path patterns, such as {"tests/*" = ["NCE001"]}')
    patterns = anchored(value, folder, where)
    return tuple(
        (pattern, _codes(codes, f'{where}."{key}"', folder))
        for pattern, (key, codes) in zip(patterns, value.items(), strict=True)
    )


def _guard(value: object, where: str, folder: str) -> str:
    return check_guard(value, where)


def _local_name(value: object, where: str, folder: str) -> str:
    return check_name(value, where)


def _line_length(value: object, where: str, folder: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not SHORTEST_LINE <= value <= LONGEST_LINE:
        raise _wrong(where, value, f"a number of characters from {SHORTEST_LINE} to {LONGEST_LINE}")
    return value


def _file(value: object, where: str, folder: str) -> str:
    if not isinstance(value, str) or not value:
        raise _wrong(where, value, 'the path of a file, such as "baseline.json"')
    return os.path.abspath(os.path.join(folder, value))


def check_name(value: object, where: str) -> str:
    """``value`` if it can name a Python variable.

    Raises:
        ConfigurationError: it cannot.
    """
    import keyword

    if not isinstance(value, str) or not value.isidentifier() or keyword.iskeyword(value):
        raise _wrong(where, value, "a Python name")
    return value


def check_guard(value: object, where: str) -> str:
    """``value`` if it is a style of guard.

    Raises:
        ConfigurationError: it is not.
    """
    if value not in GUARDS:
        raise _wrong(where, value, " or ".join(f'"{guard}"' for guard in GUARDS))
    return str(value)


def _wrong(where: str, value: object, accepted: str) -> ConfigurationError:
    return ConfigurationError(f"{where} is {_shown(value)}; expected {accepted}")


def _shown(value: object) -> str:
    text = str(value).lower() if isinstance(value, bool) else repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


_READERS: dict[str, Callable[[object, str, str], object]] = {
    "select": _codes,
    "ignore": _codes,
    "extend_select": _codes,
    "per_file_ignores": _per_file,
    "exclude": _patterns,
    "extend_exclude": _patterns,
    "force_exclude": _flag,
    "respect_gitignore": _flag,
    "config_names": _names,
    "size_names": _names,
    "guard": _guard,
    "local_name": _local_name,
    "line_length": _line_length,
    "baseline": _file,
}
