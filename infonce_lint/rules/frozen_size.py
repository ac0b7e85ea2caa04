"""NCE005."""

from __future__ import annotations

from infonce_lint.rules.rule import Rule
from infonce_lint.semantic.losses.model import Purpose, SizeUse


class FrozenSize(Rule):
    """A mask or label tensor of a contrastive loss is frozen at the configured batch size.

    ## What it does
    Reports the configured batch size that sizes a tensor built once (in a constructor, a registered buffer, at module
    level, in a default argument or a cached helper) and read by a contrastive loss on every batch.

    ## Why is this bad?
    The stored tensor keeps the size it was born with, whatever comes. Repairing the sizes inside the loss does not help
    while it indexes with the old mask:

    ```text
    IndexError: The shape of the mask [16, 16] at index 0 does not match
    the shape of the indexed tensor [10, 10] at index 0
    ```

    ## Example
    ```python
    class NTXent(nn.Module):
        def __init__(self, batch_size, temperature):
            super().__init__()
            self.temperature = temperature
            self.mask = ~torch.eye(2 * batch_size, dtype=torch.bool)

        def forward(self, z_i, z_j):
            z = torch.cat([z_i, z_j], dim=0)
            sim = z @ z.T / self.temperature
            negatives = sim[self.mask].reshape(sim.shape[0], -1)
            return torch.logsumexp(negatives, dim=1).mean()
    ```

    Use instead:
    ```python
    class NTXent(nn.Module):
        def __init__(self, batch_size, temperature):
            super().__init__()
            self.temperature = temperature
            self.mask = ~torch.eye(2 * batch_size, dtype=torch.bool)

        def forward(self, z_i, z_j):
            z = torch.cat([z_i, z_j], dim=0)
            sim = z @ z.T / self.temperature
            assert z.shape[0] % 2 == 0, (
                f"Features dim 0 ({z.shape[0]}) "
                "must be divisible by the number of views (2)"
            )
            actual_batch_size = z.shape[0] // 2
            mask = self.mask
            if mask.shape[0] != z.shape[0]:
                mask = (~torch.eye(2 * actual_batch_size, dtype=torch.bool)).to(
                    z_i.device, mask.dtype
                )
            negatives = sim[mask].reshape(sim.shape[0], -1)
            return torch.logsumexp(negatives, dim=1).mean()
    ```

    ## Fix safety
    Safe when an operation that raises otherwise ties the stored tensor to the rows; the note says the equation (above:
    "the loss needs z_i.shape[0] + z_j.shape[0] == 2 * batch_size"). The stored tensor, the constructor's signature and
    the checkpoint keys stay. The loss rebuilds the tensor on the features' device only when the row counts differ. None
    is offered for tensors at module level, in default arguments and caches, for constructors that build them in several
    steps, for tensors that are drawn at random or change after they are built, and for masks that are handed in from
    outside.

    ## References
    * Chen et al., A Simple Framework for Contrastive Learning of Visual Representations, 2020 (NT-Xent)
    """

    code = "NCE005"
    name = "frozen-size"
    purpose = Purpose.FROZEN

    def message(self, use: SizeUse) -> str:
        made = "labels" if use.frozen[0].kind.value == "labels" else "a mask"
        return f"freezes {made}; a batch of another size fails or is mis-paired"
