"""Runs those statements of a file that a loss turns out to need, and nothing else of it.

A name is bound when it is first read: the statements of its suite that bind or change it run then, in their order. So
a loss can be run out of a training script without its argument parsing, its data sets, or its imports of things that
are not installed. ``if __name__ == "__main__":`` never runs; what only it would bind is made up by name.
"""

from __future__ import annotations

import ast
import builtins
import importlib.util
import linecache
import os
import sys
from collections.abc import Callable, Collection, Iterator, Sequence
from types import BuiltinFunctionType, FunctionType, ModuleType
from typing import Any

from infonce_lint.verify.binding import binders, target_names
from infonce_lint.verify.knobs import IMPORTABLE, Role, role_of
from infonce_lint.verify.stub import MISSING, CannotRun, Config, Maker, StandIn

#: What fragments and notebooks call the libraries by custom, where no import binds the name.
_CUSTOMARY = {"torch": "torch", "nn": "torch.nn", "F": "torch.nn.functional", "np": "numpy", "math": "math"}
#: What a check turns even where the file gives it a number of its own.
_TURNED = frozenset({Role.SIZE, Role.TEMPERATURE})


class _Builtins(dict[str, Any]):
    """The builtins of lazily run code: CPython asks them last for a name, and so asks us to bind it."""

    def __init__(self, scope: LazyScope, importer: Callable[..., Any]) -> None:
        super().__init__({name: value for name, value in vars(builtins).items() if not scope.hides(name)})
        self["__import__"] = importer
        self._scope = scope

    def __missing__(self, name: str) -> Any:
        return self._scope.need(name)


class LazyScope:
    """A suite of statements whose names are bound on demand."""

    def __init__(
        self,
        statements: Sequence[ast.stmt],
        filename: str,
        maker: Maker,
        importer: Importer,
        outer: Callable[[str], Any] | None = None,
        namespace: dict[str, Any] | None = None,
        parameters: Collection[str] = (),
    ) -> None:
        self._statements = statements
        self._parameters = parameters
        self.filename = filename
        self._maker = maker
        self.importer = importer
        self._outer = outer
        self.binders = binders(statements)
        self._started: set[int] = set()
        self._running: list[int] = []
        self._strict = False  # inside `try`, an import that fails must fail
        self.namespace: dict[str, Any] = {"__name__": module_name(filename), "__file__": filename, **(namespace or {})}
        self.namespace["__builtins__"] = _Builtins(self, self._import)

    def hides(self, name: str) -> bool:
        """Whether a name that Python brings along means something else here."""
        return name in self.binders or name in self._parameters

    def calls_of(self, key: str) -> Iterator[ast.Call]:
        """The calls whose result is assigned to ``key``."""
        for number in self.binders.get(key, ()):
            for node in ast.walk(self._statements[number]):
                if not isinstance(node, ast.Assign) or not isinstance(node.value, ast.Call):
                    continue
                if any(key in target_names(target) for target in node.targets):
                    yield node.value

    def is_binding(self, name: str) -> bool:
        """Whether what binds ``name`` runs at this moment."""
        return not set(self._running).isdisjoint(self.binders.get(name, ()))

    def need(self, name: str) -> Any:
        """The value of a name.

        Raises:
            KeyError: nothing binds it and its name does not say what it holds (Python then says NameError).
            CannotRun: what binds it cannot be run.
        """
        if name in self.namespace:
            return self.namespace[name]
        failure = self.bind(name)
        if name in self.namespace:
            return self.namespace[name]
        if name in vars(builtins) and name not in self._parameters:
            return vars(builtins)[name]
        if self._outer is not None:
            return self._outer(name)
        value = self._from_star(name)
        if value is MISSING:
            value = self._maker.by_name(name, name)
        if value is MISSING and name in _CUSTOMARY and name not in self.binders:
            value = self.importer.module(_CUSTOMARY[name], 0)
        if value is MISSING and failure is not None:
            raise CannotRun(f"`{name}` cannot be had: {type(failure).__name__}: {failure}")
        if value is MISSING and name in self.binders:
            value = StandIn(name, "what binds it was not run")
        if value is MISSING:
            raise KeyError(name)
        self.namespace[name] = value
        return value

    def bind(self, name: str) -> BaseException | None:
        """Run what binds ``name`` and has not run; what went wrong, if something did."""
        failure: BaseException | None = None
        for number in self.binders.get(name, ()):
            if number in self._started:
                continue
            statement = self._statements[number]
            if _parses_arguments(statement):
                continue
            self._started.add(number)
            self._running.append(number)
            try:
                self._run(statement)
            except (Exception, SystemExit) as error:
                failure = error
            self._running.remove(number)
        self._configure(name)
        return failure

    def _configure(self, name: str) -> None:
        """Let what a name was bound to give way to what a check turns: sizes, temperatures, configuration objects."""
        bound = self.namespace.get(name, MISSING)
        if bound is MISSING or isinstance(
            bound, bool | type | ModuleType | FunctionType | BuiltinFunctionType | Config
        ):
            return
        role = role_of(name, self._maker.knobs.sizes)
        is_number = isinstance(bound, int | float)
        if role is Role.CONFIG and not is_number:  # one of absl's can be called, with the command line
            self.namespace[name] = Config(name, self._maker, bound)
        elif role in (IMPORTABLE if isinstance(bound, StandIn) else _TURNED if is_number else ()):
            self.namespace[name] = self._maker.by_name(name, name)

    def _run(self, statement: ast.stmt) -> None:
        if isinstance(statement, ast.Import | ast.ImportFrom):
            self._run_import(statement)
            return
        ConfiguredLiterals(self._maker).visit(statement)
        outer, self._strict = self._strict, isinstance(statement, ast.Try)
        try:
            code = compile(ast.Module([statement], []), self.filename, "exec")
            exec(code, self.namespace)  # the target's own code: what `verify` is for
        finally:
            self._strict = outer

    # -- imports -----------------------------------------------------------------------------------------------------

    def _run_import(self, statement: ast.Import | ast.ImportFrom) -> None:
        if isinstance(statement, ast.Import):
            for alias in statement.names:
                wanted = alias.name if alias.asname else alias.name.partition(".")[0]
                value = self.importer.module(alias.name, 0)
                if not alias.asname and "." in alias.name:
                    value = self.importer.module(wanted, 0)
                self.namespace.setdefault(alias.asname or wanted, value)
            return
        module = self.importer.module(statement.module or "", statement.level)
        for alias in statement.names:
            if alias.name != "*":
                value = self.importer.member(module, alias.name, statement.module or "", statement.level)
                self.namespace.setdefault(alias.asname or alias.name, value)

    def _from_star(self, name: str) -> Any:
        for statement in self._statements:
            if isinstance(statement, ast.ImportFrom) and statement.names[0].name == "*":
                module = self.importer.module(statement.module or "", statement.level)
                if not isinstance(module, StandIn):
                    value = getattr(module, name, MISSING)
                    if value is not MISSING:
                        return value
        return MISSING

    def _import(
        self, name: str, _globals: Any = None, _locals: Any = None, fromlist: Sequence[str] = (), level: int = 0
    ) -> Any:
        """``__import__`` of the lazily run code: inside functions, and in statements that hold an import."""
        module = self.importer.module(name, level)
        if isinstance(module, StandIn) and self._strict:
            raise ImportError(module._why)
        if fromlist or "." not in name:
            return module
        return self.importer.module(name.partition(".")[0], level)


class LazyModule(ModuleType):
    """A file of the target's project, run name by name."""

    def __init__(self, path: str, text: str, maker: Maker, importer: Importer) -> None:
        super().__init__(module_name(path))
        sys.modules[self.__name__] = self  # data classes look for the module of their class
        self.__file__ = path
        self.tree = tree = ast.parse(text)
        statements = [each for each in tree.body if not _is_main_guard(each)]
        importer.modules[path] = self
        own = Importer(importer.roots, maker, os.path.dirname(path), importer.modules)
        self.scope = LazyScope(statements, path, maker, own)
        linecache.cache[path] = (len(text), None, text.splitlines(keepends=True), path)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        try:
            return self.scope.need(name)
        except KeyError:
            pass
        if os.path.basename(str(self.__file__)) == "__init__.py":
            found = self.scope.importer.file(os.path.join(os.path.dirname(str(self.__file__)), name))
            if found is not None:
                return found
        raise AttributeError(f"{self.__name__} has no {name}")


class Importer:
    """Finds modules: the target's project first and lazily, then what is installed, then a stand-in."""

    def __init__(self, roots: Sequence[str], maker: Maker, folder: str, modules: dict[str, LazyModule]) -> None:
        self.roots = roots
        self._maker = maker
        self._folder = folder
        self.modules = modules

    def module(self, name: str, level: int) -> Any:
        """What ``import name`` (relative for a ``level`` above 0) gives."""
        parts = name.split(".") if name else []
        if level:
            folder = self._folder
            for _ in range(level - 1):
                folder = os.path.dirname(folder)
            return self.file(os.path.join(folder, *parts)) or StandIn("." * level + name, "its file is not there")
        if parts[0] not in sys.stdlib_module_names and parts[0] not in ("torch", "numpy"):
            for root in self.roots:
                found = self.file(os.path.join(root, *parts))
                if found is not None:
                    return found
        try:
            return importlib.import_module(name)
        except (Exception, SystemExit) as error:  # an installed module may fail in any way while it is imported
            return StandIn(name, f"{type(error).__name__}: {error}")

    def member(self, module: Any, name: str, path: str, level: int) -> Any:
        """What ``from module import name`` gives."""
        if isinstance(module, StandIn):
            known = role_of(name, self._maker.knobs.sizes) in IMPORTABLE
            return self._maker.by_name(name, name) if known else getattr(module, name)
        value = getattr(module, name, MISSING)
        if value is MISSING:
            value = self.module(f"{path}.{name}" if path else name, level)
        return value

    def file(self, stem: str) -> LazyModule | None:
        """The module at ``stem.py`` or in the package ``stem/``."""
        for path in (f"{stem}.py", os.path.join(stem, "__init__.py")):
            if path in self.modules:
                return self.modules[path]
            try:
                with open(path, encoding="utf-8") as file:
                    return LazyModule(path, file.read(), self._maker, self)
            except (OSError, ValueError, SyntaxError):
                continue
        return None


def module_name(path: str) -> str:
    """The name under which a file of the target's project is known to Python; no import can ask for it."""
    return f"under test: {path}"


def load(path: str, text: str, maker: Maker) -> LazyModule:
    """The module of a target's text; its project is every folder from the file's own up to the root of its package."""
    folder = os.path.dirname(os.path.abspath(path))
    roots = [folder]
    for _ in range(3):
        if any(os.path.exists(os.path.join(roots[-1], mark)) for mark in (".git", "pyproject.toml", "setup.py")):
            break
        roots.append(os.path.dirname(roots[-1]))
    return LazyModule(os.path.abspath(path), text, maker, Importer(roots, maker, folder, {}))


class ConfiguredLiterals(ast.NodeVisitor):
    """Puts the configured size of a check in place of the file's own literal: ``BATCH_SIZE = 64``, ``self.bs = 32``."""

    def __init__(self, maker: Maker) -> None:
        self._maker = maker

    def visit_Assign(self, node: ast.Assign) -> None:
        """An assignment of a number to a name or an attribute."""
        for target in node.targets:
            self._set(target, node, "value")
        self.generic_visit(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        """The same with an annotation, as data classes have it."""
        self._set(node.target, node, "value")
        self.generic_visit(node)

    def visit_Dict(self, node: ast.Dict) -> None:
        """The entries of a dictionary display."""
        for number, (key, value) in enumerate(zip(node.keys, node.values)):
            name = key.value if isinstance(key, ast.Constant) and isinstance(key.value, str) else ""
            role = role_of(name, self._maker.knobs.sizes, in_configuration=True)
            if role is Role.SIZE and _is_number(value):
                node.values[number] = ast.copy_location(ast.Constant(self._maker.knobs.configured), value)
        self.generic_visit(node)

    def _set(self, target: ast.expr, node: ast.Assign | ast.AnnAssign, field: str) -> None:
        name = target.id if isinstance(target, ast.Name) else target.attr if isinstance(target, ast.Attribute) else ""
        value = getattr(node, field)
        if _is_number(value) and role_of(name, self._maker.knobs.sizes) is Role.SIZE:
            setattr(node, field, ast.copy_location(ast.Constant(self._maker.knobs.configured), value))
            self._maker.record.note(name, self._maker.knobs.configured, Role.SIZE)


def _is_number(value: ast.expr | None) -> bool:
    return isinstance(value, ast.Constant) and type(value.value) is int


def _is_main_guard(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.If) and any(
        isinstance(node, ast.Name) and node.id == "__name__" for node in ast.walk(statement.test)
    )


def _parses_arguments(statement: ast.stmt) -> bool:
    """Whether a statement would read the command line of whoever runs us."""
    return any(
        isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr.startswith("parse_")
        for node in ast.walk(statement)
    ) and not isinstance(statement, ast.FunctionDef | ast.ClassDef)
