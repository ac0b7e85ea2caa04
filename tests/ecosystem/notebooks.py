"""A round trip over every notebook below a folder: nothing but the rows of an edit may change.

    python -m tests.ecosystem.notebooks FOLDER

Each notebook is written back without an edit, with a row put into every code cell, and as ``--fix --unsafe-fixes``
leaves it. Counts what was done and what went wrong; the exit code is 1 if anything did.
"""

from __future__ import annotations

import difflib
import json
import sys
import warnings
from collections import Counter
from pathlib import Path

import nbformat

from infonce_lint.engine.linter import fix_bytes
from infonce_lint.finding import Edit, Position, Span
from infonce_lint.settings import Settings
from infonce_lint.sources.notebook import Notebook
from infonce_lint.sources.source import SourceError

MARK = "inserted_by_the_round_trip = 'é'\n"


def is_valid(data: bytes) -> bool:
    """Whether nbformat finds nothing wrong with a notebook."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of missing cell ids
            nbformat.validate(json.loads(data))
    except (nbformat.ValidationError, KeyError):
        return False
    return True


def changed_cells(before: bytes, after: bytes) -> list[int]:
    """The cells whose source differs; all cells if anything else differs too."""
    old, new = json.loads(before), json.loads(after)
    numbers = []
    for number, (first, second) in enumerate(zip(old["cells"], new["cells"]), start=1):
        if first != second:
            numbers.append(number)
            second["source"] = first["source"]
    return numbers if old == new and list(old) == list(new) else list(range(1, len(old["cells"]) + 1))


def rows_that_went(before: bytes, after: bytes) -> list[bytes]:
    """The rows of the file that are no longer there."""
    rows = difflib.ndiff(before.decode().split("\n"), after.decode().split("\n"), charjunk=None)
    return [row[2:].encode() for row in rows if row.startswith("- ")]


def inserted_everywhere(notebook: Notebook) -> tuple[bytes, int]:
    """The notebook with a row put above the first Python of every code cell that has some, and how many those are."""
    starts = [
        notebook.locate(Span(Position(row, 1), Position(row, 1))).cell
        for row in range(1, len(notebook.source.rows) + 1)
    ]
    edits, seen = [], set[int | None]()
    for node in notebook.source.tree.body:
        start = notebook.source.ast_span(node).start
        cell = starts[start.row - 1]
        is_magic = "  # magic " in notebook.source.rows[start.row - 1]  # one for the cell must stay on top
        if cell not in seen and start.column == 1 and not is_magic:
            seen.add(cell)
            edits.append(Edit(Span(start, start), MARK))
    return notebook.apply(edits), len(edits)


def problems(data: bytes, path: str, counts: Counter[str]) -> list[str]:
    """What goes wrong with one notebook."""
    try:
        notebook = Notebook.from_bytes(data, path)
    except SourceError as error:
        counts["no notebook of format 4"] += 1
        return [] if "\n" not in error.message else [f"not one line: {error.message!r}"]
    found = []
    valid = is_valid(data)
    counts["notebooks"] += 1
    counts["valid for nbformat"] += valid
    counts["cells"] += len(json.loads(data)["cells"])
    counts["cells that do not parse"] += len(notebook.errors)
    if notebook.rewrite(notebook.source.text) != data:
        found.append("changes without an edit")
    marked, cells = inserted_everywhere(notebook)
    counts["cells with a row put in"] += cells
    found += [f"with a row put in: {each}" for each in kept(data, marked, valid, cells)]
    if marked.decode().replace("\\u00e9", "é").count(MARK.strip()) != cells:
        found.append("a row put in is not there")
    fixed = fix_bytes(data, path, Settings(), unsafe=True)
    counts["fixed"] += fixed.changed
    counts["findings fixed"] += fixed.fixed
    counts["findings left"] += len(fixed.remaining)
    if fixed.reason:
        found.append(f"not fixed: {fixed.reason}")
    if fixed.changed:
        found += [f"fixed: {each}" for each in kept(data, fixed.data, valid, None)]
        gone = [row for row in rows_that_went(data, fixed.data) if b'"' not in row]
        found += [f"fixed: a row that is no source went: {row!r}" for row in gone]
        if fix_bytes(fixed.data, path, Settings(), unsafe=True).changed:
            found.append("fixed: a second fix changes it again")
    return found


def kept(before: bytes, after: bytes, valid: bool, cells: int | None) -> list[str]:
    """What should have stayed as it was and did not."""
    found = []
    changed = changed_cells(before, after)
    if cells is not None and len(changed) != cells:
        found.append(f"{len(changed)} cells change, not {cells}")
    if valid and not is_valid(after):
        found.append("no longer valid for nbformat")
    ends = [data[len(data.rstrip()) :] for data in (before, after)]
    if ends[0] != ends[1]:
        found.append("the end of the file changes")
    return found


def main() -> int:
    """Go through the folder; the exit code says whether anything went wrong."""
    (folder,) = sys.argv[1:]
    counts = Counter[str]()
    wrong = 0
    for path in sorted(Path(folder).rglob("*.ipynb")):
        try:
            found = problems(path.read_bytes(), path.name, counts)
        except Exception as error:  # whatever it is, the others are looked at
            found = [f"{type(error).__name__}: {error}"]
        for each in found:
            print(f"{path}: {each}")
        wrong += bool(found)
    for name, count in counts.items():
        print(f"{count:8} {name}")
    print(f"{wrong:8} with problems")
    return 1 if wrong else 0


if __name__ == "__main__":
    raise SystemExit(main())
