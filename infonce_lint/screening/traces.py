"""Traces: the names that every finding leaves in a file, looked for in CPython's tree; libcst is not needed for that.

Flow plays no part, so a trace proves nothing; but where there is none, the semantic model finds nothing. Both ask the
table of operations what a call may be. Whoever teaches the model a new way to read a size or to compare rows looks here
too; `tests/screening/test_bytes.py` holds the two together.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Sequence

from infonce_lint.screening.used_names import UsedNames, dotted_path
from infonce_lint.semantic.graph.values import CALL_METHODS
from infonce_lint.semantic.losses.evidence import (
    MARGIN_WORDS,
    SELF,
    STORED,
    TOWERS,
    evidence_of_name,
    is_contrastive,
)
from infonce_lint.semantic.losses.seeds import MATRIX_WORDS, is_metric_name
from infonce_lint.semantic.names import (
    LOSS_STEMS,
    READERS,
    is_config_name,
    is_config_size_name,
    is_constant_size_name,
    is_contrastive_loss_name,
    is_contrastive_name,
    is_loss_name,
    is_similarity_name,
    is_temperature_name,
    words,
)
from infonce_lint.semantic.shapes.operations import Column, has, named


def has_traces(tree: ast.Module, *, ties: Callable[[ast.Module], bool]) -> bool:
    """Whether the names of a file, and where they stand, allow for a finding; False is always right.

    Names of the user's own (settings), and those that Python folds into ASCII (NFKC), are not considered. ``ties`` is
    asked last whether a size may be tied in the file (`ties.may_tie_size`), which takes longest.
    """
    names = _Traces()
    names.add_whole(tree)
    if names.are_foreign():
        return True
    return (names.may_hold_loss() and names.may_read_size()) or (names.may_tie_size() and ties(tree))


def may_read_size(parts: Iterable[tuple[ast.Module, Sequence[int]]]) -> bool:
    """Whether a configured size may be read in some of a file's statements; False is always right.

    Args:
        parts: the top-level statements around every name that reads as a size, each with the rows on which such names
            stand, in ascending order; statements without one are passed over.
    """
    names = _Traces()
    for part, rows in parts:
        names.add_part(part, rows)
        if names.may_read_size():
            return True
    return False


def may_hold_loss(words: set[str], *, has_product: bool) -> bool:
    """Whether a text without a tree could compare rows or call a loss, if each of its words is all that it can be."""
    names = _Traces()
    names.called, names.defined, names.bound, names.loaded, names.factors = words, words, words, words, words
    names.attributes = {word: [] for word in words}
    names.has_product, names.has_new_axis = has_product, True
    return names.may_hold_loss()


class _Traces(UsedNames):
    """What the names of a file allow for."""

    def are_foreign(self) -> bool:
        """Whether some have letters beyond ASCII: the model may see them otherwise than CPython does."""
        plain = (self.loaded, self.attributes, self.imported, self.constants, self.called, self.defined, self.bound)
        return not all(name.isascii() for names in plain for name in names)

    def may_read_size(self) -> bool:
        """Whether one of the reads in `semantic/sizes/configured.py` is possible that all the others follow from."""
        entries = {name for name, owners in self.attributes.items() if self._may_be_configuration(owners)}
        asked_by = {*READERS, *self.bound, *(name for name, paths in self.imported.items() if paths & READERS)}
        entries.update(*(keys for asked, keys in self.keys.items() if asked in asked_by or not self.is_whole))
        if any(map(is_config_size_name, entries)):
            return True
        sizes = set(filter(is_constant_size_name, self.loaded))
        if self.has_star_import and sizes:
            return True
        if not sizes.isdisjoint(self.constants) or not sizes.isdisjoint(self.constructors):
            return True
        return any(
            name in sizes and self._may_be_run(function) and self._may_be_own(callee)
            for name, function, callee in self.passed
        )

    def _may_be_configuration(self, owners: list[ast.expr]) -> bool:
        """Whether some owner of an attribute can be more than a module (``torch.backends``) or a builtin."""
        for owner in owners:
            root, path = dotted_path(owner)
            if self._may_be_own(root) or any(map(is_config_name, (*path, root, *self.imported.get(root, ())))):
                return True
        return False

    def _may_be_own(self, root: str) -> bool:
        """Whether a name, or an expression without one, can stand for something made in this file."""
        return root in ("", "self") or root in self.bound or root in self.defined or not self.is_whole

    def _may_be_run(self, function: str) -> bool:
        """Whether a function is called here, by its name, as an object or through a wrapper (``torch.compile``)."""
        if not self.is_whole or function in CALL_METHODS:
            return True
        return function in self.called or function in self.loaded or function in self.attributes

    def may_hold_loss(self) -> bool:
        """Whether a loss of another file may be called here, or rows be compared with rows (`losses/similarity.py`)."""
        return any(map(is_contrastive_loss_name, self.called)) or self.may_compare_rows()

    def may_tie_size(self) -> bool:
        """Whether rows may be compared with rows on the way to something that is called a loss (`losses/tied.py`)."""
        return any(map(LOSS_STEMS.search, self.called | self.defined)) and self.may_compare_rows()

    def may_compare_rows(self) -> bool:
        """Whether there may be a similarity of rows with enough evidence for a loss."""
        evidence = self._evidence()  # what speaks against a loss does so only where it flows
        return any(
            is_contrastive(strength, each)
            for strength in self._strengths()
            for each in (evidence - {"regression"}, evidence - {"regression", "softmax"})
        )

    def _calls(self, column: Column) -> bool:
        """Whether something is called that a column of the table of operations holds for."""
        return not named(column).isdisjoint(self.called)

    def _strengths(self) -> Iterable[int]:
        broadcasts = self.has_new_axis or self._calls(Column.NEW_AXIS)
        gathers = self.has_rounds and (self._calls(Column.JOINS) or self.fills_rows)
        if (
            self.has_product
            or ((broadcasts or gathers) and self._calls(Column.SUMS_AXIS))
            or self._calls(Column.MAPS_ROWS)
            or (self.has_rounds and self.fills_rows)
            or any(
                has(name, Column.COMPARES) or name == "linear" or is_similarity_name(name) or is_metric_name(name)
                for name in self.called
            )
        ):
            yield SELF
        if (
            self._calls(Column.DIAGONAL)
            or (self._calls(Column.NUMBERS_ROWS) and any(map(is_loss_name, self.called)))
            or (self._calls(Column.IDENTITY) and self._calls(Column.LOGARITHM))
        ):
            yield TOWERS
        if self._calls(Column.SUMS_ROWS) or any(not MATRIX_WORDS.isdisjoint(words(name)) for name in self.bound):
            yield STORED

    def _evidence(self) -> set[str]:
        found = set(map(evidence_of_name, self.called))
        marks = self._calls(Column.IDENTITY) or (self._calls(Column.DIAGONAL) and self._calls(Column.FILLS))
        if (marks and any(map(is_loss_name, self.called))) or self._calls(Column.NUMBERS_ROWS):
            found.add("cross-entropy")
        if self._calls(Column.DIAGONAL):
            found.add("margin name")
        if self._calls(Column.IDENTITY):
            found.add("pairs")
        if any(map(is_contrastive_name, self.called | self.defined)):
            found.add("name")
        if any(map(is_similarity_name, self.called | self.bound)):
            found.add("similarity name")
        if any(map(is_temperature_name, self.called | self.factors)):
            found.add("temperature")
        if any(
            not MARGIN_WORDS.isdisjoint(words(name))
            for name in self.called | self.bound | self.loaded | set(self.attributes)
        ):
            found.add("margin name")
        return found
