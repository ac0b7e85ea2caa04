"""NCE001."""

from __future__ import annotations

from infonce_lint.rules.rule import Rule
from infonce_lint.semantic.losses.model import Purpose, SizeUse


class ConfiguredLabels(Rule):
    """Labels or targets of a contrastive loss are sized by a configured batch size.

    ## What it does
    Reports a read of a configured batch size (`args.batch_size`, `self.batch_size`, `BATCH_SIZE`, ...) that decides how
    many labels or targets an InfoNCE, NT-Xent, SimCLR or CLIP loss makes.

    ## Why is this bad?
    The labels have the configured number of rows and the features have the number that really came. The two part on the
    ragged last batch, on a data set smaller than a batch, after an `all_gather`, under gradient accumulation or in
    another script. The loss then stops deep inside training:

    ```text
    IndexError: The shape of the mask [512, 512] at index 0 does not match
    the shape of the indexed tensor [200, 200] at index 0
    ```

    `drop_last=True` hides the mistake until the next script forgets it.

    ## Example
    ```python
    class SimCLR:
        def info_nce_loss(self, features):
            labels = torch.cat([torch.arange(self.args.batch_size) for i in range(self.args.n_views)], dim=0)
            labels = (labels.unsqueeze(0) == labels.unsqueeze(1)).float()
            similarity_matrix = features @ features.T
            return similarity_matrix[labels.bool()]
    ```

    Use instead:
    ```python
    class SimCLR:
        def info_nce_loss(self, features):
            assert features.shape[0] % self.args.n_views == 0, (
                f"Features dim 0 ({features.shape[0]}) "
                f"must be divisible by n_views ({self.args.n_views})"
            )
            actual_batch_size = features.shape[0] // self.args.n_views
            labels = torch.cat([torch.arange(actual_batch_size) for i in range(self.args.n_views)], dim=0)
            labels = (labels.unsqueeze(0) == labels.unsqueeze(1)).float()
            similarity_matrix = features @ features.T
            return similarity_matrix[labels.bool()]
    ```

    ## Fix safety
    The fix is safe when the code itself decides the size: some operation of the loss raises unless there are as many
    labels as rows. The note of the fix says that equation (above: "the loss needs
    features.shape[0] == self.args.batch_size * self.args.n_views"), and at the configured batch size the loss keeps its
    value. `features.shape[0] // n_views` trusts `n_views`: with two views stacked and `n_views=4` the assertion still
    holds and the value is wrong, so the fix is unsafe when the file shows another count. There is none, with a reason,
    where two places contradict each other, where no tensor shows the rows, and where a bank or prototypes stand among
    them. Once the sizes follow the batch, look at three neighbours of this mistake:

    * **Gather.** After an `all_gather` the rows of a rank are a block; concatenating `[view 0; view 1]` of every rank
      and labelling by `shape[0] // n_views` pairs the wrong rows. No fix is made there: gather each view first.
    * **Gradient accumulation** gives every micro-batch its own negatives: the sum of their losses is not the loss of
      the large batch.
    * **Temperature.** 0.07 to 0.1 suits normalised features; larger ones flatten the loss until nothing is learned.

    ## References
    * Chen et al., A Simple Framework for Contrastive Learning of Visual Representations, 2020 (NT-Xent)
    * sthalles/SimCLR, issues 40 and 60
    """

    code = "NCE001"
    name = "configured-labels"
    purpose = Purpose.LABELS

    def message(self, use: SizeUse) -> str:
        return "sizes the labels; a batch of another size fails or is mis-paired"
