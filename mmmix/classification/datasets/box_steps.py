"""Steps of a pipeline that take no boxes along."""

from __future__ import annotations

from typing import Any

from mmcv.transforms import Compose
from mmpretrain.datasets import PackInputs
from mmpretrain.datasets.transforms import auto_augment, processing

from mmmix.datasets.nested import nested_steps
from mmmix.datasets.view_geometry import spatial_parts

LEAVE_BOXES = (
    auto_augment.Rotate,
    auto_augment.Shear,
    auto_augment.Translate,
    processing.EfficientNetCenterCrop,
    processing.RandomCrop,
    processing.RandomResizedCrop,
    processing.ResizeEdge,
)
"""What moves the pixels of an image in mmpretrain, and leaves its boxes."""

OF_TORCHVISION = {
    *('AugMix', 'AutoAugment', 'RandAugment', 'TrivialAugmentWide'),
    *('CenterCrop', 'FiveCrop', 'RandomCrop', 'RandomResizedCrop', 'TenCrop'),
    *('ElasticTransform', 'RandomAffine', 'RandomPerspective', 'RandomRotation'),
    *('Pad', 'RandomHorizontalFlip', 'RandomVerticalFlip', 'Resize'),
}
"""The same of torchvision, none of whose transforms knows of boxes."""


def check_box_steps(pipeline: Compose) -> None:
    """Make sure that boxes which a pipeline packs lie where the pixels do.

    Raises:
        ValueError: If a step moves the pixels alone, with what to take instead.
    """
    steps = list(nested_steps(pipeline))
    packed = any(
        isinstance(step, PackInputs) and 'gt_bboxes' in step.algorithm_keys
        for step in steps
    )
    for step in steps if packed else ():
        name = _moving_alone(step)
        if name:
            raise ValueError(
                f'{name} moves pixels and leaves the gt_bboxes that '
                "PackInputs packs. Take mmcv's steps: dict(type='Resize', "
                'scale=(100000, 256), keep_ratio=True) for a shorter side of 256, '
                "dict(type='CenterCrop', crop_size=224); or pack no gt_bboxes"
            )


def _moving_alone(step: Any) -> str | None:
    """The name of a step that moves pixels without the boxes; None for others."""
    if isinstance(step, processing.TorchVisonTransformWrapper):
        name = type(step.t).__name__
        return f'torchvision/{name}' if name in OF_TORCHVISION else None
    if isinstance(step, processing.Albumentations):
        parts = spatial_parts(step.aug)
        return f'Albumentations ({", ".join(parts)})' if parts else None
    return type(step).__name__ if isinstance(step, LEAVE_BOXES) else None
