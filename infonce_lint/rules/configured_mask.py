"""NCE002."""

from __future__ import annotations

from infonce_lint.rules.rule import Rule
from infonce_lint.semantic.losses.model import Purpose, SizeUse


class ConfiguredMask(Rule):
    """A mask of a contrastive loss is sized by a configured batch size.

    ## What it does
    Reports a read of a configured batch size that decides the side of a mask (`eye`, `ones`, `zeros`, ...) which
    selects positives or negatives from the similarity matrix.

    ## Why is this bad?
    The similarity matrix has as many rows as there are features; the mask has as many as were configured. On any other
    batch the selection fails, or it broadcasts and picks the wrong pairs:

    ```text
    IndexError: The shape of the mask [16, 16] at index 0 does not match
    the shape of the indexed tensor [10, 10] at index 0
    ```

    ## Example
    ```python
    def nt_xent(out_1, out_2, args):
        out = torch.cat([out_1, out_2], dim=0)
        sim = torch.exp(out @ out.t() / args.temperature)
        mask = ~torch.eye(2 * args.batch_size, device=sim.device, dtype=torch.bool)
        return sim.masked_select(mask).view(sim.shape[0], -1).sum(dim=-1).log().mean()
    ```

    Use instead:
    ```python
    def nt_xent(out_1, out_2, args):
        out = torch.cat([out_1, out_2], dim=0)
        sim = torch.exp(out @ out.t() / args.temperature)
        mask = ~torch.eye(2 * out_1.shape[0], device=sim.device, dtype=torch.bool)
        return sim.masked_select(mask).view(sim.shape[0], -1).sum(dim=-1).log().mean()
    ```

    ## Fix safety
    Safe when the features, their row axis and the number of views are read from the code. The value at the configured
    batch size does not change.

    ## References
    * Chen et al., A Simple Framework for Contrastive Learning of Visual Representations, 2020 (NT-Xent)
    """

    code = "NCE002"
    name = "configured-mask"
    purpose = Purpose.MASK

    def message(self, use: SizeUse) -> str:
        return (
            f"`{use.text}` sizes a mask of a contrastive loss: a batch of another size "
            "no longer matches the similarity matrix (IndexError or wrong pairs)"
        )
