"""What changes in a run when the warm-up of a domain-adaptive teacher ends."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mmdet.registry import HOOKS
from mmengine.hooks import Hook
from mmengine.runner import Runner
from torch import nn

from mmmix.engine.unwrapped_model import unwrapped_model

CURRENT = 'current'
"""Prefix of the metrics of the model that counts."""


@HOOKS.register_module()
class DomainTeacherHook(Hook):
    """Evaluate the model that counts, and start the discriminator afresh.

    Beside the metrics of ``TeacherStudentValLoop``, ``teacher/...`` and
    ``student/...``, there are ``current/...``: the student's during warm-up, when
    there is no teacher yet, and the teacher's from then on. Choose the best
    checkpoint by these, ``CheckpointHook(save_best='current/pascal_voc/mAP')`` say.
    Without a training they are those of ``semi_test_cfg.predict_on``.

    At the end of warm-up the optimizer forgets what it remembers of the
    discriminator, whose weights ``MixedDomainTeacher`` draws anew there.

    It needs ``MixTeacherHook``, which knows the length of the warm-up.
    """

    # Before RuntimeInfoHook, which hands the metrics on to the log.
    priority = 'HIGHEST'

    def after_train_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: Any = None,
        outputs: Mapping[str, Any] | None = None,
    ) -> None:
        """At the end of warm-up, drop the discriminator's momenta.

        Raises:
            TypeError: If nothing tells the model how far it is.
        """
        model = unwrapped_model(runner)
        progress = getattr(model, 'progress', None)
        if progress is None:
            raise TypeError(
                "DomainTeacherHook needs dict(type='MixTeacherHook') in custom_hooks "
                f'and a model such as MixedDomainTeacher, got {type(model).__name__}'
            )
        if runner.iter + 1 == progress.burn_in:
            discriminator = getattr(model, 'discriminator', None) or nn.Module()
            for parameter in discriminator.parameters():
                runner.optim_wrapper.optimizer.state.pop(parameter, None)

    def after_val_epoch(
        self, runner: Runner, metrics: dict[str, float] | None = None
    ) -> None:
        """Add the metrics of the model that counts.

        Raises:
            KeyError: If there are no metrics of that model.
        """
        if not metrics:
            return
        prefix = f'{self._current(runner)}/'
        found = {
            f'{CURRENT}/{name.removeprefix(prefix)}': value
            for name, value in metrics.items()
            if name.startswith(prefix)
        }
        if not found:
            raise KeyError(
                f'DomainTeacherHook found no metric {prefix}... among '
                f'{sorted(metrics)}; set val_cfg = dict(type="TeacherStudentValLoop")'
            )
        metrics.update(found)

    def _current(self, runner: Runner) -> str:
        """Which of the two models counts."""
        model = unwrapped_model(runner)
        progress = getattr(model, 'progress', None)
        if progress is None:
            return model.semi_test_cfg.get('predict_on', 'teacher')
        return 'student' if runner.iter < progress.burn_in else 'teacher'
