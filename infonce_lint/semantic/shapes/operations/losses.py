"""Losses: rows of logits and of targets meet, and become one number or one a row."""

from __future__ import annotations

from infonce_lint.semantic.shapes.call import Call
from infonce_lint.semantic.shapes.domain import SCALAR, Abstract, Kind, Tensor
from infonce_lint.semantic.shapes.entries import largest
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
            given = [str(value.literal) for value in each.positional if value.op == "str"]
            found = [text for text in given if text in ("none", "mean", "sum", "batchmean")]
            if found:
                return found[-1]
    return "mean"


@operation(
    """cross_entropy CrossEntropyLoss nll_loss NLLLoss softmax_cross_entropy
    softmax_cross_entropy_with_integer_labels softmax_cross_entropy_with_logits
    sparse_softmax_cross_entropy_with_logits SoftmaxCrossEntropyWithLogits multi_margin_loss MultiMarginLoss""",
    selects="cross_entropy",
)
def cross_entropy(call: Call) -> Abstract | None:
    """Logits [N, C] with N class numbers, or with [N, C] probabilities."""
    logits, targets = call.tensor(0, "input", "logits"), call.tensor(1, "target", "labels", "label")
    if call.library == "tensorflow" and "logits" not in call.named:  # labels come first
        logits, targets = call.tensor(1), call.tensor(0, "labels")
    if logits is None:
        return None
    rowwise = call.library in ("tensorflow", "jax") or _reduction(call) == "none"
    if targets is None or targets.rest is not None:
        return Tensor((logits.axis(0) or call.fresh(),)) if rowwise and targets is not None else SCALAR
    if logits.rest is not None:
        logits = call.context.with_rank(logits, len(targets.dims) + (targets.kind is Kind.INTEGER), likely=True)
    if not logits.dims:
        return None
    channels = min(1, len(logits.dims) - 1) if call.library in ("torch", "") else len(logits.dims) - 1
    rows = logits.dims[:channels] + logits.dims[channels + 1 :]
    if len(targets.dims) == len(logits.dims):
        if call.library == "torch" and targets.kind is Kind.INTEGER:
            return None  # class numbers have an axis less: the logits have more axes than was likely
        if not call.context.rests_on_guess(targets.dims):
            call.context.confirm(logits)
        call.broadcast([logits, targets])
    elif len(targets.dims) == len(rows):
        call.context.confirm(logits)
        for left, right in zip(rows, targets.dims, strict=True):
            call.equal(left, right)
        wanted = call.at(1, "target", "labels", "label")
        if wanted is not None and call.library != "tensorflow":
            call.below(largest(call.context, wanted, call.frame), logits.dims[channels])
    elif rowwise:
        return None
    weight = call.tensor(2, "weight") if call.setup is None else call.setup.tensor(0, "weight")
    if call.library in ("torch", "") and weight is not None and weight.rest is None and len(weight.dims) == 1:
        call.equal(logits.dims[channels], weight.dims[0])
    return Tensor(rows) if rowwise else SCALAR


@operation(
    """binary_cross_entropy binary_cross_entropy_with_logits BCELoss BCEWithLogitsLoss mse_loss MSELoss l1_loss
    L1Loss smooth_l1_loss SmoothL1Loss kl_div KLDivLoss soft_margin_loss SoftMarginLoss huber_loss
    sigmoid_cross_entropy sigmoid_cross_entropy_with_logits multilabel_soft_margin_loss
    MultiLabelSoftMarginLoss sigmoid_focal_loss sigmoid_binary_cross_entropy hinge_embedding_loss
    HingeEmbeddingLoss poisson_nll_loss PoissonNLLLoss gaussian_nll_loss GaussianNLLLoss
    multilabel_margin_loss MultiLabelMarginLoss""",
)
def entrywise_loss(call: Call) -> Abstract | None:
    """Entries of one shape."""
    first, second = call.tensor(0, "input", "logits"), call.tensor(1, "target", "labels")
    if first is None or second is None:
        return SCALAR if first is not None else None
    shape = call.broadcast([first, second])
    whole = _reduction(call) == "none" or call.library in ("tensorflow", "jax")
    name = call.setup.value.name if call.setup is not None else call.value.name
    if whole and shape is not None and name.lower().startswith("multi"):
        return Tensor(shape.dims[:1]) if shape.rest is None else None
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
    if _reduction(call) != "none":
        return SCALAR
    if shape is None or shape.rest is not None:
        return None
    name = call.setup.value.name if call.setup is not None else call.value.name
    return shape if "anking" in name else Tensor(shape.dims[:-1])


@operation("triplet_margin_loss", "TripletMarginLoss")
def triplet_loss(call: Call) -> Abstract | None:
    """Three tensors of one shape."""
    tensors = [call.tensor(place) for place in range(3)]
    shape = call.broadcast([each for each in tensors if each is not None])
    if _reduction(call) != "none":
        return SCALAR
    return Tensor(shape.dims[:-1]) if shape is not None and shape.rest is None and None not in tensors else None
