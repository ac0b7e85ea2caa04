"""``infonce-lint explain``: the documentation of rules, from their own files."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from infonce_lint.command.arguments import OneLineParser
from infonce_lint.rules.catalogue import Entry, catalogue, find


def main(arguments: Sequence[str]) -> int:
    """Print what is asked for; 2 if a word names no rule."""
    made = parser()
    options = made.parse_args(arguments)
    if bool(options.rules) == options.all:
        made.error("give codes, such as NCE001, or --all")
    entries: list[Entry] = list(catalogue()) if options.all else []
    status = 0
    for word in options.rules:
        entry = find(word)
        if entry is None:
            from infonce_lint.running.configuration import did_you_mean

            codes = [known.code for known in catalogue()]
            hint = did_you_mean(word.upper(), codes)
            print(f"infonce-lint: error: unknown rule {word!r}{hint}; there are {', '.join(codes)}", file=sys.stderr)
            status = 2
        else:
            entries.append(entry)
    if entries:
        _print(entries)
    return status


def parser() -> OneLineParser:
    """The options of the command."""
    made = OneLineParser(
        prog="infonce-lint explain", description="Print the documentation of rules.", allow_abbrev=False
    )
    made.add_argument("rules", nargs="*", metavar="CODE", help="a code (NCE001) or a rule's name")
    made.add_argument("--all", action="store_true", help="every rule")
    return made


def _print(entries: Sequence[Entry]) -> None:
    from infonce_lint.report.terminal import is_coloured

    text = "\n\n".join(entry.page for entry in entries)
    if not is_coloured(sys.stdout):
        print(text)
        return
    from rich.console import Console
    from rich.markdown import Markdown

    Console().print(Markdown(text))
