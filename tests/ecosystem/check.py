"""What infonce-lint says of pinned public repositories, compared with what it said before.

    python -m tests.ecosystem.check COPIES             # prints what changed; exit code 1 if anything did
    python -m tests.ecosystem.check COPIES --update    # records what it says now

COPIES holds local copies, one folder a repository, named ``owner+name``: a git checkout, a bare git directory, a folder
with one in ``repo/``, or just the files. ``expected.json`` records facts only: repository, commit, path, and for each
file the findings by row, column and code with the kind of fix. Repositories that are not there are counted and skipped.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from infonce_lint.engine.linter import fix_bytes, lint_bytes
from infonce_lint.finding import Finding
from infonce_lint.settings import Settings

EXPECTED = Path(__file__).with_name("expected.json")


def read(copies: Path, repository: str, commit: str, path: str) -> bytes | None:
    """A file of a repository at a commit, from whatever kind of copy is there."""
    folder = copies / repository.replace("/", "+")
    for place in (folder / "repo", folder):
        if (place / "HEAD").is_file() or (place / ".git").exists():
            command = ["git", "-C", str(place), "show", f"{commit}:{path}"]
            shown = subprocess.run(command, capture_output=True, timeout=60)
            if shown.returncode == 0:
                return shown.stdout
    file = folder / path
    return file.read_bytes() if file.is_file() else None


def describe(finding: Finding) -> str:
    """A finding as one line that can be compared: place, code, and what may be done."""
    cell = f"cell {finding.span.cell}:" if finding.span.cell is not None else ""
    fix = finding.fix.applicability.value if finding.fix is not None else f"withheld: {finding.withheld}"
    return f"{cell}{finding.span.start.row}:{finding.span.start.column} {finding.code} {fix}"


def problems(data: bytes, path: str) -> list[str]:
    """What is wrong with the fixes of a file: they must end, and leave no finding that was not there."""
    fixed = fix_bytes(data, path, Settings(), unsafe=False)
    found = [fixed.reason] if fixed.reason else []
    if fixed.changed:
        again = fix_bytes(fixed.data, path, Settings(), unsafe=False)
        before = Counter(each.code for each in lint_bytes(data, path, Settings()))
        after = Counter(each.code for each in again.remaining)
        if again.changed:
            found.append("a second fix changes the file again")
        if after - before:
            found.append(f"the fixed file gains findings: {dict(after - before)}")
    return found


def main() -> int:
    """Compare or record; the exit code says whether anything differs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("copies", type=Path)
    parser.add_argument("--update", action="store_true")
    options = parser.parse_args()

    entries: list[dict[str, Any]] = json.loads(EXPECTED.read_text())
    absent = changed = files = total = 0
    for entry in entries:
        data = read(options.copies, entry["repository"], entry["commit"], entry["path"])
        if data is None:
            absent += 1
            continue
        files += 1
        said = [describe(each) for each in lint_bytes(data, entry["path"], Settings())]
        said += [f"problem: {each}" for each in problems(data, entry["path"])]
        total += len(said)
        if said != entry["findings"]:
            changed += 1
            print(f"{entry['repository']} {entry['path']}")
            before, now = Counter(entry["findings"]), Counter(said)
            for sign, lines in (("-", before - now), ("+", now - before)):
                for line in lines.elements():
                    print(f"  {sign} {line}")
            entry["findings"] = said
    print(f"{files} files checked, {absent} not at hand, {total} findings, {changed} files changed")
    if options.update:
        EXPECTED.write_text(json.dumps(entries, indent=1, ensure_ascii=False) + "\n")
        return 0
    return 1 if changed else 0


if __name__ == "__main__":
    sys.exit(main())
