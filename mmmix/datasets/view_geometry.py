"""Whether boxes can be carried from a teacher's view of an image to its student's.

Both views know how they came from the image by their ``homography_matrix``, which
transforms that move pixels have to record. Some of mmdet's do not.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from itertools import chain
from typing import Any

import mmcv.transforms
from mmdet.datasets.transforms import Albu, MultiBranch
from mmengine.logging import print_log

from .nested import nested_steps, pipelines

VIEWS = ('unsup_teacher', 'unsup_student')
_KNOWN = ('mmcv.', 'mmdet.', 'mmengine.', 'mmmix.')
_WARPS = 'Rotate, ShearX, ShearY, TranslateX or TranslateY'
_MIXES = "mixers=dict(unsup=dict(type='MixBatch', ...)) of the teacher"
# Class -> what to use instead. It holds for subclasses too, unless they transform in
# a way of their own.
_UNRECORDED = {
    'Expand': 'RecordedExpand',
    'MinIoURandomCrop': 'RecordedMinIoURandomCrop or RandomCrop',
    'RandomCenterCropPad': 'RecordedExpand and RandomCrop',
    'RandomShift': 'TranslateX or TranslateY',
    'RandomAffine': _WARPS,
    'CutHeight': 'RandomCrop',
    'Mosaic': _MIXES,
    'CachedMosaic': _MIXES,
    'MixUp': _MIXES,
    'CachedMixUp': _MIXES,
    'InstaBoost': 'transforms that leave objects where they are',
}
# mmcv's own, where mmdet has one of the same name that records; and its crop.
_UNRECORDED_MMCV = {
    mmcv.transforms.Resize: "mmdet's Resize",
    mmcv.transforms.RandomFlip: "mmdet's RandomFlip",
    mmcv.transforms.CenterCrop: 'RandomCrop',
}


def check_view_geometry(dataset: Any) -> None:
    """Refuse views of unlabelled images that move pixels without a record of it.

    The teacher's boxes would land beside their objects. Looked at are the branches
    ``unsup_teacher`` and ``unsup_student`` of every ``MultiBranch``: what comes before
    it is common to both views.

    Args:
        dataset: A built data set of unlabelled images, or one that wraps some.

    Raises:
        ValueError: Naming the branch, the transform, and what to use instead.
    """
    unknown = set()
    for step in chain.from_iterable(pipelines(dataset)):
        if not isinstance(step, MultiBranch):
            continue
        for branch in VIEWS:
            for part in nested_steps(step.branch_pipelines.get(branch)):
                _check(part, branch)
                if not type(part).__module__.startswith(_KNOWN):
                    unknown.add(type(part).__name__)
    if unknown:
        print_log(
            f'{", ".join(sorted(unknown))} in the views of unlabelled images: what '
            "moves pixels must record it in results['homography_matrix'], as mmdet's "
            "Resize does, or the teacher's boxes land beside their objects",
            logger='current',
            level=logging.WARNING,
        )


def _check(step: Any, branch: str) -> None:
    """Refuse a transform that is known to move pixels without a record.

    Raises:
        ValueError: Naming it.
    """
    instead = _instead(step)
    if instead is None:
        return
    raise ValueError(
        f'{branch}: {_described(step)} moves pixels and does not record it in '
        "homography_matrix, so the teacher's boxes would land beside their objects in "
        f"the student's view. Use {instead}; or put it before MultiBranch, where it "
        'is common to both views'
    )


def _instead(step: Any) -> str | None:
    """What to use instead of a transform; None if it may stay."""
    if isinstance(step, Albu):
        return f'RandomFlip, RandomCrop, {_WARPS}' if spatial_parts(step.aug) else None
    names = [value for value in vars(step).values() if isinstance(value, str)]
    if 'elastic_transform' in names:  # of a corruption
        return 'another corruption'
    transforming = (c.__name__ for c in type(step).__mro__ if 'transform' in vars(c))
    name = next(transforming, '')
    return _UNRECORDED_MMCV.get(type(step), _UNRECORDED.get(name))


def _described(step: Any) -> str:
    """The name of a transform; of Albu's, those of its spatial parts."""
    if not isinstance(step, Albu):
        return type(step).__name__
    return f'Albu ({", ".join(spatial_parts(step.aug))})'


def spatial_parts(aug: Any) -> list[str]:
    """Names of the transforms of albumentations in it that move pixels.

    Those that also change boxes; most of these move.
    """
    return [
        type(part).__name__
        for part in _albu_parts(aug)
        if any(cls.__name__ == 'DualTransform' for cls in type(part).__mro__)
    ]


def _albu_parts(node: Any) -> Iterator[Any]:
    """Transforms of albumentations, however nested."""
    inner = getattr(node, 'transforms', None)
    if inner is None:
        yield node
    for part in inner or ():
        yield from _albu_parts(part)
