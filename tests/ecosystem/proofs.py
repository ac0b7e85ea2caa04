"""How many of the fixes on real code `verify` proves with no word from a user, and what stops it elsewhere.

    python -m tests.ecosystem.proofs FOLDER [--unsafe-fixes] [--list]

FOLDER holds Python files and notebooks, in folders of any depth. Counted are the findings in files that use torch and
have a fix on offer; a finding is proven when ``--fix --prove`` would repair it. It needs torch, and runs their losses.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from infonce_lint.engine.checked import is_fixable
from infonce_lint.engine.linter import fix_bytes, lint_bytes
from infonce_lint.settings import Settings
from infonce_lint.verify.proving import Prover

CAUSES = {
    "cannot be run alone": "written among other code that it cannot be cut out of",
    "it needs ": "needs something that is not there",
    "fixed, it gives": "the fixed loss has another value than it should",
    "it took more than": "too slow",
    "is not defined": "a name that the file does not bind",
}


def files(folder: Path) -> Iterator[Path]:
    """Python files and notebooks below a folder, in a stable order."""
    for path in sorted(folder.rglob("*")):
        if path.suffix in (".py", ".ipynb") and path.is_file():
            yield path


def cause(reason: str) -> str:
    """The kind of reason why a fix was not proven."""
    return next((told for part, told in CAUSES.items() if part in reason), "its inputs were not found out")


def main() -> int:
    """Print the share of proven findings and the causes of the rest."""
    parser = argparse.ArgumentParser(description="Share of the fixes that verify proves.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--unsafe-fixes", action="store_true", help="count the fixes that a person should read first")
    parser.add_argument("--list", action="store_true", help="print every file")
    options = parser.parse_args()
    fixable = proven = 0
    causes: Counter[str] = Counter()
    with Prover(unsafe=options.unsafe_fixes) as prover:
        for path in files(options.folder):
            data, name, settings = path.read_bytes(), path.as_posix(), Settings()
            if b"torch" not in data:
                continue
            found = lint_bytes(data, name, settings)
            wanted = sum(is_fixable(each, unsafe_fixes=options.unsafe_fixes) for each in found)
            if not wanted:
                continue
            fixed = fix_bytes(data, name, settings, unsafe=options.unsafe_fixes, linted=prover.lint)
            reasons = [each.withheld for each in fixed.remaining if each.withheld.startswith("not proven")]
            fixable += wanted
            proven += wanted - len(reasons)
            causes.update(map(cause, reasons))
            if options.list or reasons:
                told = "".join(f"\n    {reason}" for reason in dict.fromkeys(reasons))
                print(f"{wanted - len(reasons)} of {wanted}  {path.relative_to(options.folder)}{told}")
    if not fixable:
        print(f"{options.folder}: no fixable finding in a file that uses torch", file=sys.stderr)
        return 2
    print(f"{proven} of {fixable} fixable findings proven ({proven / fixable:.1%})")
    for told, times in causes.most_common():
        print(f"{times:6}  {told}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
