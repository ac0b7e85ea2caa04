"""Extents of integers: what ``2 * self.batch_size``, ``n_views * x.shape[0]`` or a helper's result stand for."""

from __future__ import annotations

from abc import ABC, abstractmethod

from infonce_lint.semantic.extents.extent import WORLD, Extent, number, symbol
from infonce_lint.semantic.graph.literals import is_none
from infonce_lint.semantic.graph.paths import key, path_text
from infonce_lint.semantic.graph.values import Value
from infonce_lint.semantic.names import is_world_size
from infonce_lint.semantic.sizes.origin import Origins

_JOINING_OPS = frozenset({"phi", "closure", "store", "return"})
_NAMED_OPS = frozenset({"attr", "self", "name", "param", "global", "sub"})
_CASTS = frozenset({"int", "float", "tensor", "constant"})


class IntegerExtents(ABC):
    """Computes extents of integers; the rows of tensors, which integers may ask for, are added by `Extents`."""

    def __init__(self, origins: Origins) -> None:
        self.origins = origins
        self.texts: dict[str, str] = {}  # how each ``named:`` size and the world size are written
        self._integers: dict[Value, Extent | None] = {}

    @abstractmethod
    def rows(self, value: Value) -> Extent | None:
        """The rows (axis 0) of a tensor."""

    def integer(self, value: Value) -> Extent | None:
        """The extent that an integer expression stands for; None when it is no monomial."""
        if value not in self._integers:
            self._integers[value] = None  # while computing: a cycle has no extent
            self._integers[value] = self._find_integer(value)
        return self._integers[value]

    def _find_integer(self, value: Value) -> Extent | None:
        op = value.op
        if self.origins.configured(value) is not None:
            return symbol(self.size_symbol(value))
        if op == "const" and isinstance(value.literal, int):
            return number(value.literal) if value.literal else None
        if op == "binop" and len(value.inputs) == 2:
            return self._operation(value)
        if op == "unary":
            return self.integer(value.inputs[0]) if value.name in ("Minus", "Plus") else None
        if (op in _JOINING_OPS or op in ("name", "param")) and value.inputs:
            joined = self._joined_integer(value)
            if joined is not None or op in _JOINING_OPS:
                return joined
        if op == "call":
            if value.name in _CASTS:
                inner = value.argument(0)
                return self.integer(inner) if inner is not None else None
            if value.callee is not None:
                return self.integer(value.callee.returns)
            if is_world_size(value.name):
                return self._named(value, WORLD)
        counted = _counted_tensor(value)
        rows = self.rows(counted) if counted is not None else None
        if rows is not None:
            return rows
        if op in _NAMED_OPS and value.node is not None:
            return self._named(value, WORLD if is_world_size(value.name) else f"named:{path_text(value)}")
        return None

    def _joined_integer(self, value: Value) -> Extent | None:
        """Where branches or callers meet: what they agree on, or the alternative that the configured size decides."""
        found = {self.integer(each) for each in value.inputs if not is_none(each)}
        sized = {each for each in found if each is not None and each.size_symbols}
        if len(sized) == 1:
            return sized.pop()
        return found.pop() if len(found) == 1 else None

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
        direct = sorted(_direct_slots(read))
        return f"size:{direct[0] if direct else key(read)}"


def _counted_tensor(value: Value) -> Value | None:
    """The tensor whose rows an integer counts: x in ``x.shape[0]``, ``x.size(0)``, ``len(x)``, ``n, d = x.shape``."""
    if (value.op == "sub" and len(value.inputs) == 2 and value.inputs[1].literal == 0) or (
        value.op == "item" and value.literal == 0
    ):
        shape = value.inputs[0]
        if shape.op == "attr" and shape.name == "shape":
            return shape.inputs[0]
        if shape.op == "call" and (value.op == "sub" or shape.name == "size"):
            if shape.name == "shape":
                return shape.argument(0)
            return shape.inputs[0].inputs[0] if shape.name == "size" and shape.inputs[0].op == "attr" else None
    if value.op == "call" and value.name == "size" and value.inputs[0].op == "attr":
        axis = value.argument(0, "dim")
        return value.inputs[0].inputs[0] if axis is not None and axis.literal == 0 else None
    return value.argument(0) if value.op == "call" and value.name == "len" else None


def _direct_slots(read: Value) -> set[str]:
    """The attributes that keep exactly the constructor's parameter that is read."""
    if read.op != "name" or read.inputs[0].op != "param":
        return set()
    param = read.inputs[0]
    owner = param.function.owner
    if owner is None:
        return set()
    return {
        f"self.{name}"
        for each in owner.family()
        for name, stores in each.slots.items()
        for store in stores
        if store.inputs and store.inputs[0].op == "name" and store.inputs[0].inputs[0] is param
    }
