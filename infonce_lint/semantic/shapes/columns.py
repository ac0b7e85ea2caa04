"""Columns of the table of operations: what else the package needs of an operation than the shape of its result.

A column is told by the last name of a call, or of an attribute, as the spellings of the table are. The rows fill the
columns when `operations` is imported; who asks imports `has` and `named` from there. Nothing here knows a graph or an
interpreter, for the screen asks too.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping, Set


class Column(enum.Enum):
    """One column; ``names`` are those that it holds for."""

    # what a size makes here
    MAKES_LABELS = "its sizes make row numbers or labels"
    MAKES_SHAPED = "its sizes make a tensor of one number: labels, or a mask if there are two"
    MAKES_OF_SIZES = "given numbers, it makes a tensor of that shape; given anything else, it converts it"
    MAKES_MASK = "its sizes make a mask"
    RESHAPES = "its sizes reshape a tensor"
    SPLITS = "its sizes cut a tensor into parts"
    CUTS_DIAGONAL = "its sizes choose a diagonal"
    INDEXES = "its sizes choose entries"
    SCALES = "its sizes divide or multiply a loss"
    MAKES_INPUTS = "tests and examples make features with it"
    DRAWS = "it draws at random as many as it is told"
    DRAWS_ORDER = "it draws an order, of which the first are taken"
    NUMBERS_ROWS = "it numbers the rows"
    IDENTITY = "it marks each row's own column"
    FILLS = "it fills a tensor with one number"
    FILLED = "its entries are made here: no score of a pair"
    # what compares rows
    COMPARES = "it compares every row with every row"
    COMBINES = "it compares two tensors entry by entry"
    MAPS_ROWS = "it maps a function over rows"
    SUMS_ROWS = "of a product, it compares each row with its partner"
    SUMS_AXIS = "it sums over an axis, which may be that of the features"
    NEW_AXIS = "it gives an axis, along which rows are broadcast against rows"
    LENGTHENS = "the axis so given is made as long as it will be met"
    FOLDS = "it may fold a list of scores to a square"
    DIAGONAL = "it takes a matrix's own diagonal"
    # where rows come from
    KEEPS_ROWS = "a function: the rows of its arguments are those of its result"
    METHOD_KEEPS_ROWS = "a method: the rows of its receiver are those of its result"
    TURNED = "an attribute: the tensor with its axes turned"
    SAME_TENSOR = "an attribute: the tensor itself"
    TRANSPOSES = "it turns the axes of its argument"
    SCATTERS = "its result has the rows of its updates"
    RUNS_ARGUMENT = "it runs or maps the function that it is handed"
    CHANGES_OWN_SHAPE = "a method: its receiver has another shape afterwards"
    GIVES_LIST = "what it gives has a length and elements, and no shape"
    STORED = "it makes what is kept between steps"
    TRAINED = "it makes what is trained: its sizes are widths"
    # what holds the entries of a similarity or of a mask
    GIVES_NO_ENTRIES = "asked of a tensor, it gives nothing computed from its entries"
    MAKES_ANEW = "its result holds no entries of its arguments"
    DECOMPOSES = "of a matrix as a whole: its result has no rows of pairs"
    KEEPS_ENTRIES = "a module: its result is computed entry by entry"
    OPERATOR = "a class whose objects act like functions (MindSpore's ``P.Concat()``); layers and models do not"
    HOLDS_ARGUMENTS = "a method: its result holds entries of its arguments"
    REDUCES = "over everything, it gives the value of a loss"
    CARRIES = "no library's: its result holds what it is handed"
    ASKS_ABOUT = "asked of a made tensor, it gives another thing"
    ACCUMULATES = "it puts its argument into a container"
    SELECTS = "it picks or fills entries by number or by a mask"
    SELECTS_BY_MASK = "it picks or fills entries by a mask"
    KEEPS_NUMBERS = "row numbers and identities stay what they are"
    KEEPS_HEAD = "entry by entry, whatever the size: the head of its result is made of that of its argument"
    KEEPS_LARGEST = "a method: every entry stays, each at least once"
    KEEPS_DIAGONAL = "a method: a diagonal stays one, perhaps as a column"
    JOINS = "it puts the tensors of a list together"
    # what speaks for a contrastive loss
    LOGARITHM = "it takes a logarithm"
    EXPONENTIAL = "it exponentiates"
    NEIGHBOURS = "it keeps the nearest rows: what is made of them by weights alone is a vote, no loss"
    SOFTMAX = "it gives weights, and of itself no loss"
    MARGIN = "it cuts off at a margin"
    MARGIN_STEP = "beside a margin, it makes a margin loss"
    # where a value ends, and what happens to objects
    DIFFERENTIATES = "what it is handed is trained on"
    STOPS = "what it is handed takes no part in a loss"
    ENDS = "what comes out of it is no part of a loss"
    MOVES = "a method: the same entries on another device"
    LOOKS = "asked of a stored tensor, it changes nothing"
    KEEPS_STORED = "its name looks like a change in place, and it is none"
    WRAPS = "it gives the module that it is called on or handed"

    names: set[str]

    def __init__(self, meaning: str) -> None:
        self.meaning = meaning
        self.names = set()


ALL = "*"


def enter(spellings: Iterable[str], columns: Mapping[str, str]) -> None:
    """Fill columns for some spellings of an operation; each is given the names that it holds for, or ``ALL``."""
    names = {spelling.rpartition(":")[2] for spelling in spellings}
    for key, given in columns.items():
        held = names if given == ALL else {*given.split()}
        assert held <= names, f"{key}: {sorted(held - names)}"
        Column[key.upper()].names.update(held)


def has(name: str, column: Column) -> bool:
    """Whether a column holds for a function, method, module or attribute of this name."""
    return name in column.names


def named(column: Column) -> Set[str]:
    """Every name that a column holds for."""
    return column.names
