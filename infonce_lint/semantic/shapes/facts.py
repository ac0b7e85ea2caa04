"""Facts: what an operation needs of the dimensions that meet in it."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from infonce_lint.semantic.shapes.dims import Dim
from infonce_lint.semantic.shapes.domain import Site


class Relation(enum.Enum):
    """How strictly two dimensions are tied."""

    EQUAL = "equal"  # anything else raises: broadcasting, an index, a view, the rows of a loss
    MET = "met"  # equal, unless one of them is 1: two tensors from elsewhere that are broadcast
    BELOW = "below"  # the left one is at most the right one, else it raises: two sections of one size, an index
    KEPT = "kept"  # a reshape with a free axis: the right one must divide the left one
    CUT = "cut"  # a slice's bound, a diagonal's offset: nothing raises, rows are mis-paired
    SCALE = "scale"  # a factor of the value: another size is silently another value


@dataclass(frozen=True, slots=True)
class Fact:
    """``left`` and ``right`` stand in a relation, needed by the operation at ``site``."""

    relation: Relation
    left: Dim
    right: Dim
    site: Site
