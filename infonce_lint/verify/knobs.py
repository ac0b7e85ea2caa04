"""What a loss is built and run with, and what a name asks for: by name and annotation, the value that fits its role."""

from __future__ import annotations

import ast
import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from infonce_lint.semantic.names import (
    is_config_name,
    is_config_size_name,
    is_contrastive_name,
    is_loss_name,
    is_size_name,
    is_temperature_name,
    words,
)

CONFIGURED, RAGGED, TWICE = 8, 5, 16
TEMPERATURE = 0.1
DIM = 28  # unlike any number of rows that a check uses, so that rows and columns are not mixed up
QUEUE_ROWS = 32


class Role(enum.Enum):
    """What a parameter or an attribute of a loss is for."""

    SIZE = "the configured batch size"
    TEMPERATURE = "the temperature"
    SCALE = "1 / temperature"
    VIEWS = "the number of views"
    DEVICE = "the device"
    WORLD = "the number of ranks"
    RANK = "the rank"
    DIM = "the width of the features"
    QUEUE = "a queue's length"
    REDUCTION = "the reduction"
    NUMBER = "a plain number"
    FLAG = "a switch"
    MASK = "which pairs are negatives"
    CRITERION = "the cross-entropy"
    CONFIG = "a configuration object"


class Turned(float):
    """A temperature or a scale; to a loss that expects its logarithm as a tensor, ``.exp()`` gives this number."""

    def exp(self) -> object:
        """The number, as a tensor."""
        import torch

        return torch.tensor(float(self), dtype=torch.float64)


@dataclass(frozen=True, slots=True)
class Knobs:
    """One setting of everything that a check turns; ``sets`` are the user's own values by dotted path.

    ``given`` is how many samples the loss is run on, for what its callers would build to that size, and ``repaired``
    says that callers pass it where they passed the configured size. ``first`` is the number of this rank's first
    sample, ``alone`` says that no row shares its id with another, and ``seed`` is that of what the call draws.
    """

    configured: int = CONFIGURED
    given: int = CONFIGURED
    repaired: bool = False
    views: int = 2
    temperature: float = TEMPERATURE
    world: int = 1
    rank: int = 0
    device: str = "cpu"
    first: int = 0
    alone: bool = False
    seed: int = 0
    sets: Mapping[str, object] = field(default_factory=dict)
    sizes: frozenset[str] = frozenset()  # names that the linter's model proved to hold the batch size

    @property
    def log_scale(self) -> object:
        """The logarithm of 1 / temperature as a tensor: what a model keeps as ``logit_scale``."""
        import math

        import torch

        return torch.tensor(math.log(1 / self.temperature))

    def value(self, role: Role, name: str) -> Any:
        """The value of a role; ``name`` decides among numbers and switches. A configuration object is not made here."""
        if role is Role.DEVICE:
            import torch

            return torch.device(self.device)
        if role is Role.CRITERION:
            import torch

            return torch.nn.CrossEntropyLoss()
        if role is Role.MASK:
            return _negatives(self.given)
        if role is Role.NUMBER:
            return _NUMBERS[_first_known(name, _NUMBERS)]
        if role is Role.FLAG:
            return not _ON.isdisjoint(words(name))
        values: dict[Role, object] = {
            Role.SIZE: self.configured,
            Role.TEMPERATURE: Turned(self.temperature),
            Role.SCALE: Turned(1 / self.temperature),
            Role.VIEWS: self.views,
            Role.WORLD: self.world,
            Role.RANK: self.rank,
            Role.DIM: DIM,
            Role.QUEUE: QUEUE_ROWS,
            Role.REDUCTION: "mean",
        }
        return values[role]


def _negatives(samples: int) -> object:
    """``[2 B, 2 B]`` of bool: what two views of B samples take for negatives, when a caller builds the mask."""
    import torch

    own = torch.eye(samples, dtype=torch.bool).repeat(2, 2)
    return ~own


_VIEW_WORDS = frozenset("views view nviews crops augs augmentations".split())
_DEVICE_WORDS = frozenset("device dev gpu".split())
_DIM_WORDS = frozenset("dim dims hidden embed embedding embeddings channels channel width nc".split())
_QUEUE_WORDS = frozenset("queue bank memory k K".split())
_ON = frozenset("cosine cos normalize normalise normalized norm symmetric l2".split())
_FLAG_STARTS = frozenset("use is has with enable do no".split())
_FLAG_WORDS = frozenset("enabled fp16 amp debug verbose distributed ddp cuda half precision".split()) | _ON
_NUMBERS: dict[str, float] = {
    "eps": 1e-8,
    "epsilon": 1e-8,
    "margin": 0.5,
    "momentum": 0.9,
    "epoch": 1,
    "step": 1,
    "steps": 1,
    "accumulation": 1,
    "iter": 1,
    "classes": 10,
    "clusters": 10,
    "class": 10,
    "timesteps": 2,
    "timestep": 2,
    "seed": 0,
    "alpha": 1.0,
    "beta": 1.0,
    "gamma": 1.0,
    "lambda": 1.0,
    "lamb": 1.0,
    "lam": 1.0,
    "lambd": 1.0,
    "weight": 1.0,
    "coef": 1.0,
    "coeff": 1.0,
    "ratio": 1.0,
    "factor": 1.0,
}


#: What a constant of another file may hold, by its name alone.
IMPORTABLE = frozenset({Role.SIZE, Role.TEMPERATURE, Role.VIEWS, Role.DEVICE, Role.CONFIG, Role.WORLD})


def _first_known(name: str, known: Mapping[str, object]) -> str:
    return next((word for word in words(name) if word in known), "")


def role_of(name: str, sizes: frozenset[str] = frozenset(), *, in_configuration: bool = False) -> Role | None:
    """What ``name`` asks for, or None where it does not say."""
    found = words(name)
    given = frozenset(found)
    if name in sizes or is_size_name(name) or (in_configuration and is_config_size_name(name)):
        return Role.SIZE
    if name in ("B", "bs"):
        return Role.SIZE
    if "world" in given or found in (("num", "gpus"), ("n", "gpus"), ("n", "gpu"), ("num", "replicas"), ("ngpu",)):
        return Role.WORLD
    if "rank" in given:
        return Role.RANK
    if "mask" in given and not in_configuration:
        return Role.MASK
    if (
        not in_configuration
        and is_loss_name(name)
        and not is_contrastive_name(name)
        and not given & {"weight", "type", "name", "logit"}
    ):
        return Role.CRITERION
    if given & {"logit", "scale"}:
        return Role.SCALE
    if given & _VIEW_WORDS:
        return Role.VIEWS
    if is_temperature_name(name) and "base" not in given:  # SupCon divides by a base temperature, which stays
        return Role.TEMPERATURE
    if (given & _FLAG_WORDS or (found[:1] and found[0] in _FLAG_STARTS)) and not given & {"dim", "eps"}:
        return Role.FLAG
    if given & _DEVICE_WORDS:
        return Role.DEVICE
    if "reduction" in given:
        return Role.REDUCTION
    if given & _DIM_WORDS or found in (("in", "features"), ("out", "features"), ("feature", "size")):
        return Role.DIM
    if given & _QUEUE_WORDS and (len(found) > 1 or name == "K"):
        return Role.QUEUE
    if _first_known(name, _NUMBERS):
        return Role.NUMBER
    return Role.CONFIG if is_config_name(name) else None


def parse_set(text: str) -> tuple[str, object]:
    """``args.temperature=0.07`` as a path and a value (Python's literals, ``true``/``false``/``none``, else text).

    Raises:
        ValueError: no path or no value.
    """
    path, equals, value = text.partition("=")
    if not equals or not path.strip() or not all(part.isidentifier() for part in path.strip().split(".")):
        raise ValueError(f"{text!r} is not NAME=VALUE, such as args.temperature=0.07")
    value = value.strip()
    spelled = {"true": True, "false": False, "none": None}
    if value.lower() in spelled:
        return path.strip(), spelled[value.lower()]
    try:
        return path.strip(), ast.literal_eval(value)
    except (ValueError, SyntaxError):
        return path.strip(), value
