"""``infonce-lint server``: arguments, and what to do without pygls."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from infonce_lint.command.arguments import OneLineParser

_NEEDED = ("cattrs", "lsprotocol", "pygls")


def main(arguments: Sequence[str]) -> int:
    """Serve until the editor says goodbye; 1 if it went away without, 2 if pygls is not installed."""
    parser().parse_args(arguments)
    try:
        from infonce_lint.server.language_server import InfonceLanguageServer
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in _NEEDED:
            raise
        print("infonce-lint: error: the server needs pygls: pip install 'infonce-lint[lsp]'", file=sys.stderr)
        return 2
    code = InfonceLanguageServer().serve()  # until the editor closes the pipe: it may say nothing for days
    sys.stderr.flush()
    os._exit(code)  # an ordinary end would wait for the worker, which may be in the midst of a long file


def parser() -> OneLineParser:
    """The options of the command."""
    made = OneLineParser(
        prog="infonce-lint server",
        description="Serves editors over the Language Server Protocol, on standard input and output: diagnostics, "
        "quick fixes, fix all, and the rules' pages on hover.",
        allow_abbrev=False,
    )
    made.add_argument("--stdio", action="store_true", help="accepted because editors pass it; there is no other way")
    return made
