"""The command ``infonce-lint``: arguments become calls, and what comes back becomes an exit code."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    import argparse

    from infonce_lint.cache import ResultCache
    from infonce_lint.configuration import Configurations
    from infonce_lint.linter import Linted
    from infonce_lint.report import FileReport
    from infonce_lint.runner import Mode, Outcome

#: Sub-commands and the modules whose `main` runs them; known as the first argument only (a folder: ``./explain``).
COMMANDS = {
    "explain": "infonce_lint.explain",
    "server": "infonce_lint.server.command",
    "verify": "infonce_lint.verify.command",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; the result is the exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # a file name or a message must not fail for want of a letter
            stream.reconfigure(errors="backslashreplace")
    try:
        if given and given[0] in COMMANDS:
            import importlib

            command: Callable[[Sequence[str]], int] = importlib.import_module(COMMANDS[given[0]]).main
            code = command(given[1:])
        else:
            code = _check(given)
        sys.stdout.flush()
    except KeyboardInterrupt:
        print("infonce-lint: interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:  # the reader has enough, as in `infonce-lint . | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except Exception as error:  # whatever it is, the user gets one line
        print(f"infonce-lint: internal error, please report it: {type(error).__name__}: {error}", file=sys.stderr)
        return 2
    return code


def _check(arguments: Sequence[str]) -> int:
    from infonce_lint.arguments import overrides, parser
    from infonce_lint.configuration import ConfigurationError, Configurations

    parse = parser()
    options = parse.parse_args(arguments)
    paths: list[str] = options.paths or ["."]
    if "-" in paths and len(paths) > 1:
        parse.error("- (standard input) cannot be combined with other paths")
    if options.stdin_filename and paths != ["-"]:
        parse.error("--stdin-filename needs - as the path")
    try:
        configurations = Configurations(options.config, options.isolated, overrides(options))
        if options.show_settings:
            return _show_settings(options.stdin_filename or paths[0], configurations)
        if options.config is not None and not options.isolated:
            configurations.for_folder(os.getcwd())  # one bad --config is one error, not one a folder
        if options.prove and not (options.fix or options.diff):
            parse.error("--prove needs --fix or --diff: it says which of their fixes are proven")
        outcomes, errors, warnings = _proven_outcomes(options, paths, configurations)
    except ConfigurationError as error:
        _say("error", str(error))
        return 2
    return _finish(options, outcomes, errors, warnings)


def _proven_outcomes(
    options: argparse.Namespace, paths: Sequence[str], configurations: Configurations
) -> tuple[list[Outcome], list[str], list[str]]:
    """The outcomes; under ``--prove`` with the fixes alone that running the losses has proven."""
    if not options.prove:
        return _outcomes(options, paths, configurations)
    from infonce_lint.verify.proving import Prover
    from infonce_lint.verify.worker import WorkerError

    try:
        with Prover(unsafe=options.unsafe_fixes) as prover:
            return _outcomes(options, paths, configurations, prover.lint)
    except WorkerError as error:
        return [], [str(error)], []


def _outcomes(
    options: argparse.Namespace,
    paths: Sequence[str],
    configurations: Configurations,
    linted: Linted | None = None,
) -> tuple[list[Outcome], list[str], list[str]]:
    from infonce_lint.runner import available_processors, run

    mode = _mode(options)
    if paths == ["-"]:
        return [_from_stdin(options, configurations, mode, linted)], [], []
    from infonce_lint.files import discover
    from infonce_lint.report.progress import with_progress

    found = discover(paths, configurations)
    known = None if options.no_cache else _known_results()
    jobs: int = options.jobs or available_processors()
    outcomes = run(found.targets, mode, unsafe=options.unsafe_fixes, linted=linted, jobs=jobs, known=known)
    if not options.quiet:
        outcomes = with_progress(outcomes, len(found.targets), sys.stderr)
    return list(outcomes), found.errors, found.warnings


def _known_results() -> ResultCache:
    from infonce_lint.cache import ResultCache

    return ResultCache(os.getcwd())


def _mode(options: argparse.Namespace) -> Mode:
    from infonce_lint.runner import Mode

    return Mode.DIFF if options.diff else Mode.FIX if options.fix else Mode.LINT


def _from_stdin(
    options: argparse.Namespace, configurations: Configurations, mode: Mode, linted: Linted | None
) -> Outcome:
    from infonce_lint.files import is_excluded, shown
    from infonce_lint.runner import Outcome, process_bytes

    data = sys.stdin.buffer.read()
    name = shown(options.stdin_filename) if options.stdin_filename else "-"
    absolute = os.path.abspath(options.stdin_filename or "-")
    configuration = configurations.for_folder(os.path.dirname(absolute))
    if configuration.settings.force_exclude and options.stdin_filename and is_excluded(absolute, configuration):
        return Outcome(name, data)
    settings = configuration.for_file(absolute)
    return process_bytes(data, name, settings, mode, unsafe=options.unsafe_fixes, linted=linted)


def _finish(
    options: argparse.Namespace, outcomes: Sequence[Outcome], errors: Sequence[str], warnings: Sequence[str]
) -> int:
    """Write everything that is to be written, and weigh it."""
    failures = [*errors, *(outcome.error for outcome in outcomes if outcome.error)]
    notes = [outcome.note for outcome in outcomes if outcome.note]
    files = [outcome.report for outcome in outcomes]
    from_stdin = options.paths == ["-"]
    if options.diff:
        for outcome in outcomes:
            _write_diff(outcome)
    elif options.fix and from_stdin:
        outcome = outcomes[0]
        sys.stdout.buffer.write(outcome.data if outcome.after is None else outcome.after)
        sys.stdout.flush()
    fixed = sum(outcome.fixed for outcome in outcomes)
    code = _exit_code(options, outcomes, failed=bool(failures))
    beside = options.diff or (options.fix and from_stdin)  # standard output is taken
    try:
        _write_report(options, files, fixed, sys.stderr if beside else sys.stdout, complete=not failures)
    except OSError as error:
        if isinstance(error, BrokenPipeError):
            raise
        failures.append(f"{options.output_file}: cannot be written: {error.strerror or error}")
        code = 2
    sys.stdout.flush()
    for failure in failures:
        _say("error", failure)
    if not options.quiet:
        for warning in (*warnings, *notes):
            _say("warning", warning)
    return code


def _exit_code(options: argparse.Namespace, outcomes: Iterable[Outcome], *, failed: bool) -> int:
    if failed:
        return 2
    if options.exit_zero:
        return 0
    for outcome in outcomes:
        if outcome.findings or (outcome.after is not None and (options.diff or options.exit_non_zero_on_fix)):
            return 1
    return 0


def _write_diff(outcome: Outcome) -> None:
    if outcome.after is None:
        return
    from infonce_lint.report.diff import unified_diff

    sys.stdout.buffer.writelines(unified_diff(outcome.path, outcome.data, outcome.after))
    sys.stdout.buffer.flush()


def _write_report(
    options: argparse.Namespace, files: Sequence[FileReport], fixed: int, stream: TextIO, *, complete: bool
) -> None:
    """The findings in the format asked for, to ``stream`` or to the file of ``--output-file``, and the summary."""
    if options.output_file is None:
        _write_findings(stream, options, files)
    else:
        with open(options.output_file, "w", encoding="utf-8", errors="backslashreplace") as file:
            _write_findings(file, options, files)
    if options.output_format in ("full", "concise") and not options.quiet:
        from infonce_lint.report.summary import diff_summary, summary

        unsafe: bool = options.unsafe_fixes
        if options.diff:
            stream.writelines(diff_summary(files, fixed=fixed))
        elif complete or fixed or any(file.findings for file in files):
            stream.writelines(summary(files, fixed=fixed, unsafe_fixes=unsafe))
    stream.flush()


def _write_findings(stream: TextIO, options: argparse.Namespace, files: Sequence[FileReport]) -> None:
    from infonce_lint.report import reporter
    from infonce_lint.report.terminal import painter, screen_width

    unsafe: bool = options.unsafe_fixes
    if options.statistics:
        stream.writelines(_statistics(files, options.output_format, unsafe))
    elif any(file.findings for file in files) or options.output_format not in ("full", "concise"):
        if options.output_format == "full":
            from infonce_lint.report.full import report

            stream.writelines(report(files, unsafe_fixes=unsafe, paint=painter(stream), width=screen_width(stream)))
        else:
            stream.writelines(reporter(options.output_format)(files, unsafe_fixes=unsafe))


def _statistics(files: Sequence[FileReport], form: str, unsafe: bool) -> Iterable[str]:
    from infonce_lint.report.summary import statistics

    names = {}
    if any(file.findings for file in files):
        from infonce_lint.catalogue import catalogue

        names = {entry.code: entry.name for entry in catalogue()}
    rows = statistics(files, names, unsafe_fixes=unsafe)
    if form == "json":
        import json

        yield json.dumps(rows, indent=2) + "\n"
        return
    width = max((len(str(row["count"])) for row in rows), default=0)
    for row in rows:
        star = "[*]" if row["fixable"] == row["count"] else "[-]" if row["fixable"] else "[ ]"
        yield f"{row['count']:>{width}}\t{row['code']}\t{star} {row['name']}\n"


def _show_settings(path: str, configurations: Configurations) -> int:
    import json

    absolute = os.path.abspath(path)
    folder = absolute if os.path.isdir(absolute) else os.path.dirname(absolute)
    configuration = configurations.for_folder(folder)
    print(f"# {path}: settings from {configuration.source or 'the defaults'}")
    for name, value in configuration.settings._asdict().items():
        if name == "per_file_ignores":
            pairs = (f"{json.dumps(pattern)} = {json.dumps(codes)}" for pattern, codes in value)
            written = "{" + ", ".join(pairs) + "}"
        else:
            written = json.dumps(value, ensure_ascii=False)
        print(f"{name.replace('_', '-')} = {written}")
    return 0


def _say(kind: str, message: str) -> None:
    """One line to standard error, as compilers write it."""
    from infonce_lint.report.terminal import painter

    print(f"infonce-lint: {painter(sys.stderr)(kind, kind + ':')} {message}", file=sys.stderr)
