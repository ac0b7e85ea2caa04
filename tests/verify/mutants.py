"""Ten ways to break one right loss, each with the row that is to catch it."""

from __future__ import annotations

from dataclasses import dataclass

from tests.verify.samples import STACKED


@dataclass(frozen=True, slots=True)
class Mutant:
    """``old`` of the right loss's text becomes ``new``; ``row`` must fail."""

    name: str
    old: str
    new: str
    row: str

    @property
    def text(self) -> str:
        """The mutant's file; the old text must stand in the right loss exactly once."""
        assert STACKED.count(self.old) == 1, f"{self.name}: {self.old!r} stands there {STACKED.count(self.old)} times"
        return STACKED.replace(self.old, self.new)


_RETURN = "return -((share * positive).sum(dim=1) / positive.sum(dim=1)).mean()"
_TOTAL = 'total = torch.logsumexp(similarity.masked_fill(own, float("-inf")), dim=1, keepdim=True)'

MUTANTS = [
    Mutant("hard-coded batch", "samples = len(z) // n_views", "samples = 8", "ragged batch of 5"),
    Mutant(
        "target 0 at three views",
        _RETURN,
        "first = positive.int().argmax(dim=1, keepdim=True)\n    return -share.gather(1, first).mean()",
        "value, 3 views",
    ),
    Mutant("unmasked diagonal", 'similarity.masked_fill(own, float("-inf"))', "similarity", "value, 2 views"),
    Mutant("no normalisation", "F.normalize(features, dim=1)", "features", "scale of rows"),
    Mutant("temperature multiplied", "z @ z.T / temperature", "z @ z.T * temperature", "value, 2 views"),
    Mutant(
        "double softmax",
        "share = similarity - total",
        "share = (similarity - total).exp()\n"
        '    share = share - share.masked_fill(own, float("-inf")).logsumexp(dim=1, keepdim=True)',
        "value, 2 views",
    ),
    Mutant("one side detached", "z @ z.T / temperature", "z @ z.T.detach() / temperature", "gradcheck"),
    Mutant(
        "fixed denominator",
        _RETURN,
        "return -((share * positive).sum(dim=1) / positive.sum(dim=1)).sum() / 16",
        "value, 2 views",
    ),
    Mutant("-9e15 fill", 'masked_fill(own, float("-inf"))', "masked_fill(own, -9e15)", "fp16 under autocast"),
    Mutant(
        "exp without shift",
        _TOTAL,
        "total = torch.exp(similarity).masked_fill(own, 0).sum(dim=1, keepdim=True).log()",
        "temperature 0.01",
    ),
]
