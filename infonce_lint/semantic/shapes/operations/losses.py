"""Losses: rows of logits and of targets meet, and become one number or one a row."""

from __future__ import annotations

from infonce_lint.semantic.shapes.call import Call
from infonce_lint.semantic.shapes.domain import SCALAR, Abstract, Kind, Tensor
from infonce_lint.semantic.shapes.table import operation


def _reduction(call: Call) -> str:
    """``mean``, ``sum`` or ``none``; of a module, as it was constructed."""
    for each in (call, call.setup):
        if each is not None:
            if "reduction" in each.named:
                return str(each.named["reduction"].literal)
            reduce = each.named.get("reduce")
            if reduce is not None and reduce.name == "False":
                return "none"
    return "mean"


@operation(
    "cross_entropy",
    "CrossEntropyLoss",
    "nll_loss",
    "NLLLoss",
    "softmax_cross_entropy",
    "softmax_cross_entropy_with_integer_labels",
    "softmax_cross_entropy_with_logits",
    "sparse_softmax_cross_entropy_with_logits",
    "SoftmaxCrossEntropyWithLogits",
)
def cross_entropy(call: Call) -> Abstract | None:
    """Logits [N, C] with N class numbers, or with [N, C] probabilities."""
    logits, targets = call.tensor(0, "input", "logits"), call.tensor(1, "target", "labels", "label")
    if logits is None:
        return None
    rowwise = call.library in ("tensorflow", "jax") or _reduction(call) == "none"
    if targets is None or targets.rest is not None:
        return Tensor((logits.axis(0) or call.fresh(),)) if rowwise and targets is not None else SCALAR
    if logits.rest is not None:
        logits = call.context.with_rank(logits, len(targets.dims) + (targets.kind is Kind.INTEGER), likely=True)
    if len(targets.dims) == len(logits.dims):
        call.broadcast([logits, targets])
    elif len(targets.dims) == len(logits.dims) - 1 and targets.dims:
        channels = 1 if call.library == "torch" else len(logits.dims) - 1
        rows = [dim for axis, dim in enumerate(logits.dims) if axis != channels or len(logits.dims) == 1]
        for left, right in zip(rows, targets.dims, strict=False):
            call.equal(left, right)
    return Tensor(targets.dims[:1]) if rowwise and targets.dims else SCALAR


@operation(
    *"""binary_cross_entropy binary_cross_entropy_with_logits BCELoss BCEWithLogitsLoss mse_loss MSELoss l1_loss L1Loss
    smooth_l1_loss SmoothL1Loss kl_div KLDivLoss soft_margin_loss SoftMarginLoss huber_loss sigmoid_cross_entropy
    sigmoid_cross_entropy_with_logits multilabel_soft_margin_loss MultiLabelSoftMarginLoss sigmoid_focal_loss
    sigmoid_binary_cross_entropy""".split()
)
def entrywise_loss(call: Call) -> Abstract | None:
    """Entries of one shape."""
    first, second = call.tensor(0, "input", "logits"), call.tensor(1, "target", "labels")
    if first is None or second is None:
        return SCALAR if first is not None else None
    shape = call.broadcast([first, second])
    whole = _reduction(call) == "none" or call.library in ("tensorflow", "jax")
    return shape if whole else SCALAR


@operation("margin_ranking_loss", "MarginRankingLoss", "cosine_embedding_loss", "CosineEmbeddingLoss")
def paired_loss(call: Call) -> Abstract | None:
    """Two tensors of one shape, and what is wanted of each row."""
    first, second = call.tensor(0, "input1"), call.tensor(1, "input2")
    wanted = call.tensor(2, "target")
    if first is None or second is None:
        return None
    shape = call.broadcast([first, second])
    if wanted is not None and wanted.rest is None and wanted.dims and shape is not None:
        call.equal(shape.axis(0), wanted.dims[0])
    return SCALAR if _reduction(call) != "none" else None


@operation("triplet_margin_loss", "TripletMarginLoss")
def triplet_loss(call: Call) -> Abstract | None:
    """Three tensors of one shape."""
    tensors = [call.tensor(place) for place in range(3)]
    call.broadcast([each for each in tensors if each is not None])
    return SCALAR if _reduction(call) != "none" else None
