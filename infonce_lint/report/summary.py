"""The closing lines of a run, and the table of ``--statistics``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from infonce_lint.engine.checked import FileReport, is_fixable
from infonce_lint.report import each


def summary(files: Sequence[FileReport], *, fixed: int, unsafe_fixes: bool) -> Iterator[str]:
    """How many findings there are, and what ``--fix`` would do about them."""
    findings = [finding for _, finding in each(files)]
    remaining = len(findings)
    if not remaining and not fixed:
        yield "All checks passed!\n"
        return
    from infonce_lint.finding import Applicability

    split = f" ({fixed} fixed, {remaining} remaining)" if fixed else ""
    yield f"Found {counted(remaining + fixed, 'finding')}{split}.\n"
    fixable = sum(is_fixable(finding, unsafe_fixes=unsafe_fixes) for finding in findings)
    unsafe = sum(f.fix is not None and f.fix.applicability is Applicability.UNSAFE for f in findings)
    hidden = 0 if unsafe_fixes else unsafe
    more = f"{counted(hidden, 'unsafe fix', 'unsafe fixes')} available with `--fix --unsafe-fixes`"
    if fixable:
        option = "--fix --unsafe-fixes" if unsafe_fixes and unsafe else "--fix"
        yield f"[*] {fixable} fixable with `{option}`{f' ({more})' if hidden else ''}.\n"
    elif hidden:
        yield f"{more[0].upper()}{more[1:]}.\n"


def diff_summary(files: Sequence[FileReport], *, fixed: int) -> Iterator[str]:
    """What ``--diff`` has shown."""
    remaining = sum(len(file.findings) for file in files)
    what = f"Would fix {counted(fixed, 'finding')}" if fixed else "No findings would be fixed"
    yield f"{what}{f' ({remaining} would remain)' if remaining else ''}.\n"


def statistics(files: Sequence[FileReport], names: Mapping[str, str], *, unsafe_fixes: bool) -> list[dict[str, Any]]:
    """How often each code was found, most frequent first, in ruff's words; ``names`` gives the rules' names.

    ``fixable`` says whether every finding of the code has a fix that may be applied, ``fixable_count`` how many have.
    """
    found, fixable = Counter[str](), Counter[str]()
    for _, finding in each(files):
        found[finding.code] += 1
        fixable[finding.code] += is_fixable(finding, unsafe_fixes=unsafe_fixes)
    return [
        {
            "code": code,
            "name": names.get(code, ""),
            "count": count,
            "fixable": fixable[code] == count,
            "fixable_count": fixable[code],
        }
        for code, count in sorted(found.items(), key=lambda item: (-item[1], item[0]))
    ]


def counted(number: int, one: str, many: str = "") -> str:
    """``1 finding``, ``2 findings``."""
    return f"{number} {one if number == 1 else many or one + 's'}"
