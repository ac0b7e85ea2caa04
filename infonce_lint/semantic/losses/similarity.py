"""Similarities: where rows are compared with rows, and the evidence that a contrastive loss is made of it."""

from __future__ import annotations

from infonce_lint.semantic.graph.values import Module, Op, Value
from infonce_lint.semantic.losses.cone import cone_of
from infonce_lint.semantic.losses.evidence import SELF, STORED, TOWERS, evidence_for, is_contrastive
from infonce_lint.semantic.losses.features import features_of
from infonce_lint.semantic.losses.pairs import pair_seeds
from infonce_lint.semantic.losses.picked import picked_seeds
from infonce_lint.semantic.losses.seeds import Similarity, product_seeds
from infonce_lint.semantic.losses.ways import parts_ways, ways_of

__all__ = ["SELF", "STORED", "TOWERS", "Similarity", "find_similarities"]


def find_similarities(module: Module) -> list[Similarity]:
    """The similarities of a module that belong to contrastive losses, with their cones and features."""
    found: list[Similarity] = []
    known: set[Value] = set()  # their cones
    for seed in [*product_seeds(module), *pair_seeds(module), *picked_seeds(module)]:
        seed.cone = cone_of(seed.seed)
        if any(each in seed.cone and each is not seed.seed for each in seed.operands):
            continue  # what is multiplied comes from the product: propagation over a graph, a power iteration
        if seed.operands[0] is seed.seed and seed.seed in known:
            continue  # a matrix whose similarity is known already
        if is_contrastive(seed.strength, evidence_for(seed.seed, seed.cone)) and _keep_contrastive_ways(seed):
            found.append(seed)
            known |= seed.cone
    return found


def _keep_contrastive_ways(seed: Similarity) -> bool:
    """Fill in the features of a similarity, and leave out of its cone what callers that make no loss make of it."""
    elsewhere: set[Value] = set()
    if parts_ways(seed.cone) and (ways := ways_of(seed.seed)):
        kept = [way for way in ways if is_contrastive(seed.strength, evidence_for(seed.seed, way))]
        seed.cone = set().union(*kept)
        elsewhere = set().union(*ways) - seed.cone
    seed.features = features_of(seed.operands, frozenset(each for each in elsewhere if each.op is Op.CALL))
    return bool(seed.cone)
