"""Sources that the tests of the surfaces lint, and how to run the command on them."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

#: One finding, NCE001 on the row and in the columns below, that ``--fix`` repairs.
BAD = """\
import torch
import torch.nn.functional as F


class Trainer:
    def __init__(self, args):
        self.args = args

    def info_nce_loss(self, features):
        labels = torch.cat([torch.arange(self.args.batch_size) for i in range(self.args.n_views)], dim=0)
        labels = (labels.unsqueeze(0) == labels.unsqueeze(1)).float()
        features = F.normalize(features, dim=1)
        similarity_matrix = torch.matmul(features, features.T)
        mask = torch.eye(labels.shape[0], dtype=torch.bool)
        labels = labels[~mask].view(labels.shape[0], -1)
        similarity_matrix = similarity_matrix[~mask].view(similarity_matrix.shape[0], -1)
        positives = similarity_matrix[labels.bool()].view(labels.shape[0], -1)
        negatives = similarity_matrix[~labels.bool()].view(similarity_matrix.shape[0], -1)
        logits = torch.cat([positives, negatives], dim=1) / self.args.temperature
        return logits, torch.zeros(logits.shape[0], dtype=torch.long)
"""
BAD_PLACE = (10, 42)  # row and column of `self.args.batch_size`
BAD_END = (10, 62)
CLEAN = "import torch\n\n\ndef loss(features):\n    return torch.arange(features.shape[0])\n"
SUPPRESSED = BAD.replace("dim=0)\n", "dim=0)  # noqa: NCE001\n", 1)
UNUSED_NOQA = "rows = 3  # noqa: NCE001\n"


def notebook(*cells: str) -> str:
    """A notebook whose code cells hold these sources, after one cell of text."""
    import json

    made: list[dict[str, object]] = [
        {"cell_type": "markdown", "id": "text", "metadata": {}, "source": ["# A notebook\n"]}
    ]
    for number, source in enumerate(cells):
        made.append(
            {
                "cell_type": "code",
                "execution_count": None,
                "id": f"cell{number}",
                "metadata": {},
                "outputs": [],
                "source": source.splitlines(keepends=True),
            }
        )
    metadata = {"kernelspec": {"name": "python3", "display_name": "Python 3"}, "language_info": {"name": "python"}}
    return json.dumps({"cells": made, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}, indent=1) + "\n"


def run(
    *arguments: str | Path,
    cwd: Path,
    stdin: bytes | None = None,
    module: str = "infonce_lint",
    env: Mapping[str, str] | None = None,
) -> subprocess.CompletedProcess[str]:
    """``python -m infonce_lint`` (or another module) as a user runs it, with its output as text.

    Coverage tools and colours of the caller's environment stay out of the way.
    """
    clean = {key: value for key, value in os.environ.items() if key not in ("FORCE_COLOR", "NO_COLOR", "COLUMNS")}
    done = subprocess.run(
        [sys.executable, "-m", module, *map(str, arguments)],
        cwd=cwd,
        input=stdin,
        stdin=subprocess.DEVNULL if stdin is None else None,
        capture_output=True,
        env={**clean, "PYTHONUTF8": "1", **(env or {})},
        timeout=120,
        check=False,
    )
    out, err = done.stdout.decode(), done.stderr.decode()
    assert "Traceback" not in err, err
    return subprocess.CompletedProcess(done.args, done.returncode, out, err)
