"""NCE003."""

from __future__ import annotations

from infonce_lint.rules.rule import Rule
from infonce_lint.semantic.losses.model import Purpose, SizeUse


class ConfiguredReshape(Rule):
    """Rows of a contrastive loss are reshaped, cut, indexed or looped over by a configured batch size.

    ## What it does
    Reports a read of a configured batch size that decides a `view`, `split`, slice, diagonal offset, index or loop
    bound on the features or the similarity matrix of a contrastive loss.

    ## Why is this bad?
    A `view` of another batch fails or, when the numbers happen to divide, groups the rows of different samples. A slice
    or a diagonal at the configured size cuts the two views at the wrong row, and nothing fails: the loss is wrong.

    ```text
    RuntimeError: shape '[512, -1]' is invalid for input of size 39800
    ```

    ## Example
    ```python
    class NTXent(nn.Module):
        def __init__(self, batch_size, temperature):
            super().__init__()
            self.batch_size = batch_size
            self.temperature = temperature

        def forward(self, z_i, z_j):
            z = torch.cat([z_i, z_j], dim=0)
            sim = z @ z.T / self.temperature
            positives = torch.diag(sim, self.batch_size)
            return -positives.mean() + torch.logsumexp(sim, dim=1).mean()
    ```

    Use instead:
    ```python
    class NTXent(nn.Module):
        def __init__(self, batch_size, temperature):
            super().__init__()
            self.batch_size = batch_size
            self.temperature = temperature

        def forward(self, z_i, z_j):
            z = torch.cat([z_i, z_j], dim=0)
            sim = z @ z.T / self.temperature
            assert z.shape[0] % 2 == 0, (
                f"Features dim 0 ({z.shape[0]}) "
                "must be divisible by the number of views (2)"
            )
            actual_batch_size = z.shape[0] // 2
            positives = torch.diag(sim, actual_batch_size)
            return -positives.mean() + torch.logsumexp(sim, dim=1).mean()
    ```

    ## Fix safety
    Safe when an operation that raises otherwise decides the size: a `view` to known axes, sections that must be as many
    as their names, a mask of the same size beside them. The note says the equation ("the loss needs
    features.shape[0] == 2 * args.batch_size"). A slice or a diagonal runs with any size: where nothing else tells it,
    two halves are inferred and the fix is unsafe, as above. So it is where a reshape with a free axis is taken to keep
    the last one. Flattened patches or steps (`B * patches` rows) cannot be derived from the rows alone: no fix.

    ## References
    * Chen et al., A Simple Framework for Contrastive Learning of Visual Representations, 2020 (NT-Xent)
    """

    code = "NCE003"
    name = "configured-reshape"
    purpose = Purpose.LAYOUT

    def message(self, use: SizeUse) -> str:
        return f"sizes {use.engagements[0].kind.value}; a batch of another size fails or is mis-paired"
