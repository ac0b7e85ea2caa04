"""Where a size comes from: which reads of a configured batch size decide an integer, and what is a tensor's own shape."""

from __future__ import annotations

import libcst as cst

from infonce_lint.semantic.names import is_config_name, is_config_size_name, is_size_name
from infonce_lint.semantic.values import Block, Class, Function, Module, Value
from infonce_lint.settings import Settings

_PASS_THROUGH = frozenset({"binop", "unary", "bool", "phi", "closure", "store", "tuple", "return"})
_SCALAR_CALLS = frozenset(
    "int float round abs max min floor ceil tensor Tensor as_tensor IntTensor LongTensor cast constant scalar int32 int64 "
    "item to_tensor convert_to_tensor floordiv".split()
)
_SHAPE_CALLS = frozenset("size shape get_shape as_list numel len static_shape shape_list dim batch_size".split())
_READERS = frozenset({"get", "getint", "get_int", "pop", "getattr", "get_value", "setdefault"})
_CONSTANT_CALLS = frozenset({"int", "getenv", "get", "getint", "max", "min", "float"})

NO_SOURCES: frozenset[Value] = frozenset()


class Origins:
    """Answers questions about integers of one module; every answer is remembered."""

    def __init__(self, module: Module, settings: Settings) -> None:
        self.module = module
        self.config_names = settings.config_names
        self.size_names = settings.size_names
        self._paths: dict[Value, str | None] = {}
        self._sources: dict[Value, frozenset[Value]] = {}
        self._shapes: dict[Value, bool] = {}
        self._slots: dict[tuple[int, str], str | None] = {}

    # -- sources -----------------------------------------------------------------------------------------------------

    def sources(self, value: Value) -> frozenset[Value]:
        """The reads of a configured batch size that decide ``value``, an integer or a tuple of integers."""
        known = self._sources.get(value)
        if known is None:
            self._sources[value] = NO_SOURCES  # while computing: a cycle adds nothing
            known = self._sources[value] = self._find_sources(value)
        return known

    def _find_sources(self, value: Value) -> frozenset[Value]:
        if self.configured(value) is not None:
            return frozenset({value})
        op = value.op
        if op in _PASS_THROUGH:
            if op == "phi" and isinstance(value.literal, Value) and self.size_keys(value.literal):
                return NO_SOURCES  # the branch was taken on a comparison of the two sizes
            if op == "phi" and isinstance(value.literal, Value) and _is_always_given(value.literal):
                return NO_SOURCES  # the default of a parameter that every caller in the file fills
            return self._union(value.inputs)
        if op == "name" or (op == "global" and value.function.is_module):
            return self._union(value.inputs)
        if op == "param":
            default = value.function.defaults.get(value.name)
            return self._union([*value.inputs, *([default] if default is not None else [])])
        if op == "item":
            if value.literal is None:
                return NO_SOURCES
            return self._union(elements(value.inputs[0], int(str(value.literal))))
        if op == "call":
            if value.name in _SCALAR_CALLS:
                arguments = [argument for _, argument in value.arguments()]
                if value.name in ("max", "min") and any(self.is_shape(each) for each in arguments):
                    return NO_SOURCES
                return self._union(arguments)
            if value.callee is not None:
                return self.sources(value.callee.returns)
        return NO_SOURCES

    def _union(self, values: list[Value]) -> frozenset[Value]:
        found = NO_SOURCES
        for each in values:
            found |= self.sources(each)
        return found

    # -- configured reads --------------------------------------------------------------------------------------------

    def configured(self, value: Value) -> str | None:
        """In words, where a read of a configured batch size takes it from; None for anything else."""
        if value in self._paths:
            return self._paths[value]
        self._paths[value] = None
        answer = self._find_path(value)
        self._paths[value] = answer
        return answer

    def _find_path(self, value: Value) -> str | None:
        op = value.op
        if op == "attr":
            if is_config_size_name(value.name, self.size_names) and self.is_configuration(value.inputs[0]):
                return f"`{path_text(value)}` is read from the configuration"
        elif op == "sub":
            if len(value.inputs) == 2 and value.inputs[1].op == "str":
                if is_config_size_name(value.name, self.size_names) and self.is_configuration(value.inputs[0]):
                    return f"`{path_text(value)}` is read from the configuration"
                kept = [each for each in entries(value.inputs[0], value.name) if self.sources(each)]
                if kept:
                    return f"`{path_text(value)}` is kept in a dictionary"
        elif op == "call":
            return self._reader_path(value)
        elif op == "self":
            return self._slot_path(value)
        elif op == "global":
            return self._global_path(value)
        elif op == "name" and value.inputs[0].op == "import":
            if is_size_name(value.name, self.size_names):
                return f"`{value.name}` is imported from `{value.inputs[0].name.rpartition('.')[0]}`"
        elif op == "name" and value.inputs[0].op == "param":
            param = value.inputs[0]
            if param.function.is_constructor and self.constructor_parameter(param):
                return f"`{param.name}` is a parameter of the constructor"
            if self._enters_loss(value, param):
                return f"`{param.name}` is handed to a training loop"
        return None

    def story(self, read: Value) -> tuple[str, ...]:
        """In words, step by step, where a configured read takes its number from."""
        steps: list[str] = []
        current: Value | None = read
        while current is not None and len(steps) < 6:
            told = self.configured(current)
            if told is None:
                break
            if told not in steps:
                steps.append(told)
            behind = [found for each in self._behind(current) for found in self.sources(each) if found is not current]
            current = min(behind, key=path_text) if behind else None
        return tuple(reversed(steps))

    def _behind(self, read: Value) -> list[Value]:
        """What a configured read stands for: the stores of an attribute, the arguments of a parameter."""
        if read.op == "name" and read.inputs:
            return list(read.inputs[0].inputs)
        return list(read.inputs) if read.op in ("self", "global") else []

    def _enters_loss(self, read: Value, param: Value) -> bool:
        """A training loop's own parameter, handed on to a loss inside the loop: the size enters the loss there."""
        if not is_size_name(param.name, self.size_names) or not param.inputs or self.is_shape(param):
            return False
        if not any(user.op == "call" and user.callee is not None and user.inputs[0] is not read for user in read.users):
            return False
        block: Block | None = read.block
        while block is not None and not isinstance(block.statement, cst.For | cst.While):
            block = block.parent
        return block is not None and any(self.sources(each) or is_integer(each) for each in param.inputs)

    def _reader_path(self, value: Value) -> str | None:
        """``getattr(args, "batch_size")`` and ``config.get("batch_size", 64)``."""
        if value.name not in _READERS:
            return None
        arguments = [argument for _, argument in value.arguments()]
        keys = [str(each.literal) for each in arguments if each.op == "str"]
        if not any(is_config_size_name(key, self.size_names) for key in keys):
            return None
        called = value.inputs[0]
        base = arguments[0] if value.name == "getattr" else called.inputs[0] if called.op == "attr" else None
        if base is not None and self.is_configuration(base):
            return f'`{path_text(base)}` is asked for "{keys[-1]}"'
        return None

    def _slot_path(self, value: Value) -> str | None:
        owner = _owner(value.function)
        if owner is None:
            return None
        key = (id(owner), value.name)
        if key not in self._slots:
            self._slots[key] = None
            self._slots[key] = self._find_slot_path(owner, value.name)
        return self._slots[key]

    def _find_slot_path(self, owner: Class, name: str) -> str | None:
        if owner.method(name) is not None:
            return None
        stores = [store for store in owner.slot(name) if not is_none(store)]
        if any(self.is_shape(store) for store in stores + self.module.foreign_stores.get(name, [])):
            return None
        looks_like_size = is_size_name(name, self.size_names)
        if not stores:
            return f"`self.{name}` is set outside this file" if looks_like_size else None
        for store in stores:
            found = self.sources(store)
            if found:
                first = min(found, key=lambda each: each.function.qualified_name)
                return f"`self.{name}` is set in `{store.function.qualified_name}` from `{path_text(first)}`"
        for store in stores:
            inner = store.inputs[0] if store.op == "store" else store
            if looks_like_size and is_integer(inner):
                return f"`self.{name}` is set to the number {inner.literal}"
        return None

    def _global_path(self, value: Value) -> str | None:
        name = value.name
        looks_like_size = is_size_name(name, self.size_names)
        if not value.inputs:
            if looks_like_size and self.module.has_star_import:
                return f"`{name}` comes from a star import"
            return None
        bound = value.inputs[0]
        if value.function.is_module and bound.block.parent is not None and not is_integer(bound):
            return None  # a loop's own variable, not a constant: its value flows on
        if bound.op in ("func", "class", "param", "item") and not self.sources(bound):
            return None
        if bound.op == "import":
            return f"`{name}` is imported from `{bound.name.rpartition('.')[0]}`" if looks_like_size else None
        if self.is_shape(bound):
            return None
        found = self.sources(bound)
        if found:
            return f"`{name}` is set at module level from `{path_text(min(found, key=_text_key))}`"
        if looks_like_size and (is_integer(bound) or any(is_integer(each) for each in flat(bound))):
            return f"`{name}` is a constant of the module"
        if looks_like_size and bound.op == "call" and bound.name in _CONSTANT_CALLS:
            return f"`{name}` is a constant of the module"
        return None

    def constructor_parameter(self, param: Value) -> bool:
        """Whether a constructor's parameter carries the configured batch size.

        Its name says so, or a construction in this file passes one; not when every construction passes a shape.
        """
        passed = param.inputs
        if passed and all(self.is_shape(each) for each in passed):
            return False
        if is_size_name(param.name, self.size_names):
            return True
        return any(self.sources(each) for each in passed)

    def slots_of(self, read: Value) -> set[str]:
        """The attributes that keep a constructor's parameter: a guard on ``self.batch_size`` guards the parameter too."""
        if read.op != "name" or read.inputs[0].op != "param" or (owner := _owner(read.function)) is None:
            return set()
        param = read.inputs[0]
        return {
            f"self.{name}"
            for each in owner.family()
            for name, stores in each.slots.items()
            for store in stores
            if any(source.op == "name" and source.inputs[0] is param for source in self.sources(store))
        }

    def is_configuration(self, base: Value) -> bool:
        """Whether a value is a configuration object: some name on its path says so."""
        for _ in range(12):
            if base.op in ("attr", "self", "name", "global", "closure", "param", "free", "store", "import", "sub"):
                if base.name and is_config_name(base.name.rsplit(".", 1)[-1], self.config_names):
                    return True
            if base.op == "class" or (base.op == "name" and base.inputs and base.inputs[0].op == "class"):
                return is_config_name(base.name, self.config_names)
            if base.op == "call":
                if base.name in (
                    "vars",
                    "parse_args",
                    "Namespace",
                    "parse_known_args",
                    "load",
                    "safe_load",
                    "to_container",
                ):
                    return True
                if is_config_name(base.name, self.config_names):
                    return True
            if base.op == "phi":
                return any(self.is_configuration(each) for each in base.inputs[:1])
            if not base.inputs or base.op not in (
                "attr",
                "sub",
                "self",
                "name",
                "global",
                "closure",
                "store",
                "call",
                "param",
            ):
                return False
            if base.op == "param":
                return any(self.is_configuration(each) for each in base.inputs[:3] if each.op != "param")
            base = base.inputs[0]
        return False

    # -- shapes ------------------------------------------------------------------------------------------------------

    def is_shape(self, value: Value) -> bool:
        """Whether an integer comes from a tensor's shape (``x.shape[0]``, ``len(x)``) and from no configuration."""
        known = self._shapes.get(value)
        if known is None:
            self._shapes[value] = False
            known = self._shapes[value] = self._find_shape(value) and not self.sources(value)
        return known

    def _find_shape(self, value: Value) -> bool:
        op = value.op
        if op == "attr" and value.name == "shape":
            return True
        if op == "call":
            if value.name in _SHAPE_CALLS:
                return True
            if value.name in _SCALAR_CALLS:
                return any(self.is_shape(argument) for _, argument in value.arguments())
            return value.callee is not None and self.is_shape(value.callee.returns)
        if op in ("sub", "item"):
            return self.is_shape(value.inputs[0])
        if op == "phi":
            parts = [each for each in value.inputs if not is_none(each)]
            return bool(parts) and all(self.is_shape(each) for each in parts)
        if op == "param":
            return bool(value.inputs) and all(self.is_shape(each) for each in value.inputs)
        if op in ("binop", "unary", "bool", "name", "closure", "store", "global", "self", "return", "tuple"):
            return any(self.is_shape(each) for each in value.inputs)
        return False

    # -- comparisons -------------------------------------------------------------------------------------------------

    def size_keys(self, test: Value) -> frozenset[str]:
        """The configured sizes and stored tensors that a test compares with an actual size."""
        if test.op in ("guard", "bool", "unary"):
            found: frozenset[str] = frozenset()
            for each in test.inputs:
                found |= self.size_keys(each)
            return found
        if test.op == "compare" and len(test.inputs) > 1:
            sides = test.inputs
            keys: set[str] = set()
            for side in sides:
                others = [each for each in sides if each is not side]
                if any(self.mentions_shape(each) for each in others):
                    keys |= {key(source) for source in self.sources(side)}
                    keys |= self._shaped_slots(side)
            return frozenset(keys)
        return frozenset()

    def mentions_shape(self, value: Value) -> bool:
        """Whether an expression contains a tensor's shape, whatever else it contains."""
        if self._find_shape(value):
            return True
        if value.op in ("binop", "unary", "tuple", "name", "closure"):
            return any(self.mentions_shape(each) for each in value.inputs)
        return False

    def _shaped_slots(self, value: Value) -> set[str]:
        """Stored tensors whose shape an expression asks for: ``self.mask.shape[0]`` -> ``self.mask``."""
        found: set[str] = set()
        stack, seen = [value], set()
        while stack:
            each = stack.pop()
            if id(each) in seen:
                continue
            seen.add(id(each))
            if each.op in ("self", "global"):
                found.add(key(each))
            if each.op in ("attr", "call", "sub", "item", "binop", "name", "closure", "phi"):
                stack.extend(each.inputs)
        return found


def key(value: Value) -> str:
    """A name under which two reads of the same stored size or tensor are recognised."""
    if value.op == "self":
        return f"self.{value.name}"
    if value.op in ("global", "name"):
        return value.name
    return path_text(value)


def path_text(value: Value) -> str:
    """How a read is written: ``self.args.batch_size``."""
    if value.op == "self":
        return f"self.{value.name}"
    if value.op == "attr":
        return f"{path_text(value.inputs[0])}.{value.name}"
    if value.op == "sub" and len(value.inputs) == 2:
        inner = value.inputs[1]
        shown = f'"{inner.literal}"' if inner.op == "str" else path_text(inner)
        return f"{path_text(value.inputs[0])}[{shown}]"
    if value.op == "call":
        inner_text = ", ".join(path_text(each) for _, each in value.arguments())
        return f"{path_text(value.inputs[0])}({inner_text})"
    if value.op == "const":
        return str(value.literal)
    if value.op == "str":
        return f'"{value.literal}"'
    if value.op == "selfparam":
        return "self"
    return value.name


def elements(container: Value, position: int, depth: int = 0) -> list[Value]:
    """The values that may stand at ``position`` of a tuple that took several ways here."""
    if depth > 8:
        return []
    if container.op == "tuple":
        return container.inputs[position : position + 1]
    if container.op == "call" and container.callee is not None:
        return elements(container.callee.returns, position, depth + 1)
    if container.op in ("phi", "return", "name", "closure", "store", "param", "global", "self"):
        return [found for each in container.inputs for found in elements(each, position, depth + 1)]
    return []


def entries(container: Value, key: str, depth: int = 0) -> list[Value]:
    """The values that a dictionary display holds under ``key``."""
    if depth > 8:
        return []
    if container.op == "dict":
        return [each for name, each in zip(container.keywords, container.inputs, strict=False) if name == key]
    if container.op in ("phi", "return", "name", "closure", "store", "param", "global", "self"):
        return [found for each in container.inputs for found in entries(each, key, depth + 1)]
    return []


def _is_always_given(test: Value) -> bool:
    """Whether a test ``size is None`` is on a parameter that every call in the file fills."""
    if test.op != "compare" or test.name != "Is" or not test.inputs:
        return False
    tested = test.inputs[0]
    if tested.op != "name" or not tested.inputs or tested.inputs[0].op != "param":
        return False
    param = tested.inputs[0]
    callers = param.function.callers
    given = [each for each in param.inputs if not is_none(each)]
    return bool(callers) and len(given) >= len(callers)


def flat(value: Value, depth: int = 0) -> list[Value]:
    """The alternatives of a value, through branches."""
    if value.op == "phi" and depth < 8:
        return [found for each in value.inputs for found in flat(each, depth + 1)]
    return [value]


def is_none(value: Value) -> bool:
    """Whether a value is the constant None."""
    if value.op == "store":
        value = value.inputs[0]
    return value.op in ("free", "global", "name") and value.name == "None"


def is_integer(value: Value) -> bool:
    """Whether a value is an integer literal."""
    return value.op == "const" and isinstance(value.literal, int)


def _text_key(value: Value) -> str:
    return path_text(value)


def _owner(function: Function | None) -> Class | None:
    while function is not None:
        if function.owner is not None:
            return function.owner
        function = function.parent
    return None
