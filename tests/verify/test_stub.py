"""Stand-ins: configuration objects that answer by role, and things that say what is missing."""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("torch")

import torch

from infonce_lint.verify.knobs import Knobs, Role, parse_set, role_of
from infonce_lint.verify.stub import MISSING, CannotRun, Config, Keywords, Maker, Record, StandIn


def made(**knobs: Any) -> Maker:
    return Maker(Knobs(**knobs), Record())


@pytest.mark.parametrize(
    ("name", "role"),
    [
        ("batch_size", Role.SIZE),
        ("train_bs", Role.SIZE),
        ("temperature", Role.TEMPERATURE),
        ("nce_T", Role.TEMPERATURE),
        ("tau", Role.TEMPERATURE),
        ("base_temperature", None),
        ("logit_scale", Role.SCALE),
        ("n_views", Role.VIEWS),
        ("world_size", Role.WORLD),
        ("local_rank", Role.RANK),
        ("device", Role.DEVICE),
        ("use_cosine_similarity", Role.FLAG),
        ("embedding_dim", Role.DIM),
        ("queue_size", Role.QUEUE),
        ("queue", None),
        ("eps", Role.NUMBER),
        ("args", Role.CONFIG),
        ("criterion", Role.CRITERION),
        ("nt_xent", None),
        ("negatives_mask", Role.MASK),
        ("z_i", None),
    ],
)
def test_roles_of_names(name: str, role: Role | None) -> None:
    assert role_of(name) is role


def test_configuration_answers_in_every_dialect() -> None:
    args: Any = Config("args", made(configured=5, temperature=0.2))
    assert args.batch_size == args["batch_size"] == args.get("batch_size") == vars(args)["batch_size"] == 5
    assert getattr(args, "batch_size") == args.train.data.batch_size == 5  # noqa: B009
    assert (args.loss.temperature, args.fp16_precision, str(args.device)) == (0.2, False, "cpu")
    assert not args.something_unknown
    assert args.get("something_unknown", 3) == 3


def test_what_was_made_up_is_recorded() -> None:
    maker = made(configured=5)
    args: Any = Config("args", maker)
    assert args.batch_size + args.sharpness * 2 == 7
    assert maker.record.values == {"args.batch_size": 5, "args.sharpness": 1.0}
    assert maker.record.roles == {Role.SIZE}
    assert torch.equal(torch.ones(2) * args.weight_of_term, torch.ones(2))


def test_set_values_come_first() -> None:
    args: Any = Config("args", made(sets={"args.temperature": 0.07, "args.margin_kind": "soft"}))
    assert (args.temperature, args.margin_kind) == (0.07, "soft")


def test_size_that_nothing_tells_asks_for_set() -> None:
    args: Any = Config("args", made())
    with pytest.raises(CannotRun, match=r"--set args\.patches_per_image=VALUE"):
        range(args.patches_per_image)


def test_real_configuration_shines_through() -> None:
    args: Any = Config("args", made(configured=5), {"batch_size": 64, "margin": 0.1, "nested": {"alpha": 2}})
    assert (args.batch_size, args.margin, args.nested.alpha) == (5, 0.1, 2)
    args.margin = 0.3
    assert args["margin"] == 0.3


def test_keywords_have_whatever_is_asked_for() -> None:
    kwargs = Keywords(made(configured=5))
    assert (kwargs["batch_size"], kwargs["args"].batch_size, kwargs.get("schedule_name", 1)) == (5, 5, 1)
    assert isinstance(kwargs["model"], StandIn)
    assert dict(**kwargs) == {}  # type: ignore[arg-type]


def test_stand_in_may_be_passed_on_but_not_used() -> None:
    thing = StandIn("logger", "it is not installed")
    with thing("log").section as inner:
        assert not inner
    for use in (
        lambda: thing + 1,
        lambda: thing[0],
        lambda: float(thing),
        lambda: torch.cat([thing]),
        lambda: list(thing),
    ):
        with pytest.raises(CannotRun, match="it needs logger: it is not installed"):
            use()


def test_stand_in_for_a_gather_of_one_process_gives_back_its_rows() -> None:
    rows = torch.ones(2, 3)
    assert StandIn("dist.all_gather", "")(rows)[0] is rows
    assert StandIn("concat_all_gather", "")(rows) is rows


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("args.temperature=0.07", ("args.temperature", 0.07)),
        ("gather=true", ("gather", True)),
        ("kind=hard", ("kind", "hard")),
        ("sizes=[1, 2]", ("sizes", [1, 2])),
        ("x = None", ("x", None)),
    ],
)
def test_set_is_parsed(text: str, expected: tuple[str, object]) -> None:
    assert parse_set(text) == expected


@pytest.mark.parametrize("text", ["temperature", "=3", "a b=3", "args.=3"])
def test_bad_set_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"is not NAME=VALUE, such as args\.temperature=0\.07"):
        parse_set(text)


def test_unknown_name_has_no_value() -> None:
    assert made().by_name("z_i", "z_i") is MISSING
