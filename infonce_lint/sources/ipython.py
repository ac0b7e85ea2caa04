"""What IPython takes in a cell and Python does not (magics, shell lines, help requests), written as Python.

Rows stay rows. What is Python keeps its text, and what stands before it on its row, a prompt or an indentation, is set
apart (`prompts.py`). ``%pip install x`` becomes ``pass  # magic 1`` and ``files = !ls`` becomes ``files = None  # magic
2``, numbered inside the cell so that no two are alike.

After IPython's `inputtransformer2` and, for a cell of a single row, its `prefilter`.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from typing import NamedTuple

from infonce_lint.sources.prompts import bare, is_blank, rows_of

_PYTHON_BODIES = frozenset("capture debug heat ipytest memit prun px scalene snakeviz time timeit wandb".split())
"""Cell magics whose body runs as Python in the notebook's own namespace."""

_CELL_MAGIC = re.compile(r"%%(?!\w+\?)(?P<name>\S*)")
#: What starts a row that IPython takes as a whole; the longer operators of Python do not.
_ESCAPE = re.compile(r"[!%](?!=)|[?,;]|/(?![/=])")
_HELP = re.compile(r"%{0,2}(?!\d)[\w*]+(?:\.(?!\d)[\w*]+|\[-?[0-9]+\])*\?\??$")
_NAME_AND_REST = re.compile(r"([\w.*]*)\s*(.*)", re.DOTALL)
#: Magics of a row, and the shell's commands among them: in a cell of one row they need no percent sign.
_MAGICS = frozenset(
    "alias alias_magic autoawait autocall automagic autosave bookmark cat cd clear code_wrap colors conda config "
    "connect_info cp debug dhist dirs doctest_mode ed edit env exit gui hist history killbgscripts ldir less lf lk ll "
    "load load_ext loadpy logoff logon logstart logstate logstop ls lsmagic lx macro magic mamba man matplotlib "
    "micromamba mkdir more mv notebook page pastebin pdb pdef pdoc pfile pinfo pinfo2 pip popd pprint precision prun "
    "psearch psource pushd pwd pycat pylab qtconsole quickref quit recall rehashx reload_ext rep rerun reset "
    "reset_selective rm rmdir run save sc set_env store subshell sx system tb time timeit unalias unload_ext uv who "
    "who_ls whos xdel xmode".split()
)

_PIECE = re.compile(
    r"""(?P<quote>\"{3}|'{3}|["'])
    | (?P<comment>\#)
    | (?P<open>[(\[{])
    | (?P<close>[)\]}])
    | (?://|\*\*|<<|>>|[-=!<>+*/%&|^@:])=
    | (?P<assign>=)
    | \\.""",
    re.VERBOSE | re.DOTALL,
)
_CAPTURED = re.compile(r"(?P<blanks>[ \t\f]*)(?:(?P<system>!(?!=))|%[ \t\f]*(?=[^\W\d]))")


class CellCode(NamedTuple):
    """A cell as Python: ``python`` has its rows, and ``prefixes`` what stands before the Python on each."""

    python: str
    prefixes: tuple[str, ...]


def as_python(cell: str) -> CellCode:
    """``cell`` as Python of the same rows; what is wrong in other ways stays wrong."""
    python, prefixes = _Numbering().cell(rows_of(cell))
    return CellCode("".join(python), tuple(prefixes))


def beginnings(rows: Sequence[str]) -> list[int]:
    """The rows of a cell on which statements begin at its margin, counted from 0."""
    reader = _Reader(_Numbering())
    reader.read(rows)
    return [row for row in reader.starts if rows[row][:1].strip() and not rows[row].startswith(("#", ")", "]", "}"))]


class _Numbering:
    """Writes cells, and the cells inside of them that a magic runs, as Python; numbers what it puts instead."""

    def __init__(self) -> None:
        self._magics = 0

    def placeholder(self, python: str, row: str) -> str:
        self._magics += 1
        return f"{python}  # magic {self._magics}{_end(row)}"

    def cell(self, rows: Sequence[str]) -> tuple[list[str], list[str]]:
        """The rows of a cell as Python, and what stands before it on each."""
        prefixes, rows = bare(rows)
        first = next((number for number, row in enumerate(rows) if not is_blank(row)), len(rows))
        magic = _CELL_MAGIC.match(rows[first]) if first < len(rows) else None
        if magic is None:
            return self._statements(rows, first), prefixes
        above, head, body = rows[:first], self.placeholder("pass", rows[first]), rows[first + 1 :]
        if magic["name"] not in _PYTHON_BODIES:
            return [*above, head, *map(_end, body)], prefixes
        python, inner = self.cell(body)
        together = [outer + own for outer, own in zip(prefixes[first + 1 :], inner)]
        return [*above, head, *python], [*prefixes[: first + 1], *together]

    def _statements(self, rows: Sequence[str], first: int) -> list[str]:
        """The rows of a cell that no magic takes as a whole."""
        if first < len(rows) and not "".join(rows[first + 1 :]) and _is_automagic(rows[first]):
            return [*rows[:first], self.placeholder("pass", rows[first]), *rows[first + 1 :]]
        return _Reader(self).read(rows)


def _is_automagic(row: str) -> bool:
    """Whether the only row of a cell is a magic without its percent sign."""
    row = row.strip()
    name, rest = _NAME_AND_REST.findall(row)[0]
    return name in _MAGICS and rest[:1] not in ("=", ",") and not _parses(row)


def _parses(text: str) -> bool:
    try:
        ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True


def _end(row: str) -> str:
    return row[len(row.rstrip("\r\n")) :]


class _Reader:
    """Reads a cell row by row and knows whether a row starts a statement."""

    def __init__(self, numbering: _Numbering) -> None:
        self._numbering = numbering
        self._brackets = 0
        self._quote = ""  # of the string that is still open
        self._joined = False  # the row before ended with a backslash
        self.starts: list[int] = []  # the rows on which statements start
        self._has_assigned = False  # its first `=` has come
        self._assigns = False  # and nothing behind it yet
        self._is_code = True  # up to the end of the row

    def read(self, rows: Sequence[str]) -> list[str]:
        """The rows as Python."""
        python: list[str] = []
        while len(python) < len(rows):
            here = len(python)
            last = here  # of a magic: it goes on behind a backslash
            while rows[last].endswith("\\\n") and any(rows[last + 1 :]):
                last += 1
            first, statement = self._instead(rows, here, last)
            if not statement:
                python.append(rows[here])
                continue
            self._brackets, self._quote, self._joined = 0, "", False
            python[first:] = [self._numbering.placeholder(statement, rows[first])]
            python += map(_end, rows[first + 1 : last + 1])
        return python

    def _instead(self, rows: Sequence[str], here: int, last: int) -> tuple[int, str]:
        """A row, and what to put for those from it to ``last`` if IPython understands them and Python does not."""
        if self._is_between():
            self.starts.append(here)
            self._has_assigned = self._assigns = False
            indent = _indent(rows[here])
            escape = _ESCAPE.match(rows[here], len(indent))
            if escape is not None and _is_command(escape[0], _in_one(rows[here : last + 1], escape.end())):
                return here, f"{indent}pass"
        captured = self._captured(rows[here])
        if self._joined and self.starts[-1] == here and rows[here].strip() == "\\":
            self._joined = False  # the statement starts on the next row
        if not captured and not self._is_between() and any(rows[here + 1 :]):
            return here, ""
        if self._is_code and _HELP.search(rows[here].rstrip("\r\n")):
            return self.starts[-1], f"{_indent(rows[self.starts[-1]])}pass"
        return here, captured

    def _is_between(self) -> bool:
        """Whether no statement is open."""
        return not (self._brackets or self._quote or self._joined)

    def _captured(self, row: str) -> str:
        """Reads a row; the statement to put instead if what a magic gives is assigned on it, else nothing."""
        text = row.rstrip("\r\n")
        self._joined, self._is_code = row.endswith("\\\n"), True
        at = 0
        if self._assigns and (magic := _CAPTURED.match(text)):
            return f"{text[: magic.end('blanks')]}None"
        self._assigns = self._assigns and text.strip() == "\\"
        while at < len(text):
            if self._quote:
                closing = re.compile(rf"(?:\\.|[^\\])*?{self._quote}", re.DOTALL).match(text, at)
                if closing is not None:
                    self._quote, at = "", closing.end()
                elif len(self._quote) == 3 or self._joined:
                    self._joined = self._is_code = False
                    return ""
                else:
                    self._quote = ""  # it is none: `what's this?`
            piece = _PIECE.search(text, at)
            if piece is None:
                break
            at = piece.end()
            if piece["comment"]:
                self._joined = self._is_code = False
                break
            if piece["quote"]:
                self._quote = piece["quote"]
            elif piece["open"]:
                self._brackets += 1
            elif piece["close"]:
                self._brackets = max(0, self._brackets - 1)
            elif piece["assign"] and not self._brackets and not self._has_assigned:
                self._has_assigned = True
                magic = _CAPTURED.match(text, at)
                if magic and not (magic["system"] and text.lstrip().startswith("=")):
                    self._is_code = not set(text[magic.end() :]) & set("#\"'")
                    return f"{text[: magic.end('blanks')]}None"
                self._assigns = text[at:].strip() == "\\"
        if len(self._quote) == 1:  # the row's last character
            self._quote = ""
        return ""


def _indent(row: str) -> str:
    return row[: len(row) - len(row.lstrip(" \t\f"))]


def _in_one(rows: Sequence[str], start: int) -> str:
    """What follows an escape on its row and those that a backslash joins to it."""
    parts = [rows[0][start:], *rows[1:]]
    return " ".join([*(part.rstrip()[:-1] for part in parts[:-1]), parts[-1].rstrip()])


def _is_command(escape: str, content: str) -> bool:
    """Whether IPython makes something that parses of what follows an escape."""
    name, _, rest = content.partition(" ")
    if escape == ",":
        made = '{}("{}")'.format(name, '", "'.join(rest.split()))
    elif escape == ";":
        made = f'{name}("{rest}")'
    elif escape == "/" and name:
        made = f"{name}({', '.join(rest.split())})"
    else:
        return escape != "/"
    again = _ESCAPE.match(made)
    return _is_command(again[0], made[again.end() :]) if again else _parses(made)
