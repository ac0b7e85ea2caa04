"""Time and memory of the command beside what others take for the same files, as ratios of medians.

    python -m tests.benchmarks.speed
    python -m tests.benchmarks.speed --repeats 15 --cases clean candidate
    python -m tests.benchmarks.speed --torchfix "/envs/torchfix/bin/flake8 --isolated --select TOR" \\
        --fixit "/envs/fixit/bin/fixit lint"

Ours and the other run in turns, so that a busy machine slows down both; a ratio is the median of the turns' own ratios,
and behind it stand the middle half of them. Nothing is installed for it: a case whose other command is not there is
left out, with a line that says so.

The case `tree-uncompiled` is the tree without the bytecode that pip leaves: a file of a folder is not parsed to know
that it parses, so the two should take the same time.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import shlex
import shutil
import statistics
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

if __package__ in (None, ""):
    sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.benchmarks.processes import Run, instructions, timed
from tests.benchmarks.trees import clean_file, losses, torch_tree, uncompiled, without_candidates

OURS = [sys.executable, "-m", "infonce_lint", "--isolated", "--quiet"]
WITHOUT_US = [sys.executable, "-m", "tests.benchmarks.flake8_alone", "--isolated", "-j1"]
PARSE = "import sys, libcst\nfor name in sys.argv[1:]:\n    libcst.parse_module(open(name, 'rb').read())"


@dataclass(frozen=True)
class Case:
    """Our command, the one that it is compared with, and the highest ratio that we aim for."""

    key: str
    title: str
    ours: list[str]
    other: list[str]
    goal: float
    counted: bool = False  # short enough to count instructions, which is slow


@dataclass(frozen=True)
class Result:
    """What became of a case: medians in seconds, the quartiles of the ratio, highest memory in MiB, and instructions.

    Instructions are in millions, where they were counted.
    """

    case: Case
    ours: float
    other: float
    quartiles: tuple[float, float, float]
    memory: float
    other_memory: float
    instructions: float | None = None
    other_instructions: float | None = None

    @property
    def ratio(self) -> float:
        """Ours over the other."""
        return self.quartiles[1]

    @property
    def spread(self) -> str:
        """The middle half of the ratios."""
        return f"{self.quartiles[0]:.2f} to {self.quartiles[2]:.2f}"


def main() -> int:
    """Measure, print the table, write what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=9, help="runs of either command (default: 9)")
    parser.add_argument("--ruff", default="ruff", metavar="COMMAND")
    parser.add_argument("--torchfix", metavar="COMMAND", help="lints with TorchFix; the folder is added")
    parser.add_argument("--fixit", metavar="COMMAND", help="lints with Fixit; the folder is added")
    parser.add_argument("--files", type=int, default=500, help="files of the tree of losses (default: 500)")
    parser.add_argument("--cases", nargs="+", metavar="CASE", help="only these")
    parser.add_argument("--no-instructions", action="store_true", help="count none")
    parser.add_argument("--json", type=Path, help="write every number to this file")
    options = parser.parse_args()

    with tempfile.TemporaryDirectory(prefix="speed-") as folder:
        scratch = Path(folder)
        known = list(_cases(options, scratch))
        wanted = options.cases or [case.key for case in known]
        unknown = sorted(set(wanted) - {case.key for case in known})
        if unknown:
            parser.error(f"no such case here: {', '.join(unknown)}; there are {', '.join(case.key for case in known)}")
        results = []
        for case in known:
            if case.key in wanted:
                results.append(measure(case, options.repeats, scratch, count=not options.no_instructions))
                print(_line(results[-1]), flush=True)
    print()
    print(table(results))
    if options.json:
        options.json.write_text(json.dumps([asdict(each) for each in results], indent=2), encoding="utf-8")
    return 0


def _cases(options: argparse.Namespace, scratch: Path) -> Iterator[Case]:
    tree, subset = torch_tree(scratch)
    clean, loss_folder = clean_file(scratch), losses(scratch, options.files)
    files = sorted(map(str, loss_folder.iterdir()))
    candidate = files[0]
    ruff = shlex.split(options.ruff)
    if shutil.which(ruff[0]) is None:
        print(f"{options.ruff}: not installed, its cases are left out", file=sys.stderr)
    elif tree is not None:
        check = [*ruff, "check", "--isolated", "--quiet"]
        yield Case(
            "tree-cold",
            "torch tree, cold / ruff --no-cache",
            [*OURS, "--no-cache", tree],
            [*check, "--no-cache", tree],
            1.0,
        )
        bare = uncompiled(tree, scratch)
        yield Case(
            "tree-uncompiled",
            "the same without bytecode / ruff --no-cache",
            [*OURS, "--no-cache", bare],
            [*check, "--no-cache", bare],
            1.0,
        )
        yield Case("tree-warm", "torch tree, warm / ruff warm", [*OURS, tree], [*check, tree], 0.2)
    base = [sys.executable, "-c", "import re, argparse, tomllib"]
    yield Case(
        "clean",
        "one clean file / python importing re, argparse, tomllib",
        [*OURS, "--no-cache", clean],
        base,
        1.25,
        True,
    )
    parse = [sys.executable, "-c", PARSE]
    yield Case(
        "candidate",
        "one file with a finding / libcst imported, the file parsed",
        [*OURS, "--no-cache", candidate],
        [*parse, candidate],
        1.5,
        counted=True,
    )
    ours = [*OURS, "--no-cache", str(loss_folder)]
    title = f"{options.files} losses, {{}} / libcst.parse_module of them"
    yield Case("losses", title.format("1 process"), [*ours, "-j1"], [*parse, *files], 2.0)
    yield Case("losses-2", title.format("2 processes"), [*ours, "-j2"], [*parse, *files], 1.2)
    for name, command in (("torchfix", options.torchfix), ("fixit", options.fixit)):
        if command:
            other = [*shlex.split(command), str(loss_folder)]
            yield Case(name, f"{options.files} losses / {name}", ours, other, 0.1)
    if subset is not None:
        with_us = [sys.executable, "-m", "flake8", "--isolated", "-j1", subset]
        yield Case("flake8", "flake8 with us / without, 300 files of torch", with_us, [*WITHOUT_US, subset], 1.03)
        clean_files = without_candidates(subset, scratch)
        yield Case(
            "flake8-clean",
            "the same, those of them that hold no candidate",
            [*with_us[:-1], clean_files],
            [*WITHOUT_US, clean_files],
            1.03,
        )


def measure(case: Case, repeats: int, scratch: Path, *, count: bool) -> Result:
    """Both commands in turns, after one run of either that nobody times."""
    pairs: tuple[list[Run], list[Run]] = [], []
    for turn in range(repeats + 1):
        order = (0, 1) if turn % 2 else (1, 0)
        for side in order:
            run = timed((case.ours, case.other)[side], scratch)
            if turn:
                pairs[side].append(run)
    ours, other = (statistics.median(run.seconds for run in side) for side in pairs)
    ratios = [mine.seconds / theirs.seconds for mine, theirs in zip(*pairs, strict=True)]
    low, middle, high = statistics.quantiles(ratios, n=4, method="inclusive") if repeats > 1 else 3 * ratios
    memory, other_memory = (max(run.mebibytes for run in side) for side in pairs)
    counts: list[float | None] = [None, None]
    if count and case.counted:
        counts = [instructions(command, scratch) for command in (case.ours, case.other)]
    return Result(case, ours, other, (low, middle, high), memory, other_memory, *counts)


def _line(result: Result) -> str:
    counted = ""
    if result.instructions and result.other_instructions:
        ratio = result.instructions / result.other_instructions
        counted = f", {result.instructions:,.0f} M instructions ({ratio:.2f})"
    times = f"{result.ours * 1000:.0f} ms / {result.other * 1000:.0f} ms"
    return f"{result.case.key}: {times} = {result.ratio:.2f} ({result.spread}){counted}"


def table(results: list[Result]) -> str:
    """Markdown: a row a case."""
    heads = ["ours / other", "ms", "ratio", "middle half", "goal", "MiB"]
    rows = [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    for each in results:
        cells = [
            each.case.title,
            f"{each.ours * 1000:.0f} / {each.other * 1000:.0f}",
            f"{each.ratio:.2f}",
            each.spread,
            f"{each.case.goal:g}{'' if each.ratio <= each.case.goal else ', missed'}",
            f"{each.memory:.0f} / {each.other_memory:.0f}",
        ]
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows)


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        sys.exit(main())
