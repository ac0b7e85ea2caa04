"""NCE004."""

from __future__ import annotations

from infonce_lint.rules.rule import Rule
from infonce_lint.semantic.losses.model import Purpose, SizeUse
from infonce_lint.semantic.losses.sinks import Kind


class ConfiguredNormaliser(Rule):
    """A contrastive loss is divided or scaled by a configured batch size.

    ## What it does
    Reports a read of a configured batch size that scales the loss, or whose logarithm is added to it: the divisor of a
    sum, the number of negatives in an estimator, the bound `log(batch_size) - loss` on mutual information.

    ## Why is this bad?
    Nothing fails. A batch of another size gives a loss, and a gradient, that is too small or too large by the ratio of
    the two sizes; repairing the masks around it makes the wrong value appear without any error.

    ```text
    batch configured 256, given 100: the loss is 0.39 of its value
    ```

    ## Example
    ```python
    class NTXent(nn.Module):
        def __init__(self, batch_size, temperature):
            super().__init__()
            self.batch_size = batch_size
            self.temperature = temperature

        def forward(self, z_i, z_j):
            logits = z_i @ z_j.T / self.temperature
            labels = torch.arange(z_i.shape[0], device=z_i.device)
            return F.cross_entropy(logits, labels, reduction="sum") / self.batch_size
    ```

    Use instead:
    ```python
    class NTXent(nn.Module):
        def __init__(self, batch_size, temperature):
            super().__init__()
            self.batch_size = batch_size
            self.temperature = temperature

        def forward(self, z_i, z_j):
            logits = z_i @ z_j.T / self.temperature
            labels = torch.arange(z_i.shape[0], device=z_i.device)
            return F.cross_entropy(logits, labels, reduction="sum") / z_i.shape[0]
    ```

    ## Fix safety
    Safe together with another use of the size in the same loss that must fit the rows to run; the note says the
    equation ("the loss needs z_i.shape[0] == batch_size"). When nothing but the normaliser knows the size the fix is
    unsafe, as above: a constant scale of the gradient can be meant.

    ## References
    * Goyal et al., Accurate, Large Minibatch SGD, 2017 (what the divisor of a loss does to the gradient)
    """

    code = "NCE004"
    name = "configured-normaliser"
    purpose = Purpose.NORMALISER

    def message(self, use: SizeUse) -> str:
        is_added = all(each.kind is Kind.OFFSET for each in use.engagements)
        does = "shifts the loss by its logarithm" if is_added else "scales the loss"
        return f"{does}; a batch of another size is silently wrong"
