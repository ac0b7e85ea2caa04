"""One check: from the options to what became of every file. Nothing is written here but the files themselves."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from infonce_lint.command.arguments import Options
from infonce_lint.engine.checked import Outcome
from infonce_lint.running import files
from infonce_lint.running.configuration import Configurations
from infonce_lint.running.runner import WorkersDied, available_processors, process_bytes, run, with_silenced

if TYPE_CHECKING:
    from infonce_lint.engine.linter import Linted
    from infonce_lint.running.baseline import Baseline
    from infonce_lint.running.cache import ResultCache


class Checked(NamedTuple):
    """What became of each file, and what is to be said beside it: ``errors`` make the exit code 2."""

    targets: Sequence[files.Target] = ()
    outcomes: Sequence[Outcome] = ()
    errors: Sequence[str] = ()
    warnings: Sequence[str] = ()
    notes: Sequence[str] = ()


def configurations_for(options: Options) -> Configurations:
    """Where the settings of each file come from.

    Raises:
        ConfigurationError: the options or the file of ``--config`` cannot be used.
    """
    made = Configurations(options.config, options.isolated, options.overrides())
    if options.config is not None and not options.isolated:
        made.for_folder(os.getcwd())  # one bad --config is one error, not one a folder
    return made


def check(
    options: Options,
    configurations: Configurations,
    found: Callable[[files.Discovery], None] = lambda discovery: None,
) -> Checked:
    """Lint, fix or silence everything that the options name.

    Args:
        found: told of the files before any of them is read.

    Raises:
        ConfigurationError: the settings of standard input cannot be used.
        BaselineError: a baseline cannot be used.
    """
    if not options.prove:
        return _check(options, configurations, found, None)
    from infonce_lint.verify.knobs import parse_set
    from infonce_lint.verify.proving import Prover
    from infonce_lint.verify.worker import WorkerError

    try:
        with Prover(unsafe=options.unsafe_fixes, sets=dict(map(parse_set, options.set or ()))) as prover:
            checked = _check(options, configurations, found, prover.lint)
            return checked._replace(notes=[*checked.notes, *(f"proven: {each}" for each in prover.proven)])
    except ValueError as error:
        return Checked(errors=[f"--set: {error}"])
    except WorkerError as error:
        return Checked(errors=[f"--prove: {error}"])


def _check(
    options: Options,
    configurations: Configurations,
    found: Callable[[files.Discovery], None],
    linted: Linted | None,
) -> Checked:
    if options.from_stdin:
        return _check_stdin(options, configurations, linted)
    from infonce_lint.report.progress import with_progress

    discovery = files.discover(options.paths, configurations)
    found(discovery)
    targets, baselines = _with_baselines(options, discovery.targets)
    jobs = options.jobs or available_processors()
    results = None if options.no_cache else _known_results()
    outcomes = run(targets, options.mode, unsafe=options.unsafe_fixes, linted=linted, jobs=jobs, known=results)
    if not options.quiet:
        outcomes = with_progress(outcomes, len(targets), sys.stderr)
    gathered: list[Outcome] = []
    errors = discovery.errors
    try:
        for target, outcome in zip(targets, outcomes):
            gathered.append(with_silenced(outcome, target.settings) if _lists_silenced(options) else outcome)
    except WorkersDied as error:
        errors = [*errors, str(error)]
    notes = [] if errors else list(_gone(targets, gathered, baselines))
    return Checked(targets, gathered, errors, discovery.warnings, notes)


def _check_stdin(options: Options, configurations: Configurations, linted: Linted | None) -> Checked:
    data = sys.stdin.buffer.read()  # whoever writes it, perhaps by hand, may take their time
    name = files.shown(options.stdin_filename) if options.stdin_filename else "-"
    absolute = os.path.abspath(options.stdin_filename or "-")
    configuration = configurations.for_folder(os.path.dirname(absolute))
    settings = configuration.for_file(absolute)
    (target,), _ = _with_baselines(options, [files.Target(name, settings)])
    if settings.force_exclude and options.stdin_filename and files.is_excluded(absolute, configuration):
        return Checked([target], [Outcome(name, data)])
    unsafe, known = options.unsafe_fixes, target.known
    outcome = process_bytes(data, name, settings, options.mode, unsafe=unsafe, linted=linted, known=known)
    return Checked([target], [with_silenced(outcome, settings) if _lists_silenced(options) else outcome])


def _lists_silenced(options: Options) -> bool:
    return options.output_format == "sarif"


def _known_results() -> ResultCache:
    from infonce_lint.running.cache import ResultCache

    return ResultCache(os.getcwd())


def _with_baselines(
    options: Options, targets: Sequence[files.Target]
) -> tuple[list[files.Target], dict[str, Baseline]]:
    """The targets with what their baselines know of them, and these baselines by path.

    Raises:
        BaselineError: one of them cannot be used.
    """
    paths = {target.settings.baseline for target in targets}
    if options.baseline is not None:  # a wrong one is said even where there is nothing to lint
        paths.add(os.path.abspath(options.baseline))
    paths.discard("")
    if not paths:
        return list(targets), {}
    from infonce_lint.running.baseline import Baseline

    baselines = {path: Baseline.read(files.shown(path)) for path in sorted(paths)}
    known = [baselines.get(target.settings.baseline) for target in targets]
    made = [target._replace(known=its.known_in(target.path)) if its else target for target, its in zip(targets, known)]
    return made, baselines


def _gone(
    targets: Sequence[files.Target], outcomes: Sequence[Outcome], baselines: dict[str, Baseline]
) -> Sequence[str]:
    """A note for each baseline that holds findings which no longer occur."""
    gone = {path: baseline.gone() for path, baseline in baselines.items()}
    for target, outcome in zip(targets, outcomes):
        parses = not any(finding.code == "NCE900" for finding in outcome.findings)
        if target.known and parses and not outcome.error:
            looked_for = sum(target.settings.selects(mark.code) for mark in target.known)
            gone[target.settings.baseline] += max(0, looked_for - len(outcome.known))
    from infonce_lint.report.summary import counted

    return [
        f"{counted(count, 'finding')} of {files.shown(path)} no longer {'occurs' if count == 1 else 'occur'}; "
        f"--write-baseline {files.shown(path)} drops {'it' if count == 1 else 'them'}"
        for path, count in gone.items()
        if count
    ]
