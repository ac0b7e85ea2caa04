"""How to execute the fixtures of NCE004: nothing crashes, the value is wrong."""

from __future__ import annotations

from types import SimpleNamespace as Config

from tests.execution.batch import DIM
from tests.execution.case import Case, Outcome

UNSAFE = Outcome.UNSAFE  # a divisor as the only use may be meant as a constant scale of the gradient

NORMALISER_CASES = [
    Case(
        "configured-normaliser/mutual_information_bound.py",
        lambda m, c, b: m.information_bound(*b.pair(), Config(batch_size=c, temperature=0.5)),
        fix=Outcome.ANY,
    ),
    Case(
        "configured-normaliser/cpc_seq_len.py",
        lambda m, c, b: m.PredictiveCodingLoss(Config(batch_size=c, prediction_step=2), DIM)(
            b.sequences(), b.sequences().cumsum(dim=1)
        ),
        fix=Outcome.ANY,
    ),
    Case("configured-normaliser/in_place_division.py", lambda m, c, b: m.SumReducedLoss(c)(*b.pair()), fix=UNSAFE),
    Case(
        "configured-normaliser/div_method.py",
        lambda m, c, b: m.symmetric_loss(*b.pair(), Config(batch_size=c, temperature=0.5)),
        fix=UNSAFE,
    ),
    Case(
        "configured-normaliser/sum_over_configured_rows.py",
        lambda m, c, b: m.energy_contrast(*b.pair(), {"batch_size": c, "tau": 0.5}),
        fix=UNSAFE,
    ),
    Case(
        "configured-normaliser/constant_twice_batch.py",
        lambda m, c, b: m.nt_xent(b.stacked()),
        fix=UNSAFE,
        constants=("BATCH_SIZE",),
    ),
    Case(
        "configured-normaliser/reciprocal_scale.py",
        lambda m, c, b: m.ScaledNCE(Config(batch_size=c))(*b.pair()),
        fix=Outcome.NOT_SAFE,
    ),
    Case(
        "configured-normaliser/true_divide.py",
        lambda m, c, b: m.frame_loss(*b.pair(), Config(data=Config(batch_size=c), model=Config(scale=2.0))),
        fix=UNSAFE,
    ),
    Case(
        "configured-normaliser/negatives_count.py",
        lambda m, c, b: m.debiased_denominator(*b.pair(), Config(batch_size=c, tau_plus=0.1, t=0.5)),
        fix=Outcome.NOT_SAFE,
    ),
    Case(
        "configured-normaliser/numpy_mean_by_hand.py",
        lambda m, c, b: m.in_batch_softmax(*(x.numpy() for x in b.pair()), Config(batch_size=c, temperature=0.5)),
        fix=UNSAFE,
    ),
    Case(
        "configured-normaliser/two_methods_one_divisor.py",
        lambda m, c, b: m.Objective(Config(batch_size=c, tau=0.5))(*b.pair()),
        fix=Outcome.NOT_SAFE,
    ),
]
