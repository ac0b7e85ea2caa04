"""Ways to build and call a loss, the usual ones first: whose rows its parameters take, and how they want them."""

from __future__ import annotations

import ast
import inspect
import itertools
import re
from collections.abc import Iterator, Sequence

from infonce_lint.semantic.names import words
from infonce_lint.verify.devices import without_cuda
from infonce_lint.verify.entry import builds_of
from infonce_lint.verify.knobs import CONFIGURED, Knobs, role_of
from infonce_lint.verify.objects import by_role
from infonce_lint.verify.outcome import short
from infonce_lint.verify.plan import Plan
from infonce_lint.verify.site import Site
from infonce_lint.verify.stacking import EXTRAS, OTHER_ROWS, QUEUE_WORDS, Layout
from infonce_lint.verify.stub import MISSING, CannotRun, Maker, Record
from infonce_lint.verify.subject import Subject

_LABEL_WORDS = frozenset("label labels target targets targ y gt ids idx index indices indexes class".split())
_SURE_LABEL_WORDS = frozenset("label labels target targets targ".split())
_MASK_WORDS = frozenset("mask masks".split())
_WIDTH_WORDS = frozenset("dim dims size width channel channels".split())
_COMBINATIONS = 24


def candidates(subject: Subject, unbuilt: list[str]) -> Iterator[Plan]:
    """Plans to try, the likeliest first; ``unbuilt`` learns why the loss cannot be built in one way or another."""
    literals = _compared(subject.text)
    for build in builds_of(subject.site):
        try:
            with without_cuda():
                maker = Maker(subject.knobs, Record())
                function = subject.function(build, maker)
                parameters = list(inspect.signature(function).parameters.values())
        except (Exception, SystemExit) as error:
            unbuilt.append(str(error) if isinstance(error, CannotRun) else short(error))
            continue
        for arrays in (False, True):
            for features in _readings(parameters, subject.site.features, subject.knobs):
                yield from _ways(subject, build, maker, parameters, features, literals, arrays)


def _ways(
    subject: Subject,
    build: str,
    maker: Maker,
    parameters: Sequence[inspect.Parameter],
    features: tuple[str, ...],
    literals: dict[str, list[str]],
    arrays: bool,
) -> Iterator[Plan]:
    """The plans of one reading of the parameters."""
    open_ones = [each for each in parameters if each.name not in features and _is_open(each, maker)]
    choices = [[(each.name, kind) for kind in (*literals.get(each.name, ()), *_kinds(each.name))] for each in open_ones]
    layouts = _layouts(features, parameters)
    for layout, views in layouts:
        for extras in _combinations(choices):
            yield Plan(build, layout, views, features, extras, arrays=arrays)
    for configured in _literal_sizes(subject.text, subject.site):
        layout, views = layouts[0]
        yield Plan(build, layout, views, features, arrays=arrays, configured=configured)


def _combinations(choices: Sequence[Sequence[tuple[str, str]]]) -> list[tuple[tuple[str, str], ...]]:
    """What the open parameters are given: the likeliest first, and soon a teacher's rows for all that may take any."""
    found = list(itertools.islice(itertools.product(*choices), _COMBINATIONS))
    takers = {each[0][0] for each in choices if (each[0][0], OTHER_ROWS) in each}
    if len(takers) > 1:
        likeliest = [each[0] for each in choices]
        found.insert(1, tuple((name, OTHER_ROWS if name in takers else kind) for name, kind in likeliest))
    return found


def _readings(parameters: Sequence[inspect.Parameter], known: tuple[str, ...], knobs: Knobs) -> list[tuple[str, ...]]:
    """Which parameters may take the features: by names and the model together, by the model alone, and without ids.

    ``target`` is a tower where its rows are compared, and class numbers elsewhere: names alone cannot tell.
    """
    names = [each.name for each in parameters if each.name not in knobs.sets]
    by_model = tuple(name for name in names if name in known)
    without_ids = tuple(name for name in by_model if not set(words(name)) & _LABEL_WORDS)
    found = [_features(parameters, known, knobs), by_model, without_ids]
    return [each for each in dict.fromkeys(found) if each]


def _features(parameters: Sequence[inspect.Parameter], known: tuple[str, ...], knobs: Knobs) -> tuple[str, ...]:
    """The parameters that take the features: those the model knows, or those that nothing else explains."""
    names = {each.name: each for each in parameters}
    given = [name for name in names if name in known and not set(words(name)) & _SURE_LABEL_WORDS]
    kept = [name for name in given if names[name].default is inspect.Parameter.empty and not _is_queue(name)]
    if kept:
        stems = {_stem(name) for name in kept} - {""}
        return tuple(
            name
            for name, each in names.items()
            if name in kept or (_stem(name) in stems and each.default is inspect.Parameter.empty)
        )
    guessed = [
        each.name
        for each in parameters
        if each.default is inspect.Parameter.empty
        and each.kind is not each.VAR_KEYWORD
        and (role_of(each.name, knobs.sizes) is None or _may_be_rows(each.name))
        and each.name not in knobs.sets
        and not set(words(each.name)) & (_LABEL_WORDS | QUEUE_WORDS | _MASK_WORDS)
    ]
    return tuple(given or guessed or [each.name for each in parameters[:1]])


def _may_be_rows(name: str) -> bool:
    """``hidden1`` and ``embeddings`` are widths in a constructor and rows in a call; ``hidden_dim`` is no rows."""
    return words(name)[:1] in (("hidden",), ("embedding",), ("embeddings",)) and not _WIDTH_WORDS & set(words(name))


def _stem(name: str) -> str:
    """What ``out0`` and ``out1``, ``z_i`` and ``z_j`` have in common; empty for other names."""
    found = re.fullmatch(r"(.*[A-Za-z])_?[0-9]|(.*)_[ijab]", name)
    return (found[1] or found[2]) if found else ""


def _is_queue(name: str) -> bool:
    return not QUEUE_WORDS.isdisjoint(words(name))


def _is_open(parameter: inspect.Parameter, maker: Maker) -> bool:
    if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
        return False
    return by_role(parameter, maker) is MISSING or (
        parameter.name not in maker.knobs.sets
        and parameter.default is inspect.Parameter.empty
        and not {"label", "labels"}.isdisjoint(words(parameter.name))
    )


def _kinds(name: str) -> tuple[str, ...]:
    """What a parameter without a role may be given, likeliest first."""
    found = set(words(name))
    if found & _LABEL_WORDS:
        return ("sample ids", "row ids", "row ids as numbers", "none", "sample ids as numbers")
    if found & QUEUE_WORDS:
        return ("queue", "queue in columns", "other rows", "none")
    if found & _MASK_WORDS:
        return ("none",)
    return EXTRAS


def _layouts(features: Sequence[str], parameters: Sequence[inspect.Parameter]) -> list[tuple[Layout, int]]:
    variadic = any(each.kind is each.VAR_POSITIONAL and each.name in features for each in parameters)
    if variadic:
        return [(Layout.SEPARATE, 2)]
    if len(features) == 1:
        return [
            (Layout.STACKED, 2), (Layout.SAMPLE_MAJOR, 2), (Layout.SIDE_BY_SIDE, 2), (Layout.VIEWS_FIRST, 2),
            (Layout.LISTED, 2), (Layout.STACKED, 3), (Layout.STACKED, 4), (Layout.STACKED, 1),
        ]  # fmt: skip
    if len(features) == 2:
        return [
            (Layout.SEPARATE, 2), (Layout.SEQUENCES, 2), (Layout.TIME_FIRST, 2), (Layout.COLUMNS, 2),
            (Layout.MAPS, 2), (Layout.STACKED_TWICE, 2), (Layout.SHARES, 2),
        ]  # fmt: skip
    return [(Layout.SEPARATE, len(features)), (Layout.SEQUENCES, len(features))]


def _compared(text: str) -> dict[str, list[str]]:
    """The texts that a name is compared with, as kinds of extras: ``if estimator == "hard"``."""
    found: dict[str, list[str]] = {}
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Compare) and isinstance(node.left, ast.Name):
            for other in node.comparators:
                if isinstance(other, ast.Constant) and isinstance(other.value, str):
                    found.setdefault(node.left.id, []).append(f"={other.value}")
    return found


def _literal_sizes(text: str, site: Site) -> list[int]:
    """Sizes that may be written into the loss: the few whole numbers of its text between 3 and 512."""
    last = site.name.rpartition(".")[2]
    found: dict[int, None] = {}
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef) and node.name in (last, "__init__"):
            for inner in ast.walk(node):
                if isinstance(inner, ast.Constant) and type(inner.value) is int and 3 <= inner.value <= 512:
                    found.setdefault(inner.value)
    return [size for size in found if size != CONFIGURED][:3]
