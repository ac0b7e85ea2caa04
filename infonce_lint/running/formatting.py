"""How long a project lets its rows be: what its formatter or, failing that, its linter is told."""

from __future__ import annotations

import configparser
import os
from functools import lru_cache
from typing import Any

from infonce_lint.settings import LONGEST_LINE, SHORTEST_LINE, Settings

#: Where a folder may say so: the file, and the tables of it, of formatters first.
_TOML = (
    ("pyproject.toml", (("tool", "black"), ("tool", "ruff"))),
    ("ruff.toml", ((),)),
    (".ruff.toml", ((),)),
    ("pyproject.toml", (("tool", "flake8"), ("tool", "pycodestyle"), ("tool", "pylint", "format"))),
)
_INI = ((".flake8", ("flake8",)), ("setup.cfg", ("flake8", "pycodestyle")), ("tox.ini", ("flake8", "pycodestyle")))
_KEYS = ("line-length", "line_length", "max-line-length", "max_line_length")
_BIGGEST_FILE = 1 << 20  # bytes


def as_project_writes(settings: Settings, path: str) -> Settings:
    """The settings with the row length of the project of the file at ``path``, unless they set one."""
    return settings if settings.line_length else settings._replace(line_length=project_row_length(path))


def project_row_length(path: str) -> int:
    """How many characters a row of the file at ``path`` may have, by the nearest folder that says so; 0 if none does.

    The files are those of other tools: what cannot be read or understood in them says nothing.
    """
    return _of_folder(os.path.dirname(os.path.abspath(path)))


@lru_cache(maxsize=4096)
def _of_folder(folder: str) -> int:
    for name, tables in _TOML:
        document = _toml(os.path.join(folder, name))
        for table in tables if document else ():
            if length := _length_in(_inner(document, table)):
                return length
    for name, sections in _INI:
        parser = _ini(os.path.join(folder, name))
        for section in sections if parser is not None else ():
            if parser is not None and parser.has_section(section) and (length := _length_in(dict(parser[section]))):
                return length
    parent = os.path.dirname(folder)
    is_top = parent == folder or os.path.exists(os.path.join(folder, ".git"))
    return 0 if is_top else _of_folder(parent)


def _length_in(table: dict[str, Any]) -> int:
    for key in _KEYS:
        text = str(table.get(key, "")).strip()
        if text.isdecimal() and SHORTEST_LINE <= int(text) <= LONGEST_LINE:
            return int(text)
    return 0


def _inner(document: dict[str, Any], table: tuple[str, ...]) -> dict[str, Any]:
    for key in table:
        inner = document.get(key)
        document = inner if isinstance(inner, dict) else {}
    return document


def _text_of(path: str) -> str:
    try:
        with open(path, "rb") as file:
            return file.read(_BIGGEST_FILE).decode("utf-8-sig")
    except (OSError, ValueError):
        return ""


def _toml(path: str) -> dict[str, Any]:
    import sys

    text = _text_of(path)
    if not any(key in text for key in _KEYS):
        return {}
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    try:
        return tomllib.loads(text)
    except ValueError:
        return {}


def _ini(path: str) -> configparser.RawConfigParser | None:
    text = _text_of(path)
    if not any(key in text for key in _KEYS):
        return None
    parser = configparser.RawConfigParser(strict=False)
    try:
        parser.read_string(text)
    except configparser.Error:
        return None
    return parser
