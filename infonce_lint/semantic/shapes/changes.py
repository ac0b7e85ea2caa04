"""Changes: what may hold another thing at each read, because something in the file stores to it between two of them."""

from __future__ import annotations

from infonce_lint.semantic.graph.paths import path_text
from infonce_lint.semantic.graph.values import Function, Module, Value
from infonce_lint.semantic.names import READERS
from infonce_lint.semantic.shapes import operations

_ANY = "*"
#: What is stored under a name is no tensor.
_PLAIN = frozenset({"const", "str", "singleton", "none"})
_OF_ENTRIES = frozenset({"keys", "values", "items", "parameters", "named_parameters", "state_dict", "eval", "train"})
_OBJECTS = ("self", "attr", "sub", "name", "global", "param", "closure", "free")


class Changes:
    """Which attributes, keys and variables of a module are stored to where another function may read them."""

    def __init__(self, module: Module) -> None:
        self._main = module.main
        self._names: set[str] = set()  # stored to in a function
        self._of_module: set[str] = set()  # stored to by the module's own code, for reads that stand in it
        self._called: dict[Function, frozenset[str]] = {}
        self.of_data: set[Function] = set()  # functions that put other entries under a tensor, by ``x.data = ...``
        for entry in module.entries:
            if entry.is_store and entry.name == "data":
                self.of_data.add(entry.value.function)
            if entry.is_store and entry.value.inputs[0].op not in _PLAIN:
                (self._of_module if entry.value.function.is_module else self._names).add(entry.name)
        for owner in module.classes:
            for name, stores in owner.slots.items():
                if any(_counts(each) for each in stores):
                    self._names.add(name)
            self._names.update(
                name for name, each in owner.methods.items() if any("property" in one for one in each.decorators)
            )
        for function in module.functions:
            for call in function.calls:
                if call.name in ("setattr", "__setattr__"):
                    texts = [str(each.literal) for _, each in call.arguments() if each.op == "str"]
                    self._names.add(texts[0] if texts else _ANY)

    def changes_path(self, read: Value, place: object) -> bool:
        """Whether two reads of a path may give two things: it is stored to, or its object is called."""
        parts = {each for each in place[1:] if isinstance(each, str)} if isinstance(place, tuple) else set()
        if _ANY in self._names or not parts.isdisjoint(self._names):
            return True
        if read.function.is_module and not parts.isdisjoint(self._of_module):
            return True
        called = self._called_in(read.function)
        return bool(called) and any(each in called for each in _objects_of(read))

    def changes_variable(self, read: Value) -> bool:
        """Whether a variable or an own attribute is bound by other functions than the one that reads it."""
        if read.op == "self":
            owner = read.function.enclosing_class
            stores = [each for each in owner.slot(read.name) if _counts(each)] if owner is not None else []
            if len(read.inputs) == 1 and read.inputs[0].function is read.function:
                stores = [each for each in stores if each.function is not read.function]
            is_property = any(each.op == "return" for each in read.inputs)
            return bool(stores) or is_property or _ANY in self._names
        scope: Function | None = read.function
        if read.op == "global" or read.name in read.function.globals:
            scope = self._main
        while scope is not None and read.name not in scope.bindings:
            scope = scope.parent
        if scope is None:
            return False
        return any(each.function is not scope for each in scope.bindings[read.name])

    def _called_in(self, function: Function) -> frozenset[str]:
        """The objects that a function calls, or of which it calls a method that may change them."""
        if function not in self._called:
            found = set()
            for call in function.calls:
                called = call.inputs[0]
                if called.op in _OBJECTS:
                    found.add(path_text(called))
                if called.op == "attr" and called.inputs[0].op in _OBJECTS and not _only_looks(call):
                    found.add(path_text(called.inputs[0]))
            self._called[function] = frozenset(found - {"", "self"})
        return self._called[function]


def _only_looks(call: Value) -> bool:
    name = call.name
    return name in READERS or name in _OF_ENTRIES or (operations.find(name, "") is not None and name != "append")


def _objects_of(read: Value) -> list[str]:
    """The objects on the way to what is read, as they are written."""
    found = []
    while read.op in ("attr", "sub") and read.inputs:
        read = read.inputs[0]
        found.append(path_text(read))
    return found


def _counts(store: Value) -> bool:
    """Whether a store may stand between two reads, and may be one of a tensor."""
    value = store.inputs[0] if store.op == "store" and store.inputs else store
    return not store.function.is_constructor and not store.function.is_module and value.op not in _PLAIN


def changes_of(module: Module) -> Changes:
    """The changes of a module, found once for all its interpreters."""
    if not isinstance(module.changes, Changes):
        module.changes = Changes(module)
    return module.changes
