"""The ``.fixed.py`` beside a fixture: what ``--fix`` makes of it.

``python -m tests.fixed_siblings`` writes them anew; read the difference before committing it. A fixture whose loss has
no safe fix has no sibling.
"""

from __future__ import annotations

from pathlib import Path

from infonce_lint.engine.linter import fix_bytes
from infonce_lint.settings import Settings
from tests.fixture_cases import rule_fixtures


def sibling(fixture: Path) -> Path:
    """Where the repaired form of a fixture stands."""
    return fixture.with_name(f"{fixture.stem}.fixed.py")


def repaired(fixture: Path) -> bytes | None:
    """What the safe fixes make of a fixture, less its markers; None when they change nothing."""
    fixed = fix_bytes(fixture.read_bytes(), fixture.name, Settings(), unsafe=False)
    if not fixed.changed:
        return None
    rows = fixed.data.decode().split("\n")
    return "\n".join(row.partition("  # expect:")[0] if "  # expect:" in row else row for row in rows).encode()


def main() -> None:
    """Write every sibling, and remove those that no fix makes any more."""
    for fixture in rule_fixtures():
        wanted, path = repaired(fixture), sibling(fixture)
        if wanted is not None:
            path.write_bytes(wanted)
        elif path.exists():
            path.unlink()


if __name__ == "__main__":
    main()
