"""Extents of tensors: how many rows each has, in terms of numbers, named sizes and the rows of other tensors.

Equating the extent of a mask with that of the similarity it meets gives the configured size in terms of the features
that are really there.
"""

from __future__ import annotations

from fractions import Fraction

from infonce_lint.semantic.extents.extent import WORLD, Extent, number, symbol
from infonce_lint.semantic.extents.integer_extents import IntegerExtents
from infonce_lint.semantic.graph.calls import called_name, is_gather, option, tensor_of
from infonce_lint.semantic.graph.literals import elements, is_none
from infonce_lint.semantic.graph.paths import path_text
from infonce_lint.semantic.graph.values import Value
from infonce_lint.semantic.losses.features import is_scale
from infonce_lint.semantic.losses.roles import Roles
from infonce_lint.semantic.losses.similarity import Similarity
from infonce_lint.semantic.losses.sinks import is_made
from infonce_lint.semantic.sizes.origin import Origins

_SAME_ROWS = frozenset(
    "normalize exp log softmax log_softmax relu float half double to cuda cpu clone detach contiguous type bool long "
    "int sqrt abs clamp pow sigmoid tanh l2_normalize cast stop_gradient fill_diagonal_ masked_fill masked_fill_ "
    "bfloat16 type_as requires_grad_ logical_not fill_diagonal from_numpy tensor as_tensor Tensor array asarray "
    "Parameter triu tril square LongTensor astype norm numpy Variable eq ne list tuple LogSoftmax Softmax bitwise_not "
    "div_ mul_ sub_ add_ logical_xor nan_to_num L2Normalize".split()
)
_ELEMENTWISE = frozenset("mul multiply add sub subtract div divide truediv true_divide lerp".split())
_CREATIONS = frozenset("arange range zeros ones full empty eye new_zeros new_ones new_full identity randperm".split())
_CONCATENATIONS = frozenset({"cat", "concat", "concatenate", "vstack"})
_CHUNKS = frozenset({"chunk", "tensor_split", "array_split"})
#: Their rows are not those of the tensor they are called on, and not told by the code.
_OTHER_ROWS = frozenset("t transpose permute sum mean stack diag diagonal masked_select".split())
_COPIES = frozenset({"name", "closure", "global", "store", "self", "return"})


class Extents(IntegerExtents):
    """Computes extents of integers and tensors; rows that the file does not tell become unknowns of their own."""

    def __init__(self, origins: Origins, roles: Roles) -> None:
        super().__init__(origins)
        self.roles = roles
        self.tensors: dict[str, Value] = {}  # the tensor behind each ``rows:`` symbol
        self._twins: dict[str, str] = {}  # rows taken to be equal, because the code concatenates them as views
        self._rows: dict[Value, Extent | None] = {}
        self._similarities = {each.seed: each for each in roles.similarities}

    def rows(self, value: Value) -> Extent | None:
        """The rows (axis 0) of a tensor; None when they are no monomial."""
        if value not in self._rows:
            self._rows[value] = None  # while computing: a cycle has no extent
            self._rows[value] = self._find_rows(value)
        return self._rows[value]

    def _unknown(self, value: Value) -> Extent:
        """Rows that nothing in the file tells: a symbol of their own."""
        name = f"rows:{id(value)}"
        self.tensors[name] = value
        return symbol(self._twins.get(name, name))

    def _find_rows(self, value: Value) -> Extent | None:
        op = value.op
        if op in _COPIES:
            return self._copied(value)
        if op == "param":
            return self._passed(value)
        if op == "phi":
            return self._joined([self.rows(each) for each in value.inputs if not is_none(each)])
        if op in ("unary", "setitem"):
            return self.rows(value.inputs[0])
        if op in ("binop", "compare"):
            return self._broadcast(value)
        if op == "sub":
            return self._subscript(value)
        if op == "attr":
            return self.rows(value.inputs[0]) if value.name in ("data", "real") else None
        if op == "item":
            return self._element(value)
        if op == "call":
            return self._call(value)
        return None

    # -- where values meet -------------------------------------------------------------------------------------------

    def _copied(self, value: Value) -> Extent | None:
        found = [self.rows(each) for each in value.inputs]
        if not found:
            return self._unknown(value) if value.op in ("self", "global") else None
        return found[0] if all(each == found[0] for each in found) else None

    def _passed(self, param: Value) -> Extent | None:
        """A parameter's rows: those that every caller passes, else an unknown."""
        passed = {self.rows(each) for each in param.inputs if not is_none(each)}
        if len(passed) == 1:
            rows = passed.pop()
            if rows is not None and not (rows.size_symbols and param in self.roles.features):
                return rows
        return self._unknown(param)

    def _joined(self, found: list[Extent | None]) -> Extent | None:
        """Rows where branches meet: equal ones, or a gather that only several processes run."""
        known = [each for each in found if each is not None]
        sized = {each for each in known if each.size_symbols}
        if len(sized) == 1:
            return sized.pop()  # the branch that the configured size decides
        if not known:
            return None
        most = max(known, key=lambda each: each.power(WORLD))
        if all(each in (most, most.without(WORLD)) for each in known):
            return most
        return None

    def _broadcast(self, value: Value) -> Extent | None:
        """The rows of an operator's result: a given tensor's rather than an unknown's, any rather than 1."""
        if value.op == "binop" and value.name == "MatrixMultiply":
            similarity = self._similarities.get(value)
            return self.compared_rows(similarity) if similarity is not None else self.rows(value.inputs[0])
        operands = [each for each in value.inputs if self._may_be_tensor(each) and not is_scale(each)]
        found = [self.rows(each) for each in operands]
        known = [each for each in found if each is not None and each != number(1)]
        sized = [each for each in known if each.size_symbols or each.row_symbols]
        given = [each for each in sized if each.size_symbols or self._is_given(each)]
        return next(iter(given or sized or known), None)

    def _elementwise(self, call: Value, tensor: Value) -> Extent | None:
        """The rows of an element-wise function of several tensors."""
        operands = [tensor, *(each for keyword, each in call.arguments() if keyword is None and each is not tensor)]
        found = [self.rows(each) for each in operands if self._may_be_tensor(each)]
        known = [each for each in found if each is not None and each != number(1) and each.symbols]
        given = [each for each in known if each.size_symbols or self._is_given(each)]
        return next(iter(given or known), None)

    def _may_be_tensor(self, value: Value) -> bool:
        """Whether an operand is more than a number: not a constant, nor a configured size itself."""
        return value.op not in ("const", "str") and (not self.origins.sources(value) or is_made(value))

    def _is_given(self, extent: Extent) -> bool:
        """Whether rows are those of a parameter, and not of some call's result that may only be broadcast."""
        return any(name in self.tensors and self.tensors[name].op == "param" for name, _ in extent.symbols)

    # -- parts -------------------------------------------------------------------------------------------------------

    def _subscript(self, value: Value) -> Extent | None:
        if len(value.inputs) < 2:
            return None
        base, first = value.inputs[:2]
        if first.op == "slice" and not first.inputs:
            return self.rows(base)
        if is_none(first):
            return number(1)
        if first.op == "const" and base.op in ("param", "name", "item", "call", "attr"):
            return self._unknown(value)
        return None

    def _element(self, value: Value) -> Extent | None:
        """The rows of one item of a tuple, a loader's batch, or the sections of a tensor."""
        container = value.inputs[0]
        if isinstance(value.literal, int):
            found = {self.rows(each) for each in elements(container, value.literal)}
            if len(found) == 1 and None not in found:
                return found.pop()
        if container.op == "call" and container.name in _CHUNKS:
            return self._chunk(container)
        if container.op == "call" and container.name == "split":
            return None
        return self._unknown(value)

    def _chunk(self, call: Value) -> Extent | None:
        whole, count, axis = tensor_of(call), option(call, 0), option(call, 1, "dim", "axis")
        if whole is None or count is None or (axis is not None and axis.literal != 0):
            return None
        rows, parts = self.rows(whole), self.integer(count)
        return rows / parts if rows is not None and parts is not None else None

    # -- calls -------------------------------------------------------------------------------------------------------

    def _call(self, call: Value) -> Extent | None:
        name = called_name(call)
        if call.callee is not None:
            return self.rows(call.callee.returns)
        first = call.argument(0)
        if is_gather(call) and not _picks_entries(call):
            rows = self.rows(first) if first is not None else None
            return rows * symbol(WORLD) if rows is not None else None
        if name in _CONCATENATIONS:
            return self._concatenation(call)
        if name in _CREATIONS:
            return self._created(call)
        if name in ("one_hot", "OneHot"):
            return self.rows(first) if first is not None else None
        tensor = tensor_of(call)
        if tensor is None:
            return None
        if call in self._similarities:
            return self.compared_rows(self._similarities[call])
        return self._transformed(call, name, tensor)

    def _transformed(self, call: Value, name: str, tensor: Value) -> Extent | None:
        """The rows of a tensor after one method or function."""
        if name in ("repeat", "tile") and call.inputs[0].op == "attr":
            return self._repeated(call, tensor)
        if name in ("unsqueeze", "expand_dims"):
            axis = option(call, 0, "dim", "axis")
            return number(1) if axis is not None and axis.literal == 0 else self.rows(tensor)
        if name in ("view", "reshape"):
            return self._reshaped(call, tensor)
        if name in _ELEMENTWISE:
            return self._elementwise(call, tensor)
        if name in _SAME_ROWS:
            return self.rows(tensor)
        if name == "diag" and option(call, 0) is None and (rows := self.rows(tensor)) is not None and rows.size_symbols:
            return rows  # a vector made here, laid out as a diagonal
        if name in _OTHER_ROWS or call in self.roles.cone:
            return None
        return self._unknown(call)  # a model's output, a loader's batch

    def _repeated(self, call: Value, tensor: Value) -> Extent | None:
        times = option(call, 0)
        if times is not None and times.op == "tuple":
            times = times.inputs[0] if times.inputs else None
        rows = self.rows(tensor)
        factor = self.integer(times) if times is not None else None
        return rows * factor if rows is not None and factor is not None else None

    def _reshaped(self, call: Value, tensor: Value) -> Extent | None:
        first = option(call, 0)
        if first is not None and first.op == "tuple":
            first = first.inputs[0] if first.inputs else None
        if first is None:
            return None
        if first.op != "unary":
            return self.integer(first)
        # view(-1, 1): a column of the same entries
        shape = [each for keyword, each in call.arguments() if keyword is None]
        shape = shape[0].inputs if shape and shape[0].op == "tuple" else shape
        is_column = len(shape) == 1 or (len(shape) == 2 and shape[1].literal == 1)
        return self.rows(tensor) if is_column else None

    def _created(self, call: Value) -> Extent | None:
        """The rows of ``arange(n)``, ``arange(a, b)``, ``eye(n)``, ``zeros((n, m))``."""
        sizes = [
            each for keyword, each in call.arguments() if keyword in (None, "size", "shape", "N", "n", "end", "stop")
        ]
        if not sizes:
            return None
        first = sizes[0]
        if call.name in ("arange", "range") and len(sizes) > 1:
            if first.literal == 0:
                return self.integer(sizes[1])
            low, high = self.integer(first), self.integer(sizes[1])
            if low is None or high is None or low.symbols != high.symbols or high.number == low.number:
                return None
            return Extent(high.number - low.number, low.symbols)
        return self.integer(first.inputs[0] if first.op == "tuple" and first.inputs else first)

    # -- similarities ------------------------------------------------------------------------------------------------

    def compared_rows(self, similarity: Similarity) -> Extent | None:
        """The rows of a similarity: those of its first operand, or of what the second transposes when it is square.

        ``cos(x.unsqueeze(1), y.unsqueeze(0))`` has the rows of x.
        """
        first, second = similarity.operands[:2]
        if first is similarity.seed:
            return self._unknown(first)  # logits that a model or a caller made
        if similarity.seed.name == "einsum":
            return self._einsum_rows(similarity.seed, first, second)
        rows = self.rows(first)
        if rows == number(1):
            return self.rows(second)
        if rows is not None:
            return rows
        return self._transposed(second) if self._transposed(first) is None else None

    def _einsum_rows(self, call: Value, first: Value, second: Value) -> Extent | None:
        """``einsum("nc,mc->nm", x, y)``: the rows of the operand whose first letter leads the result."""
        spec = next((str(each.literal) for _, each in call.arguments() if each.op == "str"), "")
        left, _, result = spec.replace(" ", "").partition("->")
        named = left.split(",")
        if not result or len(named) != 2 or result[0] not in (named[0][:1], named[1][:1]):
            return None
        return self.rows(first if result[0] == named[0][:1] else second)

    def _transposed(self, value: Value) -> Extent | None:
        """The rows of x in ``x.T``, ``x.t()`` or ``transpose(x, 0, 1)``."""
        if value.op == "attr" and value.name in ("T", "mT"):
            return self.rows(value.inputs[0])
        if value.op == "call" and value.name in ("t", "transpose"):
            tensor = tensor_of(value)
            return self.rows(tensor) if tensor is not None else None
        return None

    # -- concatenations ----------------------------------------------------------------------------------------------

    def _concatenation(self, call: Value) -> Extent | None:
        parts = call.argument(0, "tensors", "values", "xs")
        axis = call.argument(1, "dim", "axis", "concat_dim")
        if parts is None:
            return None
        if axis is not None and axis.literal not in (0, None):
            return self.rows(parts.inputs[0]) if parts.op == "tuple" and parts.inputs else None
        if axis is not None and axis.op == "unary":
            return None  # a negative axis: not the rows
        if parts.op == "comp":
            return _product(self.rows(parts.inputs[0]), self._rounds(parts.inputs[1:]))
        if parts.op == "tuple" and parts.inputs:
            return self._total([self.rows(each) for each in parts.inputs])
        if parts.op == "call" and is_gather(parts):
            return self.rows(parts)
        if parts.op == "call" and parts.name == "unbind":
            return self._unbound(parts)
        if parts.op == "binop" and parts.name == "Multiply":  # [x] * n_views
            for many, times in (parts.inputs, parts.inputs[::-1]):
                if many.op == "tuple" and many.inputs:
                    return _product(self.rows(many.inputs[0]), self.integer(times))
        return self._unknown(call)

    def _unbound(self, call: Value) -> Extent | None:
        """``cat(unbind(x, dim=1))`` of x [B, V, D] has V rows for each row of x."""
        whole, axis = tensor_of(call), option(call, 0, "dim", "axis")
        rows = self.rows(whole) if whole is not None else None
        if whole is None or rows is None or axis is None or axis.literal != 1:
            return None
        text = f"{path_text(whole)}.shape[1]"
        self.texts.setdefault(f"named:{text}", text)
        return rows * symbol(f"named:{text}")

    def _rounds(self, containers: list[Value]) -> Extent | None:
        """How often a comprehension over ``range(n)`` or a tuple display runs."""
        if len(containers) != 1:
            return None
        container = containers[0]
        if container.op == "call" and container.name == "range" and len(container.keywords) == 1:
            return self.integer(container.inputs[1])
        return number(len(container.inputs)) if container.op == "tuple" and container.inputs else None

    def _total(self, found: list[Extent | None]) -> Extent | None:
        """Rows of tensors one below the other; views of one batch count as equal."""
        known = [each for each in found if each is not None]
        if not known or len(known) < len(found):
            return None
        first = known[0]
        if not all(each.symbols == first.symbols or self.make_twins(first, each) for each in known):
            return None
        total = sum((each.number for each in known), Fraction(0))
        return Extent(total, first.symbols) if total else None

    def make_twins(self, first: Extent, other: Extent) -> bool:
        """Take two unknown row counts to be equal; false when they differ in more than the tensor."""
        own, theirs = first.row_symbols, other.row_symbols
        if len(own) != 1 or len(theirs) != 1 or first.without(own[0]).symbols != other.without(theirs[0]).symbols:
            return False
        self._twins = {name: own[0] if twin == theirs[0] else twin for name, twin in self._twins.items()}
        self._twins[theirs[0]] = own[0]
        for answers in (self._rows, self._integers):
            for value, known in list(answers.items()):
                if known is not None and (power := known.power(theirs[0])):
                    renamed = Extent(Fraction(1), ((own[0], power),))
                    answers[value] = known.without(theirs[0]) * renamed
        return True


def _product(rows: Extent | None, times: Extent | None) -> Extent | None:
    return rows * times if rows is not None and times is not None else None


def _picks_entries(call: Value) -> bool:
    """``torch.gather(x, 1, index)`` picks entries; it has nothing to do with processes."""
    return call.name in ("gather_nd", "batch_gather") or (call.name == "gather" and len(call.keywords) > 1)
