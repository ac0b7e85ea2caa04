import torch
import torch.nn.functional as F


def train_step(run, image_rows, text_rows):
    logits = image_rows @ text_rows.T / run.tau
    labels = torch.arange(run.rows_per_step)
    return F.cross_entropy(logits, labels)
