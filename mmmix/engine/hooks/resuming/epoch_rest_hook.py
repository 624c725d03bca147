"""A resume in the middle of an epoch."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

from mmdet.registry import HOOKS
from mmengine.hooks import Hook
from mmengine.runner import EpochBasedTrainLoop, Runner
from torch.utils.data import DataLoader

from .last_validation import EPOCH_DONE


@HOOKS.register_module()
class EpochRestHook(Hook):
    """Let an epoch-based run that was stopped in an epoch go on with its rest.

    mmengine would begin that epoch again, with the count of iterations of its middle.
    Here the batches that were trained on are loaded and left out.
    ``WholeCheckpointHook`` has noted how many.
    """

    # After the hooks that prepare the loader for the coming epoch.
    priority = 'LOWEST'

    def before_train(self, runner: Runner) -> None:
        """Read where the run was stopped.

        Raises:
            ValueError: If an epoch had another number of batches then.
        """
        self._done, length = runner.message_hub.get_info(EPOCH_DONE) or (0, 0)
        loop = runner.train_loop
        if not isinstance(loop, EpochBasedTrainLoop) or not runner.iter:
            self._done = 0
        if self._done and length != len(loop.dataloader):
            raise ValueError(
                f'the run was stopped after {self._done} of the {length} batches of an '
                f'epoch, which now has {len(loop.dataloader)}: resume it with the same '
                'data, batch size and number of processes, or from the checkpoint of '
                'an epoch with --resume CHECKPOINT'
            )

    def before_train_epoch(self, runner: Runner) -> None:
        """Shorten the first epoch."""
        if self._done:
            runner.logger.info(f'{self._done} batches of the epoch are left out')
            loop = runner.train_loop
            loop.dataloader = _Rest(loop.dataloader, self._done)

    def after_train_epoch(self, runner: Runner) -> None:
        """Give the loader back."""
        if self._done:
            self._done = 0
            runner.train_loop.dataloader = runner.train_loop.dataloader.whole


class _Rest:
    """A loader whose first batches are left out."""

    def __init__(self, whole: DataLoader, done: int) -> None:
        self.whole = whole
        self._done = done

    def __iter__(self) -> Iterator[Any]:
        return islice(self.whole, self._done, None)

    def __len__(self) -> int:
        return len(self.whole) - self._done

    def __getattr__(self, name: str) -> Any:
        return getattr(self.whole, name)
