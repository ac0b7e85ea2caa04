"""How to execute the fixtures of NCE002, configured masks."""

from __future__ import annotations

from types import ModuleType
from types import SimpleNamespace as Config

from tests.execution.batch import Batch
from tests.execution.case import Case, Outcome
from tests.execution.models import identity, linear, sgd


def debiased(module: ModuleType, configured: int, batch: Batch) -> float:
    """Sets the global that only running the file as a program would set."""
    vars(module)["batch_size"] = configured
    net = linear()
    value: float = module.train(net, [(*batch.pair(), None)], sgd(net), 0.5, 0.1)
    return value


MASK_CASES = [
    Case("configured-mask/split_by_identity.py", lambda m, c, b: m.Separable(c)(*b.pair())[0], fix=Outcome.ANY),
    Case(
        "configured-mask/classes_times_images.py",
        lambda m, c, b: m.PairHinge((c, 1))(*b.pair()),
        fix=Outcome.ANY,
    ),
    Case("configured-mask/legacy_constructor.py", lambda m, c, b: m.marked_nce(*b.pair(), Config(batch_size=c))),
    Case("configured-mask/eye_subtracted_in_forward.py", lambda m, c, b: m.SimilarityLoss(c, 0.5)(*b.pair())),
    Case("configured-mask/debiased_train_function.py", debiased, exact=False),
    Case("configured-mask/numpy_eye_offsets.py", lambda m, c, b: m.NTXent("cpu", c, 0.5)(*b.pair())),
    Case(
        "configured-mask/full_minus_infinity.py",
        lambda m, c, b: m.fragment_loss(b.stacked(), Config(batch_size=c, tau=0.5)),
        fix=Outcome.EITHER,
        views=2,
    ),
    Case(
        "configured-mask/margin_over_two_masks.py",
        lambda m, c, b: m.MarginContrast(Config(SOLVER=Config(BATCH_SIZE=c)))(*b.pair()),
    ),
    Case(
        "configured-mask/repeat_of_identity.py",
        lambda m, c, b: m.two_view_loss(b.stacked(), Config(batch_size=c, temperature=0.5)),
        fix=Outcome.EITHER,
        views=2,
    ),
    Case(
        "configured-mask/mask_filled_in_a_loop.py",
        lambda m, c, b: m.ntxent(*b.pair(), Config(batch_size=c, temp=0.5)),
    ),
    Case(
        "configured-mask/scatter_self_contrast.py",
        lambda m, c, b: m.SupervisedContrast({"batch_size": c, "views": 2, "tau": 0.5})(b.per_image(), b.groups()),
        fix=Outcome.ANY,
    ),
    Case("configured-mask/static_helper_argument.py", lambda m, c, b: m.PairwiseInfoNCE(c)(*b.pair())),
    Case(
        "configured-mask/nested_config_dict.py",
        lambda m, c, b: m.Pretraining(
            identity, {"loss": {"temperature": 0.5}, "optim": {"train": {"batch_size": c}}}
        ).nt_bxent(b.stacked()),
        fix=Outcome.EITHER,
        views=2,
    ),
    Case(
        "configured-mask/upper_triangle.py",
        lambda m, c, b: m.uniformity(b.pair()[0], Config(batch_size=c, sharpness=2.0)),
        fix=Outcome.EITHER,
    ),
    Case(
        "configured-mask/negatives_at_double_size.py",
        lambda m, c, b: m.hard_negative_loss(*b.pair(), Config(batch_size=c, temperature=0.5, beta=0.5)),
    ),
    Case(
        "configured-mask/plain_numpy_loss.py",
        lambda m, c, b: m.nt_xent(*(x.numpy() for x in b.pair()), Config(batch_size=c, temperature=0.5)),
    ),
    Case(
        "configured-mask/hinge_of_distances.py",
        lambda m, c, b: m.distance_hinge(*b.pair(), Config(batch_size=c, margin=4.0)),
        fix=Outcome.UNSAFE,  # the towers' axes are counted nowhere
    ),
    Case(
        "configured-mask/broadcast_distances.py",
        lambda m, c, b: m.overlap_logits(b.stacked(), Config(batch_size=c, temperature=0.5)).softmax(dim=1),
        views=2,
        fix=Outcome.UNSAFE,  # the rows' axes are counted nowhere
    ),
    Case(
        "configured-mask/helper_of_another_file.py",
        lambda m, c, b: m.info_nce(b.stacked(), Config(batch_size=c, tau=8.0)),
        fix=Outcome.WITHHELD,  # another helper of that file is handed the size as well, and what it gives is not seen
        views=2,
    ),
]
