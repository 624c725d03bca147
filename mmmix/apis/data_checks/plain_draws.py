"""Indices without the number of their draw, where the data would read it."""

from __future__ import annotations

import logging
from typing import Any

from mmengine.logging import print_log
from mmengine.runner import Runner

from mmmix.datasets import MixSourceSampler, SeededDataset


def warn_of_plain_draws(runner: Runner) -> None:
    """Say where ``SeededDataset`` has no effect: a resumed run would see other images.

    Args:
        runner: A Runner; this builds its training data.
    """
    loader = runner.train_loop.dataloader
    if not _seeded(loader.dataset):
        return
    if not isinstance(loader.sampler, MixSourceSampler):
        what = f'with {type(loader.sampler).__name__}, whose draws have no number'
        fix = 'Take MixSourceSampler, which draws from the parts of a ConcatDataset'
    elif not isinstance(loader.dataset, SeededDataset):
        outer = type(loader.dataset).__name__
        what = f'inside {outer}, which computes indices that have no number'
        fix = f'Put it around {outer}'
    else:
        return
    print_log(
        f'SeededDataset has no effect {what}: what images look like depends on the '
        f'workers, and on whether the run is resumed. {fix}, or leave SeededDataset '
        'out',
        logger='current',
        level=logging.WARNING,
    )


def _seeded(dataset: Any) -> bool:
    """Whether there is a ``SeededDataset`` in a nest of datasets."""
    inside = [getattr(dataset, 'dataset', None), *getattr(dataset, 'datasets', ())]
    found = any(_seeded(one) for one in inside if one is not None)
    return found or isinstance(dataset, SeededDataset)
