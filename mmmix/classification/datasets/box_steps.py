"""Steps of a pipeline that take no boxes along."""

from __future__ import annotations

from mmcv.transforms import BaseTransform, Compose
from mmpretrain.datasets import PackInputs
from mmpretrain.datasets.transforms import processing

LEAVE_BOXES = (
    processing.EfficientNetCenterCrop,
    processing.RandomCrop,
    processing.RandomResizedCrop,
    processing.ResizeEdge,
)
"""What moves the pixels of an image in mmpretrain, and leaves its boxes."""


def check_box_steps(pipeline: Compose) -> None:
    """Make sure that boxes which a pipeline packs lie where the pixels do.

    Raises:
        ValueError: If a step moves the pixels alone, with what to take instead.
    """
    steps: list[BaseTransform] = pipeline.transforms
    packed = any(
        isinstance(step, PackInputs) and 'gt_bboxes' in step.algorithm_keys
        for step in steps
    )
    for step in steps if packed else ():
        if isinstance(step, LEAVE_BOXES):
            raise ValueError(
                f'{type(step).__name__} moves pixels and leaves the gt_bboxes that '
                "PackInputs packs. Take mmcv's steps: dict(type='Resize', "
                'scale=(100000, 256), keep_ratio=True) for a shorter side of 256, '
                "dict(type='CenterCrop', crop_size=224); or pack no gt_bboxes"
            )
