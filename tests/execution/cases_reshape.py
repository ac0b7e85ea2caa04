"""How to execute the fixtures of NCE003: views, splits, slices, indices and loops."""

from __future__ import annotations

from types import ModuleType
from types import SimpleNamespace as Config
from typing import Any

from tests.execution.batch import Batch
from tests.execution.case import Case, Outcome
from tests.execution.models import identity, linear, sgd


def pairwise_scores(module: ModuleType, configured: int, batch: Batch) -> Any:
    """Every row beside every other one, eight features each, as the critic expects them."""
    left, right = (rows[:, :8] for rows in batch.pair())
    critic = module.Critic(Config(batch_size=configured))
    return critic.lower_bound(left.repeat_interleave(batch.rows, dim=0), right.repeat(batch.rows, 1))


RESHAPE_CASES = [
    Case(
        "configured-reshape/loop_left_by_break.py",
        lambda m, c, b: m.row_losses(*b.pair(), Config(batch_size=c, temperature=0.5)),
        fix=Outcome.ANY,
    ),
    Case(
        "configured-reshape/rows_by_while.py",
        lambda m, c, b: m.pairwise_nce(*b.pair(), Config(batch_size=c, temperature=0.5)),
        fix=Outcome.ANY,
    ),
    Case(
        "configured-reshape/divergence_row_by_row.py",
        lambda m, c, b: m.divergence_nce(*b.pair(), Config(batch_size=c)),
        fix=Outcome.ANY,
    ),
    Case(
        "configured-reshape/views_by_combinations.py",
        lambda m, c, b: m.all_views(b.stacked(3), Config(batch_size=c, tau=0.5)),
        fix=Outcome.ANY,
    ),
    Case(
        "configured-reshape/split_before_criterion.py",
        lambda m, c, b: m.train_one_epoch(
            (net := linear()), [(b.pair(), None)], sgd(net), Config(batch_size=c, temperature=0.5)
        ),
        fix=Outcome.NOT_SAFE,  # nothing but the cut knows the size
    ),
    Case(
        "configured-reshape/split_sections.py",
        lambda m, c, b: m.supcon_features(identity, b.stacked(), Config(batch_size=c, temp=0.5)),
        fix=Outcome.EITHER,
        views=2,
    ),
    Case(
        "configured-reshape/slices_before_criterion.py",
        lambda m, c, b: m.consistency_loop(identity, [b.pair()], Config(batch_size=c, temperature=0.5)),
        fix=Outcome.NOT_SAFE,  # nothing but the bounds of the slices knows the size, or that it is a tensor that is cut
    ),
    Case(
        "configured-reshape/number_of_chunks.py",
        lambda m, c, b: m.paired_loss(b.stacked(), Config(batch_size=c, temperature=0.5)),
        fix=Outcome.ANY,
    ),
    Case(
        "configured-reshape/diagonal_offsets.py",
        lambda m, c, b: m.ContrastiveLoss(c)(*b.pair()),
        fix=Outcome.UNSAFE,  # another offset mis-pairs and raises nothing
    ),
    Case(
        "configured-reshape/diagonal_method.py",
        lambda m, c, b: m.loss_on_stacked(
            b.stacked(), Config(train=Config(batch_size=c), loss=Config(temperature=0.5))
        ),
        fix=Outcome.EITHER,
        views=2,
    ),
    Case(
        "configured-reshape/views_axis_first.py",
        lambda m, c, b: m.MultiCropLoss(3, c, 0.5)(b.stacked(3)),
        fix=Outcome.NOT_SAFE,  # the free axis of the view takes whatever is left
        views=3,
    ),
    Case(
        "configured-reshape/narrow_halves.py",
        lambda m, c, b: m.audio_text_loss(b.stacked(), Config(batch_size=c, temperature=0.5)),
        fix=Outcome.UNSAFE,
        views=2,
    ),
    Case(
        "configured-reshape/batch_axis_first.py",
        lambda m, c, b: m.InterleavedLoss(Config(batchSize=c, nce_T=0.5))(b.stacked()),
        fix=Outcome.UNSAFE,  # the free axis of the reshape takes whatever is left
        views=2,
    ),
    Case(
        "configured-reshape/patches_of_images.py",
        lambda m, c, b: m.PatchContrast(Config(batch_size=c, nce_T=0.5))(b.stacked(4), b.stacked(4).flip(1)),
        fix=Outcome.WITHHELD,
    ),
    Case(
        "configured-reshape/loop_over_batch.py",
        lambda m, c, b: m.slow_info_nce(*b.pair(), Config(batch_size=c, temperature=0.5)),
        fix=Outcome.UNSAFE,  # a loop over fewer rows and a divisor raise nothing
    ),
    Case(
        "configured-reshape/modular_index_loop.py",
        lambda m, c, b: m.RowwiseLoss(c, 0.5)(b.stacked()),
        fix=Outcome.NOT_SAFE,  # another size picks other columns and raises nothing
        views=2,
    ),
    Case(
        "configured-reshape/quadrants_of_similarity.py",
        lambda m, c, b: m.quadrant_loss(b.stacked(), Config(batch_size=c, tau=0.5)),
        fix=Outcome.EITHER,
        views=2,
    ),
    Case(
        "configured-reshape/expanded_negatives.py",
        lambda m, c, b: m.memory_contrast(*b.pair(), b.vectors(20), Config(batch_size=c, temperature=0.5)),
    ),
    Case(
        "configured-reshape/masked_logits_view.py",
        lambda m, c, b: m.OffDiagonalLoss({"batch_size": c, "tau": 0.5})(b.stacked()),
        views=2,
    ),
    Case(
        "configured-reshape/pair_indices.py",
        lambda m, c, b: m.gather_positives(b.stacked(), Config(batch_size=c, temperature=0.5)),
        views=2,
    ),
    Case(
        "configured-reshape/numpy_halves.py",
        lambda m, c, b: m.NumpyInfoNCE(c)(b.stacked().numpy()),
        fix=Outcome.UNSAFE,
        views=2,
    ),
    Case(
        "configured-reshape/generator_over_batch.py",
        lambda m, c, b: m.summed_rows(*b.pair(), Config(batch_size=c, tau=0.5)),
        fix=Outcome.NOT_SAFE,  # a loop over fewer rows raises nothing
    ),
    Case(
        "configured-reshape/tiled_anchors.py",
        lambda m, c, b: m.TiledContrast(Config(batch_size=c, temperature=0.5))(*b.pair()),
        fix=Outcome.ANY,  # which axis the copies run along is not in the row counts
    ),
    Case(
        "configured-reshape/supcon_training_loop.py",
        lambda m, c, b: m.train(
            [(b.pair(), None)],
            model := linear(),
            lambda features, labels: (features[:, 0] * features[:, 1]).sum(),
            sgd(model),
            Config(batch_size=c),
        ),
    ),
    Case(
        "configured-reshape/pairs_by_zip.py",
        lambda m, c, b: m.all_pairs(b.stacked(), Config(batch_size=c)),  # each half has at most the rows of the other
    ),
    Case(
        "configured-reshape/scores_folded_to_a_square.py",
        pairwise_scores,
        fix=Outcome.NOT_SAFE,  # nothing but the square itself says how many rows were paired
    ),
]
