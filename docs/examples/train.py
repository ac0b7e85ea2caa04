"""SimCLR on short waves: an encoder learns from unlabelled recordings which frequency they hold."""

import argparse

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def recordings(count, seed):
    """`count` noisy waves of 64 samples, and which of 10 frequencies each of them holds."""
    random = torch.Generator().manual_seed(seed)
    kinds = torch.randint(10, (count,), generator=random)
    phases = 6.28 * torch.rand(count, 1, generator=random)
    time = torch.linspace(0, 6.28, 64)
    waves = torch.sin((kinds.unsqueeze(1) + 1) * time + phases)
    return waves + 0.5 * torch.randn(count, 64, generator=random), kinds


def augment(waves):
    """Another view of each wave: rolled, scaled and with fresh noise."""
    rolled = torch.stack([wave.roll(int(torch.randint(64, ()))) for wave in waves])
    return rolled * (0.7 + 0.6 * torch.rand(len(waves), 1)) + 0.3 * torch.randn(waves.shape)


class SimCLR:
    def __init__(self, args):
        self.args = args
        self.encoder = nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 128), nn.ReLU(), nn.Linear(128, 16))
        self.optimizer = torch.optim.Adam(self.encoder.parameters(), lr=0.003)

    def info_nce_loss(self, features):
        labels = torch.cat([torch.arange(self.args.batch_size) for _ in range(self.args.n_views)], dim=0)
        labels = (labels.unsqueeze(0) == labels.unsqueeze(1)).float()

        features = F.normalize(features, dim=1)
        similarity_matrix = torch.matmul(features, features.T)

        mask = torch.eye(labels.shape[0], dtype=torch.bool)
        labels = labels[~mask].view(labels.shape[0], -1)
        similarity_matrix = similarity_matrix[~mask].view(similarity_matrix.shape[0], -1)
        positives = similarity_matrix[labels.bool()].view(labels.shape[0], -1)
        negatives = similarity_matrix[~labels.bool()].view(similarity_matrix.shape[0], -1)

        logits = torch.cat([positives, negatives], dim=1) / self.args.temperature
        return logits, torch.zeros(logits.shape[0], dtype=torch.long)

    def train(self, loader):
        for epoch in range(1, self.args.epochs + 1):
            steps, total = 0, 0.0
            for (waves,) in loader:
                views = torch.cat([augment(waves) for _ in range(self.args.n_views)])
                loss = F.cross_entropy(*self.info_nce_loss(self.encoder(views)))
                self.optimizer.zero_grad()
                loss.backward()
                self.optimizer.step()
                steps, total = steps + 1, total + loss.item()
            print(f"epoch {epoch}: {steps} steps, loss {total / max(steps, 1):.2f}")


@torch.no_grad()
def accuracy(encoder):
    """How often the nearest of 100 labelled recordings names the kind of 400 others."""
    (known, kinds), (asked, answers) = recordings(100, seed=1), recordings(400, seed=2)
    near = F.normalize(encoder(asked), dim=1) @ F.normalize(encoder(known), dim=1).T
    return (kinds[near.argmax(dim=1)] == answers).float().mean().item()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--samples", type=int, default=1000)
    parser.add_argument("--batch-size", type=int, default=100)
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--n-views", type=int, default=2)
    parser.add_argument("--temperature", type=float, default=0.1)
    parser.add_argument("--drop-last", action="store_true")
    args = parser.parse_args()

    torch.manual_seed(0)
    waves, _ = recordings(args.samples, seed=0)
    loader = DataLoader(TensorDataset(waves), args.batch_size, shuffle=True, drop_last=args.drop_last)
    model = SimCLR(args)
    print(f"before: accuracy {accuracy(model.encoder):.2f}")
    model.train(loader)
    print(f"after: accuracy {accuracy(model.encoder):.2f}")
