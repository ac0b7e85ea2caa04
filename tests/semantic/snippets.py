"""Small pieces of loss code and the questions that tests ask of their models.

A snippet marks the value that a test is about by handing it to ``probe(...)``.
"""

from __future__ import annotations

from textwrap import dedent

import libcst as cst

from infonce_lint.semantic.graph.paths import path_text
from infonce_lint.semantic.graph.values import Value
from infonce_lint.semantic.losses.model import SemanticModel, SizeUse
from infonce_lint.settings import Settings


def model_of(code: str, settings: Settings | None = None) -> SemanticModel:
    """The model of a dedented snippet."""
    return SemanticModel(cst.parse_module(dedent(code)), settings or Settings())


def probes(model: SemanticModel, name: str = "probe") -> list[Value]:
    """The calls of the marker, in the order of the text."""
    return [value for value in model.module.values if value.op == "call" and value.name == name]


def probed(model: SemanticModel, name: str = "probe") -> Value:
    """The value that the snippet's only marker is handed."""
    (call,) = probes(model, name)
    argument = call.argument(0)
    assert argument is not None
    return argument


def sources(code: str, settings: Settings | None = None) -> set[str]:
    """The configured reads behind the probed integer, as they are written."""
    model = model_of(code, settings)
    return {path_text(read) for read in model.origins.sources(probed(model))}


def is_shape(code: str) -> bool:
    """Whether the probed integer is a tensor's own size."""
    model = model_of(code)
    return model.origins.is_shape(probed(model))


def uses(code: str) -> dict[str, SizeUse]:
    """The size uses of all losses of a snippet, by the text of their read."""
    return {use.text: use for loss in model_of(code).losses for use in loss.size_uses}


def purposes(code: str) -> dict[str, str]:
    """What each configured read of a snippet's losses is filed under."""
    return {text: use.purpose.name.lower() for text, use in uses(code).items()}


def reached(value: Value) -> set[object]:
    """The literals that a value may stand for, through branches, names and attributes."""
    found: set[object] = set()
    seen: set[Value] = set()
    stack = [value]
    while stack:
        each = stack.pop()
        if each in seen:
            continue
        seen.add(each)
        if each.op in ("const", "str"):
            found.add(each.literal)
        elif each.op in ("phi", "name", "global", "closure", "store", "self", "param", "return"):
            stack.extend(each.inputs)
    return found
