"""The losses that the tests run, as text: right ones in several calling styles, and the helpers to examine them."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from infonce_lint.settings import Settings
from infonce_lint.sources.source import SourceFile
from infonce_lint.verify.checks import FAMILIES
from infonce_lint.verify.examination import Examination, examine
from infonce_lint.verify.rows import Row, Status
from infonce_lint.verify.site import Site
from infonce_lint.verify.target import Target, sites_of
from infonce_lint.verify.worker import Worker

QUICK = tuple(family for family in FAMILIES if family not in ("distributed", "device"))

IMPORTS = """\
import torch
import torch.nn as nn
import torch.nn.functional as F
"""

#: Stacked views, any number of them, sizes from the rows; the mutants are made from it.
STACKED = (
    IMPORTS
    + '''

def nt_xent(features, n_views=2, temperature=0.1):
    """NT-Xent of view-major rows."""
    z = F.normalize(features, dim=1)
    samples = len(z) // n_views
    if samples * n_views != len(z):
        raise ValueError(f"{len(z)} rows are not {n_views} views")
    sample = torch.arange(samples).repeat(n_views)
    own = torch.eye(len(z), dtype=torch.bool)
    positive = (sample.unsqueeze(0) == sample.unsqueeze(1)) & ~own
    similarity = z @ z.T / temperature
    total = torch.logsumexp(similarity.masked_fill(own, float("-inf")), dim=1, keepdim=True)
    share = similarity - total
    return -((share * positive).sum(dim=1) / positive.sum(dim=1)).mean()
'''
)

#: Two arguments, cross-entropy with the partner's row as the class.
PAIR = (
    IMPORTS
    + """

class PairLoss(nn.Module):
    def __init__(self, temperature, device="cuda"):
        super().__init__()
        self.temperature = temperature
        self.device = device
        self.criterion = nn.CrossEntropyLoss()

    def forward(self, z_i, z_j):
        z = F.normalize(torch.stack([z_i, z_j]).flatten(0, 1), dim=1)
        logits = z @ z.t() / self.temperature
        logits = logits.masked_fill(torch.eye(len(z), dtype=torch.bool, device=self.device), float("-inf"))
        partner = torch.arange(len(z), device=self.device).roll(len(z_i))
        return self.criterion(logits, partner)
"""
)

#: Two towers in both directions.
TOWERS = (
    IMPORTS
    + """

def contrastive_loss(image_features, text_features, logit_scale):
    image_features = F.normalize(image_features, dim=-1)
    text_features = F.normalize(text_features, dim=-1)
    logits = logit_scale * image_features @ text_features.t()
    labels = torch.arange(len(logits), device=logits.device)
    return (F.cross_entropy(logits, labels) + F.cross_entropy(logits.t(), labels)) / 2
"""
)

#: Views side by side, supervised by labels if there are any, scaled by temperature / base temperature.
SIDE_BY_SIDE = (
    IMPORTS
    + """

class SupervisedContrast(nn.Module):
    def __init__(self, temperature=0.07, base_temperature=0.07):
        super().__init__()
        self.temperature = temperature
        self.base_temperature = base_temperature

    def forward(self, features, labels=None):
        if features.dim() != 3:
            raise ValueError("features must be [batch, views, width]")
        samples, views = features.shape[:2]
        labels = torch.arange(samples) if labels is None else labels
        rows = F.normalize(torch.cat(features.unbind(dim=1)), dim=1)
        similarity = rows @ rows.T / self.temperature
        own = torch.eye(len(rows), dtype=torch.bool)
        same = (labels[:, None] == labels[None, :]).repeat(views, views) & ~own
        share = similarity - similarity.masked_fill(own, float("-inf")).logsumexp(dim=1, keepdim=True)
        loss = -(share * same).sum(dim=1) / same.sum(dim=1)
        return self.temperature / self.base_temperature * loss.mean()
"""
)

#: A trainer whose constructor takes anything; its loss gives logits and labels, sized by the configured batch.
TRAINER = (
    IMPORTS
    + '''
from torch.utils.tensorboard import SummaryWriter
from pipeline import save_checkpoint


class Trainer:
    def __init__(self, *args, **kwargs):
        self.args = kwargs["args"]
        self.model = kwargs["model"].to(self.args.device)
        self.writer = SummaryWriter()
        self.criterion = nn.CrossEntropyLoss().to(self.args.device)

    def info_nce(self, features):
        """Logits with the positive first, and zeros."""
        ids = torch.cat([torch.arange(self.args.batch_size) for _ in range(self.args.n_views)])
        same = (ids.unsqueeze(0) == ids.unsqueeze(1)).float().to(self.args.device)
        features = F.normalize(features, dim=1)
        similarity = features @ features.T
        own = torch.eye(len(same), dtype=torch.bool).to(self.args.device)
        same = same[~own].view(len(same), -1)
        similarity = similarity[~own].view(len(similarity), -1)
        positives = similarity[same.bool()].view(len(same), -1)
        negatives = similarity[~same.bool()].view(len(similarity), -1)
        logits = torch.cat([positives, negatives], dim=1)
        labels = torch.zeros(len(logits), dtype=torch.long).to(self.args.device)
        return logits / self.args.temperature, labels

    def train(self, loader):
        for images, _ in loader:
            logits, labels = self.info_nce(self.model(torch.cat(images).cuda()))
            self.criterion(logits, labels).backward()
        save_checkpoint(self.model)
'''
)

#: The loss stands in the loop, between the model and the optimiser.
INLINED = (
    IMPORTS
    + """

def train(net, loader, optimizer, temperature, epoch):
    net.train()
    total = 0.0
    for pos_1, pos_2, _ in loader:
        _, out_1 = net(pos_1.cuda(non_blocking=True))
        _, out_2 = net(pos_2.cuda(non_blocking=True))
        out = F.normalize(torch.cat([out_1, out_2], dim=0), dim=1)
        sim = torch.exp(out @ out.t() / temperature)
        mask = (torch.ones_like(sim) - torch.eye(2 * batch_size, device=sim.device)).bool()
        sim = sim.masked_select(mask).view(2 * batch_size, -1)
        half = len(out) // 2
        pos = torch.exp((out[:half] * out[half:]).sum(dim=-1) / temperature)
        loss = (-torch.log(torch.cat([pos, pos]) / sim.sum(dim=-1))).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item() * batch_size
    return total


if __name__ == "__main__":
    batch_size = 256
    train(None, None, None, 0.5, "a script must not run when its loss is looked at")
"""
)


def has_fp16_on_cpu() -> bool:
    """Whether this torch knows autocast to float16 on the CPU (2.1 does not)."""
    import torch

    try:
        with torch.autocast("cpu", dtype=torch.float16):
            return bool((torch.ones(2, 2) @ torch.ones(2, 2)).dtype == torch.float16)
    except RuntimeError:
        return False


def sites(text: str, name: str = "", path: str = "/project/losses.py") -> list[Site]:
    """The losses of a text."""
    return sites_of(Target(path, path, name), SourceFile(text, path), Settings())


def site(text: str, name: str = "", path: str = "/project/losses.py") -> Site:
    """The one loss of a text."""
    (found,) = sites(text, name, path)
    return found


def examined(text: str, worker: Worker, families: Sequence[str] = QUICK, name: str = "") -> Examination:
    """The one loss of a text, examined."""
    return examine(site(text, name), text, worker, families=families)


def failed(examination: Examination) -> set[str]:
    """The names of the rows that failed; the examination must have run."""
    assert not examination.problem, examination.problem
    return {row.name for row in examination.rows if row.status is Status.FAIL}


def row(examination: Examination, name: str) -> Row:
    """The row of a name."""
    assert not examination.problem, examination.problem
    return next(each for each in examination.rows if each.name == name)


def write(folder: Path, text: str, name: str = "losses.py") -> Path:
    """A file with a text."""
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def comes_true(what: Callable[[], bool]) -> bool:
    """Whether something becomes so within a minute."""
    deadline = time.monotonic() + 60
    while not what() and time.monotonic() < deadline:
        time.sleep(0.05)
    return what()


def is_running(process: int) -> bool:
    """Whether there is a process of that number that has not ended (one that nobody waited for has)."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    status = Path(f"/proc/{process}/stat")
    try:
        return not status.exists() or status.read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
