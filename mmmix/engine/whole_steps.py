"""Steps of an optimizer that add up the gradients of several iterations."""

from __future__ import annotations

import logging
import math

from mmengine.hooks import CheckpointHook
from mmengine.logging import print_log
from mmengine.optim import BaseOptimWrapper, OptimWrapperDict
from mmengine.runner import EpochBasedTrainLoop, Runner


def is_step_whole(wrapper: BaseOptimWrapper) -> bool:
    """Whether no gradients wait for the step that they belong to.

    It follows from the count of iterations, so all processes find the same.

    Args:
        wrapper: Of a run between two iterations. One that does not tell when it
            updates is taken to do so in each.
    """
    return all(
        each.should_update()
        for each in _single(wrapper)
        if hasattr(each, 'should_update')
    )


def iterations_per_step(wrapper: BaseOptimWrapper) -> int:
    """After how many iterations a step of each optimizer is whole, at the latest."""
    counts = [getattr(each, '_accumulative_counts', 1) for each in _single(wrapper)]
    return math.lcm(*counts)


def warn_of_split_steps(runner: Runner) -> None:
    """Warn of checkpoints that are due between the iterations of a step.

    What was added up of the gradients is in no checkpoint.

    Args:
        runner: Of a training that is about to begin.
    """
    count = iterations_per_step(runner.optim_wrapper)
    in_epochs = isinstance(runner.train_loop, EpochBasedTrainLoop)
    length = len(runner.train_dataloader) if in_epochs else 1
    for hook in runner.hooks:
        if not isinstance(hook, CheckpointHook):
            continue
        if in_epochs or not hook.by_epoch:
            key = 'default_hooks.checkpoint.interval'
            unit = length if hook.by_epoch else 1
            _warn_if_split(key, hook.interval, hook.save_begin, unit, count)
        if hook.save_best and runner.val_loop is not None:  # saves the last one, too
            # Those of a loop begin with its val_interval.
            intervals = list(dict.fromkeys(runner.train_loop.dynamic_intervals))
            for number, interval in enumerate(intervals):
                key = 'dynamic_intervals' if number else 'val_interval'
                key = f'train_cfg.{key} (with save_best)'
                _warn_if_split(key, interval, 0, length, count)


def _warn_if_split(key: str, interval: int, begin: int, unit: int, count: int) -> None:
    """Warn if an interval ends between the iterations of a step.

    Args:
        key: Of the interval in a config.
        interval: Units between two checkpoints; not positive for none.
        begin: The unit from which they are counted, as ``save_begin``.
        unit: Iterations of one: of an epoch, or 1.
        count: Iterations of a step.
    """
    fewest = count // math.gcd(unit, count)
    if interval <= 0 or (interval % fewest == 0 and begin % fewest == 0):
        return
    what = f'epochs of {unit} iterations' if unit > 1 else 'iterations'
    start = f' from save_begin={begin} on' if begin else ''
    print_log(
        f'{key}={interval} {what}{start} saves between two steps, which add up {count} '
        'iterations (optim_wrapper.accumulative_counts): a run that is resumed from '
        f'such a checkpoint lacks gradients. Set it{" and save_begin" * (begin > 0)} '
        f'to a multiple of {fewest}, such as {math.ceil(interval / fewest) * fewest}',
        logger='current',
        level=logging.WARNING,
    )


def _single(wrapper: BaseOptimWrapper) -> list[BaseOptimWrapper]:
    """The wrappers of single optimizers."""
    if isinstance(wrapper, OptimWrapperDict):
        return list(wrapper.values())
    return [wrapper]
