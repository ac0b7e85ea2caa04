"""What a TARGET on the command line names, and the losses that the linter's model sees there. Runs nothing."""

from __future__ import annotations

import importlib.util
import os
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from infonce_lint.semantic.graph.paths import path_text
from infonce_lint.semantic.graph.values import CALL_METHODS, Function, Value
from infonce_lint.semantic.losses.model import ContrastiveLoss, SemanticModel
from infonce_lint.semantic.losses.similarity import Similarity
from infonce_lint.semantic.names import LIBRARIES, is_contrastive_name, is_loss_name
from infonce_lint.settings import Settings
from infonce_lint.sources.document import SUFFIXES, read
from infonce_lint.sources.source import SourceError, SourceFile
from infonce_lint.verify.cutting import leaves
from infonce_lint.verify.site import Site, path_of

_MODULE = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*")


class TargetError(Exception):
    """A TARGET that cannot be found or holds no loss; the text names it and what is accepted."""


@dataclass(frozen=True, slots=True)
class Target:
    """A file and, where the command line named one, the loss in it.

    ``module`` is set for ``package.module:attribute``, which is imported and not run in parts.
    """

    text: str
    path: str
    name: str = ""
    module: str = ""


def parse_target(text: str) -> Target:
    """``file.py``, ``file.py::function``, ``file.py::Class.method`` or ``package.module:attribute``.

    Raises:
        TargetError: no such file or module.
    """
    path, colons, name = text.partition("::")
    if colons or path.endswith(SUFFIXES) or os.path.exists(path):
        if not os.path.isfile(path):
            what = "a folder, where a file is expected" if os.path.isdir(path) else "no such file"
            raise TargetError(f"{path}: {what}")
        if colons and not _MODULE.fullmatch(name):
            raise TargetError(f"{text}: expected a function or Class.method after ::")
        return Target(text, path, name)
    module, colon, name = text.partition(":")
    if not colon or not _MODULE.fullmatch(module) or not _MODULE.fullmatch(name):
        raise TargetError(
            f"{text}: expected file.py, file.py::function, file.py::Class.method or package.module:attribute"
        )
    found = _module_file(module)
    if found is None:
        raise TargetError(f"{text}: there is no module {module} here or among the installed ones")
    return Target(text, found, name, module)


def _module_file(name: str) -> str | None:
    """The file of a module, found without importing it or its packages."""
    paths: Sequence[str] | None = [os.getcwd(), *sys.path]
    for part in name.split("."):
        spec = importlib.machinery.PathFinder.find_spec(part, paths)
        if spec is None:
            return None
        paths = spec.submodule_search_locations
        origin = spec.origin
    return origin


def read_source(path: str) -> SourceFile:
    """A file's source; a notebook's cells joined.

    Raises:
        SourceError: it does not parse.
        OSError: it cannot be read.
    """
    with open(path, "rb") as file:
        return read(file.read(), path).source


def sites_of(target: Target, source: SourceFile, settings: Settings) -> list[Site]:
    """The losses of a target, in the order of the file.

    Raises:
        TargetError: it names a function that is not there, or a file without a contrastive loss.
        SourceError: the file does not parse.
    """
    source.tree  # noqa: B018  CPython judges first
    model = SemanticModel(source.module, settings)
    found = find_sites(model, source)
    if not target.name:
        if not found:
            raise TargetError(f"{target.path}: no contrastive loss in this file (name one: {target.path}::function)")
        return found
    named = [each for each in found if _is_named(each, target.name)]
    if not named:
        named = [_site_by_name(model, source, target)]
    return [replace(each, name=target.name if target.module else each.name, module=target.module) for each in named]


def _is_named(site: Site, name: str) -> bool:
    plain = site.title
    return plain == name or any(plain == f"{name}.{method}" for method in CALL_METHODS)


def _site_by_name(model: SemanticModel, source: SourceFile, target: Target) -> Site:
    """A function that the model does not take for a loss, because the command line says that it is one."""
    for function in model.module.functions:
        path = path_of(function)
        names = [path.replace(".<locals>.", ".")]
        if function.owner is not None and function.name in CALL_METHODS:
            names.append(function.owner.name)
        if target.name in names:
            return Site(os.path.abspath(target.path), path, _row(function, source))
    if target.module:
        return Site(os.path.abspath(target.path), target.name, 1)
    losses = ", ".join(dict.fromkeys(each.title for each in find_sites(model, source))) or "none"
    raise TargetError(f"{target.text}: no function {target.name} in {target.path}; the losses there: {losses}")


def find_sites(model: SemanticModel, source: SourceFile) -> list[Site]:
    """Every loss of a module, and whether and how it can be run alone."""
    framework = _other_framework(model)
    sites: dict[str, Site] = {}
    for loss in model.losses:
        for site in loss_sites(loss, source):
            sites.setdefault(site.name, site)
    taken = set(sites)
    for entry in _entries(model, model.roles.similarities):
        path = path_of(entry)
        if path not in taken and _computes_loss(entry, model) and not _is_part_of_loss(entry, taken):
            sites[path] = _site(entry, model, source, sizes=(), buggy=False)
    for function in _inlined(model, model.roles.similarities):
        path = path_of(function)
        if path not in sites and _computes_loss(function, model):
            sites[path] = _inlined_site(function, model, source, (), buggy=False)
    found = sorted(sites.values(), key=lambda each: (each.row, each.name))
    return [replace(each, problem=framework, inlined=False) for each in found] if framework else found


def _other_framework(model: SemanticModel) -> str:
    """Why nothing of a module can be run: it is written for another library than torch."""
    imported = {LIBRARIES.get(path.lstrip(".").partition(".")[0], "") for path in model.module.imports.values()}
    others = sorted(imported - {"torch", "numpy", ""})
    return f"it is written for {others[0]}, and verify runs torch" if others and "torch" not in imported else ""


def loss_sites(loss: ContrastiveLoss, source: SourceFile) -> list[Site]:
    """The functions to run in order to see a loss unit at work."""
    model = loss.model
    touched = {each for each in loss.functions if not each.is_module}
    similar = [each for each in model.roles.similarities if _functions(each) & touched]
    sizes = _size_names(loss)
    reading = {use.read.function for use in loss.size_uses}
    entries = [each for each in _entries(model, similar) if _reaches(each, reading)]
    nodes = [(use.read.node, use.read.function) for use in loss.size_uses]
    rows = {node: source.span(node).start.row for node, _ in nodes if node is not None}
    sites = [_site(each, model, source, sizes, buggy=True) for each in entries]
    covered = {each for entry in entries for runner in (entry, *_constructors(entry)) for each in _run_by(runner)}
    for function in sorted(touched - covered, key=lambda each: each.qualified_name):
        if function in reading:
            site = _inlined_site(function, model, source, sizes, buggy=True)
            mine = [rows[node] for node, reader in nodes if reader is function and node is not None]
            sites.append(replace(site, row=min(mine, default=site.row)))
    sites = sites or [_nowhere(loss, model, source, sizes)]
    sites = [replace(site, reads=tuple(sorted(set(rows.values())))) for site in sites]
    framework = _other_framework(model)
    return [replace(site, problem=framework, inlined=False) for site in sites] if framework else sites


# -- functions of a loss -----------------------------------------------------------------------------------------------


def _functions(similarity: Similarity) -> set[Function]:
    return {value.function for value in similarity.cone}


def _entries(model: SemanticModel, similarities: Iterable[Similarity]) -> list[Function]:
    """The outermost functions that get the features handed in and compute the similarity, themselves or in helpers."""
    fed: set[Function] = set()
    for each in similarities:
        for function in _functions(each):
            if _feature_parameters(function, model) and not function.is_module and not function.is_constructor:
                fed.add(function)
    entries = []
    for function in fed:
        callers = {call.function for call in function.callers}
        callers = {each for each in callers if each.owner is function.owner}  # another class may build it otherwise
        if not any(caller in fed and caller is not function for caller in callers):
            entries.append(function)
    return sorted(entries, key=lambda each: each.qualified_name)


def _feature_parameters(function: Function, model: SemanticModel) -> tuple[str, ...]:
    """The parameters whose rows become rows of a similarity, in order."""
    return tuple(
        name for name, value in function.parameters.items() if value in model.roles.features and value.op == "param"
    )


def _computes_loss(function: Function, model: SemanticModel) -> bool:
    """Whether a function holds more of a loss than its similarity."""
    if _is_named_after_loss(function):
        return True
    return any(value.function is function for value in model.roles.reduced)


def _is_named_after_loss(function: Function) -> bool:
    if function.name in CALL_METHODS:
        return function.owner is not None and _is_loss_name(function.owner.name)
    return _is_loss_name(function.name)


def _is_loss_name(name: str) -> bool:
    return is_contrastive_name(name) or is_loss_name(name)


def _inlined(model: SemanticModel, similarities: Iterable[Similarity]) -> list[Function]:
    """The functions that compute a similarity of features which they make themselves."""
    found = {each.seed.function for each in similarities}
    return sorted(
        (each for each in found if not _feature_parameters(each, model)), key=lambda each: each.qualified_name
    )


def _reaches(function: Function, wanted: set[Function]) -> bool:
    return any(_run_by(runner) & wanted for runner in (function, *_constructors(function)))


def _constructors(method: Function) -> list[Function]:
    """The methods that build the object of a method; a constructor's mask is the mask of the loss."""
    if method.owner is None:
        return []
    return [each for owner in method.owner.family() for each in owner.methods.values() if each.is_constructor]


def _run_by(function: Function) -> set[Function]:
    """The functions of the file that run when ``function`` does."""
    seen: set[Function] = set()
    stack = [function]
    while stack:
        each = stack.pop()
        if each not in seen:
            seen.add(each)
            stack.extend(call.callee for call in each.calls if call.callee is not None)
    return seen


def _is_part_of_loss(function: Function, taken: set[str]) -> bool:
    """Whether a loss that is listed already runs this function."""
    return any(path_of(caller.function) in taken for caller in function.callers)


# -- sites -------------------------------------------------------------------------------------------------------------


def _site(entry: Function, model: SemanticModel, source: SourceFile, sizes: tuple[str, ...], *, buggy: bool) -> Site:
    passed = tuple(
        name
        for name, value in entry.parameters.items()
        if any(model.origins.sources(argument) for argument in value.inputs if argument.function is not entry)
    )
    return Site(
        path=os.path.abspath(source.path),
        name=path_of(entry),
        row=_row(entry, source),
        features=_feature_parameters(entry, model),
        sizes=sizes,
        passed=passed,
        buggy=buggy,
    )


def _inlined_site(
    function: Function, model: SemanticModel, source: SourceFile, sizes: tuple[str, ...], *, buggy: bool
) -> Site:
    name = "" if function.is_module else path_of(function)
    made = sorted(_makers(function, model))
    if name and not made and function.parameters and not function.is_constructor and _is_named_after_loss(function):
        return Site(os.path.abspath(source.path), name, _row(function, source), sizes=sizes, buggy=buggy)
    where = "at module level" if function.is_module else f"inside `{path_of(function)}`"
    features = f", from features that `{made[0]}` makes there" if made else ""
    problem = f"it cannot be run alone: the loss is written {where}{features}; move it into a function of the features"
    return Site(
        os.path.abspath(source.path),
        name,
        _row(function, source),
        sizes=sizes,
        buggy=buggy,
        problem=problem,
        inlined=True,
    )


def _nowhere(loss: ContrastiveLoss, model: SemanticModel, source: SourceFile, sizes: tuple[str, ...]) -> Site:
    first = loss.size_uses[0].read.function
    return _inlined_site(first, model, source, sizes, buggy=True)


def _makers(function: Function, model: SemanticModel) -> Iterator[str]:
    """The calls in ``function`` that features come out of: models and encoders."""
    roles = model.roles
    operands = [operand for each in roles.similarities for operand in each.operands]
    operands += [argument for call in roles.loss_calls if call.function is function for _, argument in call.arguments()]
    for operand in operands:
        for leaf in leaves(operand) if operand in roles.features else ():
            call = leaf.inputs[0] if leaf.op in ("item", "sub") else leaf
            if leaf.function is function and call.op == "call" and not _is_imported(call.inputs[0]):
                yield f"{path_text(call.inputs[0])}(...)"


def _is_imported(called: Value) -> bool:
    """Whether a call runs a function of another file: a helper, where a model would be a parameter or an attribute."""
    while called.op in ("attr", "name", "global") and called.inputs:
        called = called.inputs[0]
    return called.op == "import"


def _size_names(loss: ContrastiveLoss) -> tuple[str, ...]:
    """Every name under which the configured size reaches the loss, wherever it is stored on the way."""
    names: set[str] = set()
    seen: set[Value] = set()
    stack = [use.read for use in loss.size_uses]
    while stack:
        value = stack.pop()
        if value in seen:
            continue
        seen.add(value)
        if value.op in ("self", "attr", "name", "global", "param", "store") or (value.op == "sub" and value.name):
            names.add(value.name.rpartition(".")[2])
        if value.op in ("self", "name", "global", "store", "param") and loss.model.origins.sources(value):
            stack.extend(value.inputs)
    return tuple(sorted(name for name in names if name.isidentifier()))


def _row(function: Function, source: SourceFile) -> int:
    try:
        return source.span(function.node).start.row
    except (KeyError, ValueError, AttributeError):
        return 1


__all__ = [
    "SourceError",
    "Target",
    "TargetError",
    "find_sites",
    "loss_sites",
    "parse_target",
    "read_source",
    "sites_of",
]
