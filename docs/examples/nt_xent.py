"""NT-Xent over two towers; run as a script, it compares itself with the reference on two batches."""

import torch
import torch.nn.functional as F
from torch import nn

from infonce_lint.reference import info_nce_loss


class NTXent(nn.Module):
    def __init__(self, batch_size, temperature):
        super().__init__()
        self.batch_size = batch_size
        self.temperature = temperature

    def forward(self, z_i, z_j):
        z = F.normalize(torch.cat([z_i, z_j]), dim=1)
        sim = (z @ z.T / self.temperature).fill_diagonal_(float("-inf"))
        positives = torch.cat([torch.diag(sim, self.batch_size), torch.diag(sim, -self.batch_size)])
        return (torch.logsumexp(sim, dim=1).sum() - positives.sum()) / (2 * self.batch_size)


if __name__ == "__main__":
    torch.manual_seed(0)
    criterion = NTXent(batch_size=8, temperature=0.5)
    for size in (8, 5):
        z_i, z_j = torch.randn(2, size, 32)
        z_j = z_i + 0.1 * z_j
        right = info_nce_loss(torch.cat([z_i, z_j]), temperature=0.5)
        print(f"batch of {size}: loss {criterion(z_i, z_j):.2f}, reference {right:.2f}")
