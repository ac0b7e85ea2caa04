"""Losses as people write them, right and wrong, with what verify is to say of each: written for this list."""

# ruff: noqa: E501  each text is a loss in a few rows
from __future__ import annotations

from dataclasses import dataclass

from tests.verify.samples import IMPORTS

PLAIN = ("value", "sizes", "edges", "symmetries", "gradients")


@dataclass(frozen=True, slots=True)
class Entry:
    """A loss, the rows that must fail (none for a right one), and words that some row must say."""

    name: str
    text: str
    fails: frozenset[str] = frozenset()
    says: str = ""
    families: tuple[str, ...] = PLAIN


def _right(name: str, body: str, says: str = "", families: tuple[str, ...] = PLAIN) -> Entry:
    return Entry(name, f"{IMPORTS}\n\n{body}", frozenset(), says, families)


def _wrong(name: str, body: str, fails: str, says: str, families: tuple[str, ...] = PLAIN) -> Entry:
    return Entry(name, f"{IMPORTS}\n\n{body}", frozenset(fails.split("; ")), says, families)


_UNIT = "a, b = F.normalize(a, dim=1), F.normalize(b, dim=1)"
_BOTH = "z = F.normalize(torch.cat([a, b]), dim=1)\n    own = torch.eye(len(z), dtype=torch.bool)"
_MASKED = "s = (z @ z.T / temperature).masked_fill(own, float('-inf'))"
_PARTNER = "partner = torch.arange(len(z)).roll(len(a))"

RIGHT = [
    _right(
        "nt-xent", f"def nt_xent(a, b, temperature=0.1):\n    {_BOTH}\n    {_MASKED}\n    {_PARTNER}\n"
        "    return F.cross_entropy(s, partner)\n", "`out` at temperature 0.1"),
    _right(
        "sum of rows", f"def nt_xent(a, b, temperature=0.1):\n    {_BOTH}\n    {_MASKED}\n    {_PARTNER}\n"
        "    return F.cross_entropy(s, partner, reduction='sum')\n", "summed over rows"),
    _right(
        "one direction", f"def info_nce(a, b, temperature=0.07):\n    {_UNIT}\n"
        "    return F.cross_entropy(a @ b.T / temperature, torch.arange(len(a)))\n", "`clip, first to second`"),
    _right(
        "both directions with a kept scale",
        "class ClipLoss(nn.Module):\n    def __init__(self):\n        super().__init__()\n"
        "        self.logit_scale = nn.Parameter(torch.tensor(2.3))\n\n    def forward(self, a, b):\n"
        f"        {_UNIT}\n        s = self.logit_scale.exp() * a @ b.T\n        t = torch.arange(len(a))\n"
        "        return (F.cross_entropy(s, t) + F.cross_entropy(s.T, t)) / 2\n", "`clip` at temperature 0.1003; told: fitted"),
    _right(
        "decoupled", f"def dcl_loss(a, b, temperature=0.1):\n    {_BOTH}\n    s = z @ z.T / temperature\n    {_PARTNER}\n"
        "    far = own.clone()\n    far[torch.arange(len(z)), partner] = True\n"
        "    return (s.masked_fill(far, float('-inf')).logsumexp(1) - s[torch.arange(len(z)), partner]).mean()\n",
        "`decoupled`"),
    _right(
        "labels, clamped", "def sup_con(features, labels, temperature=0.1):\n    z = F.normalize(features, dim=1)\n"
        "    own = torch.eye(len(z), dtype=torch.bool)\n    close = (labels[:, None] == labels[None, :]) & ~own\n"
        "    s = (z @ z.T / temperature).masked_fill(own, -1e4)\n    share = s - s.logsumexp(1, keepdim=True)\n"
        "    return -((share * close).sum(1) / close.sum(1).clamp(min=1)).mean()\n", "an anchor without a positive"),
    _right(
        "rows sample by sample", "def nt_xent(x, temperature=0.1):\n    z = F.normalize(x, dim=1)\n"
        "    s = (z @ z.T / temperature).masked_fill(torch.eye(len(z), dtype=torch.bool), float('-inf'))\n"
        "    other = torch.arange(len(z)) + 1 - 2 * (torch.arange(len(z)) % 2)\n    return F.cross_entropy(s, other)\n",
        "told: rows stand sample by sample"),
    _right(
        "views one after the other", "def nt_xent(x, temperature=0.1):\n    v, b, d = x.shape\n"
        "    z = F.normalize(x.reshape(v * b, d), dim=1)\n    ids = torch.arange(b).repeat(v)\n"
        "    own = torch.eye(v * b, dtype=torch.bool)\n    close = (ids[:, None] == ids[None, :]) & ~own\n"
        "    share = F.log_softmax((z @ z.T / temperature).masked_fill(own, -1e4), dim=1)\n"
        "    return -(share * close).sum(1).div(close.sum(1)).mean()\n", "`out` at temperature 0.1"),
    _right(
        "a list of views", "def info_nce(views, temperature=0.1):\n    a, b = (F.normalize(v, dim=1) for v in (views[0], views[1]))\n"
        "    return F.cross_entropy(a @ b.T / temperature, torch.arange(len(a)))\n", "`clip, first to second`"),
    _right(
        "a tower called target", f"def info_nce(input, target, temperature=0.1):\n    a, b = input, target\n    {_UNIT}\n"
        "    return F.cross_entropy(a @ b.T / temperature, torch.arange(len(a)))\n", "`clip, first to second`"),
    _right(
        "a dictionary", f"def nt_xent(a, b, temperature=0.1):\n    {_BOTH}\n    {_MASKED}\n    {_PARTNER}\n"
        "    hits = (s.argmax(1) == partner).float().mean()\n"
        "    return {'accuracy': hits, 'loss': F.cross_entropy(s, partner)}\n", "`out` at temperature 0.1"),
    _right(
        "several losses in a dictionary", f"def losses(a, b, temperature=0.1):\n    {_UNIT}\n"
        "    s, t = a @ b.T / temperature, torch.arange(len(a))\n"
        "    return {'aux_loss': (a - b).abs().mean(), 'contrastive_loss': F.cross_entropy(s, t)}\n",
        "`clip, first to second`"),
    _right(
        "a data class", "from dataclasses import dataclass\n\n\n@dataclass\nclass Output:\n    logits: torch.Tensor\n"
        f"    loss: torch.Tensor\n\n\ndef info_nce(a, b, temperature=0.1):\n    {_UNIT}\n    s = a @ b.T / temperature\n"
        "    return Output(s, F.cross_entropy(s, torch.arange(len(a))))\n", "`clip, first to second`"),
    _right(
        "hard negatives", "def simcse_loss(anchor, positive, hard, temperature=0.1):\n"
        "    a, p, n = (F.normalize(x, dim=1) for x in (anchor, positive, hard))\n"
        "    s = torch.cat([a @ p.T, a @ n.T], dim=1) / temperature\n    return F.cross_entropy(s, torch.arange(len(a)))\n",
        "the third as negatives"),
    _right(
        "anchor, positive, negative", "def info_nce_triple(anchor, positive, negative_rows, temperature=0.1):\n"
        "    a, p, n = (F.normalize(x, dim=1) for x in (anchor, positive, negative_rows))\n"
        "    close = (a * p).sum(1, keepdim=True)\n    s = torch.cat([close, a @ n.T], dim=1) / temperature\n"
        "    return F.cross_entropy(s, torch.zeros(len(a), dtype=torch.long))\n", "n/a"),
    _right(
        "a queue", "class MoCoLoss(nn.Module):\n    def __init__(self, dim, K=64, T=0.07):\n        super().__init__()\n"
        "        self.T = T\n        self.register_buffer('queue', F.normalize(torch.randn(dim, K), dim=0))\n\n"
        "    def forward(self, q, k):\n        q, k = F.normalize(q, dim=1), F.normalize(k, dim=1).detach()\n"
        "        s = torch.cat([(q * k).sum(1, keepdim=True), q @ self.queue.to(q.dtype)], dim=1) / self.T\n"
        "        return F.cross_entropy(s, torch.zeros(len(q), dtype=torch.long))\n", "a queue of rows"),
    _right(
        "keys held still", "def info_nce(q, k, temperature=0.1):\n    q, k = F.normalize(q, dim=1), F.normalize(k, dim=1)\n"
        "    return F.cross_entropy(q @ k.detach().T / temperature, torch.arange(len(q)))\n", "told: view 2 stands still"),
    _right(
        "sigmoid", f"def siglip_loss(a, b, logit_scale, logit_bias):\n    {_UNIT}\n    s = logit_scale * a @ b.T + logit_bias\n"
        "    return -F.logsigmoid((2 * torch.eye(len(a)) - 1) * s).sum(1).mean()\n", "a sigmoid loss is no InfoNCE"),
    _right(
        "hinge", f"def contrastive_hinge(a, b, margin=0.2):\n    {_UNIT}\n    s = a @ b.T\n    close = s.diagonal().unsqueeze(1)\n"
        "    cost = F.relu(margin + s - close).masked_fill(torch.eye(len(a), dtype=torch.bool), 0)\n    return cost.mean()\n",
        "a margin loss is no InfoNCE"),
    _right(
        "prediction of the other view", f"def byol_loss(a, b):\n    {_UNIT}\n    return (2 - 2 * (a * b.detach()).sum(1)).mean()\n",
        "a loss without a softmax is no InfoNCE"),
    _right(
        "variance and covariance", "def vicreg_loss(a, b):\n    near = F.mse_loss(a, b)\n"
        "    spread = sum(F.relu(1 - (x.var(0) + 1e-4).sqrt()).mean() for x in (a, b))\n"
        "    return near + spread\n", "is no InfoNCE"),
    _right(
        "correlation of columns", "def barlow_loss(a, b):\n    a, b = ((x - x.mean(0)) / (x.std(0) + 1e-6) for x in (a, b))\n"
        "    c = a.T @ b / len(a)\n    return (c - torch.eye(len(c))).square().sum()\n", "is no InfoNCE"),
    _right("distance", "def contrast_l1(a, b):\n    return (a - b).abs().mean()\n", "is no InfoNCE"),
    _right(
        "clusters", "def cluster_contrast(c_i, c_j, temperature=0.5):\n    share = c_i.sum(0) / c_i.sum()\n"
        "    even = (share * share.log()).sum()\n    z = F.normalize(torch.cat([c_i.T, c_j.T]), dim=1)\n"
        "    s = (z @ z.T / temperature).masked_fill(torch.eye(len(z), dtype=torch.bool), -1e4)\n"
        "    return even + F.cross_entropy(s, torch.arange(len(z)).roll(c_i.shape[1]))\n", "the shares of clusters"),
    _right(
        "patches", "def patch_nce(q, k, images=4, temperature=0.1):\n    q, k = F.normalize(q, dim=1), F.normalize(k, dim=1)\n"
        "    q, k = (x.view(images, len(x) // images, -1) for x in (q, k))\n    s = torch.bmm(q, k.transpose(1, 2)) / temperature\n"
        "    t = torch.arange(s.shape[1]).repeat(images)\n    return F.cross_entropy(s.flatten(0, 1), t)\n",
        "within each of 4 blocks"),
    _right(
        "a teacher", "def distil_clip_loss(image, text, teacher_image, teacher_text, temperature=0.1):\n"
        "    a, b, c, d = (F.normalize(x, dim=1) for x in (image, text, teacher_image, teacher_text))\n"
        "    s, t = a @ b.T / temperature, torch.arange(len(a))\n    with torch.no_grad():\n"
        "        wanted = (c @ d.T / temperature).softmax(1)\n"
        "    return F.cross_entropy(s, t) - (wanted * s.log_softmax(1)).sum(1).mean()\n", "another model's rows"),
    _right(
        "negatives drawn by lot", f"def sampled_nce(a, b, temperature=0.1):\n    {_UNIT}\n    s = a @ b.T / temperature\n"
        "    far = s + torch.rand_like(s)\n    own = torch.eye(len(a), dtype=torch.bool)\n"
        "    return F.cross_entropy(torch.where(own, s, far), torch.arange(len(a)))\n", "it draws random numbers"),
    _right(
        "a bank that is empty", "class Bank(nn.Module):\n    def __init__(self, size=0):\n        super().__init__()\n"
        "        self.bank = torch.zeros(size, 8) if size else None\n\n\nclass BankLoss(Bank):\n"
        "    def forward(self, a, b):\n"
        f"        {_UNIT}\n        s = a @ b.T / 0.1\n        if self.bank is not None:\n"
        "            s = torch.cat([s, a @ self.bank.T], dim=1)\n        return F.cross_entropy(s, torch.arange(len(a)))\n",
        "`clip, first to second` at temperature 0.1"),
    _right(
        "numbers of float32", f"def nt_xent(a, b, temperature=0.1):\n    {_BOTH}\n    e = (z @ z.T / temperature).exp()\n"
        "    rest = e.sum(1) - (torch.ones(len(z)) / temperature).exp()\n    close = e[torch.arange(len(z)), torch.arange(len(z)).roll(len(a))]\n"
        "    return -(close / rest).log().mean()\n", "to four digits"),
]  # fmt: skip

WRONG = [
    _wrong(
        "log of the mean", f"def nt_xent(a, b, temperature=0.1):\n    {_BOTH}\n    {_MASKED}\n    {_PARTNER}\n"
        "    return -s.softmax(1)[torch.arange(len(z)), partner].mean().log()\n", "value, 2 views", "the logarithm of a mean"),
    _wrong(
        "no logarithm", f"def info_nce(a, b, temperature=0.1):\n    {_UNIT}\n"
        "    return -(a @ b.T / temperature).softmax(1).diagonal().mean()\n", "value, 2 views", "whose logarithm is not taken"),
    _wrong(
        "temperature multiplied", f"def info_nce(a, b, temperature=0.1):\n    {_UNIT}\n"
        "    return F.cross_entropy(a @ b.T * temperature, torch.arange(len(a)))\n", "value, 2 views",
        "multiplied with the temperature"),
    _wrong(
        "temperature skipped", f"def info_nce(a, b, temperature):\n    {_UNIT}\n    scaled = a @ b.T / temperature\n"
        "    return F.cross_entropy(a @ b.T, torch.arange(len(scaled)))\n", "value, 2 views", "the temperature is not applied"),
    _wrong(
        "temperature twice", f"def info_nce(a, b, temperature=0.2):\n    {_UNIT}\n    s = a / temperature @ b.T / temperature\n"
        "    return F.cross_entropy(s, torch.arange(len(a)))\n", "value, 2 views", "applied twice"),
    _wrong(
        "temperature outside the logarithm", f"def nt_xent(a, b, temperature=0.1):\n    {_BOTH}\n"
        f"    s = (z @ z.T).masked_fill(own, float('-inf'))\n    {_PARTNER}\n"
        "    return F.cross_entropy(s, partner) / temperature\n", "value, 2 views", "outside the logarithm"),
    _wrong(
        "positives among the negatives", f"def info_nce(a, b, temperature=0.1):\n    {_UNIT}\n    s = a @ b.T / temperature\n"
        "    s = torch.cat([s.diagonal().unsqueeze(1), s], dim=1)\n"
        "    return F.cross_entropy(s, torch.zeros(len(a), dtype=torch.long))\n", "value, 2 views",
        "counted among the negatives"),
    _wrong(
        "each row against itself", f"def nt_xent(a, b, temperature=0.1):\n    {_BOTH}\n    {_PARTNER}\n"
        "    return F.cross_entropy(z @ z.T / temperature, partner)\n", "value, 2 views; all rows equal", "unmasked diagonal"),
    _wrong(
        "two softmaxes", f"def info_nce(a, b, temperature=0.1):\n    {_UNIT}\n"
        "    return F.cross_entropy((a @ b.T / temperature).softmax(1), torch.arange(len(a)))\n", "value, 2 views", "two softmaxes"),
    _wrong(
        "a target of zeros", f"def info_nce(a, b, temperature=0.1):\n    {_UNIT}\n"
        "    return F.cross_entropy(a @ b.T / temperature, torch.zeros(len(a), dtype=torch.long))\n", "value, 2 views",
        "no form of the loss"),
    _wrong(
        "strangers paired", f"def nt_xent(a, b, temperature=0.1):\n    {_BOTH}\n    {_MASKED}\n"
        "    other = torch.arange(len(z)) + 1 - 2 * (torch.arange(len(z)) % 2)\n    return F.cross_entropy(s, other)\n",
        "value, 2 views", "when the loss wants them sample by sample"),
    _wrong(
        "divided by a number", f"def info_nce(a, b, temperature=0.1):\n    {_UNIT}\n"
        "    return F.cross_entropy(a @ b.T / temperature, torch.arange(len(a)), reduction='sum') / 64\n",
        "value, 2 views", "a fixed denominator"),
    _wrong(
        "rows of any length", "def info_nce(a, b, temperature=0.5):\n"
        "    return F.cross_entropy(a @ b.T / temperature, torch.arange(len(a)))\n", "scale of rows", "bring them to length 1"),
    _wrong(
        "one view of two held still", f"def nt_xent(a, b, temperature=0.1):\n    b = b.detach()\n    {_BOTH}\n    {_MASKED}\n    {_PARTNER}\n"
        "    return F.cross_entropy(s, partner)\n", "gradient, 2 views; every view learns", "keys detached"),
    _wrong(
        "keys held still in both directions", f"def clip_loss(a, b, temperature=0.1):\n    {_UNIT}\n    t = torch.arange(len(a))\n"
        "    there, back = a @ b.detach().T / temperature, b @ a.detach().T / temperature\n"
        "    return (F.cross_entropy(there, t) + F.cross_entropy(back, t)) / 2\n", "gradient, 2 views; gradcheck", "keys detached"),
    _wrong(
        "no positive, no number", "def sup_con(features, labels, temperature=0.1):\n    z = F.normalize(features, dim=1)\n"
        "    own = torch.eye(len(z), dtype=torch.bool)\n    close = (labels[:, None] == labels[None, :]) & ~own\n"
        "    s = (z @ z.T / temperature).masked_fill(own, -1e4)\n    share = s - s.logsumexp(1, keepdim=True)\n"
        "    return -((share * close).sum(1) / close.sum(1)).mean()\n", "an anchor without a positive", "NaN for an anchor"),
    _wrong(
        "masked before a learned temperature", "class Learned(nn.Module):\n    def __init__(self):\n        super().__init__()\n"
        "        self.tau = nn.Parameter(torch.tensor(0.1))\n\n    def forward(self, a, b):\n"
        "        z = F.normalize(torch.cat([a, b]), dim=1)\n"
        "        s = (z @ z.T).masked_fill(torch.eye(len(z), dtype=torch.bool), float('-inf')) / self.tau\n"
        "        return F.cross_entropy(s, torch.arange(len(z)).roll(len(a)))\n", "gradient of the temperature", "-inf is divided"),
    _wrong(
        "no batch of two", f"def info_nce(a, b, temperature=0.1):\n    {_UNIT}\n    s = a @ b.T / temperature\n"
        "    hardest = s.masked_fill(torch.eye(len(a), dtype=torch.bool), -1e4).topk(3, dim=1).values\n"
        "    s = torch.cat([s.diagonal().unsqueeze(1), hardest], dim=1)\n"
        "    return F.cross_entropy(s, torch.zeros(len(a), dtype=torch.long))\n", "batch of 2 samples", "out of range"),
    _wrong(
        "no shift", f"def info_nce(a, b, temperature=0.1):\n    {_UNIT}\n    e = (a @ b.T / temperature).exp()\n"
        "    return -(e.diagonal() / e.sum(1)).log().mean()\n", "temperature 0.01", "`.exp()` of similarities / T without a shift",
        ("value", "temperature")),
    _wrong(
        "batch that is written down", f"def nt_xent(a, b, temperature=0.1):\n    {_BOTH}\n    {_MASKED}\n"
        "    return F.cross_entropy(s, torch.arange(16).roll(8))\n", "ragged batch of 5; twice the batch, 16",
        "match target", ("sizes",)),
]  # fmt: skip
