"""What samplers draw: whether it ends, is enough for a batch, and is numbered."""

from __future__ import annotations

import logging
from typing import Any

from mmdet.datasets.samplers import MultiSourceSampler
from mmengine.dataset import InfiniteSampler
from mmengine.logging import print_log
from mmengine.runner import IterBasedTrainLoop, Runner

from mmmix.datasets import MixSourceSampler, SeededDataset
from mmmix.datasets.nested import nested_datasets

_ENDLESS = (InfiniteSampler, MultiSourceSampler, MixSourceSampler)


def check_epochs_end(runner: Runner, splits: tuple[str, ...]) -> None:
    """Refuse a sampler without end where a loop goes through all of its draws.

    Args:
        runner: A Runner; this builds its data loaders.
        splits: Of ``'train'``, ``'val'`` and ``'test'`` those that are used.

    Raises:
        ValueError: If a loop would never end an epoch, with the loop to take.
    """
    for split in splits:
        loop = getattr(runner, f'{split}_loop')
        if loop is None or isinstance(loop, IterBasedTrainLoop):
            continue
        name = _endless_sampler(loop.dataloader)
        if name is None:
            continue
        fix = (
            "train_cfg=dict(_delete_=True, type='IterBasedTrainLoop', max_iters=..., "
            'val_interval=...), with by_epoch=False in the checkpoint hook, the '
            'schedulers and the log processor'
            if split == 'train'
            else f'{split}_dataloader=dict(sampler=dict(_delete_=True, '
            "type='DefaultSampler', shuffle=False))"
        )
        raise ValueError(
            f'{name} draws without end, and {type(loop).__name__} waits for the end of '
            f'an epoch: nothing would be validated or saved. Set {fix}'
        )


def _endless_sampler(loader: Any) -> str | None:
    """The name of a loader's sampler, if its draws have no end."""
    for holder in (loader, getattr(loader, 'batch_sampler', None)):
        sampler = getattr(holder, 'sampler', None)
        if isinstance(sampler, _ENDLESS):
            return type(sampler).__name__
    return None


def check_batches(runner: Runner) -> None:
    """Refuse a training whose data has no whole batch, and that would do nothing.

    Args:
        runner: A Runner; this builds its training loop.

    Raises:
        ValueError: If no batch would come, with the number of images.
    """
    loader = runner.train_loop.dataloader
    if _endless_sampler(loader) or not hasattr(loader, '__len__') or len(loader):
        return
    size = runner.cfg.train_dataloader.get('batch_size', 1)
    raise ValueError(
        f'train_dataloader makes no batch of {len(loader.dataset)} images with '
        f'batch_size={size}: nothing would be trained. Take a smaller batch_size, or '
        'drop_last=False'
    )


def warn_of_plain_draws(runner: Runner) -> None:
    """Say where ``SeededDataset`` has no effect: a resumed run would see other images.

    Args:
        runner: A Runner; this builds its training data.
    """
    loader = runner.train_loop.dataloader
    inside = nested_datasets(loader.dataset)
    if not any(isinstance(one, SeededDataset) for one in inside):
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
