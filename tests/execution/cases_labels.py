"""How to execute the fixtures of NCE001, configured labels."""

from __future__ import annotations

import os
from types import ModuleType
from types import SimpleNamespace as Config
from typing import Any
from unittest import mock

from tests.execution.batch import DIM, Batch
from tests.execution.case import Case, Outcome
from tests.execution.models import identity, linear, sgd, two_encoders


def _in_a_job(module: ModuleType, configured: int, batch: Batch) -> Any:
    with mock.patch.dict(os.environ, BATCH_SIZE=str(configured)):
        return module.JobLoss()(*batch.pair())


LABEL_CASES = [
    Case(
        "configured-labels/pairs_filled_by_loops.py",
        lambda m, c, b: m.pairwise_nce(*b.pair(), Config(batch_size=c)),
        fix=Outcome.ANY,
    ),
    Case(
        "configured-labels/partner_modulo_configured.py",
        lambda m, c, b: m.nt_xent(b.stacked(), Config(batch_size=c, temperature=0.5)),
        fix=Outcome.ANY,
    ),
    Case(
        "configured-labels/labels_returned_beside_logits.py",
        lambda m, c, b: m.ImageTextHead(Config(batch_size=c))(*b.pair())[1].float(),
        fix=Outcome.ANY,
    ),
    Case("configured-labels/keyword_dictionary.py", lambda m, c, b: m.PairNCE(0.5, batch_size=c)(*b.pair())),
    Case(
        "configured-labels/binary_targets_on_diagonal.py",
        lambda m, c, b: m.PairwiseBinary(Config(batch_size=c))(*b.pair()),
    ),
    Case(
        "configured-labels/simclr_args_n_views.py",
        lambda m, c, b: m.ContrastiveTrainer(
            None, None, Config(batch_size=c, n_views=2, device="cpu", temperature=0.1)
        ).info_nce_logits(b.stacked()),
        views=2,
    ),
    Case(
        "configured-labels/dict_config_two_views.py",
        lambda m, c, b: m.ntxent_from_stacked(b.stacked(), {"batch_size": c, "temperature": 0.1}),
        views=2,
    ),
    Case(
        "configured-labels/cat_of_three_views.py",
        lambda m, c, b: m.pretrain_step(
            (net := linear()), identity, b.stacked(3).chunk(3), sgd(net), Config(batch_size=c, tau=0.1)
        ),
    ),
    Case(
        "configured-labels/clip_in_training_loop.py",
        lambda m, c, b: m.train((net := two_encoders()), [b.pair()], sgd(net), Config(batch_size=c, device="cpu")),
    ),
    Case(
        "configured-labels/moco_zero_targets.py",
        lambda m, c, b: m.MomentumContrast(identity, identity, Config(batch_size=c, queue_size=32, moco_t=0.1), DIM)(
            *b.pair()
        ),
    ),
    Case(
        "configured-labels/one_hot_targets.py",
        lambda m, c, b: m.contrastive_loss(*b.pair(), Config(batch_size=c, temperature=0.1)),
    ),
    Case("configured-labels/class_alias_n.py", lambda m, c, b: m.NTXentLoss(c)(*b.pair())),
    Case("configured-labels/labels_after_gather.py", lambda m, c, b: m.GlobalInfoNCE(c, 2)(*b.pair())),
    Case(
        "configured-labels/rank_offset_before_gather.py",
        lambda m, c, b: [m.sharded_clip_loss(*b.pair(), 5.0, Config(batch_size=c), rank) for rank in (0, 1)],
        fix=Outcome.EITHER,
    ),
    Case(
        "configured-labels/supcon_without_labels.py",
        lambda m, c, b: m.SupConLoss(Config(batch_size=c, temp=5.0))(b.per_image(3)),
        fix=Outcome.EITHER,
    ),
    Case(
        "configured-labels/lightning_training_step.py",
        lambda m, c, b: m.SimCLRModule(identity, identity, batch_size=c, temperature=0.1).training_step(
            (b.pair(), None), 0
        ),
    ),
    Case(
        "configured-labels/stacked_in_train_function.py",
        lambda m, c, b: m.run_epoch((net := linear()), [(b.pair(), None)], sgd(net), Config(batch_size=c, t=0.1)),
        fix=Outcome.EITHER,
    ),
    Case("configured-labels/absl_flags_main.py", lambda m, c, b: m.main(identity, [b.pair()])),
    Case(
        "configured-labels/module_constant.py",
        lambda m, c, b: m.info_nce(*b.pair()),
        constants=("BATCH_SIZE",),
    ),
    Case("configured-labels/imported_constant.py", lambda m, c, b: m.pair_loss(*b.pair())),
    Case(
        "configured-labels/walrus_alias.py",
        lambda m, c, b: m.nce(*b.pair(), Config(data=Config(batch_size=c), tau=0.1)),
    ),
    Case(
        "configured-labels/tuple_unpacking.py",
        lambda m, c, b: m.siamese_step(identity, *b.pair(), Config(batch_size=c, temperature=0.1)),
        fix=Outcome.ANY,  # no embedding is bound on that line
    ),
    Case(
        "configured-labels/vars_of_args.py",
        lambda m, c, b: m.cross_modal_loss(*b.pair(), Config(batch_size=c, temperature=0.1)),
    ),
    Case(
        "configured-labels/getattr_of_settings.py",
        lambda m, c, b: m.RetrievalHead(Config(batch_size=c))(*b.pair()),
    ),
    Case(
        "configured-labels/int_of_params.py",
        lambda m, c, b: m.gene_image_loss(*b.pair(), {"batch_size": str(c), "tau": "0.1"}),
    ),
    Case(
        "configured-labels/literal_kept_on_self.py",
        lambda m, c, b: m.SimCLR(None).info_nce_loss(b.stacked()),
        constants=("self.batch_size",),
        views=2,
    ),
    Case("configured-labels/renamed_constructor_size.py", lambda m, c, b: m.AlignmentObjective(c)(*b.pair())),
    Case(
        "configured-labels/closure_loss.py",
        lambda m, c, b: m.make_infonce(Config(batch_size=c, temperature=0.1))(*b.pair()),
    ),
    Case(
        "configured-labels/new_zeros_targets.py",
        lambda m, c, b: m.queue_nce(*b.pair(), b.vectors(20).t(), Config(batch_size=c, nce_t=0.5)),
    ),
    Case(
        "configured-labels/one_branch_only.py",
        lambda m, c, b: m.WeaklySupervisedSimCLR(Config(batch_size=c, n_views=2, temperature=0.1)).loss(b.stacked()),
        views=2,
    ),
    Case(
        "configured-labels/import_aliases.py",
        lambda m, c, b: m.view_agreement(b.stacked(), Config(batch_size=c, tau=0.1)),
        fix=Outcome.EITHER,
        views=2,
    ),
    Case(
        "configured-labels/assert_after_use.py",
        lambda m, c, b: m.matching_loss(*b.pair(), Config(batch_size=c, temperature=0.1)),
        fix=Outcome.ANY,
        asserts_size=True,
    ),
    Case(
        "configured-labels/mixed_callers.py",
        lambda m, c, b: m.train_step(identity, *b.pair(), Config(batch_size=c, tau=0.1)),
    ),
    Case(
        "configured-labels/micro_batch_of_accumulation.py",
        lambda m, c, b: m.accumulate(
            (net := linear()),
            [b.pair(), b.pair()],
            sgd(net),
            Config(batch_size=2 * c, accumulation_steps=2, temperature=0.1),
        ),
        fix=Outcome.ANY,  # no tensor is bound on that line
    ),
    Case(
        "configured-labels/conditional_expression.py",
        lambda m, c, b: m.TwoTower(
            linear(), linear(), Config(TRAIN=Config(BATCH_SIZE=c), MODEL=Config(TEMPERATURE=0.1))
        )(*b.pair()),
    ),
    Case(
        "configured-labels/modular_partner_labels.py",
        lambda m, c, b: m.PartnerLoss(Config(train=Config(batch_size=c), loss=Config(temperature=0.1)))(b.stacked()),
        fix=Outcome.EITHER,
        views=2,
    ),
    Case(
        "configured-labels/identity_as_targets.py",
        lambda m, c, b: m.SketchPhotoLoss(Config(batch_size=c, temperature=0.1))(*b.pair()),
    ),
    Case(
        "configured-labels/helper_method_takes_size.py",
        lambda m, c, b: m.Pretrainer(None, Config(train_batch_size=c, temperature=0.1)).compute_loss(b.stacked()),
        fix=Outcome.EITHER,
        views=2,
    ),
    Case(
        "configured-labels/numpy_label_lookup.py",
        lambda m, c, b: m.cross_entropy_of_pairs(*(x.numpy() for x in b.pair()), Config(batch_size=c, t=1.0)),
    ),
    Case(
        "configured-labels/views_stacked_before_gather.py",
        lambda m, c, b: m.StackedThenGathered(Config(batch_size=c, world_size=2, tau=0.1))(b.stacked()),
        fix=Outcome.WITHHELD,
    ),
    Case(
        "configured-labels/views_from_configuration_sum.py",
        lambda m, c, b: m.multi_crop_nce(
            b.stacked(3), Config(batch_size=c, crops_for_assign=[1, 1], extra_crops=1, temperature=0.1)
        ),
        views=3,
    ),
    Case(
        "configured-labels/one_helper_two_pairs.py",
        lambda m, c, b: m.three_modalities(*b.pair(), b.pair()[0].flip(0), Config(batch_size=c, tau=0.5)),
    ),
    Case(
        "configured-labels/clip_fine_tuning.py",
        lambda m, c, b: m.fine_tune_step(lambda x, y: (x @ y.T, y @ x.T), *b.pair()),
        constants=("BATCH_SIZE",),
    ),
    Case(
        "configured-labels/distractors_cut_off.py",
        lambda m, c, b: m.loss_with_distractors(*b.pair(), Config(batch_size=c, temperature=0.5)),
        fix=Outcome.WITHHELD,
    ),
    Case(
        "configured-labels/property_of_settings.py",
        lambda m, c, b: m.CrossModalLoss(Config(batch_size=c, temperature=0.1))(*b.pair()),
    ),
    Case("configured-labels/short_constant.py", lambda m, c, b: m.info_nce(*b.pair()), constants=("BATCH",)),
    Case("configured-labels/environment.py", _in_a_job),
    Case(
        "configured-labels/partial_arguments.py",
        lambda m, c, b: m.make_loss(Config(batch_size=c))(*b.pair()),
        fix=Outcome.WITHHELD,  # no tensor is there where the size is bound
    ),
]
