"""``python -m infonce_lint``."""

from __future__ import annotations

import sys

from infonce_lint.command.cli import main

if __name__ == "__main__":
    sys.exit(main())
