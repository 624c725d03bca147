"""A teacher that is the moving average of its student."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping
from typing import Any

from mmdet.registry import HOOKS
from mmengine.dist import is_main_process
from mmengine.hooks import Hook
from mmengine.logging import print_log
from mmengine.runner import Runner
from torch import nn

from mmmix.datasets.samplers import check_source_batches
from mmmix.datasets.view_geometry import check_view_geometry
from mmmix.engine.unwrapped_model import unwrapped_model
from mmmix.engine.whole_steps import iterations_per_step
from mmmix.mixing.checks import check_choice, check_integer
from mmmix.models.teachers.branches import check_branches
from mmmix.models.teachers.teacher_progress import TeacherProgress

from .ended_losses import forget_ended
from .pseudo_label_watch import PseudoLabelWatch
from .second_average import check_second_average
from .teacher_pairs import TeacherPairs
from .unstarted_teacher import (
    TEACHER_STARTED,
    let_student_predict,
    teacher_started,
)

BUFFERS = ('copy', 'ema')


@HOOKS.register_module()
class MixTeacherHook(Hook):
    """Keep the teacher of a model at the moving average of its student.

    With n the number of finished iterations and K the ``burn_in``:

    - while n < K the teacher is left alone;
    - at n = K it becomes the student, parameters and buffers, bit by bit (for
      K = 0 before the first iteration);
    - after each optimizer step that follows, ``teacher <- (1 - m) teacher + m
      student``. Between the steps of an accumulated gradient nothing happens.

    Tensors are matched by name. The hook has no state of its own but the counts
    behind its warning: what it does follows from the Runner's counters, so a run
    resumed before, at or after K goes on as if it had never stopped.

    Before every iteration it also puts the teacher in eval mode, which the loop's
    ``model.train()`` undoes, and calls ``model.set_progress(TeacherProgress)``
    where the model has that method. It calls that before the training too, since a
    resumed one may begin with a validation.

    It logs ``teacher_distance``, the Euclidean distance of the teacher's
    parameters from the student's, relative to the norm of the student's. If a
    model returns ``pseudo_count``, the mean number of pseudo-boxes, among its
    losses, the hook warns when there were none for long. The log forgets losses that
    the model returns no more, as those of a warm-up.

    Args:
        momentum: m, in (0, 1]. Adaptive Teacher's is 0.0004.
        burn_in: K, in iterations.
        buffers: ``'copy'`` takes the student's floating-point buffers, such as the
            statistics of BatchNorm, which are averages already; ``'ema'`` averages
            them like parameters. Integer buffers are always copied.
        warmup: With w > 0 the j-th average since K has momentum ``max(m, w / (w +
            j))``, so that the teacher does not cling to the student of
            iteration K. w = 1 is Mean Teacher's rule, the plain mean of all
            students since K.
        keep_loaded_teacher: With K = 0, whether a run that starts from a
            checkpoint with a teacher in it (``load_from``) keeps that teacher. A
            resumed run always does. A teacher saved during burn-in is none.
        empty_patience: Warn after so many iterations in a row without any
            pseudo-box in any process; 0 for never.
        distance_interval: Log the distance every so many iterations; 0 for never.
            This is when the host waits for the device.

    Raises:
        TypeError: If a number of iterations is no integer.
        ValueError: If an argument is out of its range.
    """

    def __init__(
        self,
        momentum: float = 0.0004,
        burn_in: int = 0,
        buffers: str = 'copy',
        warmup: float = 0,
        keep_loaded_teacher: bool = True,
        empty_patience: int = 1000,
        distance_interval: int = 50,
    ) -> None:
        for name, count in (
            ('burn_in', burn_in),
            ('empty_patience', empty_patience),
            ('distance_interval', distance_interval),
        ):
            check_integer(name, count, least=0)
        _check_average(momentum, buffers, warmup)
        self.momentum = momentum
        self.burn_in = burn_in
        self.buffers = buffers
        self.warmup = warmup
        self.keep_loaded_teacher = keep_loaded_teacher
        self.empty_patience = empty_patience
        self.distance_interval = distance_interval
        self._teacher_loaded = self._unstarted = False

    def momentum_at(self, update: int) -> float:
        """Momentum of the ``update``-th average since K, counted from 1."""
        return max(self.momentum, self.warmup / (self.warmup + update))

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """See whether the checkpoint brings a teacher that had started."""
        names = checkpoint.get('state_dict', checkpoint)
        started = teacher_started(checkpoint)
        self._teacher_loaded = started and any(
            name.removeprefix('module.').startswith('teacher.') for name in names
        )
        self._unstarted = not started

    def before_test(self, runner: Runner) -> None:
        """Test the student where burn-in is not over, here or in the checkpoint."""
        if self._unstarted:
            let_student_predict(unwrapped_model(runner))

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Note whether the checkpoint's teacher has started."""
        meta = checkpoint['meta']
        meta[TEACHER_STARTED] = meta['iter'] >= self.burn_in

    def before_train(self, runner: Runner) -> None:
        """Match teacher and student; after burn-in there must be a teacher.

        The model is told how far it is, for a validation before the first iteration.

        Raises:
            TypeError: If the model has no teacher and student, or the burn-in
                would not be known to it.
            ValueError: If teacher and student differ in their tensors, the batches
                of the loader are not those of its ``MixSourceSampler``, a view of
                unlabelled images moves pixels without a record of it, or an
                ``EMAHook`` averages the teacher before it starts.
        """
        model = self._checked_model(runner)
        if self.burn_in:
            check_second_average(runner, self.burn_in)
        loader = runner.train_dataloader
        check_source_batches(loader)
        check_view_geometry(loader.dataset)
        self._pairs = TeacherPairs(model.teacher, model.student)
        self._watch = PseudoLabelWatch(self.empty_patience)
        if self.burn_in > runner.max_iters:
            print_log(
                f'MixTeacherHook: the run ends after {runner.max_iters} iterations, '
                f'before burn_in={self.burn_in}; its teacher never starts',
                logger='current',
                level=logging.WARNING,
            )
        kept = self._teacher_loaded and (runner.iter or self.keep_loaded_teacher)
        self._unstarted = runner.iter < self.burn_in
        if not self._unstarted and not kept:
            self._start_teacher(runner, runner.iter)
        self._tell_progress(runner)

    def before_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: Any = None
    ) -> None:
        """Tell the model how far it is, and keep its teacher in eval mode.

        Raises:
            ValueError: If the batch has not the branches that it needs.
        """
        model = unwrapped_model(runner)
        check_branches(data_batch, getattr(model, 'data_preprocessor', None))
        if model.teacher.training:
            model.teacher.eval()
        self._tell_progress(runner)

    def after_train_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: Any = None,
        outputs: Mapping[str, Any] | None = None,
    ) -> None:
        """Start the teacher, or move it; watch its pseudo-labels and the log."""
        done = runner.iter + 1
        if outputs:
            forget_ended(runner.message_hub, outputs)
        if done < self.burn_in:
            return
        if done == self.burn_in:
            self._start_teacher(runner, done)
        else:
            if runner.optim_wrapper.should_update():
                momentum = self.momentum_at(self._updates(runner, done))
                self._pairs.update(momentum, self.buffers == 'ema')
            if outputs and 'pseudo_count' in outputs:
                self._watch.add(outputs['pseudo_count'], done)
        if self.distance_interval and done % self.distance_interval == 0:
            runner.message_hub.update_scalar(
                'train/teacher_distance', self._pairs.distance()
            )

    def _tell_progress(self, runner: Runner) -> None:
        """Tell the model how far it is, if it listens."""
        model = unwrapped_model(runner)
        if hasattr(model, 'set_progress'):
            model.set_progress(TeacherProgress(runner.iter, self.burn_in))

    def _updates(self, runner: Runner, done: int) -> int:
        """Optimizer steps in the iterations from K to ``done``.

        The last of a run may come early, so the division there rounds up.
        """
        per_step = iterations_per_step(runner.optim_wrapper)
        return math.ceil(done / per_step) - self.burn_in // per_step

    def _start_teacher(self, runner: Runner, done: int) -> None:
        """Teacher := student."""
        self._pairs.copy()
        self._unstarted = False
        if is_main_process():
            runner.logger.info(
                f'The teacher starts as the student of iteration {done}.'
            )

    def _checked_model(self, runner: Runner) -> nn.Module:
        """The model, if it is one that this hook can serve."""
        model = unwrapped_model(runner)
        for name in ('teacher', 'student'):
            if not isinstance(getattr(model, name, None), nn.Module):
                raise TypeError(
                    f'MixTeacherHook needs a model with a {name}, such as MixTeacher; '
                    f'got {type(model).__name__}'
                )
        if self.burn_in and not hasattr(model, 'set_progress'):
            raise TypeError(
                f'{type(model).__name__} has no set_progress and would use its teacher '
                f'during burn_in={self.burn_in}; use MixTeacher, or burn_in=0'
            )
        return model


def _check_average(momentum: float, buffers: str, warmup: float) -> None:
    """Make sure that the settings say how to average.

    Raises:
        ValueError: Naming the one that does not.
    """
    if not 0 < momentum <= 1:
        raise ValueError(
            f'momentum, the weight of the student, must lie in (0, 1], got {momentum}'
        )
    check_choice('buffers', buffers, BUFFERS)
    if not 0 <= warmup < math.inf:
        raise ValueError(f'warmup must be a number >= 0, got {warmup}')
