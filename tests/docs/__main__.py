"""Writes the generated pages and parts of docs/; ``--measure`` also the tables that take long or need other tools."""

from __future__ import annotations

import argparse

from tests.docs.console import DOCS, with_fresh_output
from tests.docs.parts import rule_pages, with_fresh_parts

if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.docs", description=__doc__)
    parser.add_argument("--measure", action="store_true", help="also the tables of measurements")
    measure = parser.parse_args().measure
    for file, text in rule_pages().items():
        file.parent.mkdir(exist_ok=True)
        file.write_text(text, encoding="utf-8")
    for file in sorted(DOCS.rglob("*.md")):
        page = file.read_text(encoding="utf-8")
        fresh = with_fresh_output(with_fresh_parts(page, measure=measure))
        if fresh != page:
            file.write_text(fresh, encoding="utf-8")
            print(file.relative_to(DOCS.parent))
