"""An average of a whole model beside a teacher, which is one itself."""

from __future__ import annotations

from mmengine.hooks import EMAHook
from mmengine.runner import EpochBasedTrainLoop, Runner


def check_second_average(runner: Runner, burn_in: int) -> None:
    """Refuse an ``EMAHook`` that averages a teacher before it starts.

    The teacher's random weights would stay in the average, which is what is validated
    and saved, for as long as it remembers: ten thousand iterations and more at
    mmengine's default of 0.0002. ``EMAHook`` copies the model in its first iteration,
    and may be called before the teacher's hook, so it has to begin behind the burn-in.

    Args:
        runner: Of a training that is about to begin.
        burn_in: Iterations before the teacher starts, above 0.

    Raises:
        ValueError: With the setting.
    """
    for hook in runner.hooks:
        if not isinstance(hook, EMAHook):
            continue
        begin, key = hook.begin_iter, f'begin_iter={hook.begin_iter}'
        if hook.enabled_by_epoch:
            begin = _first_iteration(runner, hook)
            key = f'begin_epoch={hook.begin_epoch}'
        if begin <= burn_in:
            raise ValueError(
                f'EMAHook in custom_hooks averages from iteration {max(begin, 1)} on '
                f'({key}), and the teacher starts in iteration {burn_in} '
                f'(MixTeacherHook, burn_in={burn_in}): its random weights would stay '
                'in the average, which is validated and saved. Set begin_iter='
                f'{burn_in + 1}, or leave EMAHook out: the teacher is an average of '
                'the student already'
            )


def _first_iteration(runner: Runner, hook: EMAHook) -> int:
    """The iteration, from 1, in which a hook that counts epochs begins."""
    if not isinstance(runner.train_loop, EpochBasedTrainLoop):
        # Such a loop is in its first epoch for good.
        return 1 if hook.begin_epoch == 1 else runner.max_iters + 1
    length = runner.max_iters // runner.max_epochs
    return (hook.begin_epoch - 1) * length + 1
