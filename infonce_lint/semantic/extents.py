"""Extents: how many rows a tensor has, as a product of a number, named sizes and the rows of other tensors.

An extent is a monomial: ``2 * rows(z_i)``, ``n_views * S`` with S the configured size, ``W * rows(z)`` after a gather
over W processes. Equating the extent of a mask with that of the similarity it meets gives the configured size in terms
of the features that are really there.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from infonce_lint.semantic.names import words
from infonce_lint.semantic.origin import Origins, elements, is_none, key, path_text
from infonce_lint.semantic.roles import Roles, Similarity, called_class, called_gather, is_library, is_scale
from infonce_lint.semantic.values import Value

WORLD = "world size"


@dataclass(frozen=True, slots=True)
class Extent:
    """``number`` times the product of ``symbols`` to their powers."""

    number: Fraction
    symbols: tuple[tuple[str, int], ...] = ()

    def __mul__(self, other: Extent) -> Extent:
        return Extent(self.number * other.number, _merge(self.symbols, other.symbols, 1))

    def __truediv__(self, other: Extent) -> Extent:
        return Extent(self.number / other.number, _merge(self.symbols, other.symbols, -1))

    def power(self, symbol: str) -> int:
        """The power of one symbol."""
        return dict(self.symbols).get(symbol, 0)

    def without(self, symbol: str) -> Extent:
        """The extent with one symbol struck out."""
        return Extent(self.number, tuple(pair for pair in self.symbols if pair[0] != symbol))

    @property
    def size_symbols(self) -> list[str]:
        """The configured sizes in it."""
        return [name for name, _ in self.symbols if name.startswith("size:")]


def _merge(
    left: tuple[tuple[str, int], ...], right: tuple[tuple[str, int], ...], sign: int
) -> tuple[tuple[str, int], ...]:
    powers = dict(left)
    for name, power in right:
        powers[name] = powers.get(name, 0) + sign * power
    return tuple(sorted((name, power) for name, power in powers.items() if power))


def number(value: int | Fraction) -> Extent:
    """A plain number of rows."""
    return Extent(Fraction(value))


def symbol(name: str) -> Extent:
    """A named size."""
    return Extent(Fraction(1), ((name, 1),))


def is_world_size(name: str) -> bool:
    """Whether a name is the number of processes."""
    found = words(name)
    return "world" in found or found in {
        ("ngpus",),
        ("num", "gpus"),
        ("n", "gpu"),
        ("num", "replicas"),
        ("device", "count"),
    }


_SAME_ROWS = frozenset(
    "normalize exp log softmax log_softmax relu float half double to cuda cpu clone detach contiguous type bool long int "
    "sqrt abs clamp div mul add sub pow sigmoid tanh l2_normalize cast stop_gradient fill_diagonal_ masked_fill "
    "masked_fill_ bfloat16 type_as requires_grad_ logical_not fill_diagonal from_numpy tensor as_tensor Tensor array "
    "asarray Parameter triu tril square multiply divide truediv subtract LongTensor astype norm numpy Variable eq ne "
    "list tuple LogSoftmax Softmax true_divide bitwise_not div_ mul_ sub_ add_ logical_xor nan_to_num L2Normalize".split()
)
_CONCATENATIONS = frozenset({"cat", "concat", "concatenate", "vstack"})


class Extents:
    """Computes extents of integers and tensors; rows that the file does not tell become unknowns of their own."""

    def __init__(self, origins: Origins, roles: Roles) -> None:
        self.origins = origins
        self.roles = roles
        self.tensors: dict[str, Value] = {}  # the tensor behind each ``rows:`` symbol
        self.texts: dict[str, str] = {}  # how each other symbol is written
        self.twins: dict[str, str] = {}  # rows taken to be equal, because the code concatenates them as views
        self._rows: dict[Value, Extent | None] = {}
        self._integers: dict[Value, Extent | None] = {}

    # -- integers ----------------------------------------------------------------------------------------------------

    def integer(self, value: Value) -> Extent | None:
        """The extent that an integer expression stands for."""
        if value not in self._integers:
            self._integers[value] = None
            self._integers[value] = self._find_integer(value)
        return self._integers[value]

    def _find_integer(self, value: Value) -> Extent | None:
        op = value.op
        if self.origins.configured(value) is not None:
            return symbol(self.size_symbol(value))
        if op == "const" and isinstance(value.literal, int) and not isinstance(value.literal, bool):
            return number(value.literal) if value.literal else None
        if op == "binop" and len(value.inputs) == 2:
            return self._operation(value)
        if op == "unary":
            return self.integer(value.inputs[0]) if value.name in ("Minus", "Plus") else None
        if op in ("name", "closure", "store", "return", "phi", "param") and value.inputs:
            found = {self.integer(each) for each in value.inputs if not is_none(each)}
            sized = {each for each in found if each is not None and each.size_symbols}
            if len(sized) == 1:
                return sized.pop()  # the alternative that the configured size decides
            if len(found) == 1 and None not in found:
                return found.pop()
            if op in ("phi", "closure", "store", "return"):
                return None
        if op == "call" and value.name in ("int", "float", "tensor", "constant"):
            inner = value.argument(0)
            return self.integer(inner) if inner is not None else None
        if op == "call" and value.callee is not None:
            return self.integer(value.callee.returns)
        if op == "call" and is_world_size(value.name):
            return self._named(value, WORLD)
        row_count = self._shape_rows(value)
        if row_count is not None:
            return row_count
        if op in ("attr", "self", "name", "param", "global", "sub") and value.node is not None:
            return self._named(value, WORLD if is_world_size(value.name) else f"named:{path_text(value)}")
        return None

    def _named(self, value: Value, name: str) -> Extent:
        text = path_text(value)
        if name not in self.texts or (text.startswith("self.") and not self.texts[name].startswith("self.")):
            self.texts[name] = text
        return symbol(name)

    def _operation(self, value: Value) -> Extent | None:
        left, right = self.integer(value.inputs[0]), self.integer(value.inputs[1])
        if left is None or right is None:
            return None
        if value.name == "Multiply":
            return left * right
        if value.name in ("FloorDivide", "Divide"):
            return left / right
        if value.name in ("Add", "Subtract") and left.symbols == right.symbols:
            total = left.number + right.number if value.name == "Add" else left.number - right.number
            return Extent(total, left.symbols) if total else None
        return None

    def size_symbol(self, read: Value) -> str:
        """One name for all reads of the same configured size, in the constructor and after it."""
        direct = sorted(self._direct_slots(read))
        return f"size:{direct[0] if direct else key(read)}"

    def _direct_slots(self, read: Value) -> set[str]:
        """Attributes that keep exactly the constructor's parameter."""
        if read.op != "name" or read.inputs[0].op != "param":
            return set()
        owner = read.inputs[0].function.owner
        if owner is None:
            return set()
        return {
            f"self.{name}"
            for each in owner.family()
            for name, stores in each.slots.items()
            for store in stores
            if store.inputs and store.inputs[0].op == "name" and store.inputs[0].inputs[0] is read.inputs[0]
        }

    def _shape_rows(self, value: Value) -> Extent | None:
        """``x.shape[0]``, ``x.size(0)``, ``len(x)``: the rows of x."""
        if value.op == "sub" and len(value.inputs) == 2 and value.inputs[1].literal == 0:
            inner = value.inputs[0]
            if inner.op == "attr" and inner.name == "shape":
                return self.rows(inner.inputs[0])
            if inner.op == "call" and inner.name in ("size", "shape"):
                base = inner.argument(0) if inner.name == "shape" else inner.inputs[0].inputs[0]
                return self.rows(base) if base is not None else None
        if value.op == "call" and value.name == "size" and value.inputs[0].op == "attr":
            axis = value.argument(0)
            if axis is not None and axis.literal == 0:
                return self.rows(value.inputs[0].inputs[0])
        if value.op == "call" and value.name == "len" and value.argument(0) is not None:
            return self.rows(value.inputs[1])
        if value.op == "item" and value.literal == 0:
            inner = value.inputs[0]
            if inner.op == "attr" and inner.name == "shape":
                return self.rows(inner.inputs[0])
        return None

    # -- tensors -----------------------------------------------------------------------------------------------------

    def rows(self, value: Value) -> Extent | None:
        """The rows (axis 0) of a tensor."""
        if value not in self._rows:
            self._rows[value] = None
            self._rows[value] = self._find_rows(value)
        return self._rows[value]

    def _base(self, value: Value) -> Extent:
        name = f"rows:{id(value)}"
        self.tensors[name] = value
        return symbol(self.twins.get(name, name))

    def _find_rows(self, value: Value) -> Extent | None:
        op = value.op
        if op in ("name", "closure", "global", "store", "self", "return"):
            found = [self.rows(each) for each in value.inputs]
            if len(found) == 1 or (found and all(each == found[0] for each in found)):
                return found[0]
            return None if found else self._base(value) if op in ("self", "global") else None
        if op == "param":
            passed = {self.rows(each) for each in value.inputs if not is_none(each)}
            if (
                len(passed) == 1
                and (rows := passed.pop()) is not None
                and not (rows.size_symbols and value in self.roles.features)
            ):
                return rows
            return self._base(value)
        if op == "phi":
            return self._joined([self.rows(each) for each in value.inputs if not is_none(each)])
        if op == "unary":
            return self.rows(value.inputs[0])
        if op in ("binop", "compare"):
            return self._broadcast(value)
        if op == "tuple":
            return None
        if op == "setitem":
            return self.rows(value.inputs[0])
        if op == "sub":
            return self._subscript(value)
        if op == "attr":
            return None if value.name not in ("data", "real") else self.rows(value.inputs[0])
        if op == "item":
            return self._element(value)
        if op == "call":
            return self._call(value)
        return None

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

    def _elementwise(self, call: Value, receiver: Value) -> Extent | None:
        """The rows of an element-wise function of several tensors."""
        operands = [receiver, *(each for keyword, each in call.arguments() if keyword is None and each is not receiver)]
        found = [
            self.rows(each) for each in operands if each.op not in ("const", "str") and not self.origins.sources(each)
        ]
        known = [each for each in found if each is not None and each != number(1) and each.symbols]
        return next((each for each in known if each.size_symbols or self._is_given(each)), known[0] if known else None)

    def _broadcast(self, value: Value) -> Extent | None:
        if value.op == "binop" and value.name == "MatrixMultiply":
            seed = next((each for each in self.roles.similarities if each.seed is value), None)
            return self.compared_rows(seed) if seed is not None else self.rows(value.inputs[0])
        operands = [each for each in value.inputs if each.op not in ("const", "str") and not is_scale(each)]
        found = [self.rows(each) for each in operands if not self.origins.sources(each)]
        known = [each for each in found if each is not None and each != number(1)]
        sized = [
            each for each in known if each.size_symbols or any(name.startswith("rows:") for name, _ in each.symbols)
        ]
        given = [each for each in sized if each.size_symbols or self._is_given(each)]
        return given[0] if given else sized[0] if sized else known[0] if known else None

    def _is_given(self, extent: Extent) -> bool:
        """Whether rows are those of a parameter, and not of some call's result that may only be broadcast."""
        return any(name in self.tensors and self.tensors[name].op == "param" for name, _ in extent.symbols)

    def _subscript(self, value: Value) -> Extent | None:
        base = value.inputs[0]
        if len(value.inputs) > 1 and value.inputs[1].op == "slice" and not value.inputs[1].inputs:
            return self.rows(base)
        first = value.inputs[1] if len(value.inputs) > 1 else None
        if first is not None and first.name == "None" and first.op in ("free", "global"):
            return number(1)
        if first is not None and first.op == "const" and base.op in ("param", "name", "item", "call", "attr"):
            return self._base(value)
        return None

    def _element(self, value: Value) -> Extent | None:
        container = value.inputs[0]
        if isinstance(value.literal, int):
            found = {self.rows(each) for each in elements(container, value.literal)}
            if len(found) == 1 and None not in found:
                return found.pop()
        if container.op == "call" and container.name in ("chunk", "split", "tensor_split", "array_split", "unbind"):
            whole = self._receiver(container)
            count = (
                container.argument(0)
                if container.inputs[0].op == "attr" and not is_library(container.inputs[0].inputs[0])
                else container.argument(1)
            )
            if container.name in ("chunk", "tensor_split", "array_split") and whole is not None and count is not None:
                rows, parts = self.rows(whole), self.integer(count)
                axis = container.argument(2, "dim", "axis")
                if rows is not None and parts is not None and (axis is None or axis.literal == 0):
                    return rows / parts
            if container.name != "unbind":
                return None
        return self._base(value)

    def _receiver(self, call: Value) -> Value | None:
        called = call.inputs[0]
        if called.op == "attr" and not is_library(called.inputs[0]):
            return called.inputs[0]
        return call.argument(0, "input", "tensors", "x", "a")

    def _call(self, call: Value) -> Extent | None:
        name = called_class(call) or call.name
        if call.callee is not None:
            return self.rows(call.callee.returns)
        if called_gather(call) and call.name not in ("gather_nd", "batch_gather") and not self._is_indexing(call):
            first = call.argument(0)
            rows = self.rows(first) if first is not None else None
            return rows * symbol(WORLD) if rows is not None else None
        if name in _CONCATENATIONS:
            return self._concatenation(call)
        if name in (
            "arange",
            "range",
            "zeros",
            "ones",
            "full",
            "empty",
            "eye",
            "new_zeros",
            "new_ones",
            "new_full",
            "identity",
            "randperm",
        ):
            return self._created(call)
        if name in ("one_hot", "OneHot"):
            first = call.argument(0)
            return self.rows(first) if first is not None else None
        receiver = self._receiver(call)
        if receiver is None:
            return None
        if any(each.seed is call for each in self.roles.similarities):
            return self._compared(call)
        if name in ("repeat", "tile") and call.inputs[0].op == "attr":
            rows, times = (
                self.rows(receiver),
                call.argument(0) if not is_library(call.inputs[0].inputs[0]) else call.argument(1),
            )
            factor = (
                self.integer(times.inputs[0] if times is not None and times.op == "tuple" else times)
                if times is not None
                else None
            )
            return rows * factor if rows is not None and factor is not None else None
        if name in ("unsqueeze", "expand_dims"):
            axis = call.argument(0) if receiver is not call.argument(0) else call.argument(1)
            axis = axis or call.argument(9, "dim", "axis")
            return number(1) if axis is not None and axis.literal == 0 else self.rows(receiver)
        if name in ("view", "reshape"):
            return self._reshaped(call)
        if name in ("mul", "multiply", "add", "sub", "subtract", "div", "divide", "truediv", "true_divide", "lerp"):
            return self._elementwise(call, receiver)
        if name in _SAME_ROWS:
            return self.rows(receiver)
        if name in ("t", "transpose", "permute", "sum", "mean", "stack", "diag", "diagonal", "masked_select"):
            return None
        if call in self.roles.cone:
            return None
        return self._base(call)  # a model's output, a loader's batch: rows of their own

    @staticmethod
    def _is_indexing(call: Value) -> bool:
        """``torch.gather(x, 1, index)`` picks entries; it has nothing to do with processes."""
        return call.name == "gather" and len(call.keywords) > 1

    def _compared(self, call: Value) -> Extent | None:
        """A similarity of ``x.unsqueeze(1)`` and ``y.unsqueeze(0)`` has the rows of x."""
        seed = next(each for each in self.roles.similarities if each.seed is call)
        return self.compared_rows(seed)

    def compared_rows(self, similarity: Similarity) -> Extent | None:
        """The rows of a similarity: those of its first operand, or of what its second one transposes when it is square."""
        first, second = similarity.operands[:2]
        if similarity.seed.name == "einsum":
            spec = next((str(each.literal) for _, each in similarity.seed.arguments() if each.op == "str"), "")
            left, _, out = spec.replace(" ", "").partition("->")
            named = left.split(",")
            if not out or len(named) != 2 or out[0] not in (named[0][:1], named[1][:1]):
                return None
            return self.rows(first if out[0] == named[0][0] else second)
        rows = self.rows(first)
        if rows is not None and rows != number(1):
            return rows
        if rows == number(1):
            return self.rows(second)
        return self._transposed(second) if self._transposed(first) is None else None

    def _transposed(self, value: Value) -> Extent | None:
        """The rows of x in ``x.T``, ``x.t()`` or ``transpose(x, 0, 1)``."""
        if value.op == "attr" and value.name in ("T", "mT"):
            return self.rows(value.inputs[0])
        if value.op == "call" and value.name in ("t", "transpose"):
            receiver = self._receiver(value)
            return self.rows(receiver) if receiver is not None else None
        return None

    def _reshaped(self, call: Value) -> Extent | None:
        first = (
            call.argument(0)
            if call.inputs[0].op == "attr" and not is_library(call.inputs[0].inputs[0])
            else call.argument(1)
        )
        if first is not None and first.op == "tuple":
            first = first.inputs[0] if first.inputs else None
        if first is None:
            return None
        shape = [each for keyword, each in call.arguments() if keyword is None]
        shape = shape[0].inputs if shape and shape[0].op == "tuple" else shape
        receiver = self._receiver(call)
        if first.op == "unary":  # view(-1, 1): a column of the same entries
            column = len(shape) == 1 or (len(shape) == 2 and shape[1].literal == 1)
            return self.rows(receiver) if column and receiver is not None else None
        return self.integer(first)

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
            element, count = self.rows(parts.inputs[0]), self._count(parts.inputs[1:])
            return element * count if element is not None and count is not None else None
        if parts.op == "tuple" and parts.inputs:
            return self._total([self.rows(each) for each in parts.inputs])
        if parts.op == "call" and called_gather(parts):
            return self.rows(parts)
        if parts.op == "call" and parts.name == "unbind":
            return self._unbound(parts)
        if parts.op == "binop" and parts.name == "Multiply":
            for many, times in (parts.inputs, parts.inputs[::-1]):
                if many.op == "tuple" and many.inputs:
                    element, count = self.rows(many.inputs[0]), self.integer(times)
                    return element * count if element is not None and count is not None else None
        return self._base(call)

    def _unbound(self, call: Value) -> Extent | None:
        """``cat(unbind(x, dim=1))`` of x [B, V, D] has V rows for each row of x."""
        whole = self._receiver(call)
        axis = call.argument(0 if whole is not call.argument(0) else 1, "dim", "axis")
        rows = self.rows(whole) if whole is not None else None
        if whole is None or rows is None or axis is None or axis.literal != 1:
            return None
        text = f"{path_text(whole)}.shape[1]"
        self.texts.setdefault(f"named:{text}", text)
        return rows * symbol(f"named:{text}")

    def _count(self, containers: list[Value]) -> Extent | None:
        """How often a comprehension over ``range(n)`` runs."""
        if len(containers) != 1:
            return None
        container = containers[0]
        if container.op == "call" and container.name == "range" and len(container.keywords) == 1:
            return self.integer(container.inputs[1])
        if container.op == "tuple":
            return number(len(container.inputs))
        return None

    def _total(self, found: list[Extent | None]) -> Extent | None:
        """Rows of tensors one below the other; views of one batch count as equal."""
        if any(each is None for each in found):
            return None
        first = found[0]
        total = Fraction(0)
        for each in found:
            assert each is not None and first is not None
            if each.symbols != first.symbols and not self.make_twins(first, each):
                return None
            total += each.number
        assert first is not None
        return Extent(total, first.symbols)

    def make_twins(self, first: Extent, other: Extent) -> bool:
        """Take two unknown row counts to be equal; false when they differ in more than the tensor."""
        own = [name for name, _ in first.symbols if name.startswith("rows:")]
        theirs = [name for name, _ in other.symbols if name.startswith("rows:")]
        rest = (
            [pair for pair in first.symbols if pair[0] not in own],
            [pair for pair in other.symbols if pair[0] not in theirs],
        )
        if len(own) != 1 or len(theirs) != 1 or rest[0] != rest[1]:
            return False
        self.twins[theirs[0]] = own[0]
        for value, known in list(self._rows.items()):
            if known is not None and known.power(theirs[0]):
                self._rows[value] = known / symbol(theirs[0]) * symbol(own[0])
        return True

    def _created(self, call: Value) -> Extent | None:
        positional = [
            each for keyword, each in call.arguments() if keyword in (None, "size", "shape", "N", "n", "end", "stop")
        ]
        if not positional:
            return None
        first = positional[0]
        if call.name in ("arange", "range") and len(positional) > 1 and positional[0].literal == 0:
            first = positional[1]
        elif call.name in ("arange", "range") and len(positional) > 1:
            low, high = self.integer(positional[0]), self.integer(positional[1])
            if low is None or high is None or low.symbols != high.symbols or high.number == low.number:
                return None
            return Extent(high.number - low.number, low.symbols)
        if first.op == "tuple":
            first = first.inputs[0] if first.inputs else first
        return self.integer(first)
