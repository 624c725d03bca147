"""Samplers whose draws have no number, where the data would read it."""

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
    if isinstance(loader.sampler, MixSourceSampler) or not _seeded(loader.dataset):
        return
    print_log(
        f'SeededDataset has no effect with {type(loader.sampler).__name__}, whose '
        'draws have no number: what images look like depends on the workers, and on '
        'whether the run is resumed. Take MixSourceSampler, which draws from the parts '
        'of a ConcatDataset, or leave SeededDataset out',
        logger='current',
        level=logging.WARNING,
    )


def _seeded(dataset: Any) -> bool:
    """Whether there is a ``SeededDataset`` in a nest of datasets."""
    inside = [getattr(dataset, 'dataset', None), *getattr(dataset, 'datasets', ())]
    found = any(_seeded(one) for one in inside if one is not None)
    return found or isinstance(dataset, SeededDataset)
