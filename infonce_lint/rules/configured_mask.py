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
        assert out.shape[0] % 2 == 0, (
            f"Features dim 0 ({out.shape[0]}) must be divisible by the number of views (2)"
        )
        actual_batch_size = out.shape[0] // 2
        mask = ~torch.eye(2 * actual_batch_size, device=sim.device, dtype=torch.bool)
        return sim.masked_select(mask).view(sim.shape[0], -1).sum(dim=-1).log().mean()
    ```

    ## Fix safety
    Safe when an operation that raises otherwise ties the mask to the rows of the features; the note says the equation
    (above: "the loss needs out_1.shape[0] + out_2.shape[0] == 2 * args.batch_size"). Towers that are only concatenated
    need not be of one length, so it is their sum that is halved, with an assertion. The value at the configured batch
    size does not change. A mask that contradicts another use of the size has no fix.

    ## References
    * Chen et al., A Simple Framework for Contrastive Learning of Visual Representations, 2020 (NT-Xent)
    """

    code = "NCE002"
    name = "configured-mask"
    purpose = Purpose.MASK

    def message(self, use: SizeUse) -> str:
        return "sizes a mask; a batch of another size fails or is mis-paired"
