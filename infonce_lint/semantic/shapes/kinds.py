"""Kinds by name: which entries ``torch.bool``, ``"int64"`` or ``np.float32`` ask for."""

from __future__ import annotations

from infonce_lint.semantic.graph.values import Value
from infonce_lint.semantic.shapes.domain import Kind

_NAMED = {
    "bool": Kind.BOOL, "bool_": Kind.BOOL, "uint8": Kind.BOOL, "BoolTensor": Kind.BOOL, "ByteTensor": Kind.BOOL,
    "long": Kind.INTEGER, "int": Kind.INTEGER, "int64": Kind.INTEGER, "int32": Kind.INTEGER, "int16": Kind.INTEGER,
    "LongTensor": Kind.INTEGER, "IntTensor": Kind.INTEGER, "short": Kind.INTEGER, "intp": Kind.INTEGER,
    "float": Kind.FLOAT, "float32": Kind.FLOAT, "float16": Kind.FLOAT, "float64": Kind.FLOAT, "half": Kind.FLOAT,
    "double": Kind.FLOAT, "bfloat16": Kind.FLOAT, "FloatTensor": Kind.FLOAT, "DoubleTensor": Kind.FLOAT,
}  # fmt: skip


def kind_named(value: Value) -> Kind | None:
    """The kind that a type's name or text asks for; None for anything else."""
    name = str(value.literal).rpartition(".")[2] if value.op == "str" else value.name
    return _NAMED.get(name)
