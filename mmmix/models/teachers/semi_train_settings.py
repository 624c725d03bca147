"""How a teacher's labels are used, and who predicts, checked in one place."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from mmengine.config import ConfigDict

from mmmix.mixing.checks import (
    check_bool,
    check_choice,
    check_integer,
    check_unit,
)

PREFIX = 'semi_train_cfg.'
EMPTY_BATCHES = ('skip', 'background')
_MODELS = ('teacher', 'student')
_TEST_SETTINGS = ('predict_on', 'forward_on', 'extract_feat_on')


class SemiTrainSettings(NamedTuple):
    """``semi_train_cfg`` of ``MixTeacher``.

    Attributes:
        freeze_teacher: Whether the teacher's parameters take no gradient.
        sup_weight: Factor of the losses on labelled images.
        unsup_weight: Factor of the losses on unlabelled images.
        cross_weight: Factor of the losses on labelled × unlabelled images, which
            there are with ``mixers.cross`` alone.
        cls_pseudo_thr: A prediction is a pseudo-label if its score is above it.
        ignore_pseudo_thr: A prediction whose score is above it, but not above
            ``cls_pseudo_thr``, is neither object nor background to the student,
            if its assigners heed boxes to ignore (``ignore_iof_thr`` > 0). None:
            it is background.
        min_pseudo_bbox_wh: A pseudo-box must be wider and higher than these, in
            pixels of the student's view; one to ignore may have any size.
        regress_pseudo: Whether box regression learns from pseudo-boxes.
        ramp_up: The number of iterations after burn-in in which the factors of
            both terms with pseudo-labels rise to their values, as a whole. Cross
            images that keep the labels of the labelled image alone have none.
        teacher_batch_size: The teacher predicts so many images at once; all if
            None.
        empty_batch: What the term of unlabelled images teaches if no pseudo-box is
            left in the whole batch of a process: nothing, it gets weight 0
            (``'skip'``, mmdet's rule), or that all of it is ``'background'``. An
            image without pseudo-boxes in a batch that has some is background in
            either case, and so is one in a cross image, whose labelled part counts
            as ever.
    """

    freeze_teacher: bool = True
    sup_weight: float = 1.0
    unsup_weight: float = 1.0
    cross_weight: float = 1.0
    cls_pseudo_thr: float = 0.9
    ignore_pseudo_thr: float | None = None
    min_pseudo_bbox_wh: tuple[float, float] = (1e-2, 1e-2)
    regress_pseudo: bool = True
    ramp_up: int = 0
    teacher_batch_size: int | None = None
    empty_batch: str = 'skip'

    @classmethod
    def build(cls, cfg: Mapping[str, Any] | None) -> SemiTrainSettings:
        """Check the settings.

        Raises:
            TypeError, ValueError: Naming the setting.
        """
        settings = dict(cfg or {})
        unknown = sorted(settings.keys() - set(cls._fields))
        if unknown:
            raise ValueError(
                f'semi_train_cfg has unknown settings {unknown}; expected some of '
                f'{list(cls._fields)}'
            )
        self = cls(**settings)
        for name in ('freeze_teacher', 'regress_pseudo'):
            check_bool(f'{PREFIX}{name}', getattr(self, name))
        for name in ('sup_weight', 'unsup_weight', 'cross_weight'):
            check_factor(name, getattr(self, name))
        check_unit('semi_train_cfg.cls_pseudo_thr', self.cls_pseudo_thr)
        _check_ignore_thr(self.ignore_pseudo_thr, self.cls_pseudo_thr)
        check_choice('semi_train_cfg.empty_batch', self.empty_batch, EMPTY_BATCHES)
        check_integer(f'{PREFIX}ramp_up', self.ramp_up, least=0)
        if self.teacher_batch_size is not None:
            check_integer(
                f'{PREFIX}teacher_batch_size', self.teacher_batch_size, least=1
            )
        return self._replace(min_pseudo_bbox_wh=_check_size(self.min_pseudo_bbox_wh))

    def ramp(self, iteration: int) -> float:
        """Share of their weight that terms with pseudo-labels have.

        exp(-5 (1 - t / T)²) as in Mean Teacher (https://arxiv.org/abs/1703.01780,
        appendix B), 1 from iteration T = ``ramp_up`` on.

        Args:
            iteration: t, counted from the end of burn-in.
        """
        if iteration >= self.ramp_up:
            return 1.0
        return math.exp(-5.0 * (1.0 - iteration / self.ramp_up) ** 2)


def _check_ignore_thr(low: Any, high: float) -> None:
    """The scores between both thresholds must be some."""
    if low is None:
        return
    check_unit('semi_train_cfg.ignore_pseudo_thr', low)
    if low >= high:
        raise ValueError(
            f'semi_train_cfg.ignore_pseudo_thr={low} must be below '
            f'cls_pseudo_thr={high}'
        )


def check_factor(name: str, value: Any) -> None:
    """Make sure that a setting is a number that is not negative.

    Raises:
        TypeError, ValueError: Naming the setting.
    """
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError(f'semi_train_cfg.{name} must be a number, got {value!r}')
    if not 0.0 <= value < math.inf:
        raise ValueError(f'semi_train_cfg.{name} must not be negative, got {value!r}')


def _check_size(value: Any) -> tuple[float, float]:
    """A minimal width and height."""
    if not isinstance(value, Sequence) or isinstance(value, str) or len(value) != 2:
        raise TypeError(
            'semi_train_cfg.min_pseudo_bbox_wh must be (width, height) in pixels, got '
            f'{value!r}'
        )
    for side in value:
        check_factor('min_pseudo_bbox_wh', side)
    return tuple(value)


def build_test_cfg(cfg: Mapping[str, Any] | None) -> ConfigDict:
    """``semi_test_cfg``: which of the two models predicts; the teacher by default.

    mmdet takes the student for whatever is not ``'teacher'``.

    Raises:
        ValueError: If a setting is unknown, or names neither.
    """
    settings = ConfigDict(cfg or dict(predict_on='teacher'))
    unknown = sorted(settings.keys() - set(_TEST_SETTINGS))
    if unknown:
        raise ValueError(
            f'semi_test_cfg has unknown settings {unknown}, expected some of '
            f'{list(_TEST_SETTINGS)}'
        )
    for name, model in settings.items():
        check_choice(f'semi_test_cfg.{name}', model, _MODELS)
    return settings
