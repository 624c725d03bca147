"""Alarms of a training that goes wrong."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import torch
from mmdet.registry import HOOKS
from mmengine.dist import all_gather_object, all_reduce
from mmengine.hooks import Hook
from mmengine.logging import print_log
from mmengine.runner import Runner
from torch import Tensor

from mmmix.engine.unwrapped_model import unwrapped_model
from mmmix.mixing.checks import check_integer


class _Pass(NamedTuple):
    """An iteration whose gradients are part of a step."""

    iteration: int
    losses: Mapping[str, Tensor]
    images: set[str]


@HOOKS.register_module()
class DivergenceWatchHook(Hook):
    """Warn of a loss that grows, and say where a non-finite one comes from.

    The mean loss of each block of iterations is compared with the lowest of the
    blocks before it. Non-finite losses are left out. The two phases of a teacher
    have different losses, so the comparison begins anew with the second.

    When ``SkipNonFiniteOptimWrapper`` leaves out a step, the hook names the losses
    that were not finite and the images of that step, of all processes and, with
    accumulated gradients, of all its iterations.

    Args:
        patience: Iterations in a block; 0 for no comparison.
        factor: Warn if a block's loss exceeds this multiple of the lowest.

    Raises:
        TypeError: If ``patience`` is no integer.
        ValueError: If an argument is out of its range.
    """

    priority = 'LOW'

    def __init__(self, patience: int = 500, factor: float = 3.0) -> None:
        check_integer('patience', patience, least=0)
        if not 1 < factor < math.inf:
            raise ValueError(f'factor must be a number above 1, got {factor}')
        self.patience = patience
        self.factor = factor

    def before_train(self, runner: Runner) -> None:
        """Forget everything."""
        self._phase: bool | None = None
        self._lowest = math.inf
        self._begin_block()
        self._passes: list[_Pass] = []

    def after_train_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: Any = None,
        outputs: Mapping[str, Any] | None = None,
    ) -> None:
        """Take the loss of an iteration."""
        outputs = outputs or {}
        self._watch_step(runner, outputs, data_batch)
        if not self.patience or 'loss' not in outputs:
            return
        phase = _burning_in(runner)
        if phase != self._phase:
            self._phase, self._lowest = phase, math.inf
            self._begin_block()
        loss = torch.as_tensor(outputs['loss']).detach().float()
        finite = torch.isfinite(loss)
        self._sums = self._sums.to(loss.device)
        self._sums += torch.stack([torch.where(finite, loss, 0.0), finite.float()])
        self._seen += 1
        if self._seen == self.patience:
            self._end_block(runner.iter + 1)

    def _begin_block(self) -> None:
        """No loss so far: their sum and their number."""
        self._sums = torch.zeros(2)
        self._seen = 0

    def _end_block(self, done: int) -> None:
        """Compare the mean loss of the block with the lowest so far."""
        all_reduce(self._sums)
        total, count = self._sums.tolist()
        self._begin_block()
        if not count:
            return
        mean = total / count
        if mean > self.factor * self._lowest:
            print_log(
                f'The loss grows: its mean over the last {self.patience} iterations '
                f'(until {done}) is {mean:.4g}, the lowest was {self._lowest:.4g}. '
                'Look at the single terms; lower the learning rate, clip_grad or the '
                'weight of the term that grows, and go on from an earlier checkpoint',
                logger='current',
                level=logging.WARNING,
            )
        self._lowest = min(self._lowest, mean)

    def _watch_step(
        self, runner: Runner, outputs: Mapping[str, Any], data_batch: Any
    ) -> None:
        """Keep what a step is made of until it is taken; report it if it is not."""
        wrapper = runner.optim_wrapper
        if not hasattr(wrapper, 'skipped'):
            return
        done = wrapper.should_update()  # until then ``skipped`` is of the last step
        if not done or wrapper.skipped:
            losses = {n: torch.as_tensor(v).detach() for n, v in outputs.items()}
            self._passes.append(
                _Pass(runner.iter, losses, set(_image_paths(data_batch)))
            )
        if not done:
            return
        if wrapper.skipped:
            self._report(self._passes)
        self._passes = []

    def _report(self, passes: Sequence[_Pass]) -> None:
        """Name the non-finite losses and the images of a skipped step."""
        losses = [item for one in passes for item in one.losses.items()]
        bad = {name for name, value in losses if not torch.isfinite(value).all()}
        found = all_gather_object((bad, set().union(*(one.images for one in passes))))
        names = sorted({name for theirs, _ in found for name in theirs})
        images = sorted({image for _, theirs in found for image in theirs})
        first, last = passes[0].iteration, passes[-1].iteration
        when = f'iteration {last}'
        if first != last:
            when = f'the step of iterations {first} to {last}'
        print_log(
            f'In {when} {", ".join(names) or "gradients"} were not finite. Its images: '
            f'{", ".join(images) or "unknown"}',
            logger='current',
            level=logging.WARNING,
        )


def _burning_in(runner: Runner) -> bool:
    """Whether the model of a run is in its warm-up; False if it has none."""
    model = unwrapped_model(runner)
    progress = getattr(model, 'progress', None)
    return progress is not None and progress.burning_in


def _image_paths(data: Any) -> Iterator[str]:
    """The paths of all images of a batch of any number of branches."""
    if isinstance(data, Mapping):
        data = data.get('data_samples', data)
    if isinstance(data, Mapping):
        data = data.values()
    elif hasattr(data, 'metainfo'):
        if data.get('img_path') is not None:
            yield str(data.get('img_path'))
        return
    if isinstance(data, Tensor) or not hasattr(data, '__iter__'):
        return
    for part in data:
        if not isinstance(part, (str, bytes)):
            yield from _image_paths(part)
