"""A document: what is linted as one Python file, however it is written down. Only here Python files and notebooks part.

Light: whether a file is worth more than a look at its bytes is asked before anything is parsed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from infonce_lint.finding import Finding
    from infonce_lint.sources.source import SourceFile

_NOTEBOOK = ".ipynb"
#: The files that are looked for in folders.
SUFFIXES = (".py", ".pyi", _NOTEBOOK)


class Document(Protocol):
    """One Python file as its ``source``, and the way back to what it is written in."""

    source: SourceFile

    @property
    def errors(self) -> Sequence[Finding]:
        """Findings for the parts that cannot be read and are left out of ``source``."""

    def place(self, finding: Finding) -> Finding:
        """A finding of ``source`` with every place as people see it."""

    def rewrite(self, text: str) -> bytes:
        """The document's bytes with ``source`` changed into ``text``; nothing but what changes is written anew.

        Raises:
            ValueError: it cannot be written; the text says why.
        """

    def texts(self, text: str) -> list[str]:
        """The texts of its parts, those of `opened`, with ``source`` changed into ``text``.

        Raises:
            ValueError: as ``rewrite``.
        """


class _PythonFile:
    """A document that is its own source."""

    errors: Sequence[Finding] = ()

    def __init__(self, source: SourceFile) -> None:
        self.source = source

    def place(self, finding: Finding) -> Finding:
        return finding

    def rewrite(self, text: str) -> bytes:
        from infonce_lint.sources.source import SourceError

        try:
            return self.source.encode(text)
        except SourceError as error:
            raise ValueError(error.message) from None

    def texts(self, text: str) -> list[str]:
        return [("\N{ZERO WIDTH NO-BREAK SPACE}" if self.source.bom else "") + text]


def is_plain(path: str) -> bool:
    """Whether the bytes of a file are the Python that is linted, so that they can be searched as they are."""
    return not path.endswith(_NOTEBOOK)


def code_of(data: bytes, path: str) -> bytes:
    """The bytes to search for what a file's Python says: those of the file, or of the code cells in a notebook."""
    if is_plain(path):
        return data
    from infonce_lint.sources.notebook import code_cells
    from infonce_lint.sources.source import SourceError

    try:
        cells = code_cells(data)
    except SourceError:
        return data
    # a statement between two cells: an indented one goes on where no other ends
    return "\npass\n".join(text for _, text in cells).encode("utf-8", "surrogatepass")


def read(data: bytes, path: str) -> Document:
    """The document that a file's bytes are; its name says how they are written.

    Raises:
        SourceError: they cannot be read; whether they parse is the ``source``'s to say.
    """
    if not is_plain(path):
        from infonce_lint.sources.notebook import Notebook

        return Notebook.from_bytes(data, path)
    from infonce_lint.sources.source import SourceFile

    return _PythonFile(SourceFile.from_bytes(data, path))


def opened(parts: Sequence[tuple[str, bool]], path: str, *, in_cells: bool) -> Document:
    """The document that an editor has open: one text, or the cells of a notebook, each with whether it is Python."""
    if in_cells:
        from infonce_lint.sources.notebook import Notebook

        return Notebook.from_cells(parts, path)
    from infonce_lint.sources.source import SourceFile

    return _PythonFile(SourceFile.from_text(parts[0][0], path))


def python_of(text: str, cell: int | None) -> str:
    """The text of a file, or of a cell, as Python of the same rows: a cell loses what IPython alone understands."""
    from infonce_lint.sources.source import SourceError, SourceFile

    if cell is not None:
        try:
            SourceFile(text, "").tree  # noqa: B018  raises SourceError
        except SourceError:
            from infonce_lint.sources.ipython import as_python

            return as_python(text).python
    return text


def spoken_row(text: str, path: str, row: int) -> str:
    """A row of a source's text as messages name it, where nothing but the text is at hand: in a notebook by cell."""
    if not is_plain(path):
        from infonce_lint.sources.notebook import joined

        cell, row = joined(text, path).cell_row(row)
        return f"{row}" if cell is None else f"{row} of cell {cell}"
    return f"{row}"


def text_of(data: bytes, path: str, cell: int | None) -> str:
    """The text that a finding's positions count in; for a file that cannot be decoded, something near it."""
    from infonce_lint.sources.source import SourceError, SourceFile

    try:
        if cell is not None:
            from infonce_lint.sources.notebook import cell_text

            return cell_text(data, cell)
        return SourceFile.from_bytes(data, path).text
    except SourceError:
        return data.decode("utf-8", "replace")
