"""How to execute the fixtures that make it hard to find the right tensor, its axis or a place for the derivation."""

from __future__ import annotations

from types import ModuleType
from types import SimpleNamespace as Config
from typing import Any

from tests.execution.batch import Batch
from tests.execution.case import Case, Outcome
from tests.execution.models import identity


def demonstrated(module: ModuleType, configured: int, batch: Batch) -> Any:
    """Sets the entry that the file itself gives a literal value."""
    module.settings["batch_size"] = configured
    return module.pair_nce(*batch.pair())


PLACEMENT_CASES = [
    Case(
        "configured-labels/lambda_loss.py",
        lambda m, c, b: m.build_losses(Config(batch_size=c, temperature=0.5))["clip"](*b.pair()),
        fix=Outcome.ANY,
    ),
    Case(
        "configured-labels/one_line_suite.py",
        lambda m, c, b: m.info_nce(*b.pair(), Config(batch_size=c, tau=0.5)),
        fix=Outcome.ANY,
    ),
    Case(
        "configured-labels/elif_branches.py",
        lambda m, c, b: [
            m.FlexibleLoss(Config(batch_size=c, tau=0.5))(*b.pair(), mode) for mode in ("diagonal", "hardest")
        ],
        fix=Outcome.UNSAFE,  # the branch with the labels does not answer for the divisor below it
    ),
    Case(
        "configured-labels/local_name_taken.py",
        lambda m, c, b: m.step_loss(b.stacked(), Config(batch_size=c, n_views=2, accumulation=4, temperature=0.5)),
        views=2,
    ),
    Case(
        "configured-labels/features_bound_later.py",
        lambda m, c, b: m.Discriminator(identity, Config(BATCH_SIZE=c, TEMPERATURE=0.5)).contrast(*b.pair()),
    ),
    Case(
        "configured-labels/two_views_but_n_views.py",
        lambda m, c, b: m.train_step(identity, *b.pair(), Config(batch_size=c, n_views=2, tau=0.5)),
        fix=Outcome.NOT_SAFE,
    ),
    Case(
        "configured-labels/time_axis_first.py",
        lambda m, c, b: m.stepwise_nce(
            b.sequences().transpose(0, 1), b.sequences().flip(1).transpose(0, 1), Config(batch_size=c, temperature=0.5)
        ),
    ),
    Case(
        "configured-labels/images_in_columns.py",
        lambda m, c, b: m.column_clip(*(x.t() for x in b.pair()), Config(batch_size=c, tau=0.5)),
    ),
    Case(
        "configured-labels/views_by_unbind.py",
        lambda m, c, b: m.unbound_pairs(b.per_image(), Config(batch_size=c, temperature=0.5)),
    ),
    Case(
        "configured-labels/chunked_output.py",
        lambda m, c, b: m.Trainer(identity, Config(optim=Config(batch_size=c, temperature=0.5))).compute_loss(
            b.stacked()
        ),
    ),
    Case(
        "configured-labels/labels_before_gather.py",
        lambda m, c, b: m.global_loss(*b.pair(), Config(batch_size=c, world_size=2, scale=2.0)),
        fix=Outcome.EITHER,
    ),
    Case(
        "configured-labels/batch_dictionary.py",
        lambda m, c, b: m.dense_retrieval_loss(identity, dict(zip(("question", "passage"), b.pair(), strict=True))),
        constants=("TRAIN_BATCH_SIZE",),
    ),
    Case(
        "configured-labels/optional_parameter.py",
        lambda m, c, b: m.OptionalSizeLoss(Config(batch_size=c, tau=0.5))(*b.pair()),
    ),
    Case(
        "configured-labels/guard_in_debug_only.py",
        lambda m, c, b: m.guarded_sometimes(*b.pair(), Config(batch_size=c, tau=0.5, debug=False)),
    ),
    Case(
        "configured-labels/drop_last_hides_it.py",
        lambda m, c, b: m.simclr_loss(*b.pair(), Config(batch_size=c, temperature=0.5)),
    ),
    Case("configured-labels/smoke_test_literal.py", lambda m, c, b: m.PairedLoss(c)(*b.pair())),
    Case(
        "configured-labels/mixed_constructions.py",
        lambda m, c, b: m.trainer_loss(Config(batch_size=c, tau=0.5))(*b.pair()),
    ),
    Case(
        "configured-labels/two_losses_in_a_file.py",
        lambda m, c, b: [
            m.image_text(*b.pair(), Config(batch_size=c, tau=0.5)),
            m.StackedViews(Config(batch_size=c, tau=0.5))(b.stacked()),
        ],
        views=2,
    ),
    Case(
        "configured-labels/labels_and_divisor_apart.py",
        lambda m, c, b: m.KernelLoss(Config(batch_size=c, n_views=2, temperature=0.5)).loss(b.stacked()),
        views=2,
    ),
    Case(
        "configured-labels/part_is_suppressed.py",
        lambda m, c, b: m.HalfSuppressed(c)(*b.pair()),
        fix=Outcome.WITHHELD,
    ),
    Case(
        "configured-labels/static_method_of_args.py",
        lambda m, c, b: m.Losses.protein_ligand(*b.pair(), {"batch_size": c, "scale": 3.0}),
    ),
    Case(
        "configured-labels/dataclass_config.py",
        lambda m, c, b: m.Pretrain(identity, m.Config(c, 0.5)).loss(b.pair()[0]),
    ),
    Case("configured-labels/demonstration_beside_training.py", demonstrated),
    Case(
        "configured-labels/tensor_through_helper_function.py",
        lambda m, c, b: m.neighbour_loss(Config(batch_size=c, tau=0.5), b.stacked()),
        views=2,
    ),
]
