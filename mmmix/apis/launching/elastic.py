"""Runs that go on with another number of processes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mmengine.config import Config
from mmengine.dist import get_world_size
from mmengine.logging import print_log

from mmmix.engine.images_per_step import (
    IMAGES_PER_STEP,
    ImagesPerStep,
    images_per_step,
)

OPTION = '--auto-scale-batch'


def keep_images_per_step(cfg: Config, meta: Mapping[str, Any], scale: bool) -> None:
    """Let a step of a resumed run have as many images as it had.

    Learning rate, schedule and the count of iterations are all meant for that number.
    mmengine reads them from the checkpoint, so ``--auto-scale-lr`` has no say in a run
    that is resumed. A checkpoint that does not tell the number, as older versions wrote
    it, is taken as it is.

    Args:
        cfg: The run's config. ``train_dataloader.batch_size`` is changed if ``scale``.
        meta: Of the checkpoint.
        scale: Whether each process may take more or fewer images.

    Raises:
        ValueError: With the numbers, if they differ and ``scale`` is off, or if the
            images cannot be shared out evenly.
    """
    before = ImagesPerStep.from_dict(meta.get(IMAGES_PER_STEP))
    now = images_per_step(cfg, get_world_size())
    if before is None or now is None or before.images == now.images:
        return
    _check_divisible(before, now)
    batch = before.images // (now.processes * now.passes)
    if not scale:
        raise ValueError(
            f'{_numbers(before, now)} {OPTION} gives each process {batch}, so that a '
            f'step has {before.images} again: '
            f'{ImagesPerStep(now.processes, batch, now.passes).text()}'
        )
    _check_sampler(cfg, before, now)
    cfg.train_dataloader.batch_size = batch
    print_log(
        f'{_numbers(before, now)} Each process takes {batch} images from now on, so '
        'that a step has as many as before. It sees the same images; draws within the '
        'processes differ, so the run is not the same bit by bit.'
    )


def _numbers(before: ImagesPerStep, now: ImagesPerStep) -> str:
    return (
        f'The checkpoint is of a run with {before.text()} images a step, now it would '
        f'be {now.text()}.'
    )


def _check_divisible(before: ImagesPerStep, now: ImagesPerStep) -> None:
    """Refuse numbers of processes among which the images cannot be shared out.

    Raises:
        ValueError: With the numbers that are possible.
    """
    if before.images % (now.processes * now.passes) == 0:
        return
    share = before.images // now.passes
    fitting = [str(n) for n in range(1, share + 1) if share % n == 0]
    passes = f' in {now.passes} passes' if now.passes > 1 else ''
    raise ValueError(
        f'{_numbers(before, now)} {before.images} images cannot be shared out evenly '
        f'among {now.processes} processes{passes}; go on with one of these numbers: '
        f'{", ".join(fitting)}'
        if before.images % now.passes == 0
        else f'{_numbers(before, now)} {before.images} images cannot be shared out '
        f'evenly in optim_wrapper.accumulative_counts={now.passes} passes; set it back '
        f'to {before.passes}'
    )


def _check_sampler(cfg: Config, before: ImagesPerStep, now: ImagesPerStep) -> None:
    """Refuse to change a batch whose parts have sizes of their own.

    Raises:
        ValueError: If the sampler shares batches out among sources.
    """
    sampler = cfg.train_dataloader.get('sampler') or {}
    if 'source_ratio' in sampler or 'batch_size' in sampler:
        raise ValueError(
            f'{_numbers(before, now)} train_dataloader.sampler shares a batch out '
            f'among sources, so {OPTION} leaves it alone: set '
            'train_dataloader.batch_size, .sampler.batch_size and '
            '.sampler.source_ratio by --cfg-options, so that the product is '
            f'{before.images}'
        )
