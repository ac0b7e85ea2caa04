"""Scopes: which value each variable, and each entry of an object, stands for at the current statement."""

from __future__ import annotations

from abc import ABC, abstractmethod

import libcst as cst

from infonce_lint.semantic.graph.syntax import access_path
from infonce_lint.semantic.graph.values import Block, Class, Entry, Function, Op, Region, Value


class Scopes(ABC):
    """Keeps the variables that the statement walker (`flow.py`) has bound, and binds more of them."""

    def __init__(self, size_names: tuple[str, ...] = ()) -> None:
        self.size_names = size_names
        self.functions: list[Function] = []
        self.classes: list[Class] = []
        self.values: list[Value] = []
        self.imports: dict[str, str] = {}
        self.has_star_import = False
        self.entries: list[Entry] = []
        self.stored_roots: set[str] = set()
        self.pending: list[Function] = []
        self.rebound: dict[str, list[Value]] = {}  # what functions bind to names that they declare global
        self.bodies: dict[int, cst.BaseSuite | cst.BaseExpression] = {}
        self.main: Function
        self.function: Function
        self.asked: cst.CSTNode | None = None  # the last generator that a call asks for all its elements
        self.comprehended: list[list[str]] = []  # by comprehension: the names that it binds around itself
        self.left: list[list[tuple[dict[str, Value], bool]]] = []  # by loop: where it is left, or its round ended
        self.block: Block
        self.index = 0
        self.region: Region = ()
        self.env: dict[str, Value] = {}
        self.class_env: dict[str, Value] | None = None
        self.owner: Class | None = None

    def value(self, op: Op, name: str, node: cst.CSTNode | None, inputs: list[Value]) -> Value:
        """A new value at the current statement, registered with its inputs."""
        made = Value(op, name, node, inputs, self.function, self.block, self.index)
        for each in inputs:
            each.users.append(made)
        if node is not None:
            made.region = self.region
        self.values.append(made)
        return made

    @abstractmethod
    def evaluate(self, node: cst.BaseExpression) -> Value:
        """The value of an expression."""

    def parameters(self, function: Function, declared: cst.Parameters) -> None:
        """The parameters of a function and the values of their defaults, evaluated where it is defined."""
        ordinary = [*declared.posonly_params, *declared.params]
        named = [*ordinary, *declared.kwonly_params]
        stars = [declared.star_arg, declared.star_kwarg]
        is_method = isinstance(function.node, cst.FunctionDef) and function.owner is not None
        function.is_static = "staticmethod" in function.decorators
        for position, param in enumerate([*named, *(star for star in stars if isinstance(star, cst.Param))]):
            name = param.name.value
            made = Value(Op.PARAM, name, param.name, [], function, function.body, 0)
            self.values.append(made)
            if param is declared.star_kwarg:
                made.literal = "**"
            if position == 0 and is_method and not function.is_static:
                made.op = Op.SELFPARAM
            elif position < len(ordinary):
                function.positional.append(name)
            function.parameters[name] = made
            function.bindings.setdefault(name, []).append(made)
            if param.default is not None:
                function.defaults[name] = self.evaluate(param.default)

    def set_name(self, name: str, value: Value) -> None:
        """Bind a plain name in the current scope."""
        self.env[name] = value
        value.bound = value.bound or name
        if self.class_env is not self.env:
            self.function.bindings.setdefault(name, []).append(value)
            if name in self.function.globals:
                self.main.bindings.setdefault(name, []).append(value)
                self.rebound.setdefault(name, []).append(value)
            elif name in self.function.nonlocals:
                self.enclosing(name).bindings.setdefault(name, []).append(value)

    def enclosing(self, name: str) -> Function:
        """The function around this one whose variable ``name`` is."""
        scope = self.function.parent
        while scope is not None and name not in scope.bindings:
            scope = scope.parent
        return scope if scope is not None else self.function

    def bind(self, target: cst.BaseExpression, value: Value) -> None:
        """Bind an assignment target: a name, an attribute, an element, or a tuple of them."""
        if isinstance(target, cst.Name):
            self.forget_entries(target.value)
            self.set_name(target.value, value)
        elif isinstance(target, cst.Tuple | cst.List):
            starred = [isinstance(each, cst.StarredElement) for each in target.elements]
            if True in starred:
                self.bind_starred(target, starred.index(True), value)
                return
            for position, element in enumerate(target.elements):
                part = element_of(value, position, len(target.elements))
                if part is None:
                    part = self.value(Op.ITEM, str(position), element.value, [value])
                    part.literal = position
                self.bind(element.value, part)
        elif isinstance(target, cst.Attribute):
            self.store_attribute(target, value)
        elif isinstance(target, cst.Subscript):
            self.store_element(target, value)

    def bind_starred(self, target: cst.Tuple | cst.List, star: int, value: Value) -> None:
        """``first, *others = xs``: those behind the star are counted from the end."""
        for position, element in enumerate(target.elements):
            behind = len(target.elements) - position
            place = position if position < star else -behind
            part = element_of(value, place)
            if position == star:
                known = value.inputs[star : len(value.inputs) - behind + 1] if value.op is Op.TUPLE else None
                op, inputs = (Op.OTHER, [value]) if known is None else (Op.TUPLE, known)
                part = self.value(op, "List", element.value, inputs)
            elif part is None:
                part = self.value(Op.ITEM, str(position), element.value, [value])
                part.literal = place
            self.bind(element.value, part)

    def join(
        self, left: dict[str, Value], right: dict[str, Value], node: cst.CSTNode, test: Value | None = None
    ) -> dict[str, Value]:
        """The variables after two branches meet: a ``phi`` for each that differs."""
        if left is right:
            return left
        merged = dict(left)
        for name, value in left.items():
            if name not in right:
                merged[name] = self._perhaps(name, value, node)
        for name, value in right.items():
            other = left.get(name)
            if other is None:
                merged[name] = self._perhaps(name, value, node)
            elif other is not value:
                phi = self.value(Op.PHI, name, node, [other, value])
                phi.literal = test
                merged[name] = phi
        return merged

    def _perhaps(self, name: str, value: Value, node: cst.CSTNode) -> Value:
        """A name that only one of two branches has bound."""
        if value.maybe_unbound or value.op in (Op.FUNC, Op.CLASS, Op.IMPORT, Op.CONST, Op.STORE) or "." in name:
            return value
        phi = self.value(Op.PHI, name, node, [value])
        phi.maybe_unbound = True
        return phi

    def store_attribute(self, target: cst.Attribute, value: Value) -> None:
        """``self.x = value`` fills the class's slot; on other objects it is an entry of its own."""
        base = self.evaluate(target.value)
        name = target.attr.value
        if is_self(base):
            owner = self.function.enclosing_class
            kept = self.value(Op.STORE, name, target, [value])
            self.env[f"self.{name}"] = kept
            if owner is not None:
                owner.slots.setdefault(name, []).append(kept)
        else:
            self.enter_entry(target, base, self.value(Op.STORE, name, target, [value]))

    def store_element(self, target: cst.Subscript, value: Value) -> None:
        """``mask[i, j] = 0``: a new version of the container, shaped by the indices too."""
        indexed = self.evaluate(target)
        inputs = indexed.inputs
        first = target.slice[0].slice
        if indexed.op is not Op.SUB and isinstance(first, cst.Index):  # the element of a display that is at hand
            inputs = [self.evaluate(target.value), self.evaluate(first.value)]
        version = self.value(Op.SETITEM, "", target, [*inputs, value])
        if indexed.op is Op.SUB and indexed.name:
            self.enter_entry(target, indexed.inputs[0], self.value(Op.STORE, indexed.name, target, [value]))
        self.mutate(target.value, version)

    def mutate(self, node: cst.BaseExpression, version: Value) -> None:
        """What ``node`` names now stands for ``version``."""
        if isinstance(node, cst.Name):
            held = self.env.get(node.value)
            if held is not None and held.op not in (Op.IMPORT, Op.FUNC, Op.CLASS):
                for name in [name for name, each in self.env.items() if _behind_name(each) is _behind_name(held)]:
                    if "." not in name:  # an alias is the same object
                        self.set_name(name, version)
        elif isinstance(node, cst.Attribute) and isinstance(node.value, cst.Name):
            base = self.env.get(node.value.value)
            if base is not None and base.op is Op.SELFPARAM:
                self.store_attribute(node, version)

    def change(self, node: cst.BaseExpression) -> None:
        """A list of which elements are taken or moved: what it holds from here on is not followed."""
        held = self.env.get(node.value) if isinstance(node, cst.Name) else None
        if held is not None and held.op is not Op.DICT:
            self.mutate(node, self.value(Op.OTHER, "changed", node, [held]))

    def enter_entry(self, node: cst.BaseExpression, base: Value, value: Value) -> None:
        """Note the read or the store (``value`` is a ``store``) of an object's entry, and let reads see stores."""
        root, _, path = access_path(node).partition(".")
        if not path:
            return
        key, is_store = f"{root}.{path}", value.op is Op.STORE
        if is_store:
            self.forget_entries(key)
            self.env[key] = value
            self.stored_roots.add(root)
        elif key in self.env:
            value.stored.append(self.env[key])
        self.entries.append(Entry(root, path, base, value, is_store))

    def forget_entries(self, path: str) -> None:
        """``path`` is bound to another object: what was stored in the old one's entries does not count for it."""
        if path.partition(".")[0] in self.stored_roots:
            for entry in [each for each in self.env if each.startswith(f"{path}.")]:
                del self.env[entry]


def _behind_name(value: Value) -> Value:
    """What a variable holds that was bound to another one."""
    return value.inputs[0] if value.op is Op.NAME and value.inputs else value


def is_self(value: Value) -> bool:
    """Whether a value is the method's own object."""
    return value.op is Op.SELFPARAM or (value.op in (Op.NAME, Op.FREE) and value.name == "self")


def element_of(value: Value, position: int, count: int | None = None) -> Value | None:
    """The element of a tuple display at ``position``, when the display is at hand and has ``count`` elements."""
    if value.op is Op.GLOBAL and value.inputs:
        value = value.inputs[0]
    if value.op is not Op.TUPLE or (count is not None and len(value.inputs) != count):
        return None
    return value.inputs[position] if -len(value.inputs) <= position < len(value.inputs) else None
