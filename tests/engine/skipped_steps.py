"""Steps that are finite and steps that are not, of a net of a few numbers."""

from __future__ import annotations

import torch
from torch import nn

from mmmix.engine import SkipNonFiniteOptimWrapper

GOOD, BAD = torch.linspace(-1, 1, 8).view(4, 2), torch.full((4, 2), float('nan'))


def net():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3), nn.Linear(3, 1))


def wrap(model, kind=SkipNonFiniteOptimWrapper, **settings):
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    return kind(optimizer=optimizer, **settings)


def step(model, wrapper, images=GOOD, change=None):
    with wrapper.optim_context(model):
        loss = model(images).square().mean()
    wrapper.update_params(loss if change is None else change(loss))


def infinite_with_finite_gradient(loss):
    return loss + float('inf')
