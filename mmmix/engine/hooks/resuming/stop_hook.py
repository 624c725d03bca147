"""A training that is told to stop saves first."""

from __future__ import annotations

from collections.abc import Sized
from typing import Any

from mmengine.hooks import Hook
from mmengine.runner import EpochBasedTrainLoop, Runner

from mmmix.engine.stop_signals import Stopped, StopSignals
from mmmix.engine.whole_steps import (
    is_step_whole,
    iterations_per_step,
    warn_of_split_steps,
)

from .stop_agreement import StopAgreement
from .whole_checkpoint_hook import WholeCheckpointHook


class StopHook(Hook):
    """Save after the running iteration once a signal has come, and stop.

    All processes of a run, on whatever machines, stop after the same iteration, though
    the signal may come to one of them alone. They agree by a number that is exchanged
    in the background while the next iteration is made, so nothing waits for it.

    Where a step adds up the gradients of several iterations, which are in no
    checkpoint, the run goes on until the step is made.

    In a validation there is nothing to save but the iterations before it: if a
    checkpoint has them the run ends at once, or with several processes after a batch
    in which all know of it; else after the validation. Resumed, it makes the
    validation again. In a test there is nothing to save.

    Args:
        signals: What the process was asked for.
    """

    # After every hook that the iteration still concerns, and after all that save.
    priority = 'LOWEST'

    def __init__(self, signals: StopSignals) -> None:
        self._signals = signals

    def before_run(self, runner: Runner) -> None:
        """Meet the other processes."""
        self._agreement = StopAgreement(self._signals)
        self._waited = 0

    def before_train(self, runner: Runner) -> None:
        """Say where checkpoints will lack gradients."""
        warn_of_split_steps(runner)

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
        if (
            number
            and not _ends_epoch(runner, batch_idx)
            and self._waits_no_more(runner)
        ):
            self._stop(runner, number, runner.iter + 1, runner.epoch)

    def _waits_no_more(self, runner: Runner) -> bool:
        """Whether a step is made, or could have been: optimizers may take turns."""
        self._waited += 1
        whole = is_step_whole(runner.optim_wrapper)
        return whole or self._waited >= iterations_per_step(runner.optim_wrapper)

    def after_train_epoch(self, runner: Runner) -> None:
        """Stop between an epoch and its validation, which is made after a resume."""
        if not isinstance(runner.train_loop, EpochBasedTrainLoop):
            return
        number = self._agreement.now()
        if number and is_step_whole(runner.optim_wrapper):
            self._stop(runner, number, runner.iter, runner.epoch + 1)

    def before_val_epoch(self, runner: Runner) -> None:
        """Obey at once if all iterations are saved."""
        hooks = _checkpoint_hooks(runner)
        self._unsaved = any(hook.saved_iter != runner.iter for hook in hooks)
        self._begin_evaluation(runner.val_dataloader)

    def before_test_epoch(self, runner: Runner) -> None:
        """Obey at once: a test leaves nothing to be saved."""
        self._unsaved = False
        self._begin_evaluation(runner.test_dataloader)

    def _begin_evaluation(self, batches: Sized) -> None:
        # One process of several must not leave the others alone in the evaluation.
        self._signals.waits = self._unsaved or not self._agreement.alone
        self._agreement.begin_epoch(batches)

    def after_val_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: Any = None,
        outputs: Any = None,
    ) -> None:
        """Stop for a signal that Python could not raise, or that came to others."""
        number = self._agreement.after_batch(batch_idx)
        if number and not self._unsaved:
            self._signals.waits = False
            raise Stopped(number)

    after_test_iter = after_val_iter

    def after_val_epoch(
        self, runner: Runner, metrics: dict[str, float] | None = None
    ) -> None:
        """Stop after a validation that nothing could interrupt."""
        self._signals.waits = True
        number = self._agreement.now()
        if number and is_step_whole(runner.optim_wrapper):
            self._stop(runner, number, runner.iter, runner.epoch)

    def after_train(self, runner: Runner) -> None:
        """The training is done: nothing more to save."""
        self._signals.waits = False

    def after_test_epoch(
        self, runner: Runner, metrics: dict[str, float] | None = None
    ) -> None:
        """The test is done."""
        self._signals.waits = False

    def _stop(self, runner: Runner, number: int, done: int, epoch: int) -> None:
        """Save, and end this process.

        The first process alone writes. torchrun and srun end all processes when one
        of them has ended, so the others wait for it.

        Raises:
            Stopped: Always.
        """
        for hook in _checkpoint_hooks(runner):
            hook.save_now(runner, done, epoch)
        self._agreement.meet()
        self._signals.waits = False
        raise Stopped(number, done)


def _checkpoint_hooks(runner: Runner) -> list[WholeCheckpointHook]:
    return [hook for hook in runner.hooks if isinstance(hook, WholeCheckpointHook)]


def _ends_epoch(runner: Runner, batch_idx: int) -> bool:
    """Whether an iteration is the last one of an epoch that is followed by more.

    The epoch's own hooks come next, and the validation, where the run stops.
    """
    loop = runner.train_loop
    return isinstance(loop, EpochBasedTrainLoop) and batch_idx + 1 == len(
        loop.dataloader
    )
