"""What ``MixTeacher`` refuses to train."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mmdet.models.task_modules.assigners import BaseAssigner
from mmdet.registry import MODELS
from mmengine.logging import print_log
from mmengine.model import ImgDataPreprocessor
from torch import nn

from mmmix.models.batch_augments import BatchMixer
from mmmix.models.loss_terms import check_separable

from .pseudo_regression import weighs_mixed_regression
from .semi_train_settings import SemiTrainSettings

TERMS = ('sup', 'unsup', 'cross')
# Terms that mix image i of one batch with image i of another.
_OF_TWO_BATCHES = ('cross', 'nst', 'mst')


def build_mixers(
    mixers: Mapping[str, Any] | None, terms: Sequence[str] = TERMS
) -> nn.ModuleDict:
    """The mixers of the terms that have one, each with draws of its own.

    Args:
        mixers: Config of a mixer of batches by term.
        terms: All terms that may be mixed.

    Raises:
        ValueError: If a term is unknown, or pairs are to be drawn that are given.
        TypeError: If what is built does not mix batches.
    """
    mixers = dict(mixers or {})
    unknown = sorted(mixers.keys() - set(terms))
    if unknown:
        raise ValueError(f'mixers has unknown terms {unknown}, expected {list(terms)}')
    built = {term: MODELS.build(cfg) for term, cfg in mixers.items() if cfg is not None}
    for term, mixer in built.items():
        if not isinstance(mixer, BatchMixer):
            raise TypeError(
                f"mixers.{term} must be a mixer of batches, dict(type='MixBatch', "
                f'...), got {type(mixer).__name__}'
            )
        _check_pairing(term, mixer)
        mixer.counter.stream = terms.index(term)
    return nn.ModuleDict(built)


def _check_pairing(term: str, mixer: BatchMixer) -> None:
    """Refuse a way to draw partners where two batches give them."""
    if term in _OF_TWO_BATCHES and mixer.pairing != 'shuffle':
        raise ValueError(
            f'mixers.{term} mixes image i of one batch with image i of the other, so '
            f'pairing={mixer.pairing!r} would have no effect; leave pairing out'
        )


def keeps_first(mixer: BatchMixer) -> bool:
    """Whether a mixed image has the labels of component 0 alone, whatever is drawn."""
    ratio = mixer.settings.ratio
    least = getattr(ratio, 'low', getattr(ratio, 'value', 0.0))
    return mixer.settings.keep == 'dominant' and least > 0.5


def check_teacher(
    detector: nn.Module, preprocessor: nn.Module, settings: SemiTrainSettings
) -> None:
    """Refuse what no teacher can train.

    Raises:
        ValueError: If the detector has masks, a preprocessor mixes or knows no
            branches, boxes to ignore would have no effect, or box regression cannot
            be told apart.
    """
    check_detector(detector)
    check_preprocessor('data_preprocessor', preprocessor)
    if isinstance(preprocessor, ImgDataPreprocessor):
        name = type(preprocessor).__name__
        raise ValueError(
            f'data_preprocessor={name} of a teacher knows no branches; write '
            "dict(type='MultiBranchDataPreprocessor', data_preprocessor="
            f"dict(type='{name}', ...))"
        )
    if settings.ignore_pseudo_thr is not None:
        check_ignoring(detector)
    if not settings.regress_pseudo:
        check_separable(detector)


def check_cross(
    detector: nn.Module, mixers: nn.ModuleDict, term: str, settings: SemiTrainSettings
) -> None:
    """Refuse a mixer of labelled × unlabelled images that would teach pseudo-boxes.

    Without one, where others mix, its weight is warned of. A teacher that mixes nothing
    has that of its detector, which ``--mix`` needs.

    Raises:
        ValueError: If it would, and they shall teach no box regression.
    """
    usual = SemiTrainSettings().cross_weight
    if len(mixers) and 'cross' not in mixers and settings.cross_weight != usual:
        warn_idle('cross_weight', settings.cross_weight, 'mixers.cross')
    if settings.regress_pseudo or term not in mixers or keeps_first(mixers[term]):
        return
    if not weighs_mixed_regression(detector, mixers[term].supervision):
        raise ValueError(
            f'mixers.{term} mixes boxes with pseudo-boxes, and with '
            'semi_train_cfg.regress_pseudo=False only the former may teach box '
            f'regression, which the losses of {type(detector).__name__} do not tell '
            'apart. Use the mix-aware heads (and box head), or wrap it in '
            "dict(type='LossMixDetector') with supervision=dict(type='LossMix') in "
            f'mixers.{term}; or set regress_pseudo=True, or leave out mixers.{term}'
        )


def warn_idle(name: str, value: float, lacking: str) -> None:
    """Say of a setting of ``semi_train_cfg`` that it changes nothing.

    Args:
        name: The setting.
        value: What it is set to.
        lacking: The setting of the teacher without which it has no effect.
    """
    print_log(
        f'semi_train_cfg.{name}={value} has no effect without {lacking}: set that, or '
        f'leave {name} out',
        logger='current',
        level=logging.WARNING,
    )


def check_detector(detector: nn.Module) -> None:
    """Refuse masks, which have no pseudo-labels, and mixing in the detector."""
    if detector.with_mask:
        raise ValueError(
            'MixTeacher has pseudo-boxes but no pseudo-masks, and '
            f'{type(detector).__name__} has a mask head; leave it out'
        )
    check_preprocessor('detector.data_preprocessor', detector.data_preprocessor)


def check_preprocessor(place: str, preprocessor: nn.Module) -> None:
    """Refuse batch augmentations, which run before there are pseudo-labels."""
    for part in preprocessor.modules():
        if getattr(part, 'batch_augments', None):
            raise ValueError(
                f'{place} has batch_augments. They would change what the teacher sees '
                'and run before there are pseudo-labels; mix with '
                'mixers=dict(sup=..., unsup=..., cross=...) of MixTeacher instead'
            )


def check_ignoring(detector: nn.Module) -> None:
    """Refuse boxes to ignore where an assigner does not heed them.

    Raises:
        ValueError: Naming those to which they would be background.
    """
    found = list(_ignore_thresholds(detector))
    deaf = dict.fromkeys(place for place, threshold in found if threshold <= 0)
    if not found or deaf:
        who = ', '.join(deaf) or f'no assigner of {type(detector).__name__}'
        raise ValueError(
            'semi_train_cfg.ignore_pseudo_thr has no effect where boxes to ignore are '
            f'not heeded: {who}. Set ignore_iof_thr=0.5 in the assigners of its '
            'train_cfg (MixYOLOV3Head: in bbox_head), or leave ignore_pseudo_thr out'
        )


def _ignore_thresholds(detector: nn.Module) -> Iterator[tuple[str, float]]:
    """Where anchors are assigned, and the ``ignore_iof_thr`` there; -1 for none."""
    for path, part in detector.named_modules():
        if hasattr(part, 'ignore_iof_thr'):  # YOLOv3's head has the threshold itself
            yield path, part.ignore_iof_thr or -1.0
            continue
        for name, value in vars(part).items():
            for one in value if isinstance(value, list) else [value]:
                if isinstance(one, BaseAssigner):
                    threshold = getattr(one, 'ignore_iof_thr', None)
                    yield f'{path}.{name}', threshold or -1.0
