"""Samplers without end in loops that wait for the end."""

from __future__ import annotations

from mmdet.datasets.samplers import MultiSourceSampler
from mmengine.dataset import InfiniteSampler
from mmengine.runner import IterBasedTrainLoop, Runner
from torch.utils.data import DataLoader

from mmmix.datasets import MixSourceSampler

ENDLESS = (InfiniteSampler, MultiSourceSampler, MixSourceSampler)


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


def _endless_sampler(loader: DataLoader) -> str | None:
    """The name of a loader's sampler, if its draws have no end."""
    for sampler in (loader.sampler, getattr(loader.batch_sampler, 'sampler', None)):
        if isinstance(sampler, ENDLESS):
            return type(sampler).__name__
    return None
