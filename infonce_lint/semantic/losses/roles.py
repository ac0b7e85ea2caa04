"""Roles of tensors in one module: similarities, features, what is computed from them, and losses of other files."""

from __future__ import annotations

from functools import cached_property

from infonce_lint.semantic.graph.calls import called_class, is_gather, is_library_call
from infonce_lint.semantic.graph.values import Class, Function, Module, Op, Value
from infonce_lint.semantic.graph.walk import walk
from infonce_lint.semantic.losses.cone import reduces
from infonce_lint.semantic.losses.features import features_of
from infonce_lint.semantic.losses.similarity import Similarity, find_similarities
from infonce_lint.semantic.names import is_contrastive_loss_name

_CALLABLE_OPS = frozenset({Op.NAME, Op.GLOBAL, Op.ATTR, Op.SELF, Op.CLOSURE, Op.FREE})


class Roles:
    """The roles that the tensors of one module play in its contrastive losses; knows no sizes.

    ``cone`` holds the similarities and all that is computed from their entries, ``reduced`` the part of it that is a
    loss value already, ``features`` the tensors whose rows are compared (by a similarity or by a foreign loss), and
    ``loss_calls`` the calls of losses whose code is in another file.
    """

    def __init__(self, module: Module) -> None:
        self._module = module
        self.similarities = find_similarities(module)
        self.seeds: set[Value] = {each.seed for each in self.similarities}
        self.loss_calls = [value for value in module.values if value.op is Op.CALL and _is_foreign_loss(value)]
        self._loss_calls = frozenset(self.loss_calls)
        self.cone: set[Value] = set().union(*(each.cone for each in self.similarities))
        self.features: set[Value] = set().union(*(each.features for each in self.similarities))
        for call in self.loss_calls:
            if not self.constructs_loss(call):
                self.features |= features_of(argument for _, argument in call.arguments())
        self.features |= {
            user for each in self.features if each.op is Op.PARAM for user in each.users if user.op is Op.NAME
        }
        self.features -= self.cone
        self.reduced = self._find_reduced()

    def calls_loss(self, value: Value) -> bool:
        """Whether a value is a call of a loss whose code is in another file."""
        return value in self._loss_calls

    def holding(self, *values: Value) -> list[Similarity]:
        """The similarities that some of the values are, or are computed from."""
        found = {number for each in values for number in self._holding.get(each, ())}
        return [self.similarities[number] for number in sorted(found)]

    @cached_property
    def _holding(self) -> dict[Value, list[int]]:
        """The numbers of the similarities in whose cones a value lies."""
        found: dict[Value, list[int]] = {}
        for number, similarity in enumerate(self.similarities):
            for value in similarity.cone:
                found.setdefault(value, []).append(number)
        return found

    @cached_property
    def row_by_row(self) -> frozenset[Value]:
        """The places where the rows of one tower meet those of the other, and no others."""
        found: set[Value] = set()
        for each in self.similarities:
            operands = set(each.operands[:2])
            found.add(each.seed)
            found.update(user for operand in operands for user in operand.users if operands <= set(user.inputs))
        return frozenset(found)

    @cached_property
    def compared(self) -> dict[Function | Class, list[tuple[int, Value]]]:
        """The operands of similarities, numbered, by the function that computes them and by the class around it."""
        found: dict[Function | Class, list[tuple[int, Value]]] = {}
        operands = (value for each in self.similarities for value in each.operands if value is not each.seed)
        for number, value in enumerate(operands):
            for place in (value.function, value.function.enclosing_class):
                if place is not None:
                    found.setdefault(place, []).append((number, value))
        return found

    @cached_property
    def functions_of_cones(self) -> list[set[Function]]:
        """The functions in which each similarity, and what is computed from it, stands."""
        return [{value.function for value in each.cone} for each in self.similarities]

    @cached_property
    def cones_in(self) -> dict[Function, list[int]]:
        """The numbers of the similarities whose cones reach into a function."""
        found: dict[Function, list[int]] = {}
        for number, functions in enumerate(self.functions_of_cones):
            for function in functions:
                found.setdefault(function, []).append(number)
        return found

    @cached_property
    def rows(self) -> set[Value]:
        """Features and what is computed from similarities: tensors that hold rows of a batch."""
        return self.features | self.cone

    @cached_property
    def gathers(self) -> list[Value]:
        """The calls among these that gather over processes."""
        return [each for each in self._module.values if each.op is Op.CALL and each in self.rows and is_gather(each)]

    @cached_property
    def makers(self) -> list[Function]:
        """The functions that make features by a call of what this file does not hold."""
        calls = (each for each in self._module.values if each.op is Op.CALL and each in self.features)
        found = dict.fromkeys(each.function for each in calls if each.callee is None)
        return [each for each in found if not each.is_module]

    def _find_reduced(self) -> set[Value]:
        reduced = [value for value in self.cone if reduces(value)]
        return set(walk(reduced, lambda value: [user for user in value.users if user in self.cone]))

    def constructs_loss(self, call: Value) -> bool:
        """Whether a foreign loss call is its construction: ``NT_Xent(batch_size, mask)``."""
        return called_class(call) is None and call.name[:1].isupper()


def _is_foreign_loss(call: Value) -> bool:
    """A call of a contrastive loss (or of its constructor) whose code is not in this file."""
    if call.callee is not None or call.constructs is not None or is_library_call(call):
        return False
    constructed = called_class(call)
    if constructed is not None:
        return is_contrastive_loss_name(constructed)
    return is_contrastive_loss_name(call.name) and call.inputs[0].op in _CALLABLE_OPS
