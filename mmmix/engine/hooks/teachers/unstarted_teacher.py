"""Checkpoints of a burn-in, whose teacher is no more than its initial weights."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from mmengine.logging import print_log
from torch import nn

TEACHER_STARTED = 'teacher_started'
"""Key of a checkpoint's ``meta``: whether its teacher is an average of the student."""


def teacher_started(checkpoint: Mapping[str, Any]) -> bool:
    """Whether a checkpoint's teacher has started; True if it does not tell."""
    return checkpoint.get('meta', {}).get(TEACHER_STARTED, True)


def teacher_predicts(model: nn.Module) -> bool:
    """Whether a teacher of mmdet's kind predicts where a model is evaluated."""
    settings = getattr(model, 'semi_test_cfg', None)
    return settings is not None and settings.get('predict_on', 'teacher') == 'teacher'


def let_student_predict(model: nn.Module) -> None:
    """Have the student predict for a teacher that has not started, and say so.

    Args:
        model: With weights of its burn-in; others than those with a teacher that
            predicts are left alone.
    """
    if not teacher_predicts(model):
        return
    model.semi_test_cfg['predict_on'] = 'student'
    print_log(
        'Burn-in is not over, and the teacher has its initial weights: the student '
        'predicts',
        logger='current',
        level=logging.WARNING,
    )
