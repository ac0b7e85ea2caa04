"""The smallest models that a training loop can train."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from tests.execution.batch import DIM


def identity(x: Tensor) -> Tensor:
    """An encoder that passes its input on, in training mode for ever."""
    return x


def linear() -> nn.Linear:
    """A linear encoder with the same weights on every call."""
    torch.manual_seed(1)
    return nn.Linear(DIM, DIM)


class TwoEncoders(nn.Module):
    """CLIP's interface over two linear encoders."""

    def __init__(self) -> None:
        super().__init__()
        self.encode_image = linear()
        self.encode_text = linear()
        self.logit_scale = nn.Parameter(torch.tensor(1.0))


def two_encoders() -> TwoEncoders:
    """An image and a text encoder."""
    return TwoEncoders()


def sgd(model: nn.Module) -> torch.optim.Optimizer:
    """A plain optimiser of the model's parameters."""
    return torch.optim.SGD(model.parameters(), lr=0.1)
