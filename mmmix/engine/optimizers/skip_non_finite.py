"""Optimizer wrappers that leave out the steps of non-finite losses or gradients."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from mmdet.registry import OPTIM_WRAPPERS
from mmengine.logging import print_log
from mmengine.optim import AmpOptimWrapper, OptimWrapper
from torch import Tensor, nn

from mmmix.mixing.checks import check_integer
from mmmix.mixing.counters import runner_counter

from .buffer_snapshot import BufferSnapshot

SKIPPED = 'skipped_steps'
"""Key of the message hub, and so of checkpoints: how many steps were left out."""
_IN_ROW = 'skipped_steps_in_row'


class _SkipNonFinite:
    """Skips a step whose loss or gradient is not finite; for any wrapper.

    In distributed training gradients are averaged before they are looked at, and a
    non-finite loss makes all gradients of its process non-finite. So every process
    sees the same, and they agree without further communication.
    """

    def __init__(self, *args: Any, max_skipped: int = 20, **kwargs: Any) -> None:
        check_integer('max_skipped', max_skipped, least=1)
        super().__init__(*args, **kwargs)
        self.max_skipped = max_skipped
        self.skipped = False
        """Whether the last step was left out."""
        self._snapshot: BufferSnapshot | None = None

    @contextmanager
    def optim_context(self, model: nn.Module) -> Iterator[None]:
        """The stock context; keeps the buffers of the model before its forward."""
        if self._snapshot is None:
            self._snapshot = BufferSnapshot(model)
        with super().optim_context(model):
            yield

    def backward(self, loss: Tensor, **kwargs: Any) -> None:
        """Propagate back; the gradient of a non-finite loss is not finite.

        Such a loss may have a finite gradient: that of an L1 loss is ±1 even where
        its target is infinite.
        """
        finite = torch.isfinite(loss.detach())
        super().backward(loss * torch.where(finite, 1.0, torch.nan), **kwargs)

    def step(self, **kwargs: Any) -> None:
        """Take the step, or leave it out and undo what the forward pass left.

        Raises:
            FloatingPointError: If ``max_skipped`` steps in a row were left out.
        """
        self.skipped = not self._gradients_are_finite()
        if self.skipped:
            self._skip(**kwargs)
            if self._snapshot is not None:
                self._snapshot.restore()
        else:
            super().step(**kwargs)
        self._snapshot = None
        self._count()

    def _skip(self, **kwargs: Any) -> None:
        """What is done instead of a step."""

    def _gradients_are_finite(self) -> bool:
        """Whether they all are; this waits for the device."""
        gradients = [
            parameter.grad
            for group in self.optimizer.param_groups
            for parameter in group['params']
            if parameter.grad is not None
        ]
        if not gradients:
            return True
        # The largest magnitude, unlike the Euclidean norm, cannot overflow.
        largest = torch._foreach_norm(gradients, float('inf'))
        return bool(torch.isfinite(torch.stack([n.float() for n in largest])).all())

    def _count(self) -> None:
        """Count what was skipped, in the message hub, which checkpoints save."""
        hub = self.message_hub
        total = hub.get_info(SKIPPED, 0) + self.skipped
        in_row = hub.get_info(_IN_ROW, 0) + 1 if self.skipped else 0
        hub.update_info(SKIPPED, total)
        hub.update_info(_IN_ROW, in_row)
        hub.update_scalar(f'train/{SKIPPED}', total)
        if not self.skipped:
            return
        done = runner_counter('iter')
        if in_row >= self.max_skipped:
            raise FloatingPointError(
                f'{in_row} optimizer steps in a row were left out because of a '
                f'non-finite loss or gradient, the last in iteration {done}. The '
                'weights are those from before them. Lower the learning rate, '
                'clip_grad or the loss weights (in domain adaptation lambda_disc), and '
                'go on from an earlier checkpoint; or raise optim_wrapper.max_skipped'
            )
        print_log(
            f'The optimizer step of iteration {done} was left out: its loss or '
            f'gradient is not finite ({total} in this run, {in_row} in a row).',
            logger='current',
            level=logging.WARNING,
        )


@OPTIM_WRAPPERS.register_module()
class SkipNonFiniteOptimWrapper(_SkipNonFinite, OptimWrapper):
    """``OptimWrapper`` that survives a poisoned batch.

    If the loss or a gradient is not finite, the optimizer takes no step, and the
    buffers that the forward pass wrote, such as the statistics of BatchNorm, are put
    back: the iteration leaves no trace. With accumulated gradients this concerns all
    iterations of a step. How many steps were left out is logged as
    ``skipped_steps`` and goes on counting after a resume.

    Args:
        max_skipped: Stop the training after so many steps in a row.
        **kwargs: As ``OptimWrapper``; with ``optimizer`` first, as there.

    Raises:
        TypeError, ValueError: If ``max_skipped`` is no positive integer.
    """


@OPTIM_WRAPPERS.register_module()
class SkipNonFiniteAmpOptimWrapper(_SkipNonFinite, AmpOptimWrapper):
    """``AmpOptimWrapper`` with the same guard.

    Its loss scaler leaves out steps by itself and lowers its scale; now and then that
    is how it works. Here the buffers are put back too, and the training stops where
    lowering the scale does not help.

    Args:
        max_skipped: Stop the training after so many steps in a row.
        **kwargs: As ``AmpOptimWrapper``.

    Raises:
        TypeError, ValueError: If ``max_skipped`` is no positive integer.
    """

    def _skip(self, **kwargs: Any) -> None:
        """Let the scaler skip the step, and lower its scale.

        One that is switched off, as bfloat16 needs none, would take it.
        """
        if self.loss_scaler.is_enabled():
            AmpOptimWrapper.step(self, **kwargs)
