"""Stand-ins for what a loss reads and its file does not hold: configuration objects, and things that cannot be had.

A `Config` answers exactly the attributes that are read, each by the role that its name tells, and keeps a record of
them. A `StandIn` lets itself be passed around and called, and says plainly what is missing once its value would count.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from typing import Any, NoReturn

from infonce_lint.verify.knobs import Knobs, Role, role_of

MISSING = object()


class CannotRun(Exception):
    """A loss cannot be run alone; the text says why and what would help."""


class Record:
    """What was made up for a loss: every value by its dotted path, which roles were asked for, and what failed."""

    def __init__(self) -> None:
        self.values: dict[str, object] = {}
        self.roles: set[Role] = set()
        self.broken: dict[str, str] = {}  # what the file says how to build, and what stopped that

    def note(self, path: str, value: object, role: Role | None = None) -> None:
        """Remember one made-up value."""
        self.values[path] = value
        if role is not None:
            self.roles.add(role)


class Maker:
    """Makes the values of names from roles, with the user's own (``--set``) first."""

    def __init__(self, knobs: Knobs, record: Record) -> None:
        self.knobs = knobs
        self.record = record

    def by_name(self, name: str, path: str, *, in_configuration: bool = False) -> Any:
        """The value that ``name`` asks for; MISSING where it does not say."""
        if path in self.knobs.sets:
            value = self.knobs.sets[path]
            self.record.note(path, value)
            return value
        role = role_of(name, self.knobs.sizes, in_configuration=in_configuration)
        if role is None:
            return MISSING
        if role is Role.CONFIG:
            return Config(path, self)
        is_kept = role is Role.SCALE and "." in path and not in_configuration
        value = self.knobs.log_scale if is_kept else self.knobs.value(role, name)
        self.record.note(path, value, role)
        return value


#: Where the code's own values give way to those of the check.
_OURS = frozenset({Role.SIZE, Role.TEMPERATURE, Role.VIEWS, Role.DEVICE, Role.WORLD, Role.RANK})


class Config:
    """A configuration object of any make: attributes, items, ``get``, ``getattr`` and ``vars`` all work.

    ``base`` is the real object, where the file holds one: it answers for everything that a check does not turn.
    """

    def __init__(self, path: str, maker: Maker, base: object = None) -> None:
        object.__setattr__(self, "_path", path)
        object.__setattr__(self, "_maker", maker)
        object.__setattr__(self, "_base", base)
        object.__setattr__(self, "_own", {})

    def _read(self, name: str, default: object = MISSING) -> Any:
        if name in self._own:
            return self._own[name]
        path = f"{self._path}.{name}"
        known = _entry(self._base, name)
        role = role_of(name, self._maker.knobs.sizes, in_configuration=True)
        if known is MISSING or role in _OURS or path in self._maker.knobs.sets:
            value = self._maker.by_name(name, path, in_configuration=True)
            if value is not MISSING and not isinstance(value, Config):
                return value
        if known is not MISSING:
            return Config(path, self._maker, known) if isinstance(known, Mapping) else known
        return Config(path, self._maker) if default is MISSING else default

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return self._read(name)

    @property
    def __dict__(self) -> Any:  # type: ignore[override]  # for vars(args)["batch_size"]
        return self

    def __setattr__(self, name: str, value: object) -> None:
        self._own[name] = value

    def __getitem__(self, name: object) -> Any:
        if isinstance(name, str):
            return self._read(name)
        raise self._unknown("is read by number")

    def __setitem__(self, name: str, value: object) -> None:
        self._own[name] = value

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and (name in self._own or _entry(self._base, name) is not MISSING)

    def get(self, name: str, default: object = None) -> Any:
        """As dictionaries have it."""
        return self._read(name, default)

    def __bool__(self) -> bool:
        return False

    def __call__(self, *arguments: object, **keywords: object) -> Any:
        last = self._path.rpartition(".")[2]
        if last in ("getint", "getfloat", "get_int", "get_value", "pop", "setdefault") and arguments:
            parent = self._path.rpartition(".")[0]
            return Config(parent, self._maker, None)._read(
                str(arguments[-1] if last.startswith("get") else arguments[0])
            )
        return StandIn(f"{self._path}(...)", "a configuration object was called")

    def __repr__(self) -> str:
        return f"<{self._path}>"

    def _unknown(self, what: str) -> CannotRun:
        return CannotRun(f"{self._path} {what} and its name does not say what it holds: --set {self._path}=VALUE")

    def _refuse(self, *_: object, **__: object) -> NoReturn:
        raise self._unknown("is used as a size or a collection")

    __index__ = __int__ = __iter__ = __len__ = _refuse

    def __neg__(self) -> float:
        return -float(self)

    def __float__(self) -> float:
        """Nothing says which number this is: 1, which the record tells."""
        self._maker.record.note(self._path, 1.0)
        return 1.0

    @classmethod
    def __torch_function__(
        cls, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        numbers = tuple(float(each) if isinstance(each, Config) else each for each in args)
        return func(*numbers, **(kwargs or {}))


def _with_number(operator: Callable[[Any, Any], Any], *, reflected: bool) -> Callable[[Config, Any], Any]:
    def operate(self: Config, other: Any) -> Any:
        other = float(other) if isinstance(other, Config) else other
        return operator(other, float(self)) if reflected else operator(float(self), other)

    return operate


for _name in ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow"):
    setattr(Config, f"__{_name}__", _with_number(getattr(operator, _name), reflected=False))
    setattr(Config, f"__r{_name}__", _with_number(getattr(operator, _name), reflected=True))
for _name in ("lt", "le", "gt", "ge"):
    setattr(Config, f"__{_name}__", _with_number(getattr(operator, _name), reflected=False))


class StandIn:
    """Something that cannot be had: a module that is not installed, a model, a logger.

    It may be passed on, called, subclassed and used as a decorator. Where its value would count, `CannotRun` says why
    there is none.
    """

    def __init__(self, path: str, why: str) -> None:
        object.__setattr__(self, "_path", path)
        object.__setattr__(self, "_why", why)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return StandIn(f"{self._path}.{name}", self._why)

    def __setattr__(self, name: str, value: object) -> None:
        return None

    def __call__(self, *arguments: Any, **keywords: Any) -> Any:
        if len(arguments) == 1 and not keywords and (isinstance(arguments[0], type) or _is_function(arguments[0])):
            return arguments[0]  # a decorator
        if "gather" in self._path.lower() and len(arguments) == 1 and _is_tensor(arguments[0]):
            if _is_one_of_several():
                self._refuse()
            return arguments[0] if "concat" in self._path.lower() else (arguments[0],)  # one process gathers its own
        return StandIn(f"{self._path}(...)", self._why)

    def __mro_entries__(self, bases: tuple[object, ...]) -> tuple[type, ...]:
        from torch import nn

        module_like = any(word in self._path for word in ("Module", "Loss", "Model", "Layer", "Net"))
        return (nn.Module,) if module_like and nn.Module not in bases else ()

    def __enter__(self) -> Any:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def __bool__(self) -> bool:
        return False

    def __repr__(self) -> str:
        return f"<stand-in for {self._path}>"

    def _refuse(self, *_: object, **__: object) -> NoReturn:
        raise CannotRun(self._why if self._why.startswith("it needs ") else f"it needs {self._path}: {self._why}")

    @classmethod
    def __torch_function__(
        cls, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        flat = [each for part in args for each in (part if isinstance(part, tuple | list) else [part])]
        for each in (*flat, *(kwargs or {}).values()):
            if isinstance(each, StandIn):
                each._refuse()
        return NotImplemented

    __index__ = __int__ = __float__ = __iter__ = __len__ = __getitem__ = __setitem__ = _refuse
    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __truediv__ = __rtruediv__ = _refuse
    __floordiv__ = __rfloordiv__ = __mod__ = __rmod__ = __pow__ = __rpow__ = __neg__ = __matmul__ = __rmatmul__ = (
        _refuse
    )
    __lt__ = __le__ = __gt__ = __ge__ = _refuse


class Thing(Config):
    """A model or the like, of which a loss reads an attribute: ``model.logit_scale``."""

    def _read(self, name: str, default: object = MISSING) -> Any:
        if name in self._own:
            return self._own[name]
        value = self._maker.by_name(name, f"{self._path}.{name}")
        return StandIn(f"{self._path}.{name}", "nothing in the file says what it is") if value is MISSING else value

    def __repr__(self) -> str:
        return f"<stand-in for {self._path}>"


class Keywords:
    """The ``**kwargs`` of a constructor: whatever is asked for is there, by its name."""

    def __init__(self, maker: Maker) -> None:
        self._maker = maker

    def __getitem__(self, name: str) -> Any:
        return make(name, name, self._maker)

    def get(self, name: str, default: Any = None) -> Any:
        """What ``name`` asks for; the default where the name does not say."""
        value = self._maker.by_name(name, name)
        return default if value is MISSING else value

    pop = get

    def keys(self) -> tuple[str, ...]:
        """None: what is not asked for is not passed on (``**kwargs``)."""
        return ()

    def __contains__(self, name: object) -> bool:
        return True


def make(name: str, path: str, maker: Maker) -> Any:
    """The value that ``name`` asks for, or a stand-in."""
    value = maker.by_name(name, path)
    return StandIn(path, "nothing in the file says what it is") if value is MISSING else value


def _entry(base: object, name: str) -> Any:
    if base is None:
        return MISSING
    if isinstance(base, Mapping):
        return base.get(name, MISSING)
    try:
        found = getattr(base, name, MISSING)
    except Exception:  # a property of a real object may raise anything
        found = MISSING
    if found is not MISSING:
        return found
    try:  # flags that nobody has parsed still have their defaults
        return base[name].default  # type: ignore[index]
    except Exception:
        return MISSING


def _is_one_of_several() -> bool:
    """Whether other ranks hold rows that a gather would have to bring."""
    import torch.distributed as dist

    return dist.is_available() and dist.is_initialized() and dist.get_world_size() > 1


def _is_tensor(value: object) -> bool:
    import torch

    return isinstance(value, torch.Tensor)


def _is_function(value: object) -> bool:
    import types

    return isinstance(value, types.FunctionType | types.MethodType | types.BuiltinFunctionType)
