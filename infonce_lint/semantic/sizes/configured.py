"""Configured reads: which expressions read a batch size that was configured, and where they take it from, in words."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import libcst as cst

from infonce_lint.semantic.graph.literals import alternatives, entries, handed_down, is_integer, is_none
from infonce_lint.semantic.graph.paths import path_text
from infonce_lint.semantic.graph.values import Block, Class, Function, Module, Op, Value
from infonce_lint.semantic.names import (
    READERS,
    is_config_name,
    is_config_size_name,
    is_constant_size_name,
    is_size_name,
)
from infonce_lint.semantic.sizes.scalars import Shapes

if TYPE_CHECKING:
    from infonce_lint.settings import Settings

_CONSTANT_CALLS = frozenset({"int", "getenv", "get", "getint", "max", "min", "float"})
_CONFIGURATION_MAKERS = frozenset("vars parse_args Namespace parse_known_args load safe_load to_container".split())
_NAMED_OPS = frozenset(
    {Op.ATTR, Op.SELF, Op.NAME, Op.GLOBAL, Op.CLOSURE, Op.PARAM, Op.FREE, Op.STORE, Op.IMPORT, Op.SUB}
)
_STEPS_TO_OWNER = frozenset({Op.ATTR, Op.SUB, Op.SELF, Op.NAME, Op.GLOBAL, Op.CLOSURE, Op.STORE, Op.CALL})


class ConfiguredReads:
    """Recognises reads of a configured batch size in one module.

    What is behind a value is asked of ``sources`` (`Origins.sources`), which asks here in turn whether it is a read.
    """

    def __init__(
        self,
        module: Module,
        settings: Settings,
        shapes: Shapes,
        sources: Callable[[Value], frozenset[Value]],
        tied: frozenset[Value] = frozenset(),
    ) -> None:
        self.module = module
        self.config_names = settings.config_names
        self.size_names = settings.size_names
        self._shapes = shapes
        self._sources = sources
        self._tied = tied
        self._slots: dict[tuple[Class, str], str | None] = {}

    def describe(self, value: Value) -> str | None:
        """In words, where a read of a configured batch size takes it from; None for anything else."""
        op = value.op
        if op is Op.ATTR:
            return self._entry(value)
        if op is Op.SUB:
            return self._subscript(value)
        if op is Op.CALL:
            return self._reader(value)
        if op is Op.SELF:
            return self._slot(value)
        if op is Op.GLOBAL:
            return self._global(value)
        if op is Op.NAME:
            return self._name(value)
        return None

    # -- configuration objects ---------------------------------------------------------------------------------------

    def _entry(self, value: Value) -> str | None:
        """``args.batch_size`` and ``config["batch_size"]``, unless the code itself stored a tensor's size there."""
        stored = [each for each in value.stored if not is_none(each.inputs[0])]
        if any(self._shapes.is_shape(each) for each in stored):
            return None
        for store in stored:
            found = self._sources(store)
            if found:
                return f"`{path_text(value)}` is set from `{path_text(min(found, key=path_text))}`"
        if is_config_size_name(value.name, self.size_names) and self.is_configuration(value.inputs[0]):
            return f"`{path_text(value)}` is read from the configuration"
        return None

    def _subscript(self, value: Value) -> str | None:
        if len(value.inputs) != 2 or value.inputs[1].op is not Op.STR:
            return None
        entry = self._entry(value)
        if entry is not None:
            return entry
        kept = entries(value.inputs[0], value.name)
        is_size = is_config_size_name(value.name, self.size_names)
        if any(self._sources(each) or (is_size and is_integer(each)) for each in kept):
            return f"`{path_text(value)}` is kept in a dictionary"
        return None

    def _reader(self, value: Value) -> str | None:
        """``getattr(args, "batch_size")`` and ``config.get("batch_size", 64)``."""
        if value.name not in READERS:
            return None
        arguments = [argument for _, argument in value.arguments()]
        keys = [str(each.literal) for each in arguments if each.op is Op.STR]
        if not any(is_config_size_name(key, self.size_names) for key in keys):
            return None
        called = value.inputs[0]
        if value.name == "getenv":
            return f'the environment is asked for "{keys[-1]}"'
        base = arguments[0] if value.name == "getattr" else called.inputs[0] if called.op is Op.ATTR else None
        if base is not None and self.is_configuration(base):
            return f'`{path_text(base)}` is asked for "{keys[-1]}"'
        return None

    def is_setting(self, value: Value) -> bool:
        """Whether a value is an entry of a configuration object, whatever its name."""
        return not value.stored and self.is_configuration(value.inputs[0])

    def is_configuration(self, base: Value) -> bool:
        """Whether a value is a configuration object: some name on its path says so."""
        for _ in range(12):
            if self._is_named_so(base) or _takes_settings(base):
                return True
            if base.op is Op.CLASS or (base.op is Op.NAME and base.inputs and base.inputs[0].op is Op.CLASS):
                return False
            if base.op is Op.PHI:
                return any(self.is_configuration(each) for each in base.inputs[:1])
            if base.op is Op.PARAM:
                return any(self.is_configuration(each) for each in base.inputs[:3] if each.op is not Op.PARAM)
            if base.op not in _STEPS_TO_OWNER or not base.inputs:
                return False
            base = base.inputs[0]
        return False

    def _is_named_so(self, base: Value) -> bool:
        if base.op in _NAMED_OPS and base.name:
            return is_config_name(base.name.rsplit(".", 1)[-1], self.config_names)
        if base.op is Op.CALL and base.name in _CONFIGURATION_MAKERS:
            return True
        return base.op in (Op.CALL, Op.CLASS) and is_config_name(base.name, self.config_names)

    # -- attributes of the object itself -----------------------------------------------------------------------------

    def _slot(self, value: Value) -> str | None:
        """``self.batch_size``, by what the class and its family store there."""
        owner = value.function.enclosing_class
        if owner is None:
            return None
        place = (owner, value.name)
        if place not in self._slots:
            self._slots[place] = None  # while computing: a cycle adds nothing
            self._slots[place] = self._find_slot(owner, value.name)
        return self._slots[place]

    def _find_slot(self, owner: Class, name: str) -> str | None:
        method = owner.method(name)
        if method is not None:
            return self._property(name, method)
        stores = [store for store in owner.slot(name) if not is_none(store)]
        if any(self._shapes.is_shape(store) for store in stores):
            return None
        looks_like_size = is_size_name(name, self.size_names)
        if not stores:
            return f"`self.{name}` is set outside this file" if looks_like_size else None
        for store in stores:
            found = self._sources(store)
            if found:
                first = min(found, key=lambda each: each.function.qualified_name)
                return f"`self.{name}` is set in `{store.function.qualified_name}` from `{path_text(first)}`"
        for store in stores:
            inner = store.inputs[0] if store.op is Op.STORE else store
            if looks_like_size and is_integer(inner):
                return f"`self.{name}` is set to the number {inner.literal}"
        return None

    def _property(self, name: str, method: Function) -> str | None:
        if not any("property" in each for each in method.decorators) or self._shapes.is_shape(method.returns):
            return None
        found = self._sources(method.returns)
        return f"`self.{name}` is a property that gives `{path_text(min(found, key=path_text))}`" if found else None

    # -- constants, imports and parameters ---------------------------------------------------------------------------

    def _global(self, value: Value) -> str | None:
        name = value.name
        looks_like_size = is_constant_size_name(name, self.size_names)
        if not value.inputs:
            starred = looks_like_size and self.module.has_star_import
            return f"`{name}` comes from a star import" if starred else None
        bound = value.inputs[0]
        if value.function.is_module and bound.block.parent is not None and not is_integer(bound):
            return None  # a loop's own variable, not a constant: its value flows on
        if bound.op in (Op.FUNC, Op.CLASS, Op.PARAM, Op.ITEM) and not self._sources(bound):
            return None
        if any(self._shapes.is_shape(each) for each in alternatives(bound)):
            return None
        if bound.op is Op.IMPORT:
            return f"`{name}` is imported from `{bound.name.rpartition('.')[0]}`" if looks_like_size else None
        if self._shapes.is_shape(bound):
            return None
        found = self._sources(bound)
        if found:
            return f"`{name}` is set at module level from `{path_text(min(found, key=path_text))}`"
        if looks_like_size and _is_constant(bound):
            return f"`{name}` is a constant of the module"
        return None

    def _name(self, value: Value) -> str | None:
        """A parameter, or a constant that a function imports for itself."""
        bound = value.inputs[0]
        if bound.op is Op.IMPORT and is_constant_size_name(value.name, self.size_names):
            return f"`{value.name}` is imported from `{bound.name.rpartition('.')[0]}`"
        if bound.op is Op.PARAM:
            if bound.function.is_constructor and self.constructor_parameter(bound):
                return f"`{bound.name}` is a parameter of the constructor"
            if self._enters_loss(value, bound):
                return f"`{bound.name}` is handed to a training loop"
        return None

    def constructor_parameter(self, param: Value) -> bool:
        """Whether a constructor's parameter carries the configured batch size.

        Its name says so, its use, or a construction in this file that passes one; not when every one passes a shape.
        """
        passed = param.inputs
        if passed and all(self._shapes.is_shape(each) for each in passed):
            return False
        if is_size_name(param.name, self.size_names) or param in self._tied:
            return True
        return any(self._sources(each) for each in passed)

    def _enters_loss(self, read: Value, param: Value) -> bool:
        """A training loop's own parameter, handed on to a loss inside the loop: the size enters the loss there."""
        if not is_size_name(param.name, self.size_names) or not param.inputs or self._shapes.is_shape(param):
            return False
        if not any(
            user.op is Op.CALL and user.callee is not None and user.inputs[0] is not read for user in read.users
        ):
            return False
        block: Block | None = read.block
        while block is not None and not isinstance(block.statement, cst.For | cst.While):
            block = block.parent
        return block is not None and any(self._sources(each) or is_integer(each) for each in param.inputs)


def _takes_settings(base: Value) -> bool:
    """Whether a value is what takes the keywords that a signature does not name: ``**kw``."""
    return base.op is Op.PARAM and base.literal == "**"


def _is_constant(bound: Value) -> bool:
    """Whether a module-level name is bound to a number, on some branch, or to a call that reads one."""
    return any(is_integer(each) or (each.op is Op.CALL and each.name in _CONSTANT_CALLS) for each in handed_down(bound))
