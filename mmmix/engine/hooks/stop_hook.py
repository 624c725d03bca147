"""A training that is told to stop saves first."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import torch
from mmengine.dist import get_dist_info
from mmengine.hooks import Hook
from mmengine.runner import EpochBasedTrainLoop, Runner
from torch import distributed as dist

from mmmix.engine.hooks.whole_checkpoint_hook import WholeCheckpointHook
from mmmix.engine.stop_signals import Stopped, StopSignals


class StopHook(Hook):
    """Save after the running iteration once a signal has come, and stop.

    All processes of a run stop after the same iteration. They agree by the maximum of
    one number, whose exchange runs in the background while the next iteration is
    made, so nothing waits for it.

    In a validation there is nothing to save but the iterations before it: if a
    checkpoint has them the run ends at once, else after the validation. Resumed, it
    makes the validation again.

    Args:
        signals: What the process was asked for.
    """

    # After every hook that the iteration still concerns, and after all that save.
    priority = 'LOWEST'

    def __init__(self, signals: StopSignals) -> None:
        self._signals = signals

    def before_run(self, runner: Runner) -> None:
        """Meet the other processes."""
        self._agreement = _Agreement(self._signals)

    def before_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: Any = None
    ) -> None:
        """From here on there is something to save."""
        self._signals.waits = True

    def after_train_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: Any = None,
        outputs: Any = None,
    ) -> None:
        """Stop, unless the epoch ends here and has hooks of its own to come."""
        number = self._agreement.after_iteration()
        if number and not _ends_epoch(runner, batch_idx):
            self._stop(runner, number, runner.iter + 1, runner.epoch)

    def after_train_epoch(self, runner: Runner) -> None:
        """Stop between an epoch and its validation, which is made after a resume."""
        if not isinstance(runner.train_loop, EpochBasedTrainLoop):
            return
        number = self._agreement.now()
        if number:
            self._stop(runner, number, runner.iter, runner.epoch + 1)

    def before_val_epoch(self, runner: Runner) -> None:
        """Obey at once if all iterations are saved."""
        self._signals.waits = _unsaved(runner, runner.iter)

    def after_val_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: Any = None,
        outputs: Any = None,
    ) -> None:
        """Stop, if a signal's exception was lost where Python cannot raise it."""
        if not self._signals.waits:
            self._signals.check()

    after_test_iter = after_val_iter

    def after_val_epoch(
        self, runner: Runner, metrics: dict[str, float] | None = None
    ) -> None:
        """Stop after a validation that nothing could interrupt."""
        self._signals.waits = True
        number = self._agreement.now()
        if number:
            self._stop(runner, number, runner.iter, runner.epoch)

    def after_train(self, runner: Runner) -> None:
        """The training is done: nothing more to save."""
        self._signals.waits = False

    def _stop(self, runner: Runner, number: int, done: int, epoch: int) -> None:
        """Save, and end this process.

        Raises:
            Stopped: Always.
        """
        for hook in _checkpoint_hooks(runner):
            hook.save_now(runner, done, epoch)
        self._signals.waits = False
        raise Stopped(number)


def _checkpoint_hooks(runner: Runner) -> list[WholeCheckpointHook]:
    return [hook for hook in runner.hooks if isinstance(hook, WholeCheckpointHook)]


def _unsaved(runner: Runner, done: int) -> bool:
    """Whether a checkpoint could be saved that there is not yet."""
    return any(hook.saved_iter != done for hook in _checkpoint_hooks(runner))


def _ends_epoch(runner: Runner, batch_idx: int) -> bool:
    """Whether an iteration is the last one of an epoch that is followed by more.

    The epoch's own hooks come next, and the validation, where the run stops.
    """
    loop = runner.train_loop
    return isinstance(loop, EpochBasedTrainLoop) and batch_idx + 1 == len(
        loop.dataloader
    )


class _Agreement:
    """The greatest signal number that any process of a run has received.

    Args:
        signals: What this process received.
    """

    def __init__(self, signals: StopSignals) -> None:
        self._signals = signals
        self._alone = get_dist_info()[1] == 1
        self._work: dist.Work | None = None
        self._number = torch.zeros(1, dtype=torch.int)
        if not self._alone:
            # Numbers on the host: the device is not waited for.
            self._group = dist.new_group(backend='gloo', timeout=timedelta(hours=1))

    def after_iteration(self) -> int:
        """What all had received one iteration ago; 0 for nothing.

        A process alone need not wait for an answer.
        """
        if self._alone:
            return self._signals.received or 0
        number = self._answer()
        self._ask()
        return number

    def now(self) -> int:
        """What all have received by now; 0 for nothing."""
        if self._alone:
            return self._signals.received or 0
        before = self._answer()
        self._ask()
        return max(before, self._answer())

    def _ask(self) -> None:
        self._number = torch.tensor([self._signals.received or 0], dtype=torch.int)
        self._work = dist.all_reduce(
            self._number, dist.ReduceOp.MAX, group=self._group, async_op=True
        )

    def _answer(self) -> int:
        if self._work is not None:
            self._work.wait()
            self._work = None
        return int(self._number)
