"""Colours of the ``full`` format; rich knows what a terminal can show (NO_COLOR, FORCE_COLOR, TERM, Windows)."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from infonce_lint.report.frame import Paint

STYLES = {
    "code": "bold red",
    "star": "bold cyan",
    "message": "bold",
    "path": "bold",
    "gutter": "blue",
    "primary": "bold red",
    "secondary": "bold yellow",
    "help": "bold green",
    "note": "bold cyan",
    "added": "green",
    "removed": "red",
    "good": "bold green",
    "error": "bold red",
    "warning": "bold yellow",
}


def is_coloured(stream: TextIO) -> bool:
    """Whether it is worth asking rich about colours: a pipe or a file gets plain text unless FORCE_COLOR is set."""
    return not os.environ.get("NO_COLOR") and (stream.isatty() or bool(os.environ.get("FORCE_COLOR")))


def painter(stream: TextIO) -> Paint:
    """A `Paint` for the stream; the plain one where there are no colours (rich is then not imported)."""
    if not is_coloured(stream):
        return lambda style, text: text
    from rich.console import Console
    from rich.text import Text

    console = Console(file=stream, highlight=False, markup=False, emoji=False)

    def paint(style: str, text: str) -> str:
        with console.capture() as captured:
            console.print(Text(text, style=STYLES[style]), end="", soft_wrap=True)
        return captured.get()

    return paint


def screen_width(stream: TextIO) -> int | None:
    """The columns of the screen; None if the text goes elsewhere."""
    if not stream.isatty():
        return None
    import shutil

    return shutil.get_terminal_size().columns
