"""Many files: read each, lint or fix it, write it back. What goes wrong with one file does not reach the others."""

from __future__ import annotations

import enum
import gc
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

from infonce_lint.engine.checked import Outcome, is_fixable
from infonce_lint.running.compiled import compiles
from infonce_lint.running.files import Target
from infonce_lint.settings import Settings
from infonce_lint.sources.document import is_plain

if TYPE_CHECKING:
    from multiprocessing.process import BaseProcess

    from infonce_lint.engine.linter import Linted
    from infonce_lint.engine.marks import Mark
    from infonce_lint.finding import Finding
    from infonce_lint.running.cache import ResultCache

_UNPARSED = "NCE900"
_PATIENCE = 0.05  # seconds before a run may be shared among processes, which costs about 0.05
_MANY = 500  # files that are sure to last as long
_WORTH_IT = 0.2  # seconds that must then be left by the pace so far
_MOST_JOBS = 61  # what Windows can wait for at once
_SILENCE = 600.0  # seconds without a result of a few files after which processes hang
_LEAVE_SECONDS = 10.0  # what processes are given to end the files at hand


class Mode(enum.Enum):
    """What is done with a file: only look, write the fixes, only show them, or silence what is found."""

    LINT = "lint"
    FIX = "fix"
    DIFF = "diff"
    ADD_NOQA = "add-noqa"


class WorkersDied(Exception):
    """A process that shared the work ended before its time; the text says so in one line."""


def run(
    targets: Sequence[Target],
    mode: Mode,
    *,
    unsafe: bool,
    linted: Linted | None = None,
    jobs: int = 1,
    known: ResultCache | None = None,
) -> Iterator[Outcome]:
    """The outcomes in the order of the targets.

    Args:
        linted: for `linter.fix_bytes`; it cannot leave this process.
        jobs: how many processes may share the work when it lasts; results do not depend on it.
        known: the results of earlier runs; it learns those of this one.

    Raises:
        WorkersDied: the system ended a process; the outcomes before it have come already.
    """
    found = {} if known is None else {target.path: _status(target.path) for target in targets}
    clean = {target.path for target in targets if known is not None and known.is_clean(target, found[target.path])}
    todo = [target for target in targets if target.path not in clean]
    work = partial(process, mode=mode, unsafe=unsafe, linted=linted)
    with _rare_collections():
        outcomes = _worked_off(todo, work, 1 if linted is not None else jobs)
        try:
            for target in targets:
                if target.path in clean:
                    yield Outcome(target.path)
                    continue
                outcome = next(outcomes)
                if known is not None and outcome.is_clean:
                    known.remember(target, found[target.path])
                yield outcome
        finally:
            if known is not None:
                known.save()


def _status(path: str) -> os.stat_result | None:
    """The state of a file before it is read; a change in the meantime then never counts as known."""
    try:
        return os.stat(path)
    except OSError:
        return None


@contextmanager
def _rare_collections() -> Iterator[None]:
    """Keep the collector from walking over modules and half-built trees again and again: most of it is in use."""
    before = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(100_000, 20, 20)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()


def _worked_off(todo: Sequence[Target], work: Callable[[Target], Outcome], jobs: int) -> Iterator[Outcome]:
    """``work`` on each target in order; in this process first, and in several once that turns out to last."""
    started = time.monotonic()
    patience = _PATIENCE if len(todo) < _MANY else 0.0
    for done, target in enumerate(todo):
        spent = time.monotonic() - started
        if jobs > 1 and done and spent > patience and spent / done * (len(todo) - done) > _WORTH_IT:
            yield from _in_processes(todo[done:], work, jobs)
            return
        yield work(target)


def available_processors() -> int:
    """How many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _in_processes(todo: Sequence[Target], work: Callable[[Target], Outcome], jobs: int) -> Iterator[Outcome]:
    import multiprocessing
    from concurrent.futures import BrokenExecutor, ProcessPoolExecutor
    from concurrent.futures import TimeoutError as Silence

    context = multiprocessing.get_context("fork" if sys.platform == "linux" else None)
    jobs = min(jobs, len(todo), _MOST_JOBS)
    others = set(multiprocessing.active_children())
    pool = ProcessPoolExecutor(jobs, context, _become_worker)
    size = max(1, min(16, len(todo) // (4 * jobs)))
    try:
        shares = [pool.submit(_share, work, todo[start : start + size]) for start in range(0, len(todo), size)]
        shares.reverse()
        while shares:  # each is forgotten with its results
            yield from shares.pop().result(_SILENCE)
    except BrokenExecutor:
        raise WorkersDied("a process died while it linted (out of memory?); try --jobs 1, or fewer files") from None
    except Silence:
        raise WorkersDied(f"a process gave no result in {_SILENCE:g} s and was stopped; try --jobs 1") from None
    finally:
        processes = set(multiprocessing.active_children()) - others
        pool.shutdown(wait=False, cancel_futures=True)
        _end(processes)


def _share(work: Callable[[Target], Outcome], targets: Sequence[Target]) -> list[Outcome]:
    return [work(target) for target in targets]


def _end(processes: Iterable[BaseProcess]) -> None:
    """Return when all have ended; those that take too long are killed (files are replaced whole or not at all)."""
    from multiprocessing.connection import wait

    deadline = time.monotonic() + _LEAVE_SECONDS
    left = {process.sentinel: process for process in processes}
    while left and time.monotonic() < deadline:
        for sentinel in wait(list(left), max(0.0, deadline - time.monotonic())):
            del left[sentinel]  # type: ignore[arg-type]
    for process in left.values():
        process.kill()


def _become_worker() -> None:
    """Leave the interrupt to the first process, and end when that is killed: nobody else would tell us to."""
    import multiprocessing
    import signal
    import threading

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    first = multiprocessing.parent_process()

    def follow() -> None:
        if first is not None:
            first.join()  # without a limit: the first process ends when it likes
            os._exit(1)

    threading.Thread(target=follow, daemon=True).start()


def process(target: Target, mode: Mode, *, unsafe: bool, linted: Linted | None = None) -> Outcome:
    """Read, lint or fix, and in the mode FIX write one file; ``linted`` is for `linter.fix_bytes`.

    Needs nothing but its arguments, in any process. The outcome has no ``data`` where nobody will ask for it.
    """
    from infonce_lint.screening.bytes import may_report

    try:
        with open(target.path, "rb") as file:
            status = os.fstat(file.fileno())
            data = file.read()
    except OSError as error:
        return Outcome(target.path, findings=(_unreadable(error),))
    if not may_report(data, target.path, target.settings) and (
        not target.named or (is_plain(target.path) and compiles(data, target.path, status))
    ):
        return Outcome(target.path)
    known = target.known
    outcome = process_bytes(data, target.path, target.settings, mode, unsafe=unsafe, linted=linted, known=known)
    if not target.named:
        outcome = _without_trifles(outcome, data, target.settings)
    if mode in (Mode.FIX, Mode.ADD_NOQA) and outcome.after is not None:
        from infonce_lint.running.writing import write_atomically

        try:
            write_atomically(target.path, outcome.after)
        except OSError as error:
            unfixed = process_bytes(data, target.path, target.settings, Mode.LINT, unsafe=unsafe, known=known)
            failed = f"{target.path}: not changed, it cannot be written: {error.strerror or error}"
            return unfixed._replace(error=failed)
    return outcome._replace(data=b"") if outcome.is_clean else outcome


def _without_trifles(outcome: Outcome, data: bytes, settings: Settings) -> Outcome:
    """The outcome of a file that nobody named, without what cannot be parsed in it where it could hold no finding."""
    if not any(each.code == _UNPARSED for each in outcome.findings):
        return outcome
    from infonce_lint.screening.unparsed import may_matter

    if may_matter(data, outcome.path, settings):
        return outcome
    return outcome._replace(findings=tuple(each for each in outcome.findings if each.code != _UNPARSED))


def with_silenced(outcome: Outcome, settings: Settings) -> Outcome:
    """The outcome with the findings that comments silence, for a report that lists them too."""
    if outcome.error:
        return outcome
    data = outcome.data
    if not data:  # a clean file: it was not kept
        try:
            with open(outcome.path, "rb") as file:
                data = file.read()
        except OSError:
            return outcome
    if b"noqa" not in data.lower():
        return outcome
    from infonce_lint.engine.linter import silenced

    return outcome._replace(data=data, silenced=tuple(silenced(data, outcome.path, settings)))


def _unreadable(error: OSError) -> Finding:
    from infonce_lint.finding import Finding, Position, Span

    start = Position(1, 1)
    return Finding(_UNPARSED, f"The file cannot be read: {error.strerror or error}", Span(start, start))


def process_bytes(
    data: bytes,
    path: str,
    settings: Settings,
    mode: Mode,
    *,
    unsafe: bool,
    linted: Linted | None = None,
    known: Sequence[Mark] = (),
) -> Outcome:
    """Lint or fix one file's bytes; an exception of our own becomes the outcome's error.

    Findings that are ``known`` are set apart, and neither fixed nor silenced.
    """
    from infonce_lint.running.formatting import as_project_writes

    try:
        settings = as_project_writes(settings, path)
        if not known:
            return _processed(data, path, settings, mode, unsafe, linted)
        from infonce_lint.engine.linter import lint
        from infonce_lint.running.baseline import not_fixing_known, split, without_known

        spare = without_known if mode is Mode.ADD_NOQA else not_fixing_known
        outcome = _processed(data, path, settings, mode, unsafe, spare(linted or lint, known))
        new, old = split(outcome.report, known)
        return outcome._replace(findings=new, known=old)
    except Exception as error:  # one bad file must not stop the run
        said = " ".join(f"{type(error).__name__}: {error}".split())
        return Outcome(path, data, error=f"{path}: internal error, please report it: {said}")


def _processed(data: bytes, path: str, settings: Settings, mode: Mode, unsafe: bool, linted: Linted | None) -> Outcome:
    from infonce_lint.engine.linter import fix_bytes, lint, lint_bytes

    if mode is Mode.LINT:
        return Outcome(path, data, tuple(lint_bytes(data, path, settings, linted=linted)))
    if mode is Mode.ADD_NOQA:
        from infonce_lint.engine.silencer import add_noqa

        fixed = add_noqa(data, path, settings, linted=linted or lint)
    else:
        fixed = fix_bytes(data, path, settings, unsafe=unsafe, linted=linted or lint)
    after = fixed.data if fixed.changed else None
    withheld = f"{path}: {fixed.reason}" if fixed.reason else ""
    if mode is not Mode.DIFF:
        return Outcome(path, fixed.data, tuple(fixed.remaining), after, fixed.fixed, withheld)
    remaining = tuple(fixed.remaining)
    if fixed.changed and remaining:  # the file keeps its old rows, so the positions must be theirs
        before = lint_bytes(data, path, settings, linted=linted)
        remaining = tuple(f for f in before if not is_fixable(f, unsafe_fixes=unsafe))
    return Outcome(path, data, remaining, after, fixed.fixed, withheld)
