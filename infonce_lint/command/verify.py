"""``infonce-lint verify``: run losses, compare them with the reference, reproduce defects and prove their fixes."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from infonce_lint.command import verdicts as output
from infonce_lint.command.arguments import OneLineParser
from infonce_lint.command.verify_table import VerifyTable, read_table
from infonce_lint.running.configuration import ConfigurationError, Configurations, Overrides, did_you_mean
from infonce_lint.sources.source import SourceError
from infonce_lint.verify.checks import FAMILIES
from infonce_lint.verify.knobs import parse_set
from infonce_lint.verify.target import TargetError, parse_target, read_source
from infonce_lint.verify.verdict import Options, Verdict, judge
from infonce_lint.verify.worker import Worker, WorkerError

_SECONDS = 60.0  # for one family of checks
_EPILOG = """\
targets:
  file.py                  every contrastive loss of a file or notebook
  file.py::function        one of them; file.py::Class.method likewise
  package.module:loss      one that is imported

The losses run in a child process with stand-ins for what they read, without their file's other code. Rows of half a
batch, other view counts, other orders, low temperatures, half precision, several ranks and a GPU are tried on each.

What a project says in every run stands in its configuration file:

  [tool.infonce-lint.verify]
  set = ["args.n_views=2"]
  checks = ["value", "sizes"]
  unit-rows = true

exit codes:
  0  every loss was run, and every check passed (skipped ones are counted)
  1  a check failed, a defect was reproduced, or a loss could not be run
  2  a wrong option, a target that is not there or does not parse, or no torch
"""


def main(arguments: Sequence[str]) -> int:
    """Run the command; the result is the exit code."""
    made = parser()
    given = made.parse_args(arguments)
    try:
        options = Options(_families(given.checks), dict(map(parse_set, given.set)), given.unit_rows, given.require_gpu)
    except ValueError as error:
        made.error(str(error))
    configurations = Configurations(given.config, given.isolated, Overrides())
    tables: dict[str | None, VerifyTable] = {}
    verdicts: list[Verdict] = []
    failures: list[str] = []
    plain = given.output_format == "full"
    screen = output.console() if plain else None
    with Worker(given.time_limit or _SECONDS) as worker:
        for text in given.targets:
            try:
                target = parse_target(text)
                absolute = os.path.abspath(target.path)
                configuration = configurations.for_folder(os.path.dirname(absolute))
                if configuration.source not in tables:
                    tables[configuration.source] = read_table(configuration.source)
                table = tables[configuration.source]
                worker.seconds = given.time_limit or table.time_limit or _SECONDS
                settings = configuration.for_file(absolute)
                source = read_source(target.path)
                for verdict in judge(target, source, settings, worker, _with_table(options, table, given.checks)):
                    verdicts.append(verdict)
                    if screen is not None:
                        output.print_verdict(verdict, screen)
            except (TargetError, ConfigurationError, WorkerError) as error:
                failures.append(str(error))
                if isinstance(error, WorkerError):
                    break
            except SourceError as error:
                failures.append(f"{text}: {error.message} (row {error.position.row})")
            except OSError as error:
                failures.append(f"{text}: {error.strerror or error}")
    failures += _unread(options.sets, verdicts)
    if screen is not None and verdicts:
        output.print_summary(verdicts, screen)
    elif screen is None:
        print(output.as_json(verdicts))
    sys.stdout.flush()
    for failure in failures:
        print(f"infonce-lint: error: {failure}", file=sys.stderr)
    return 2 if failures else 0 if all(verdict.passed for verdict in verdicts) else 1


def _with_table(options: Options, table: VerifyTable, checks: Sequence[str] | None) -> Options:
    """What the command line says on top of what the project's configuration says."""
    return replace(
        options,
        families=options.families if checks or not table.checks else table.checks,
        sets={**table.sets, **options.sets},
        unit_rows=options.unit_rows or table.unit_rows,
        require_gpu=options.require_gpu or table.require_gpu,
    )


def _unread(sets: Mapping[str, object], verdicts: Sequence[Verdict]) -> Iterator[str]:
    """What is wrong with each ``--set`` that no loss reads; one that was not run may have been about to."""
    if not verdicts or any(verdict.examination.problem for verdict in verdicts):
        return
    made = frozenset[str]().union(*(verdict.examination.made for verdict in verdicts))
    for path in sets:
        if path not in made:
            told = did_you_mean(path, sorted(made))
            yield f"--set {path}: no loss reads it{told}; they read {', '.join(sorted(made)) or 'nothing from outside'}"


def _families(values: Sequence[str] | None) -> tuple[str, ...]:
    if not values:
        return FAMILIES
    wanted = [part.strip() for value in values for part in value.split(",") if part.strip()]
    for each in wanted:
        if each not in FAMILIES:
            raise ValueError(
                f"--checks: unknown {each!r}{did_you_mean(each, FAMILIES)}; there are {', '.join(FAMILIES)}"
            )
    return tuple(each for each in FAMILIES if each in wanted)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds above 0")
    return seconds


def parser() -> argparse.ArgumentParser:
    """The options of the command."""
    made = OneLineParser(
        prog="infonce-lint verify",
        description="Runs contrastive losses: against a reference loss, and before and after a fix.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    made.add_argument("targets", nargs="+", metavar="TARGET", help="what to run, see below")
    made.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="a parameter or an attribute that the loss reads, such as args.temperature=0.07 (may be repeated)",
    )
    made.add_argument("--checks", action="append", metavar="NAMES", help=f"only these: {', '.join(FAMILIES)}")
    made.add_argument("--unit-rows", action="store_true", help="the loss expects rows of length 1 (no scale check)")
    made.add_argument("--require-gpu", action="store_true", help="without a GPU its checks fail")
    made.add_argument("--time-limit", type=_seconds, metavar="SECONDS", help="for one family of checks (default: 60)")
    made.add_argument("--output-format", choices=("full", "json"), default="full", help="default: full")
    made.add_argument("--config", metavar="FILE", help="this file in place of the nearest pyproject.toml")
    made.add_argument("--isolated", action="store_true", help="read no configuration file")
    return made
