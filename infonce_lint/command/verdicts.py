"""The verdicts as people read them, a row a check (rich), and as JSON."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from infonce_lint.report.terminal import is_coloured
from infonce_lint.running.files import shown
from infonce_lint.verify.rows import Row, Status, count
from infonce_lint.verify.verdict import Verdict

if TYPE_CHECKING:
    from rich.console import Console

_STYLES = {
    Status.PASS: "bold green",
    Status.FAIL: "bold red",
    Status.SKIPPED: "bold yellow",
    Status.INAPPLICABLE: "dim",
}


def console() -> Console:
    """A console for standard output that leaves long rows to the terminal."""
    from rich.console import Console

    coloured = is_coloured(sys.stdout)
    return Console(file=sys.stdout, soft_wrap=True, no_color=not coloured, highlight=False, markup=False, emoji=False)


def print_verdict(verdict: Verdict, to: Console) -> None:
    """One loss: where it stands, what its findings come to, and its rows."""
    from rich.text import Text

    examined, proof = verdict.examination, verdict.proof
    place = f"{verdict.row}" if verdict.cell is None else f"cell {verdict.cell}:{verdict.row}"
    to.print(Text.assemble((f"{shown(examined.site.path)}:{place}", "bold"), f" {examined.site.title}"))
    for line in examined.how:
        to.print(Text(f"  {line}", "dim"))
    if proof is not None:
        _print_proof(verdict, to)
    if examined.problem:
        to.print(Text.assemble("  ", ("not run: ", "bold red"), examined.problem))
    if examined.rows:
        if proof is not None and proof.proven and verdict.fix:
            to.print(Text("  the repaired loss:"))
        width = max(len(row.name) for row in examined.rows)
        for row in examined.rows:
            status = (f"  {row.status.value:<7}", _STYLES[row.status])
            to.print(Text.assemble(status, f"  {row.name:<{width}}  {row.detail}"))
    to.print()


def _print_proof(verdict: Verdict, to: Console) -> None:
    from rich.text import Text

    proof = verdict.proof
    assert proof is not None
    if proof.problem:
        return
    if proof.reproduced:
        to.print(Text.assemble("  ", ("reproduced: ", "bold red"), proof.reproduced))
    else:
        to.print(Text.assemble("  ", ("not reproduced: ", "bold yellow"), "other sizes have the right value here"))
    if not verdict.fix:
        to.print(Text.assemble("  ", ("no automatic fix: ", "bold yellow"), verdict.withheld))
    elif proof.proven:
        how = "" if verdict.fix == "safe" else " (an unsafe fix: --unsafe-fixes)"
        to.print(Text.assemble("  ", ("proven: ", "bold green"), proof.message + how))
    else:
        to.print(Text.assemble("  ", ("not proven: ", "bold red"), proof.message))


def print_summary(verdicts: Sequence[Verdict], to: Console) -> None:
    """The counts, and why rows were skipped."""
    from rich.text import Text

    rows = [row for verdict in verdicts for row in verdict.examination.rows]
    parts = [f"{count(rows, Status.PASS)} passed", f"{count(rows, Status.FAIL)} failed"]
    parts += [f"{count(rows, Status.SKIPPED)} skipped{_reasons(rows)}", f"{count(rows, Status.INAPPLICABLE)} n/a"]
    losses = len(verdicts)
    told = [f"{losses} loss{'es' if losses != 1 else ''}"]
    buggy = [verdict for verdict in verdicts if verdict.proof is not None]
    if buggy:
        proven = sum(bool(verdict.fix and verdict.proof and verdict.proof.proven) for verdict in buggy)
        told.append(f"{len(buggy)} with findings, {proven} of their fixes proven")
    unrun = sum(bool(verdict.examination.problem) for verdict in verdicts)
    if unrun:
        told.append(f"{unrun} not run")
    to.print(Text(f"{', '.join(told)}; checks: {', '.join(parts)}.", "bold"))


def _reasons(rows: Iterable[Row]) -> str:
    reasons = dict.fromkeys(row.detail for row in rows if row.status is Status.SKIPPED)
    return f" ({next(iter(reasons))})" if len(reasons) == 1 else ""


def as_json(verdicts: Iterable[Verdict]) -> str:
    """All verdicts as one list."""
    return json.dumps([verdict.as_json() for verdict in verdicts], indent=2)
