"""Similarities: where rows are compared with rows, and the evidence that a contrastive loss is made of it."""

from __future__ import annotations

from infonce_lint.semantic.graph.values import Module, Value
from infonce_lint.semantic.losses.cone import cone_of
from infonce_lint.semantic.losses.evidence import SELF, STORED, TOWERS, evidence_for, is_contrastive
from infonce_lint.semantic.losses.features import features_of
from infonce_lint.semantic.losses.pairs import pair_seeds
from infonce_lint.semantic.losses.seeds import Similarity, product_seeds

__all__ = ["SELF", "STORED", "TOWERS", "Similarity", "find_similarities"]


def find_similarities(module: Module) -> list[Similarity]:
    """The similarities of a module that belong to contrastive losses, with their cones and features."""
    found: list[Similarity] = []
    known: set[Value] = set()  # their cones
    for seed in [*product_seeds(module), *pair_seeds(module)]:
        seed.cone = cone_of(seed.seed)
        if any(each in seed.cone and each is not seed.seed for each in seed.operands):
            continue  # what is multiplied comes from the product: propagation over a graph, a power iteration
        if seed.operands[0] is seed.seed and seed.seed in known:
            continue  # a matrix whose similarity is known already
        if is_contrastive(seed.strength, evidence_for(seed.seed, seed.cone)):
            seed.features = features_of(seed.operands)
            found.append(seed)
            known |= seed.cone
    return found
