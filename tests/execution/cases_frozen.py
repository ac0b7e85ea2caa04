"""How to execute the fixtures of NCE005: the size is frozen in an object that the loss reads."""

from __future__ import annotations

from types import SimpleNamespace as Config

from tests.execution.case import Case, Outcome

FROZEN_CASES = [
    Case("frozen-size/mask_helper_with_argument.py", lambda m, c, b: m.NTXent(c, 0.5, 2)(*b.pair())),
    Case("frozen-size/mask_helper_without_argument.py", lambda m, c, b: m.NTXentLoss("cpu", c, 0.5)(*b.pair())),
    Case("frozen-size/registered_buffer.py", lambda m, c, b: m.ContrastiveLoss(c)(*b.pair())),
    Case("frozen-size/parameter_without_gradient.py", lambda m, c, b: m.CosineContrast(c)(*b.pair())),
    Case(
        "frozen-size/module_level_mask.py",
        lambda m, c, b: m.nt_xent(*b.pair()),
        fix=Outcome.ANY,
        constants=("BATCH_SIZE",),
    ),
    Case(
        "frozen-size/module_level_labels.py",
        lambda m, c, b: m.cont_loss(b.stacked(), 0.5),
        fix=Outcome.WITHHELD,
        constants=("BATCH_SIZE",),
    ),
    Case("frozen-size/default_argument.py", lambda m, c, b: m.paired_nce(b.stacked()), fix=Outcome.ANY),
    Case(
        "frozen-size/cached_helper.py",
        lambda m, c, b: m.contrast(*b.pair(), 0.5),
        fix=Outcome.ANY,
        constants=("BATCH_SIZE",),
    ),
    Case("frozen-size/half_fixed.py", lambda m, c, b: m.InstanceLoss(c, 0.5, "cpu")(*b.pair())),
    Case(
        "frozen-size/labels_in_constructor.py",
        lambda m, c, b: m.TwoTowerLoss(Config(batch_size=c, temperature=0.5))(*b.pair()),
        fix=Outcome.ANY,
    ),
    Case(
        "frozen-size/positive_indices.py",
        lambda m, c, b: m.GatherPositives(c, 0.5)(b.stacked()),
        views=2,
    ),
    Case(
        "frozen-size/subclass_overrides_helper.py",
        lambda m, c, b: [m.PairLoss(c)(*b.pair()), m.NegativesOnlyLoss(c)(*b.pair())],
        fix=Outcome.WITHHELD,
    ),
    Case(
        "frozen-size/injected_mask.py",
        lambda m, c, b: m.build_loss(Config(batch_size=c, temperature=0.5))(*b.pair()),
        fix=Outcome.WITHHELD,
    ),
    Case("frozen-size/full_batch_size.py", lambda m, c, b: m.NT_Xent(c, 1, 0.5)(*b.pair()), fix=Outcome.EITHER),
    Case("frozen-size/masks_in_dictionary.py", lambda m, c, b: m.DictMasks(c)(*b.pair()), fix=Outcome.ANY),
    Case(
        "frozen-size/cached_property_mask.py",
        lambda m, c, b: m.LazyMaskLoss(Config(batch_size=c, temperature=0.5, device="cpu"))(*b.pair()),
        fix=Outcome.ANY,
    ),
    Case("frozen-size/class_attribute.py", lambda m, c, b: m.SharedMaskLoss()(*b.pair()), fix=Outcome.ANY),
    Case(
        "frozen-size/numpy_frozen_mask.py",
        lambda m, c, b: m.NumpyNTXent(c)(*(x.numpy() for x in b.pair())),
        fix=Outcome.EITHER,
    ),
    Case("frozen-size/neutral_constructor_name.py", lambda m, c, b: m.TrackLoss(c)(*b.pair())),
]
