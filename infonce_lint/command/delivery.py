"""What a check has to say: the report, the summary, the messages beside them, and the exit code."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, TextIO

from infonce_lint.command.arguments import Options
from infonce_lint.running.runner import Mode

if TYPE_CHECKING:
    from infonce_lint.command.checking import Checked
    from infonce_lint.engine.checked import FileReport, Outcome


def deliver(options: Options, checked: Checked) -> int:
    """Write everything that is to be written; the result is the exit code."""
    outcomes = checked.outcomes
    failures = [*checked.errors, *(outcome.error for outcome in outcomes if outcome.error)]
    warnings = [*checked.warnings, *(outcome.withheld for outcome in outcomes if outcome.withheld)]
    code = _exit_code(options, outcomes, failed=bool(failures))
    if options.write_baseline is not None:
        failures += _write_baseline(options, checked) if not failures else ()
        code = 2 if failures else 0
    elif options.mode is Mode.ADD_NOQA:
        warnings += _say_silenced(options, outcomes)
        code = 2 if failures else 0
    else:
        try:
            _write_findings_and_fixes(options, outcomes, complete=not failures)
        except _OutputFileError as error:
            failures.append(str(error))
            code = 2
    sys.stdout.flush()
    for failure in failures:
        say("error", failure)
    if not options.quiet:
        for warning in warnings:
            say("warning", warning)
        for note in checked.notes:
            say("note", note)
    return code


def say(kind: str, message: str) -> None:
    """One line to standard error, as compilers write it."""
    from infonce_lint.report.terminal import painter
    from infonce_lint.report.text import one_line

    with contextlib.suppress(OSError):  # nobody is left to be told
        print(f"infonce-lint: {painter(sys.stderr)(kind, kind + ':')} {one_line(message)}", file=sys.stderr)


class _OutputFileError(Exception):
    """The file of ``--output-file`` cannot be written."""


def _exit_code(options: Options, outcomes: Iterable[Outcome], *, failed: bool) -> int:
    if failed:
        return 2
    if options.exit_zero:
        return 0
    for outcome in outcomes:
        changes = outcome.after is not None
        if changes if options.mode is Mode.DIFF else outcome.findings or (changes and options.exit_non_zero_on_fix):
            return 1
    return 0


def _write_baseline(options: Options, checked: Checked) -> Sequence[str]:
    """Renew the baseline and say so; what went wrong, if anything did."""
    from infonce_lint.report.summary import counted
    from infonce_lint.running.baseline import Baseline, BaselineError

    path = options.write_baseline or ""
    reports = [outcome.report for outcome in checked.outcomes]
    settings = {target.path: target.settings for target in checked.targets}
    try:
        renewed = Baseline.read_or_new(path).renewed(reports, options.paths, settings)
        renewed.write()
    except BaselineError as error:
        return [str(error)]
    except OSError as error:
        return [f"{path}: cannot be written: {error.strerror or error}"]
    if not options.quiet:
        print(f"Wrote {counted(renewed.count(), 'finding')} to {path}.")
    return []


def _say_silenced(options: Options, outcomes: Iterable[Outcome]) -> Sequence[str]:
    """Say how many comments were written; a warning if findings are left."""
    from infonce_lint.report.summary import counted

    added = left = 0
    for outcome in outcomes:
        added += outcome.fixed
        left += len(outcome.findings)
    if not options.quiet:
        print(f"Added {counted(added, 'noqa directive')}.")
    return [f"{counted(left, 'finding')} cannot be silenced by a comment"] if left else []


def _write_findings_and_fixes(options: Options, outcomes: Sequence[Outcome], *, complete: bool) -> None:
    rewrites_stdin = options.mode is Mode.FIX and options.from_stdin
    if options.mode is Mode.DIFF:
        for outcome in outcomes:
            _write_diff(outcome)
    elif rewrites_stdin:
        for outcome in outcomes:
            sys.stdout.buffer.write(outcome.data if outcome.after is None else outcome.after)
        sys.stdout.flush()
    beside = rewrites_stdin or options.mode is Mode.DIFF  # standard output is taken
    _write_report(options, outcomes, sys.stderr if beside else sys.stdout, complete=complete)


def _write_diff(outcome: Outcome) -> None:
    if outcome.after is None:
        return
    from infonce_lint.report.diff import unified_diff

    sys.stdout.buffer.writelines(unified_diff(outcome.path, outcome.data, outcome.after))
    sys.stdout.buffer.flush()


def _write_report(options: Options, outcomes: Sequence[Outcome], stream: TextIO, *, complete: bool) -> None:
    """The findings in the format asked for, to ``stream`` or to the file of ``--output-file``, and the summary."""
    files = [outcome.report for outcome in outcomes]
    fixed = sum(outcome.fixed for outcome in outcomes)
    if options.output_file is None:
        _write_findings(stream, options, files)
    else:
        try:
            with open(options.output_file, "w", encoding="utf-8", errors="backslashreplace") as file:
                _write_findings(file, options, files)
        except OSError as error:
            raise _OutputFileError(f"{options.output_file}: cannot be written: {error.strerror or error}") from None
    if options.is_for_people and not options.quiet:
        from infonce_lint.report.summary import diff_summary, summary

        if options.mode is Mode.DIFF:
            stream.writelines(diff_summary(files, fixed=fixed))
        elif (complete and files) or fixed or any(file.findings for file in files):
            stream.writelines(summary(files, fixed=fixed, unsafe_fixes=options.unsafe_fixes))
    stream.flush()


def _write_findings(stream: TextIO, options: Options, files: Sequence[FileReport]) -> None:
    from infonce_lint.report import reporter
    from infonce_lint.report.terminal import painter, screen_width

    unsafe = options.unsafe_fixes
    if options.statistics:
        stream.writelines(_statistics(files, options.output_format, unsafe))
    elif any(file.findings for file in files) or not options.is_for_people:
        if options.output_format == "full":
            from infonce_lint.report.full import report

            stream.writelines(report(files, unsafe_fixes=unsafe, paint=painter(stream), width=screen_width(stream)))
        else:
            stream.writelines(reporter(options.output_format)(files, unsafe_fixes=unsafe))


def _statistics(files: Sequence[FileReport], form: str, unsafe: bool) -> Iterable[str]:
    from infonce_lint.report.summary import statistics

    names = {}
    if any(file.findings for file in files):
        from infonce_lint.rules.catalogue import catalogue

        names = {entry.code: entry.name for entry in catalogue()}
    rows = statistics(files, names, unsafe_fixes=unsafe)
    if form == "json":
        import json

        yield json.dumps(rows, indent=2) + "\n"
        return
    width = max((len(str(row["count"])) for row in rows), default=0)
    for row in rows:
        star = "[*]" if row["fixable"] else "[-]" if row["fixable_count"] else "[ ]"
        yield f"{row['count']:>{width}}\t{row['code']}\t{star} {row['name']}\n"
