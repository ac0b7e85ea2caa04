"""Roles of tensors: pairwise similarities and all that is computed from them, and the features they compare."""

from __future__ import annotations

from dataclasses import dataclass, field

from infonce_lint.semantic.linking import resolve
from infonce_lint.semantic.names import (
    CUSTOMARY_LIBRARIES,
    LIBRARIES,
    REGRESSION_WORDS,
    is_contrastive_loss_name,
    is_contrastive_name,
    is_cross_entropy_name,
    is_loss_name,
    is_similarity_name,
    is_temperature_name,
    words,
)
from infonce_lint.semantic.values import Module, Value

_PRODUCTS = frozenset(
    "mm matmul einsum bmm tensordot inner cosine_similarity pairwise_cosine_similarity cdist MatMul BatchMatMul "
    "batch_dot CosineSimilarity dot cos_sim pairwise_distance".split()
)
_ROW_SUMS = frozenset({"sum", "reduce_sum", "ReduceSum"})
#: Asking a tensor for one of these does not give a tensor computed from its values.
_NOT_VALUES = frozenset(
    "shape size dim ndim device dtype item tolist numpy backward get_shape numel requires_grad grad is_cuda type_as "
    "data_ptr new_zeros new_ones new_full new_empty new_tensor __class__ layout".split()
)
_CREATIONS = frozenset(
    "eye zeros ones full arange range empty identity zeros_like ones_like full_like empty_like rand randn rand_like "
    "randn_like randint randperm len print isinstance str format type id hasattr getattr enumerate DataLoader".split()
)
_KEEPING_MODULES = frozenset("Softmax LogSoftmax Sigmoid LogSigmoid Identity ReLU Softplus".split())
#: Instances of these act like functions of the library (MindSpore's ``P.Concat()``); layers and models do not.
OPERATORS = frozenset(
    "OneHot Concat Cast Transpose Reshape Eye Ones Zeros ExpandDims Tile Equal LogicalNot ReduceSum ReduceMean Mul Sub "
    "Stack Select Exp Log Div Neg Add Sum Pow Squeeze MaskedFill MaskedSelect L2Normalize".split()
)
_FEATURE_METHODS = frozenset(
    "t transpose permute unsqueeze squeeze view reshape contiguous float half double to cuda cpu clone detach type "
    "flatten chunk split unbind repeat expand expand_as narrow index_select gather norm div mul astype swapaxes "
    "numpy select requires_grad_ bfloat16 view_as type_as repeat_interleave tile".split()
)
_FEATURE_FUNCTIONS = frozenset(
    "normalize cat concat concatenate stack vstack hstack transpose unsqueeze expand_dims l2_normalize reshape tile "
    "squeeze flatten chunk split unbind permute div divide truediv cast float32 slice gather repeat_interleave "
    "L2Normalize Transpose Concat identity stop_gradient as_tensor array asarray multiply mul split_with_sizes repeat "
    "broadcast_to swapaxes rearrange nan_to_num Normalize to_tensor convert_to_tensor index_select".split()
)
_TRANSPOSES = frozenset({"T", "mT", "H", "mH", "data", "real"})


@dataclass(slots=True, eq=False)
class Similarity:
    """A pairwise similarity, what is computed from it, and the evidence that it is a contrastive loss."""

    seed: Value
    operands: list[Value]
    strength: int  # 3 a tensor with itself, 2 two towers, 1 a stored matrix or a row-wise product
    cone: set[Value] = field(default_factory=set)
    evidence: set[str] = field(default_factory=set)
    features: set[Value] = field(default_factory=set)


class Roles:
    """Finds the similarities of one module; knows no sizes."""

    def __init__(self, module: Module) -> None:
        self.module = module
        self.similarities = [each for each in self._seeds() if self._grow(each)]
        self.loss_calls = [value for value in module.values if value.op == "call" and self.is_foreign_loss(value)]
        self.cone: set[Value] = set()
        self.features: set[Value] = set()
        for each in self.similarities:
            self.cone |= each.cone
            each.features = back_closure(each.operands)
            self.features |= each.features
        for call in self.loss_calls:
            if not self.constructs_loss(call):
                self.features |= back_closure([argument for _, argument in call.arguments()])
        self.features -= self.cone
        self.reduced = self._reduced()

    # -- where a similarity is computed ------------------------------------------------------------------------------

    def _seeds(self) -> list[Similarity]:
        found = []
        for value in self.module.values:
            if value.op == "binop" and value.name == "MatrixMultiply":
                found.append(self._seed(value, value.inputs))
            elif value.op == "call":
                found.append(self._call_seed(value))
        return [each for each in found if each is not None]

    def _call_seed(self, call: Value) -> Similarity | None:
        arguments = [each for keyword, each in call.arguments() if each.op not in ("str", "const", "tuple", "none")]
        if call.name in _ROW_SUMS:
            return self._row_product(call, arguments)
        name = called_class(call) or call.name
        if name in _PRODUCTS:
            called = call.inputs[0]
            if called.op == "attr" and not is_library(called.inputs[0]) and len(arguments) == 1:
                arguments = [called.inputs[0], *arguments]
            if name == "einsum" and len(arguments) < 2:
                packed = [each for _, each in call.arguments() if each.op == "tuple"]
                arguments = packed[0].inputs if packed else arguments
            if len(arguments) >= 2:
                return self._seed(call, arguments[:2])
            return None
        if call.constructs is None and is_similarity_name(call.name) and 2 <= len(arguments) <= 4:
            return self._seed(call, arguments[:2])
        return None

    def _seed(self, value: Value, operands: list[Value]) -> Similarity | None:
        if len(operands) < 2 or any(each.op == "const" for each in operands):
            return None
        first, second = (roots(each) for each in operands[:2])
        if first & second:
            strength = 3
        elif any(is_stored_matrix(each) for each in first | second):
            strength = 1
        else:
            strength = 2
        return Similarity(value, list(operands[:2]), strength)

    def _row_product(self, call: Value, arguments: list[Value]) -> Similarity | None:
        called = call.inputs[0]
        inner = called.inputs[0] if called.op == "attr" and not is_library(called.inputs[0]) else None
        inner = inner if inner is not None else arguments[0] if arguments else None
        if inner is None:
            return None
        if inner.op == "binop" and inner.name == "Multiply":
            factors = inner.inputs
        elif inner.op == "call" and inner.name in ("multiply", "mul"):
            factors = [each for _, each in inner.arguments()]
        else:
            return None
        if len(factors) != 2 or factors[0] is factors[1] or any(each.op == "const" for each in factors):
            return None
        return Similarity(call, list(factors), 1)

    # -- what is computed from it ------------------------------------------------------------------------------------

    def _grow(self, similarity: Similarity) -> bool:
        """Fill the cone of a similarity; says whether it belongs to a contrastive loss."""
        cone, stack = similarity.cone, [similarity.seed]
        evidence = similarity.evidence
        named = False
        while stack:
            value = stack.pop()
            if value in cone:
                continue
            cone.add(value)
            self._note_evidence(value, cone, evidence)
            if value.bound and is_similarity_name(value.bound):
                named = True
            for user in value.users:
                if user not in cone and keeps_values(user, value):
                    stack.append(user)
        for function in {each.function for each in cone}:
            owner = function.owner.name if function.owner is not None else ""
            if is_contrastive_name(function.name) or is_contrastive_name(owner):
                evidence.add("name")
        if named or is_similarity_name(similarity.seed.name):
            evidence.add("similarity name")
        return self._is_contrastive(similarity)

    def _note_evidence(self, value: Value, cone: set[Value], evidence: set[str]) -> None:
        if value.op == "call":
            name = called_class(value) or value.name
            if is_cross_entropy_name(name):
                evidence.add("cross-entropy")
            elif not REGRESSION_WORDS.isdisjoint(words(name)):
                evidence.add("regression")
            elif is_loss_name(name):
                evidence.add("loss")
            elif name in (
                "log",
                "log_softmax",
                "logsumexp",
                "LogSoftmax",
                "log1p",
                "logsigmoid",
                "reduce_logsumexp",
                "Log",
            ):
                evidence.add("log")
            elif name in ("exp", "softmax", "Softmax", "Exp"):
                evidence.add("exp")
            elif name in ("relu", "clamp", "maximum", "hinge"):
                evidence.add("margin")
            if is_contrastive_name(name):
                evidence.add("name")
        elif value.op == "binop" and value.name == "Divide" and len(value.inputs) > 1:
            divisor = value.inputs[1]
            if is_temperature_name(divisor.name) or is_temperature_name(divisor.bound):
                evidence.add("temperature")
        elif value.op == "binop" and value.name == "Multiply":
            if any(is_temperature_name(each.name) for each in value.inputs if each not in cone):
                evidence.add("temperature")

    def _is_contrastive(self, similarity: Similarity) -> bool:
        evidence = similarity.evidence
        is_loss = "cross-entropy" in evidence or "log" in evidence
        if "regression" in evidence and not is_loss:
            return False
        if similarity.strength == 3:
            if is_loss or evidence & {"name", "temperature"}:
                return True
            return "similarity name" in evidence and bool(evidence & {"loss", "exp", "margin"})
        if similarity.strength == 2:
            if is_loss:
                return True
            return bool(evidence & {"loss", "exp", "margin"}) and bool(
                evidence & {"temperature", "name", "similarity name"}
            )
        return is_loss and bool(evidence & {"name", "similarity name", "temperature"})

    def _reduced(self) -> set[Value]:
        """The part of the cones that is a loss value already, no longer a matrix or one value per row."""
        found: set[Value] = set()
        stack = [value for value in self.cone if reduces(value)]
        while stack:
            value = stack.pop()
            if value not in found:
                found.add(value)
                stack.extend(user for user in value.users if user in self.cone)
        return found

    # -- losses that live elsewhere ----------------------------------------------------------------------------------

    def is_foreign_loss(self, call: Value) -> bool:
        """A call of a contrastive loss (or of its constructor) whose code is not in this file."""
        if call.callee is not None or call.constructs is not None or is_library_call(call):
            return False
        constructed = called_class(call)
        if constructed is not None:
            return is_contrastive_loss_name(constructed)
        return is_contrastive_loss_name(call.name) and call.inputs[0].op in (
            "name",
            "global",
            "attr",
            "self",
            "closure",
            "free",
        )

    def constructs_loss(self, call: Value) -> bool:
        """Whether a foreign loss call is its construction: ``NT_Xent(batch_size, mask)``."""
        return called_class(call) is None and call.name[:1].isupper()


def reduces(value: Value) -> bool:
    """Whether a call turns logits into a loss value: a cross-entropy, a mean or sum over everything."""
    if value.op != "call":
        return False
    name = called_class(value) or value.name
    if is_loss_name(name):
        return True
    if name not in ("mean", "sum", "reduce_mean", "reduce_sum"):
        return False
    called = value.inputs[0]
    own = 0 if called.op == "attr" and not is_library(called.inputs[0]) else 1
    return len(value.keywords) <= own


def called_class(call: Value) -> str | None:
    """The class name behind an instance that is called: ``self.similarity_f(a, b)`` -> ``CosineSimilarity``."""
    called = call.inputs[0]
    for _ in range(8):
        if called.op in ("self", "global", "closure", "name", "store", "phi") and called.inputs:
            called = called.inputs[-1]
        elif called.op == "call":
            if called.name in ("to", "cuda", "DataParallel") and called.inputs[0].op == "attr":
                called = called.inputs[0].inputs[0]
                continue
            if called.callee is not None:
                return None
            return called.name or None
        else:
            return None
    return None


def is_library(value: Value) -> bool:
    """Whether a value is an array library or a module of one."""
    while value.op in ("attr", "name", "global") and value.inputs:
        value = value.inputs[0]
    if value.op == "global":
        return value.name in CUSTOMARY_LIBRARIES  # a fragment whose imports stand elsewhere
    return value.op == "import" and value.name.lstrip(".").split(".")[0] in LIBRARIES


def is_library_call(call: Value) -> bool:
    """Whether a call runs a function of an array library (under whatever name it was imported)."""
    called = call.inputs[0]
    if called.op == "attr":
        return is_library(called.inputs[0])
    return is_library(called)


def keeps_values(user: Value, value: Value) -> bool:
    """Whether ``user`` is computed from the entries of ``value``, a similarity or something made of one."""
    op = user.op
    if op in (
        "unary",
        "compare",
        "phi",
        "name",
        "closure",
        "store",
        "self",
        "global",
        "tuple",
        "comp",
        "item",
        "dict",
        "return",
        "param",
        "bool",
        "setitem",
    ):
        return True
    if op == "binop":
        return user.name != "MatrixMultiply"
    if op == "sub":
        return user.inputs[0] is value
    if op == "attr":
        return user.name not in _NOT_VALUES
    if op == "call":
        return _call_keeps_values(user, value)
    return False


def _call_keeps_values(call: Value, value: Value) -> bool:
    if value is call.inputs[0]:
        return value.op == "attr"  # a method of the tensor
    if call.callee is not None:
        return value is call.callee.returns
    name = called_class(call) or call.name
    if name in _CREATIONS or name in _PRODUCTS or call.constructs is not None:
        return False
    if called_class(call) is not None:
        return (
            name in OPERATORS
            or is_loss_name(name)
            or name in _KEEPING_MODULES
            or is_contrastive_name(name)
            or "soft" in name.lower()
        )
    called = call.inputs[0]
    if called.op == "attr" and called.inputs[0] is not value and not is_library(called.inputs[0]):
        # a method of another object: of a tensor (``mask.where(x)``), of a list, or of a model
        return (
            is_loss_name(name)
            or name in _FEATURE_FUNCTIONS
            or name.endswith("_")
            or name
            in (
                "append",
                "masked_fill",
                "where",
                "add",
                "sub",
                "eq",
                "masked_select",
                "scatter",
                "gradient",
                "index_select",
            )
        )
    return (
        is_library_call(call)
        or is_loss_name(name)
        or name in _FEATURE_FUNCTIONS
        or name in ("sum", "max", "min", "list")
    )


def back_closure(operands: list[Value]) -> set[Value]:
    """The values whose rows become the rows of ``operands``: the features, back to where a model or caller made them."""
    seen: set[Value] = set()
    stack = list(operands)
    while stack:
        value = stack.pop()
        if value in seen or value.op in ("const", "str"):
            continue
        seen.add(value)
        stack.extend(feature_inputs(value))
    return seen


def feature_inputs(value: Value) -> list[Value]:
    """The tensors that one step towards a similarity takes its rows from."""
    op = value.op
    if op in ("phi", "name", "closure", "param", "global", "self", "store", "return", "unary", "tuple", "comp"):
        return value.inputs
    if op == "binop":
        return [each for each in value.inputs if each.op != "const" and not is_scale(each)]
    if op in ("sub", "item", "setitem"):
        return value.inputs[:1]
    if op == "attr":
        return value.inputs if value.name in _TRANSPOSES else []
    if op == "call":
        if value.callee is not None:
            return [value.callee.returns]
        called = value.inputs[0]
        name = called_class(value) or value.name
        if called.op == "attr" and not is_library(called.inputs[0]) and name in _FEATURE_METHODS:
            return called.inputs
        if name in _FEATURE_FUNCTIONS or "gather" in name.lower() or called_gather(value):
            return [
                each for keyword, each in value.arguments() if keyword is None or keyword in ("input", "tensors", "x")
            ]
    return []


def is_scale(value: Value) -> bool:
    """Whether a factor is a number by its name: a temperature, a learned logit scale."""
    for _ in range(6):
        if is_temperature_name(value.name) or is_temperature_name(value.bound):
            return True
        if value.op not in ("call", "attr", "name", "unary", "closure", "phi") or not value.inputs:
            return False
        value = value.inputs[0]
    return False


def called_gather(call: Value) -> bool:
    """Whether a call gathers rows over processes: ``GatherLayer.apply(z)``, ``self.all_gather(z)``."""
    called = call.inputs[0]
    if "gather" in call.name.lower():
        return True
    return call.name == "apply" and called.op == "attr" and "gather" in called.inputs[0].name.lower()


def roots(value: Value) -> set[Value]:
    """Where the rows of a tensor begin, as far as feature-keeping steps lead back."""
    return {each for each in back_closure([value]) if not feature_inputs(each) and each.op != "import"}


def is_stored_matrix(value: Value) -> bool:
    """Whether a tensor is kept between steps: a weight, a prototype matrix, a queue."""
    if value.op == "self":
        return True
    if value.op == "attr":
        return value.name in ("weight", "weights", "queue", "kernel", "prototypes", "bank")
    if value.op == "call":
        return value.name in ("Parameter", "Variable", "get_variable", "add_weight", "Embedding", "Linear")
    return False


__all__ = ["Roles", "Similarity", "back_closure", "called_class", "keeps_values", "resolve"]
