"""Mixing for a part of the training."""

from __future__ import annotations

import logging
from typing import Any

from mmdet.registry import HOOKS
from mmengine.dist import is_main_process
from mmengine.hooks import Hook
from mmengine.logging import print_log
from mmengine.runner import IterBasedTrainLoop, Runner

from mmmix.engine.find_mixers import (
    find_batch_mixers,
    find_image_mixers,
    label_mixers,
)
from mmmix.engine.unwrapped_model import unwrapped_model
from mmmix.mixing.checks import check_integer


@HOOKS.register_module()
class MixScheduleHook(Hook):
    """Switch every mixer on and off as the training goes.

    Mixing is on while ``begin <= t < end``, where t counts finished iterations
    (or epochs). The state follows from t alone, so a resumed run is right.
    LossMix-Partial (LossMix, Table 3) is ``end=16000`` of 18,000 iterations;
    "no mixing in the last 10 epochs" is ``last=10, by_epoch=True``.

    It also tells mixers of images the epoch, a counter of their draws, which workers
    that live on do not see otherwise. They work ahead of the training by the loader's
    prefetched batches, so there an iteration is met up to that many batches early; an
    epoch is met exactly. And it tells all mixers the seed of their process.

    Args:
        begin: First t with mixing.
        end: First t without; None for never.
        last: Length of the final part without mixing, instead of ``end``.
        by_epoch: Count epochs instead of iterations; in a loop that has epochs.

    Raises:
        TypeError: If a bound is no integer.
        ValueError: If a bound is negative, both ``end`` and ``last`` are given,
            or ``end`` does not come after ``begin``.
    """

    priority = 'ABOVE_NORMAL'

    def __init__(
        self,
        begin: int = 0,
        end: int | None = None,
        last: int | None = None,
        by_epoch: bool = False,
    ) -> None:
        for name, bound in (('begin', begin), ('end', end), ('last', last)):
            if bound is None and name != 'begin':
                continue
            check_integer(name, bound, least=0)
        if end is not None and last is not None:
            raise ValueError(f'give end or last, not both: {end=}, {last=}')
        if end is not None and end < begin:
            raise ValueError(f'end must not come before begin: {begin=}, {end=}')
        self.begin = begin
        self.end = end
        self.last = last
        self.by_epoch = by_epoch
        self._state: bool | None = None

    def __repr__(self) -> str:
        return (
            f'MixScheduleHook(begin={self.begin}, end={self.end}, last={self.last}, '
            f'by_epoch={self.by_epoch})'
        )

    def enabled_at(self, t: int, total: int) -> bool:
        """Whether mixing is on after ``t`` of ``total`` iterations (or epochs)."""
        end = total - self.last if self.last is not None else self.end
        return t >= self.begin and (end is None or t < end)

    def before_train(self, runner: Runner) -> None:
        """Set the state before the loader's workers start.

        Raises:
            ValueError: If epochs are to be counted in a loop that has one alone.
        """
        if self.by_epoch and isinstance(runner.train_loop, IterBasedTrainLoop):
            raise ValueError(
                f'{self} counts epochs, and {type(runner.train_loop).__name__} counts '
                'iterations alone, so it would never switch: give iterations, with '
                f'by_epoch=False (the training has {runner.max_iters})'
            )
        self._state = None
        # A checkpoint has the first process's, and mmengine hands that to all that are
        # resumed from it; with randomness.diff_rank_seed each has a seed of its own.
        runner.message_hub.update_info('seed', runner.seed)
        self._image_mixers = find_image_mixers(runner.train_dataloader.dataset)
        self._batch_mixers = find_batch_mixers(runner.model)
        self._warn_if_never_on(runner)
        self._warn_of_other_mixers(runner)
        self._switch(runner)

    def before_train_epoch(self, runner: Runner) -> None:
        """Set the state and the epoch before the epoch's first batch is loaded."""
        for mixer in self._image_mixers:
            mixer.set_epoch(runner.epoch)
        self._switch(runner)

    def before_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: Any = None
    ) -> None:
        """Set the state of this iteration."""
        self._switch(runner)

    def _warn_if_never_on(self, runner: Runner) -> None:
        """Say that a whole training goes without mixing."""
        _, total = self._progress(runner)
        on = self.begin < total and self.enabled_at(self.begin, total)
        if on or not (self._batch_mixers or self._image_mixers):
            return
        print_log(
            f'{self} never mixes in a training of {total} '
            f'{"epochs" if self.by_epoch else "iterations"}: lower begin or last, or '
            'raise end',
            logger='current',
            level=logging.WARNING,
        )

    def _warn_of_other_mixers(self, runner: Runner) -> None:
        """Say of a classifier that what mixes its labels goes on all the time."""
        names = label_mixers(unwrapped_model(runner))
        if names and (self.begin or self.end is not None or self.last is not None):
            print_log(
                f'{self} has no effect on {", ".join(names)}: it switches mixers of '
                'detectors alone. Take it out of custom_hooks',
                logger='current',
                level=logging.WARNING,
            )

    def _progress(self, runner: Runner) -> tuple[int, int]:
        """How many iterations (or epochs) are done, and of how many."""
        if self.by_epoch:
            return runner.epoch, runner.max_epochs
        return runner.iter, runner.max_iters

    def _switch(self, runner: Runner) -> None:
        """Bring every mixer into the state of the runner's counter."""
        t, total = self._progress(runner)
        enabled = self.enabled_at(t, total)
        if enabled == self._state:
            return
        for mixer in (*self._batch_mixers, *self._image_mixers):
            mixer.enabled = enabled
        if is_main_process() and (self._batch_mixers or self._image_mixers):
            unit = 'epoch' if self.by_epoch else 'iteration'
            runner.logger.info(
                f'Mixing is {"on" if enabled else "off"} from {unit} {t}.'
            )
        self._state = enabled
