"""Every code that a finding can have, with its documentation: the rules, and the two notices of the engine itself."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from inspect import cleandoc


@dataclass(frozen=True, slots=True)
class Entry:
    """A code's documentation; ``doc`` is Markdown and begins with ``summary``."""

    code: str
    name: str
    doc: str

    @property
    def summary(self) -> str:
        """The first line, as tables and SARIF show it."""
        return self.doc.partition("\n")[0]

    @property
    def page(self) -> str:
        """The whole page, under its title."""
        return f"# {self.name} ({self.code})\n\n{self.doc}"


_PARSE_ERROR = """
    A file that cannot be read as Python 3 or as a notebook.

    ## What it does
    Reports a file that cannot be opened, decoded or parsed: a syntax error, Python 2, bytes that are not of the
    declared encoding, NUL bytes, a notebook that is no JSON, or nesting too deep for the parser. Where a later Python
    reads the file, the message says which one it needs.

    Of the files that a folder holds, only those are reported whose words could make a finding, if they parsed; a file
    that is named on the command line is always reported. In a notebook each cell is judged by itself, as IPython reads
    it; of a cell that does not parse, imports and assignments that can be read still count for the other cells.

    ## Why is this bad?
    Nothing can be said about the losses in such a file, and a linter that passes over one in silence would look green.

    ## Example
    ```python
    print "loss", loss
    ```

    Use instead:
    ```python
    print("loss", loss)
    ```

    ## Fix safety
    There is no automatic fix.

    ## References
    - [The lexical analysis of Python](https://docs.python.org/3/reference/lexical_analysis.html)
    """

_UNUSED_SUPPRESSION = """
    A `# noqa` comment for a code of this linter that silences nothing.

    ## What it does
    Reports `# noqa: NCE…` comments on lines where no such finding stands. Codes of other tools and blanket `# noqa`
    comments are left alone.

    ## Why is this bad?
    A suppression that outlives its finding hides the next one, and it tells readers of a defect that is gone.

    ## Example
    ```python
    n_rows = features.shape[0]  # noqa: NCE001
    ```

    Use instead:
    ```python
    n_rows = features.shape[0]
    ```

    ## Fix safety
    Removing the code, or the whole comment if no other code is left, changes no behaviour: the fix is safe.

    ## References
    - [Selecting and ignoring violations in flake8](https://flake8.pycqa.org/en/latest/user/violations.html)
    """


@cache
def catalogue() -> tuple[Entry, ...]:
    """All entries by code. Imports the rules, so ask for it only when it is needed."""
    from infonce_lint.rules import discover

    entries = [Entry(rule.code, rule.name, cleandoc(rule.doc)) for rule in discover()]
    entries.append(Entry("NCE900", "parse-error", cleandoc(_PARSE_ERROR)))
    entries.append(Entry("NCE901", "unused-suppression", cleandoc(_UNUSED_SUPPRESSION)))
    return tuple(sorted(entries, key=lambda entry: entry.code))


def find(word: str) -> Entry | None:
    """The entry of a code or a rule's name, in any case of letters."""
    return next((entry for entry in catalogue() if word.lower() in (entry.code.lower(), entry.name)), None)
