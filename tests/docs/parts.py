"""The parts of docs/ that are made from the code and from README.md."""

from __future__ import annotations

import re
from functools import cache
from importlib import import_module
from pathlib import Path

import yaml

from infonce_lint import lint_source
from infonce_lint.rules.catalogue import Entry, catalogue
from tests.docs.console import DOCS, ROOT

PART = re.compile(r"(<!-- begin generated: (.+?) -->\n)(.*?)(<!-- end generated: \2 -->)", re.DOTALL)
MEASURED = {
    "comparison": "tests.comparison.__main__:table",
    "accuracy": "tests.reference.accuracy:table",
    "views": "tests.reference.mistakes:view_table",
    "ranks": "tests.reference.mistakes:rank_table",
}
"""Tables that take seconds, or tools that not everybody has: written by ``python -m tests.docs --measure``."""


def rule_page(entry: Entry) -> str:
    """The page of one code: its docstring, with what the linter prints for the example."""
    intro, example, rest = entry.doc.partition("## Example\n")
    before, after = rest.split("Use instead:\n", 1)
    said = "".join(f"{line}\n" for line in concise(code_of(before)))
    return (
        f"<!-- made from the rule's docstring by `python -m tests.docs`; change it there -->\n"
        f"# {entry.code} {entry.name}\n\n{intro}{example}{before.rstrip()}\n\n"
        f"infonce-lint prints:\n```text\n{said}```\n\nUse instead:\n{after.rstrip()}\n"
    )


def rule_pages() -> dict[Path, str]:
    """Every rule's page by its file."""
    return {DOCS / "rules" / f"{entry.code.lower()}.md": rule_page(entry) for entry in catalogue()}


def code_of(text: str) -> str:
    """The first Python block in ``text``."""
    (code,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)[:1]
    return str(code)


def concise(code: str) -> list[str]:
    """The findings in ``code`` as the format ``concise`` shows them."""
    lines = []
    for finding in lint_source(code):
        start = finding.span.start
        mark = f"{finding.code} [*]" if finding.fix is not None else finding.code
        lines.append(f"example.py:{start.row}:{start.column}: {mark} {finding.text}")
    return lines


def with_fresh_parts(page: str, *, measure: bool = False) -> str:
    """The page with its generated parts made anew; the measured ones only if asked for."""

    def fresh(part: re.Match[str]) -> str:
        name = part[2]
        if name in MEASURED and not measure:
            return part[0]
        return f"{part[1]}\n{_made(name).strip()}\n\n{part[4]}"

    return PART.sub(fresh, page)


def _made(name: str) -> str:
    if name in MEASURED:
        module, _, function = MEASURED[name].partition(":")
        return str(getattr(import_module(module), function)())
    if name == "rules":
        rows = [f"| [{each.code}]({each.code.lower()}.md) | `{each.name}` | {each.summary} |" for each in catalogue()]
        return "\n".join(["| code | name | what it reports |", "|---|---|---|", *rows])
    if name == "action inputs":
        inputs = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))["inputs"]
        rows = [f"| `{key}` | `{each['default']}` | {each['description']} |" for key, each in inputs.items()]
        return "\n".join(["| input | default | meaning |", "|---|---|---|", *rows]).replace("``", "")
    kind, _, heading = name.partition(": ")
    if kind == "README":
        return section(heading)
    if kind == "README, first part":  # its sub-sections have places of their own
        return section(heading).partition("\n## ")[0]
    raise ValueError(
        f"no part is called {name!r}; there are rules, action inputs, README: HEADING, {', '.join(MEASURED)}"
    )


@cache
def _readme() -> str:
    return (ROOT / "README.md").read_text(encoding="utf-8")


def section(heading: str) -> str:
    """What README.md says under ``heading``, its sub-sections among it, one level below the page's title.

    Its links into docs/ become links from a page there.

    Raises:
        ValueError: README.md has no such heading.
    """
    body: list[str] = []
    depth, fenced = 0, False
    for line in _readme().splitlines():
        fenced ^= line.startswith("```")
        level = 0 if fenced else len(re.match(r"#*", line)[0])  # type: ignore[index]
        if depth and 0 < level <= depth:
            break
        if depth:
            body.append("#" * (level - depth + 1) + line[level:] if level else line)
        elif level and line.strip("# ") == heading:
            depth = level
    if not depth:
        raise ValueError(f"README.md has no heading {heading!r}")
    return "\n".join(body).replace("](docs/", "](")
