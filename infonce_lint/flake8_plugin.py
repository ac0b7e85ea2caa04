"""The flake8 plugin ``NCE``: flake8 reads the files, selects and suppresses; the findings are the command's own."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from infonce_lint import __version__

if TYPE_CHECKING:
    import argparse
    import ast

    from infonce_lint.configuration import Configurations
    from infonce_lint.settings import Settings


class Plugin:
    """Made by flake8 once a file."""

    name = "infonce-lint"
    version = __version__

    _configurations: ClassVar[Configurations]
    _given: ClassVar[dict[str, Any]] = {}

    def __init__(self, tree: ast.Module, lines: Sequence[str], filename: str) -> None:
        self._lines = lines
        self._filename = filename

    def run(self) -> Iterator[tuple[int, int, str, type[Plugin]]]:
        """Row, column (counted from 0, as flake8 expects), text and this class, for each finding."""
        from infonce_lint.linter import lint
        from infonce_lint.source import SourceError, SourceFile

        source = SourceFile.from_text("".join(self._lines), self._filename)
        try:
            found = lint(source, self._settings(), noqa=False)
        except SourceError:  # flake8 reports what does not parse itself (E999)
            return
        for finding in found:
            start = finding.span.start
            yield start.row, start.column - 1, f"{finding.code} {finding.text}", type(self)

    def _settings(self) -> Settings:
        path = os.path.abspath(self._filename)
        return self._configurations.for_folder(os.path.dirname(path)).for_file(path)._replace(**self._given)

    @classmethod
    def add_options(cls, manager: Any) -> None:
        """Register our options; each can stand in flake8's configuration too (``nce-config-names = my_config``)."""
        more: dict[str, Any] = {"parse_from_config": True, "comma_separated_list": True, "metavar": "NAMES"}
        manager.add_option("--nce-config-names", help="more names of configuration objects", **more)
        manager.add_option("--nce-size-names", help="more names of configured batch sizes", **more)
        manager.add_option(
            "--nce-guard", parse_from_config=True, metavar="STYLE", help="how a fix checks the rows: assert or raise"
        )
        manager.add_option(
            "--nce-local-name", parse_from_config=True, metavar="NAME", help="the variable that a fix introduces"
        )

    @classmethod
    def parse_options(cls, options: argparse.Namespace) -> None:
        """Take our options, and look into the configuration of the current folder, where a mistake is said once."""
        from flake8.exceptions import ExecutionError

        from infonce_lint.configuration import ConfigurationError, Configurations, check_guard, check_name

        cls._configurations = Configurations()
        cls._given = {}
        try:
            cls._configurations.for_folder(os.getcwd())
            for field in ("config_names", "size_names"):
                names = getattr(options, f"nce_{field}") or ()
                if names:
                    where = f"--nce-{field.replace('_', '-')}"
                    cls._given[field] = tuple(check_name(name, where) for name in names)
            if options.nce_guard is not None:
                cls._given["guard"] = check_guard(options.nce_guard, "--nce-guard")
            if options.nce_local_name is not None:
                cls._given["local_name"] = check_name(options.nce_local_name, "--nce-local-name")
        except ConfigurationError as error:
            raise ExecutionError(f"infonce-lint: {error}") from None
