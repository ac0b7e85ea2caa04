"""The value graph: what each expression is computed from, across the functions of one file.

Every expression becomes a `Value` whose ``inputs`` are the values it is made of, so that "where does this size come
from" is a walk along ``inputs`` and "where does it flow" a walk along ``users``. Variables do not appear: the builder
(`flow.py`) resolves them, with a ``phi`` value where branches or loop rounds meet.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, TypeAlias

from infonce_lint.semantic.names import CONSTRUCTORS

if TYPE_CHECKING:
    import libcst as cst


class Block:
    """A suite of statements; ``parent`` and ``index`` say which statement of which block holds it."""

    __slots__ = ("function", "guards", "index", "inline", "parent", "statement", "statements")

    def __init__(self, function: Function, parent: Block | None, index: int, statement: cst.CSTNode | None) -> None:
        self.function = function
        self.parent = parent
        self.index = index  # of the holding statement in the parent block
        self.statement = statement  # the compound statement whose suite this is
        self.guards: list[Value] = []  # size comparisons known to hold everywhere in this block
        self.inline = False  # a suite on its header's line, or an elif: no statement can be put before its own
        self.statements: dict[int, cst.CSTNode] = {}  # by number


Region: TypeAlias = tuple[int, ...]
"""The parts around an expression that a test or an iteration asks for, outermost first, by the `id` of each node."""


class Op(str):
    """The kind of a value: what computes it.

    No `enum.Enum`: looking up a member of one takes up to five times as long, and nothing is looked up as often.
    """

    __slots__ = ()

    CONST: ClassVar[Op]  # a number
    STR: ClassVar[Op]  # a string
    SINGLETON: ClassVar[Op]  # None, True or False
    NONE: ClassVar[Op]  # what a bare yield gives
    OTHER: ClassVar[Op]  # anything without a kind of its own
    NAME: ClassVar[Op]
    FREE: ClassVar[Op]
    GLOBAL: ClassVar[Op]
    CLOSURE: ClassVar[Op]
    PARAM: ClassVar[Op]
    SELFPARAM: ClassVar[Op]
    IMPORT: ClassVar[Op]
    FUNC: ClassVar[Op]
    CLASS: ClassVar[Op]
    RETURN: ClassVar[Op]
    SELF: ClassVar[Op]
    ATTR: ClassVar[Op]
    SUB: ClassVar[Op]
    SLICE: ClassVar[Op]
    ITEM: ClassVar[Op]
    STORE: ClassVar[Op]
    SETITEM: ClassVar[Op]
    CALL: ClassVar[Op]
    BINOP: ClassVar[Op]
    UNARY: ClassVar[Op]
    BOOL: ClassVar[Op]
    COMPARE: ClassVar[Op]
    PHI: ClassVar[Op]
    TUPLE: ClassVar[Op]
    DICT: ClassVar[Op]
    COMP: ClassVar[Op]
    GUARD: ClassVar[Op]
    WHILE: ClassVar[Op]  # a test that ends a loop, as it stands in each round


for _name in Op.__annotations__:
    setattr(Op, _name, Op(_name.lower()))


@dataclass(slots=True, eq=False, repr=False)
class Value:
    """One computed value.

    ``op`` is its kind, ``name`` the attribute, operator or callee
    name that goes with it, ``keywords`` runs parallel to the arguments of a call (None for positional ones).
    """

    op: Op
    name: str
    node: cst.CSTNode | None
    inputs: list[Value]
    function: Function
    block: Block
    index: int  # of its statement in the block
    keywords: tuple[str | None, ...] = ()
    literal: object = None  # a number or text, the test of an ``ifexp``, the place of an item, "**" of a parameter
    users: list[Value] = field(default_factory=list)
    stored: list[Value] = field(default_factory=list)  # what an entry of an object was set to: ``args.batch_size = n``
    callee: Function | None = None  # set when the call runs a function of this file
    constructs: Class | None = None  # set when the call constructs a class of this file
    scope: dict[str, Value] | None = None  # the variables in force, kept for reads a fix may rewrite
    source: Function | Class | None = None  # the definition that a ``func`` or ``class`` value names
    bound: str = ""  # the first variable that it was assigned to
    maybe_unbound: bool = False  # a name that only some of the branches before have bound
    region: Region = ()

    @property
    def statement(self) -> cst.CSTNode | None:
        """The statement that holds it, an ``if`` with its branches on one row included; None in a lambda."""
        block: Block | None = self.block
        index = self.index
        while block is not None:
            found = block.statements.get(index)
            if found is not None:
                return found
            index = block.index
            block = block.parent
        return None

    def add_input(self, value: Value) -> None:
        """Let ``value`` flow into this one as well."""
        if value not in self.inputs:
            self.inputs.append(value)
            value.users.append(self)

    def arguments(self) -> list[tuple[str | None, Value]]:
        """The arguments of a call with their keywords; the receiver (``inputs[0]``) left out."""
        return list(zip(self.keywords, self.inputs[1 : 1 + len(self.keywords)], strict=False))

    def argument(self, position: int, *keywords: str) -> Value | None:
        """The argument at ``position`` among the positional ones, or under one of ``keywords``."""
        seen = 0
        for keyword, value in self.arguments():
            if keyword is None:
                if seen == position:
                    return value
                seen += 1
            elif keyword in keywords:
                return value
        return None

    def argument_for(self, function: Function, name: str) -> Value | None:
        """The argument of a call that fills the parameter ``name`` of ``function``, which it runs."""
        if name in function.positional:
            return self.argument(function.positional.index(name), name)
        return next((value for keyword, value in self.arguments() if keyword == name), None)


@dataclass(slots=True, eq=False, repr=False)
class Function:
    """A function, method, lambda or the module's own code (``name == "<module>"``)."""

    name: str
    node: cst.CSTNode
    parent: Function | None
    owner: Class | None = None
    parameters: dict[str, Value] = field(default_factory=dict)
    defaults: dict[str, Value] = field(default_factory=dict)
    positional: list[str] = field(default_factory=list)  # parameter names that positional arguments fill, self left out
    returns: Value = field(init=False)
    body: Block = field(init=False)
    bindings: dict[str, list[Value]] = field(default_factory=dict)  # every value each local name is bound to
    final: dict[str, Value] = field(default_factory=dict)  # the variables after the last statement
    calls: list[Value] = field(default_factory=list)
    callers: list[Value] = field(default_factory=list)
    decorators: tuple[str, ...] = ()
    globals: set[str] = field(default_factory=set)  # names that it declares to be the module's
    nonlocals: set[str] = field(default_factory=set)  # names that it declares to be an enclosing function's
    shared: set[str] = field(default_factory=set)  # its variables that other functions bind as well
    is_static: bool = False
    is_generator: bool = False
    is_coroutine: bool = False  # which runs when it is awaited
    is_replaced: bool = False  # a call of it may run something else, which is not seen

    @property
    def is_module(self) -> bool:
        """Whether this is the module's own code."""
        return self.parent is None

    @property
    def is_constructor(self) -> bool:
        """Whether the method runs while its object is built; one that the file calls is a method like any other."""
        if self.owner is None or self.name not in CONSTRUCTORS:
            return False
        return self.name.startswith("__") or not self.callers

    @property
    def enclosing_class(self) -> Class | None:
        """The class whose ``self`` the function has: its own, or the one of the method around it."""
        function: Function | None = self
        while function is not None and function.owner is None:
            function = function.parent
        return function.owner if function is not None else None

    @property
    def qualified_name(self) -> str:
        """Its name with the names of what encloses it."""
        parts = [self.name]
        if self.owner is not None:
            parts.insert(0, self.owner.name)
        elif self.parent is not None and not self.parent.is_module:
            parts.insert(0, self.parent.qualified_name)
        return ".".join(parts)


CALL_METHODS = ("forward", "__call__", "call", "construct")


@dataclass(slots=True, eq=False, repr=False)
class Class:
    """A class: its methods, its bases by name, and what its attributes are set to anywhere in the file."""

    name: str
    node: cst.ClassDef
    bases: list[Value]
    methods: dict[str, Function] = field(default_factory=dict)
    slots: dict[str, list[Value]] = field(default_factory=dict)
    reads: dict[str, list[Value]] = field(default_factory=dict)
    constructions: list[Value] = field(default_factory=list)
    parents: list[Class] = field(default_factory=list)
    children: list[Class] = field(default_factory=list)

    def lineage(self) -> Iterator[Class]:
        """The class and its ancestors in this file, nearest first."""
        seen: list[Class] = [self]
        for each in seen:
            yield each
            seen.extend(parent for parent in each.parents if parent not in seen)

    def family(self) -> Iterator[Class]:
        """Lineage and descendants: every class that may share an attribute with this one."""
        seen = list(self.lineage())
        for each in seen:
            yield each
            seen.extend(child for child in each.children if child not in seen)

    def method(self, name: str) -> Function | None:
        """The method that ``self.name`` runs, inherited ones included."""
        return next((each.methods[name] for each in self.lineage() if name in each.methods), None)

    def slot(self, name: str) -> list[Value]:
        """Everything assigned to ``self.name`` in the family."""
        return [value for each in self.family() for value in each.slots.get(name, ())]


@dataclass(frozen=True, slots=True, eq=False)
class Entry:
    """A read or store of an entry of an object: ``args.batch_size``, ``cfg["train"]["bs"]``.

    ``path`` is written with dots throughout, without its ``root`` (the variable that it begins with); ``base`` is the
    object itself and ``name`` the last step.
    """

    root: str
    path: str
    base: Value
    value: Value
    is_store: bool

    @property
    def name(self) -> str:
        """The last step of the path."""
        return self.path.rpartition(".")[2]


@dataclass(slots=True, eq=False, repr=False)
class Module:
    """The value graph of one file."""

    main: Function
    functions: list[Function]
    classes: list[Class]
    values: list[Value]
    imports: dict[str, str]  # local name -> dotted path
    has_star_import: bool
    entries: list[Entry]  # reads and stores of entries of objects other than self
    index: object = None  # filled by `index.index_of`
    changes: object = None  # filled by `shapes.changes.changes_of`

    def release(self) -> None:
        """Take the graph apart once nothing is asked of it: its parts hold each other until the collector comes by."""
        for value in self.values:
            value.inputs, value.users, value.stored = [], [], []
            value.node = value.scope = value.callee = value.constructs = value.source = value.literal = None
        for function in self.functions:
            for held in (function.parameters, function.defaults, function.bindings, function.final):
                held.clear()
            function.calls.clear()
            function.callers.clear()
        for owner in self.classes:
            for slots in (owner.methods, owner.slots, owner.reads):
                slots.clear()
            owner.constructions, owner.parents, owner.children = [], [], []
        self.values.clear()
        self.entries.clear()
        self.index = self.changes = None


def precedes(first: Value, second: Value) -> bool:
    """Whether ``first``'s statement stands before ``second``'s in a block that encloses ``second``."""
    block: Block | None = second.block
    index = second.index
    while block is not None:
        if block is first.block:
            return first.index < index
        index = block.index
        block = block.parent
    return False
