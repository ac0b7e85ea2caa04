"""The object whose method is the loss: constructed by role, or built attribute by attribute as they are read."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable, Sequence
from typing import Any

from torch import nn

from infonce_lint.semantic.names import words
from infonce_lint.verify.knobs import Role, role_of
from infonce_lint.verify.loading import LazyModule, LazyScope, module_name
from infonce_lint.verify.stub import MISSING, CannotRun, Config, Keywords, Maker, StandIn, make

#: Roles whose value comes from the check even where the code has a default of its own.
TURNED = frozenset({Role.SIZE, Role.TEMPERATURE, Role.VIEWS, Role.DEVICE, Role.WORLD, Role.RANK})
#: Roles whose value is an object: what a file builds itself, nothing of that role can stand in for.
_OBJECTS = frozenset({Role.CRITERION, Role.MASK})
_BUILDERS = ("__init__", "__post_init__", "setup", "build", "configure_model")


def by_role(parameter: inspect.Parameter, maker: Maker) -> Any:
    """The value of a parameter by its name, its default or its annotation; MISSING where none of them says."""
    name, default = parameter.name, parameter.default
    has_default = default is not inspect.Parameter.empty
    role = role_of(name, maker.knobs.sizes)
    if name in maker.knobs.sets or not has_default or _is_turned(role, default):
        value = maker.by_name(name, name)
        if value is not MISSING:
            return value
    if has_default:
        gathers = "gather" in words(name) and (default is None or isinstance(default, bool))
        return True if gathers and maker.knobs.world > 1 else default
    plain = {"int": 1, "float": 1.0, "bool": False, "str": ""}
    annotation = parameter.annotation
    shown = annotation if isinstance(annotation, str) else getattr(annotation, "__name__", "")
    return plain.get(shown, MISSING)


def _is_turned(role: Role | None, default: object) -> bool:
    """Whether a check's value goes before a default; a ``dim`` below 8 is an axis and no width."""
    if role is Role.DIM:
        return isinstance(default, int) and default >= 8
    return role in TURNED and isinstance(default, int | float | str) and not isinstance(default, bool)


def construct(cls: type, maker: Maker) -> object:
    """The object, by its own constructor.

    Raises:
        CannotRun: a parameter's name does not say what it holds, or the constructor fails.
    """
    arguments: dict[str, Any] = {}
    for parameter in inspect.signature(cls).parameters.values():
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            if _own_constructor(cls):
                raise CannotRun(f"the constructor of {cls.__name__} takes {parameter}")
            continue
        value = by_role(parameter, maker)
        if value is MISSING:
            raise CannotRun(f"nothing says what `{parameter.name}` of {cls.__name__} is: --set {parameter.name}=VALUE")
        arguments[parameter.name] = value
    try:
        obj: object = cls(**arguments)
    except CannotRun:
        raise
    except (Exception, SystemExit) as error:
        raise CannotRun(f"{cls.__name__}(...) fails: {type(error).__name__}: {error}") from error
    if Role.TEMPERATURE not in maker.record.roles:
        _turn_stored_temperature(obj, maker)
    return obj


def _turn_stored_temperature(obj: object, maker: Maker) -> None:
    """A temperature that the constructor sets to a number of its own."""
    for name, value in list(vars(obj).items()):
        if isinstance(value, float) and role_of(name) is Role.TEMPERATURE:
            setattr(obj, name, maker.by_name(name, f"self.{name}"))


def _own_constructor(cls: type) -> bool:
    constructor = inspect.getattr_static(cls, "__init__")
    return constructor not in (inspect.getattr_static(base, "__init__") for base in (object, nn.Module))


def piecewise(cls: type, module: LazyModule, maker: Maker) -> object:
    """The object without its constructor: each attribute is built when the loss reads it.

    The statements of the class that set an attribute run then, with the constructor's parameters by name; what cannot
    be built so is made up by name, or stood in for.
    """
    builders = _builders(cls, module)

    def missing(obj: Any, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        inherited = getattr(super(lazy, obj), "__getattr__", None)
        if inherited is not None:
            try:
                return inherited(name)
            except AttributeError:
                pass
        return _attribute(obj, name, scopes, maker)

    lazy: Any = type(cls.__name__, (cls,), {"__getattr__": missing, "__qualname__": cls.__qualname__})
    scopes: list[LazyScope] = []
    obj = lazy.__new__(lazy)
    if isinstance(obj, nn.Module):
        nn.Module.__init__(obj)
    for body, parameters, defaults in builders:
        outer = _parameters(parameters, defaults, module, maker)
        scopes.append(
            LazyScope(
                body, str(module.__file__), maker, module.scope.importer, outer, {"self": obj}, parameters=parameters
            )
        )
    return obj


def _attribute(obj: Any, name: str, scopes: Sequence[LazyScope], maker: Maker) -> Any:
    key = f"self.{name}"
    if any(scope.is_binding(key) for scope in scopes):
        raise AttributeError(name)
    failure: BaseException | None = None
    if key not in maker.knobs.sets:
        for scope in scopes:
            if key in scope.binders:
                failure = scope.bind(key) or failure
                found = _stored(obj, name)
                if found is not MISSING:
                    return _configured(found, name, key, maker)
                found = _own_class(scope, key, maker) if failure is not None else MISSING
                if found is not MISSING:
                    setattr(obj, name, found)
                    return found
    if failure is not None and role_of(name, maker.knobs.sizes) in _OBJECTS:
        # The file says what it is; an object of that name is another one, and fails of something else later.
        why = str(failure) if isinstance(failure, CannotRun) else f"{type(failure).__name__}: {failure}"
        maker.record.broken.setdefault(key, why)
        return StandIn(key, why)
    value = maker.by_name(name, key)
    if isinstance(value, Config):
        value = Config(name, maker)
    if value is MISSING:
        value = StandIn(key, str(failure) if failure else "nothing in the file says what it is")
        if failure is not None:
            maker.record.broken.setdefault(key, value._why)
    object.__setattr__(obj, name, value) if not isinstance(value, nn.Module) else None
    return value


def _own_class(scope: LazyScope, key: str, maker: Maker) -> Any:
    """An object of the project's own class, by its attributes: a statement assigns it, and its constructor fails."""
    for call in scope.calls_of(key):
        try:
            cls = eval(compile(ast.Expression(call.func), scope.filename, "eval"), scope.namespace)
        except (Exception, SystemExit):  # whatever its name leads to
            continue
        module = scope.importer.modules.get(str(getattr(cls, "__module__", "")).removeprefix(module_name("")))
        if isinstance(cls, type) and module is not None:
            return piecewise(cls, module, maker)
    return MISSING


def _configured(found: Any, name: str, key: str, maker: Maker) -> Any:
    """A stood-in attribute, or a literal that a check turns, gives way to the role of its name."""
    literal = isinstance(found, int | float) and not isinstance(found, bool)
    if isinstance(found, StandIn) or (literal and role_of(name) is Role.TEMPERATURE):
        value = maker.by_name(name, key)
        return found if value is MISSING else value
    return found


def _stored(obj: Any, name: str) -> Any:
    if name in obj.__dict__:
        return obj.__dict__[name]
    for table in ("_parameters", "_buffers", "_modules"):
        if name in obj.__dict__.get(table, {}):
            return obj.__dict__[table][name]
    return MISSING


def _builders(cls: type, module: LazyModule) -> list[tuple[list[ast.stmt], tuple[str, ...], dict[str, ast.expr]]]:
    """The bodies of the methods that may set attributes, constructors first, nearest class first."""
    classes = {node.name: node for node in ast.walk(module.tree) if isinstance(node, ast.ClassDef)}
    found = []
    for each in cls.__mro__:
        node = classes.get(each.__name__)
        if node is None:
            continue
        methods = [item for item in node.body if isinstance(item, ast.FunctionDef | ast.AsyncFunctionDef)]
        methods.sort(key=lambda item: _BUILDERS.index(item.name) if item.name in _BUILDERS else len(_BUILDERS))
        for method in methods:
            given = method.args
            names = [each.arg for each in (*given.posonlyargs, *given.args, *given.kwonlyargs)][1:]
            if given.kwarg is not None:
                names.append(f"**{given.kwarg.arg}")
            defaults = dict(zip(reversed([each.arg for each in given.args]), reversed(given.defaults)))
            for argument, default in zip(given.kwonlyargs, given.kw_defaults):
                if default is not None:
                    defaults[argument.arg] = default
            found.append((method.body, tuple(names), defaults))
    return found


def _parameters(
    names: Sequence[str], defaults: dict[str, ast.expr], module: LazyModule, maker: Maker
) -> Callable[[str], Any]:
    """What a name of a constructor's body means outside of it: a parameter by its name, or a global."""

    def outer(name: str) -> Any:
        if f"**{name}" in names:
            return Keywords(maker)
        if name not in names:
            return module.scope.need(name)
        default = defaults.get(name)
        if default is None or name in maker.knobs.sets:
            return make(name, name, maker)
        given = eval(compile(ast.Expression(default), str(module.__file__), "eval"), module.scope.namespace)
        return make(name, name, maker) if _is_turned(role_of(name, maker.knobs.sizes), given) else given

    return outer
