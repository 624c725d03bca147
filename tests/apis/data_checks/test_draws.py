"""``SeededDataset`` that is given indices without the number of their draw."""

from __future__ import annotations

import re
from types import SimpleNamespace

import pytest
import torch
from mmengine.dataset import ConcatDataset, DefaultSampler, InfiniteSampler
from torch.utils.data import DataLoader

from mmmix.apis.data_checks import draws, warn_of_plain_draws
from mmmix.datasets import MixSourceSampler, SeededDataset
from tests.datasets.samplers.sources import Shapes


def seeded():
    return SeededDataset(ConcatDataset([Shapes(5, 0), Shapes(6, 0)]))


def part_of_another():
    return torch.utils.data.ConcatDataset([Shapes(4, 0), seeded()])


def mixed_sources(dataset):
    return MixSourceSampler(dataset, 2, [1, 1], seed=0)


@pytest.mark.parametrize(
    ('build', 'sampler', 'named'),
    [
        (seeded, mixed_sources, None),
        (lambda: seeded().dataset, InfiniteSampler, None),
        (seeded, InfiniteSampler, 'InfiniteSampler'),
        (seeded, DefaultSampler, 'DefaultSampler'),
        (part_of_another, DefaultSampler, 'DefaultSampler'),
        (part_of_another, mixed_sources, 'ConcatDataset'),
    ],
)
def test_it_is_warned_of(build, sampler, named, monkeypatch):
    said = []
    monkeypatch.setattr(draws, 'print_log', lambda text, **_: said.append(text))
    dataset = build()
    loader = DataLoader(dataset, 2, sampler=sampler(dataset))
    warn_of_plain_draws(SimpleNamespace(train_loop=SimpleNamespace(dataloader=loader)))
    start = f'SeededDataset has no effect (with|inside) {named}, wh'
    assert [bool(re.match(start, text)) for text in said] == [True] * (
        named is not None
    )
