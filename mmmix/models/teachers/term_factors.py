"""Factors of the terms that hold unlabelled images, beside their weights."""

from __future__ import annotations

from collections.abc import Sequence

from mmdet.structures import DetDataSample

from mmmix.mixing.untraced import untraced

from .semi_train_settings import SemiTrainSettings
from .teacher_progress import TeacherProgress


@untraced
def term_factors(
    settings: SemiTrainSettings,
    progress: TeacherProgress | None,
    samples: Sequence[DetDataSample],
) -> dict[str, float]:
    """How much the terms with pseudo-labels count at present.

    Args:
        settings: How pseudo-labels are used.
        progress: How far the training is; None if nobody told.
        samples: The pseudo-labelled images of this process.

    Returns:
        ``ramp``, the share of their weight that terms with pseudo-labels have by
        now, the same in every process; and ``factor``, the same for a term that has
        pseudo-labels alone: 0 where there are none and such a batch is skipped. A
        term with labelled images in it is never skipped.

    Raises:
        ValueError: If there is a ramp-up and no hook to measure it.
    """
    ramp = 1.0
    if progress is not None:
        ramp = settings.ramp(progress.adapting_for)
    elif settings.ramp_up:
        raise ValueError(
            f'semi_train_cfg.ramp_up={settings.ramp_up} needs '
            "dict(type='MixTeacherHook') in custom_hooks, which counts iterations"
        )
    background = settings.empty_batch == 'background'
    counts = background or any(len(sample.gt_instances) for sample in samples)
    return dict(ramp=ramp, factor=ramp if counts else 0.0)
