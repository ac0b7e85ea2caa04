"""What IPython takes in a cell and Python does not (magics, shell lines, help requests), written as Python.

Rows stay rows, and what is Python keeps its columns. ``%pip install x`` becomes ``pass  # magic 1`` and ``files = !ls``
becomes ``files = None  # magic 2``, numbered inside the cell so that no two are alike.
"""

from __future__ import annotations

import re

_PYTHON_BODIES = {"capture", "memit", "prun", "time", "timeit"}
"""Cell magics whose body runs as Python in the notebook's own namespace."""

_CELL_MAGIC = re.compile(r"\s*%%\s*(\w+)")
#: Automagic: IPython runs these without a percent sign where the row is no Python.
_AUTOMAGIC = (
    r"(?:ls|ll|cd|pwd|cp|mv|rm|mkdir|rmdir|cat|less|man|pip|conda)"
    r"(?=\s+(?!(?:in|is|if|and|or|not|for)\b)[\w./~$*-])"
)
_MAGIC_ROW = re.compile(rf"(?P<indent>\s*)(?:[%!?]|{_AUTOMAGIC})")

_PIECE = re.compile(
    r"""(?P<quote>\"{3}|'{3}|["'])
    | (?P<comment>\#)
    | (?P<open>[(\[{])
    | (?P<close>[)\]}])
    | (?P<captured>=[ \t]*(?=[!%]))
    | (?P<help>\?)
    | \\.""",
    re.VERBOSE | re.DOTALL,
)


def neutralised(cell: str) -> str:
    """``cell`` as Python of the same rows; what is wrong in other ways stays wrong."""
    rows = cell.split("\n")
    reader = _Reader()
    magic = _CELL_MAGIC.match(cell)
    if magic is not None:
        first = magic[0].count("\n")
        if magic[1] not in _PYTHON_BODIES:
            return "\n" * first + reader.placeholder("pass") + "\n" * (len(rows) - 1 - first)
        rows[first] = reader.placeholder("pass")
    return "\n".join(map(reader.python, rows))


class _Reader:
    """Reads a cell row by row and knows whether a row starts a statement."""

    def __init__(self) -> None:
        self._brackets = 0
        self._quote = ""  # of the string that is still open
        self._joined = False  # the row before ended with a backslash
        self._in_magic = False
        self._magics = 0

    def placeholder(self, python: str) -> str:
        self._magics += 1
        return f"{python}  # magic {self._magics}"

    def python(self, row: str) -> str:
        """``row`` as Python."""
        if self._in_magic:
            self._in_magic = row.endswith("\\")
            return ""
        magic = None if self._brackets or self._quote or self._joined else _MAGIC_ROW.match(row)
        statement = magic["indent"] + "pass" if magic else self._before_magic(row)
        if statement is None:
            return row
        self._in_magic = row.endswith("\\")
        self._joined = False
        return self.placeholder(statement)

    def _before_magic(self, row: str) -> str | None:
        """Reads a row; the statement to put instead if it holds a captured magic or asks for help, else None."""
        self._joined = row.endswith("\\")
        at = 0
        while at < len(row):
            if self._quote:
                closing = re.compile(rf"(?:\\.|[^\\])*?{self._quote}", re.DOTALL).match(row, at)
                if closing is None:
                    self._quote = self._quote if len(self._quote) == 3 or self._joined else ""
                    return None
                self._quote, at = "", closing.end()
            piece = _PIECE.search(row, at)
            if piece is None or piece["comment"]:
                self._joined = self._joined and piece is None
                return None
            at = piece.end()
            if piece["quote"]:
                self._quote = piece["quote"]
            elif piece["open"]:
                self._brackets += 1
            elif piece["close"]:
                self._brackets = max(0, self._brackets - 1)
            elif piece["captured"] and not self._brackets:
                return row[:at] + "None"
            elif piece["help"] and not self._brackets:
                return row[: len(row) - len(row.lstrip())] + "pass"
        return None
