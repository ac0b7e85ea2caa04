"""The options of ``infonce-lint``, and what they say about the settings."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

from infonce_lint import __version__
from infonce_lint.report import FORMATS
from infonce_lint.running.configuration import ConfigurationError, Overrides, anchored, check_codes
from infonce_lint.running.runner import Mode
from infonce_lint.sources.document import SUFFIXES

if TYPE_CHECKING:
    from _typeshed import SupportsWrite

SHELLS = ("bash", "zsh")
_EPILOG = """\
exit codes:
  0  no findings, or all of them fixed
  1  findings remain (a file that does not parse is one), or --diff shows changes
  2  a wrong option, setting or path, or an internal error

other commands (a folder of that name is ./explain):
  infonce-lint explain CODE|--all    what a rule finds, why, and how safe its fix is
  infonce-lint server                serve an editor (language server; needs the extra lsp)
  infonce-lint verify TARGET...      run a loss: compare it with the reference, reproduce a defect, prove its fix
"""


class Options(NamedTuple):
    """What the command line asks for; what makes no sense together does not get here.

    A tuple, as all that a run without findings needs: it imports no dataclasses.
    """

    paths: tuple[str, ...]
    mode: Mode
    prove: bool
    set: tuple[str, ...] | None
    unsafe_fixes: bool
    baseline: str | None
    no_baseline: bool
    write_baseline: str | None
    select: tuple[str, ...] | None
    ignore: tuple[str, ...] | None
    extend_select: tuple[str, ...] | None
    per_file_ignores: tuple[str, ...] | None
    exclude: tuple[str, ...] | None
    extend_exclude: tuple[str, ...] | None
    force_exclude: bool
    stdin_filename: str | None
    output_format: str
    output_file: str | None
    statistics: bool
    watch: bool
    quiet: bool
    exit_zero: bool
    exit_non_zero_on_fix: bool
    config: str | None
    isolated: bool
    show_settings: bool
    print_completion: str | None
    no_cache: bool
    jobs: int | None

    @property
    def from_stdin(self) -> bool:
        """Whether standard input is linted, and nothing else."""
        return self.paths == ("-",)

    @property
    def is_for_people(self) -> bool:
        """Whether the report is prose, which a summary may follow."""
        return self.output_format in ("full", "concise")

    def overrides(self) -> Overrides:
        """What they say about the settings.

        Raises:
            ConfigurationError: a code or a pattern that there is not.
        """
        here = os.getcwd()
        return Overrides(
            select=_selected(self.select),
            ignore=_codes(self.ignore, "--ignore"),
            extend_select=_codes(self.extend_select, "--extend-select") or (),
            per_file_ignores=_per_file(self.per_file_ignores, here),
            exclude=None if self.exclude is None else anchored(_split(self.exclude), here, "--exclude"),
            extend_exclude=anchored(_split(self.extend_exclude or ()), here, "--extend-exclude"),
            force_exclude=self.force_exclude,
            baseline=self._baseline(),
        )

    def _baseline(self) -> str | None:
        if self.no_baseline or self.write_baseline is not None:
            return ""
        return None if self.baseline is None else os.path.abspath(self.baseline)


class OneLineParser(argparse.ArgumentParser):
    """A parser that says what is wrong in one line, without the whole usage."""

    def error(self, message: str) -> NoReturn:
        """Leave with the exit code 2."""
        self.exit(2, f"{self.prog}: error: {message} (see {self.prog} --help)\n")

    def _print_message(self, message: str, file: SupportsWrite[str] | None = None) -> None:
        """Write the help or a message; argparse itself would be silent about an output that cannot be written."""
        if message:
            (sys.stderr if file is None else file).write(message)


def _formatter(prog: str) -> argparse.HelpFormatter:
    """The layout of the help; argparse makes one for each option, and would import shutil for its width."""
    try:
        width = int(os.environ.get("COLUMNS", "")) or os.get_terminal_size(1).columns
    except (ValueError, OSError):
        width = 80
    return argparse.RawDescriptionHelpFormatter(prog, width=width - 2)


#: Options that cannot be given together.
_CONFLICTS = (
    ("--add-noqa", "--fix"),
    ("--add-noqa", "--diff"),
    ("--add-noqa", "--write-baseline"),
    ("--add-noqa", "--watch"),
    ("--write-baseline", "--fix"),
    ("--write-baseline", "--diff"),
    ("--write-baseline", "--watch"),
    ("--write-baseline", "--baseline"),
    ("--no-baseline", "--baseline"),
    ("--statistics", "--diff"),
    ("--exit-zero", "--exit-non-zero-on-fix"),
    ("--config", "--isolated"),
    ("--show-settings", "--watch"),
)


def parse(arguments: Sequence[str]) -> Options:
    """The options as they were given; leaves with the exit code 2 if they make no sense together."""
    made = parser()
    given = made.parse_args(arguments)
    given.paths = given.paths or ["."]
    if given.output_file == "-":
        given.output_file = None  # standard output, where the report goes anyway
    wrong = _what_is_wrong(given)
    if wrong:
        made.error(wrong)
    mode = Mode.ADD_NOQA if given.add_noqa else Mode.DIFF if given.diff else Mode.FIX if given.fix else Mode.LINT
    values: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in vars(given).items()
        if name in Options._fields
    }
    return Options(mode=mode, **values)


def _what_is_wrong(given: argparse.Namespace) -> str:
    """Which options make no sense together; empty if they do."""
    names = {name for name, value in vars(given).items() if value is not None and value is not False}
    for option, other in _CONFLICTS:
        if {_field(option), _field(other)} <= names:
            return f"{option} and {other} cannot be combined"
    if "-" in given.paths:
        if len(given.paths) > 1:
            return "- (standard input) cannot be combined with other paths"
        for option in ("--add-noqa", "--write-baseline", "--watch"):
            if _field(option) in names:
                return f"{option} needs files or folders, not standard input"
    if given.stdin_filename and given.paths != ["-"]:
        return "--stdin-filename needs - as the path"
    if given.output_file is not None and _is_source(given.output_file, given.paths):
        return f"--output-file {given.output_file}: a report would replace a file that is linted; name another"
    if given.prove and not (given.fix or given.diff):
        return "--prove needs --fix or --diff: it says which of their fixes are proven"
    if given.set and not given.prove:
        return "--set needs --prove: it says what the losses are run with"
    if given.statistics and given.output_format not in ("full", "concise", "json"):
        return f"--statistics is not written as {given.output_format}; use full, concise or json"
    return ""


def _is_source(file: str, paths: Sequence[str]) -> bool:
    return file.endswith(SUFFIXES) or os.path.realpath(file) in map(os.path.realpath, paths)


def _field(option: str) -> str:
    return option[2:].replace("-", "_")


def parser() -> argparse.ArgumentParser:
    """The options of the main command."""
    made = OneLineParser(
        prog="infonce-lint",
        description="Finds and fixes contrastive losses that trust a configured batch size.",
        epilog=_EPILOG,
        formatter_class=_formatter,
        allow_abbrev=False,
    )
    made.add_argument("paths", nargs="*", metavar="PATH", help="files, folders, or - for standard input (default: .)")
    made.add_argument("--version", action="version", version=f"infonce-lint {__version__}")

    fixing = made.add_argument_group("fixing")
    fixing.add_argument("--fix", action="store_true", help="write the safe fixes")
    fixing.add_argument("--diff", action="store_true", help="show what --fix would change, and change nothing")
    fixing.add_argument("--prove", action="store_true", help="only the fixes that running the losses proves (torch)")
    fixing.add_argument("--set", action="append", metavar="NAME=VALUE", help="a value for --prove, such as args.dim=64")
    fixing.add_argument("--unsafe-fixes", action="store_true", help="also the fixes that a person should read first")

    silencing = made.add_argument_group("findings that are there already")
    silencing.add_argument("--add-noqa", action="store_true", help="silence each with a # noqa comment")
    silencing.add_argument("--baseline", metavar="FILE", help="neither report nor fix those that FILE lists")
    silencing.add_argument("--no-baseline", action="store_true", help="use none, whatever the configuration says")
    silencing.add_argument("--write-baseline", metavar="FILE", help="list all there are in FILE, and drop those gone")

    rules = made.add_argument_group("rules (comma-separated codes or prefixes; may be repeated)")
    rules.add_argument("--select", action="append", metavar="CODES", help="only these")
    rules.add_argument("--ignore", action="append", metavar="CODES", help="not these")
    rules.add_argument("--extend-select", action="append", metavar="CODES", help="these as well")
    rules.add_argument("--per-file-ignores", action="append", metavar="PATTERN:CODES", help="not these in such files")

    files = made.add_argument_group("files (patterns as in .gitignore, comma-separated; may be repeated)")
    files.add_argument("--exclude", action="append", metavar="PATTERNS", help="leave out, in place of the defaults")
    files.add_argument("--extend-exclude", action="append", metavar="PATTERNS", help="leave out as well")
    files.add_argument("--force-exclude", action="store_true", help="leave out even files named on the command line")
    files.add_argument("--stdin-filename", metavar="NAME", help="the file that standard input stands for")

    output = made.add_argument_group("output")
    output.add_argument("--output-format", choices=FORMATS, default="full", help="default: full")
    output.add_argument("--output-file", metavar="FILE", help="write the report there")
    output.add_argument("--statistics", action="store_true", help="count the findings of each rule")
    output.add_argument("--watch", action="store_true", help="lint again whenever a file changes (watchfiles)")
    output.add_argument("-q", "--quiet", action="store_true", help="findings and errors only, no summary")
    output.add_argument("--exit-zero", action="store_true", help="exit with 0 even if there are findings")
    output.add_argument("--exit-non-zero-on-fix", action="store_true", help="exit with 1 if a file was fixed")

    settings = made.add_argument_group("configuration")
    settings.add_argument("--config", metavar="FILE", help="this file in place of the nearest pyproject.toml")
    settings.add_argument("--isolated", action="store_true", help="read no configuration file")
    settings.add_argument("--show-settings", action="store_true", help="print the settings of the first path")
    settings.add_argument("--print-completion", choices=SHELLS, help="print what makes a shell complete our options")
    settings.add_argument("--no-cache", action="store_true", help="neither use nor write .infonce_lint_cache")
    settings.add_argument(
        "-j",
        "--jobs",
        type=_jobs,
        default=None,
        metavar="N",
        help="at most N processes (default: one for each processor)",
    )
    return made


def _jobs(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of processes; expected 1 or more")
    return int(text)


def _split(values: Iterable[str]) -> list[str]:
    return [part.strip() for value in values for part in value.split(",") if part.strip()]


def _codes(values: Iterable[str] | None, where: str) -> tuple[str, ...] | None:
    return None if values is None else check_codes(_split(values), where)


def _selected(values: Iterable[str] | None) -> tuple[str, ...] | None:
    codes = _codes(values, "--select")
    if codes == ():  # as from an unset variable of a script: it would look as if all were well
        raise ConfigurationError("--select: no rule code is given; expected codes or prefixes, such as NCE001,NCE9")
    return codes


def _per_file(values: Iterable[str] | None, folder: str) -> tuple[tuple[str, tuple[str, ...]], ...] | None:
    if values is None:
        return None
    where = "--per-file-ignores"
    pairs = []
    for value in values:
        pattern, colon, codes = value.rpartition(":")
        if not colon or not pattern or not codes:
            raise ConfigurationError(f"{where}: {value!r}; expected a pattern and codes, such as tests/*:NCE001,NCE002")
        (pattern,) = anchored([pattern], folder, where)
        pairs.append((pattern, check_codes(codes.split(","), where)))
    return tuple(pairs)
