"""The flake8 plugin ``NCE``: flake8 reads the files, selects and suppresses; the findings are the command's own."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from infonce_lint import __version__

if TYPE_CHECKING:
    import argparse
    import ast

    from infonce_lint.finding import Finding
    from infonce_lint.running.configuration import Configurations
    from infonce_lint.settings import Settings
    from infonce_lint.sources.source import SourceFile


class Plugin:
    """Made by flake8 once a file."""

    name = "infonce-lint"
    version = __version__

    _configurations: ClassVar[Configurations]
    _given: ClassVar[dict[str, Any]] = {}
    _hears_all: ClassVar[bool] = False  # under --disable-noqa no suppression is of use

    def __init__(self, tree: ast.Module, lines: Sequence[str], filename: str) -> None:
        self._tree = tree
        self._lines = lines
        self._filename = filename

    def run(self) -> Iterator[tuple[int, int, str, type[Plugin]]]:
        """Row, column (counted from 0, as flake8 expects), text and this class, for each finding.

        Suppressed findings are among them: flake8 filters by ``# noqa`` itself. Unused suppressions are told from all
        that was found, whatever flake8 selects, so NCE901 says the same as the command does.

        Raises:
            ExecutionError: a configuration file or a baseline cannot be used; flake8 says so in one line.
        """
        from infonce_lint.report.text import one_line
        from infonce_lint.running.configuration import ConfigurationError

        try:
            findings = self._findings()
        except ConfigurationError as error:
            from flake8.exceptions import ExecutionError

            raise ExecutionError(f"infonce-lint: {error}") from None
        for finding in findings:
            start = finding.span.start
            yield start.row, start.column - 1, f"{finding.code} {one_line(finding.text)}", type(self)

    def _findings(self) -> list[Finding]:
        from infonce_lint.engine.linter import lint, reports_parse_errors
        from infonce_lint.sources.source import SourceError, SourceFile

        settings = self._settings()
        source = SourceFile.from_text("".join(self._lines), self._filename)
        source.tree = self._tree  # CPython's own of these lines, unless another plugin edited it
        try:
            found = lint(source, settings, noqa=False)
            if found and settings.baseline:
                known = self._known(source, lint(source, settings), settings)
                found = [each for each in found if each not in known]
        except SourceError as error:  # flake8 itself reports what does not parse; this is more than we can take
            return [error.finding] if reports_parse_errors(settings) else []
        return [each for each in found if not (self._hears_all and each.code == "NCE901")]

    def _known(self, source: SourceFile, found: list[Finding], settings: Settings) -> Sequence[Finding]:
        """Those that the baseline of ``settings`` holds."""
        from infonce_lint.running.baseline import Baseline, split_source
        from infonce_lint.running.files import shown

        marks = Baseline.read(shown(settings.baseline)).known_in(self._filename)
        return split_source(source, found, marks)[1]

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

        from infonce_lint.running.configuration import ConfigurationError, Configurations, check_guard, check_name

        cls._configurations = Configurations()
        cls._given = {}
        cls._hears_all = options.disable_noqa
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
