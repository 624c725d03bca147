"""IterationSeedHook: draws that depend on seed, rank and iteration alone."""

from __future__ import annotations

import random
from types import SimpleNamespace

import numpy as np
import torch

from mmmix.engine import IterationSeedHook


def draws(seed=1, iteration=5):
    """A number from each global generator after the hook."""
    hook = IterationSeedHook()
    hook.before_train_iter(SimpleNamespace(seed=seed, iter=iteration), 0)
    return random.random(), np.random.rand(), torch.rand(()).item()


def test_the_past_does_not_matter():
    first = draws()
    for generate in (random.random, np.random.rand, torch.randn):
        generate() if generate is not torch.randn else torch.randn(1000)
    assert draws() == first


def test_seed_iteration_and_rank_do(monkeypatch):
    seen = [draws(seed, iteration) for seed in (0, 1, 2) for iteration in range(50)]
    module = 'mmmix.engine.hooks.resuming.iteration_seed_hook.get_rank'
    monkeypatch.setattr(module, lambda: 1)
    seen += [draws(seed, iteration) for seed in (0, 1, 2) for iteration in range(50)]
    assert all(len(set(numbers)) == 300 for numbers in zip(*seen))
    # Nor do the three generators draw alike, or neighbours nearly so.
    columns = np.array(seen)
    rows = np.corrcoef(np.vstack([columns.T, np.roll(columns, 1, 0).T]))
    assert np.abs(rows - np.eye(6)).max() < 0.25
    assert np.abs(columns.mean(0) - 0.5).max() < 0.08


def test_large_seeds():
    assert draws(seed=2**31 - 1) != draws(seed=2**31 - 2)
