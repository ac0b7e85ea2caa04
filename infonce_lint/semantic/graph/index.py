"""The index of one module: its values by what they are looked up with, made once for all who ask."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from infonce_lint.semantic.graph.values import Entry, Module, Op, Value


class Index:
    """Calls, attributes and stores by their names, each list in the order of the file."""

    def __init__(self, module: Module) -> None:
        self._calls: dict[str, list[Value]] = {}
        self._attributes: dict[str, list[Value]] = {}  # of any object, ``self`` included
        self._stores: dict[str, list[Value]] = {}
        self.stored_entries: dict[str, list[Entry]] = {}
        for value in module.values:
            if value.op is Op.CALL:
                self._calls.setdefault(value.name, []).append(value)
            elif value.op is Op.STORE:
                self._stores.setdefault(value.name, []).append(value)
            elif value.op in (Op.ATTR, Op.SELF):
                self._attributes.setdefault(value.name, []).append(value)
        for entry in module.entries:
            if entry.is_store:
                self.stored_entries.setdefault(entry.name, []).append(entry)

    def calls(self, *names: str) -> Iterator[Value]:
        """The calls of functions and methods of some names."""
        return _named(self._calls, names)

    def attributes(self, names: Collection[str]) -> Iterator[Value]:
        """The reads of attributes of some names."""
        return _named(self._attributes, names)

    def stores(self, name: str) -> list[Value]:
        """The stores of attributes of a name."""
        return self._stores.get(name, [])


def _named(found: dict[str, list[Value]], names: Collection[str]) -> Iterator[Value]:
    for name in names:
        yield from found.get(name, ())


def index_of(module: Module) -> Index:
    """The index of a module, made when it is first asked for."""
    if not isinstance(module.index, Index):
        module.index = Index(module)
    return module.index
