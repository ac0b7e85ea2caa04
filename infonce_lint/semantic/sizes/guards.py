"""Guards: comparisons of a configured size with an actual one that hold wherever the size is used."""

from __future__ import annotations

from infonce_lint.semantic.graph.values import Block, Function, Op, Value, precedes
from infonce_lint.semantic.sizes.origin import Origins


class Guards:
    """Answers whether a use is protected by an assertion, a raise, a skipped batch or a branch."""

    def __init__(self, origins: Origins) -> None:
        self.origins = origins

    def protects(self, value: Value, keys: frozenset[str], depth: int = 0) -> bool:
        """Whether some guard on one of ``keys`` dominates ``value``, in its function or in every caller."""
        if not keys:
            return False
        if self.protects_here(value, keys):
            return True
        callers = value.function.callers
        if depth < 4 and callers:
            return all(self.protects(call, keys, depth + 1) for call in callers)
        return False

    def protects_here(self, value: Value, keys: frozenset[str]) -> bool:
        """Whether some guard on one of ``keys`` dominates ``value`` inside its own function."""
        block: Block | None = value.block
        index = value.index
        while block is not None:
            for guard in block.guards:
                if guard.op is Op.GUARD and not (guard.block is block and guard.index < index):
                    continue
                if self.origins.size_keys(guard) & keys:
                    return True
            index = block.index
            block = block.parent
        return any(
            call.callee is not None and precedes(call, value) and self._checks(call.callee, keys)
            for call in value.function.calls
        )

    def _checks(self, function: Function, keys: frozenset[str]) -> bool:
        """Whether a helper always compares one of the sizes before it returns."""
        return any(
            guard.op is Op.GUARD and guard.block is function.body and self.origins.size_keys(guard) & keys
            for guard in function.body.guards
        )
