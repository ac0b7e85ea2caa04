"""Gradient accumulation over chunks leaves the gradients of the whole batch."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from infonce_lint.reference import InfoNCELoss, cached_backward, clip_loss, view_major


def encoder(*, dropout: float = 0.0) -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(6, 16), nn.Tanh(), nn.Dropout(dropout), nn.Linear(16, 8)).double()


def chunks_of(sizes: list[int], n_views: int) -> list[Tensor]:
    return [torch.randn(n_views * size, 6, dtype=torch.float64) for size in sizes]


def gradients(model: nn.Module) -> list[Tensor]:
    return [parameter.grad for parameter in model.parameters()]


@pytest.mark.parametrize("n_views", [2, 3])
@pytest.mark.parametrize("sizes", [[4], [4, 4], [4, 3, 1]])
def test_gradients_equal_those_of_the_whole_batch(n_views: int, sizes: list[int]) -> None:
    chunks = chunks_of(sizes, n_views)
    whole, accumulated = encoder(), encoder()
    loss = InfoNCELoss(n_views)
    expected = loss(whole(view_major(chunks, n_views)))
    expected.backward()
    value = cached_backward(accumulated, chunks, loss, n_views=n_views)
    assert not value.requires_grad
    assert torch.allclose(value, expected, atol=1e-12)
    for ours, theirs in zip(gradients(accumulated), gradients(whole)):
        assert torch.allclose(ours, theirs, atol=1e-12)


def test_the_mean_of_chunk_losses_is_something_else() -> None:
    chunks = chunks_of([4, 4], 2)
    whole, accumulated = encoder(), encoder()
    InfoNCELoss()(whole(view_major(chunks, 2))).backward()
    for chunk in chunks:
        (InfoNCELoss()(accumulated(chunk)) / len(chunks)).backward()
    ours, theirs = (torch.cat([part.flatten() for part in gradients(model)]) for model in (accumulated, whole))
    assert torch.cosine_similarity(ours, theirs, dim=0) < 0.99


def test_dropout_repeats_in_the_second_pass_and_moves_on_after_it() -> None:
    chunks = chunks_of([4, 3], 2)
    whole, accumulated = encoder(dropout=0.5), encoder(dropout=0.5)
    torch.manual_seed(1)
    features = [whole(chunk) for chunk in chunks]
    next_number = torch.rand(1)
    InfoNCELoss()(view_major(features, 2)).backward()
    torch.manual_seed(1)
    cached_backward(accumulated, chunks, InfoNCELoss())
    assert torch.equal(torch.rand(1), next_number)
    for ours, theirs in zip(gradients(accumulated), gradients(whole)):
        assert torch.allclose(ours, theirs, atol=1e-12)


def test_two_towers_a_learnable_scale_and_a_scaled_loss() -> None:
    chunks = chunks_of([3, 4], 1)
    whole, accumulated = encoder(), encoder()
    scales = [torch.tensor(2.0, dtype=torch.float64, requires_grad=True) for _ in range(2)]
    rows = torch.cat(chunks)
    (64 * clip_loss(whole(rows), whole(-rows), scales[0].exp())).backward()
    value = cached_backward(
        lambda chunk: (accumulated(chunk), accumulated(-chunk)),
        chunks,
        lambda a, b: clip_loss(a, b, scales[1].exp()),
        n_views=1,
        scale=lambda loss: 64 * loss,
    )
    assert torch.allclose(value, clip_loss(whole(rows), whole(-rows), scales[0].exp()), atol=1e-12)
    assert torch.allclose(scales[1].grad, scales[0].grad, atol=1e-10)
    for ours, theirs in zip(gradients(accumulated), gradients(whole)):
        assert torch.allclose(ours, theirs, atol=1e-10)


def test_only_one_chunk_has_activations_at_a_time() -> None:
    chunks = chunks_of([4, 4, 4], 2)
    model = encoder()
    alive: list[int] = []
    held = 0

    def keep(tensor: Tensor) -> Tensor:
        nonlocal held
        held += 1
        return tensor

    def encode(chunk: Tensor) -> Tensor:
        nonlocal held
        held = 0
        with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
            features = model(chunk)
        alive.append(held)
        return features

    cached_backward(encode, chunks, InfoNCELoss())
    assert alive[:3] == [0, 0, 0]
    assert all(alive[3:])
    assert len(alive) == 6
