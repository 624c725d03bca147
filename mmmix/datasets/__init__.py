"""Datasets, transforms, samplers."""

from .cross_domain import Clipart1kDataset, Watercolor2kDataset
from .samplers import DrawIndex, MixSourceSampler
from .seeded_dataset import SeededDataset
from .transforms import (
    CheckedLoadImageFromFile,
    ColorJitter,
    CommonCorruption,
    CutMixImage,
    GaussianBlur,
    GaussianNoise,
    LoadImageOnce,
    MixImage,
    NoisePatch,
    OcclusionHole,
    PackMixInputs,
    RecordedExpand,
    RecordedMinIoURandomCrop,
    TransplantPatch,
)
from .voc_layout import UnlabelledVOCDataset, VOCLayoutDataset
from .yolo import YOLODataset

__all__ = [
    'CheckedLoadImageFromFile',
    'Clipart1kDataset',
    'ColorJitter',
    'CommonCorruption',
    'CutMixImage',
    'DrawIndex',
    'GaussianBlur',
    'GaussianNoise',
    'LoadImageOnce',
    'MixImage',
    'MixSourceSampler',
    'NoisePatch',
    'OcclusionHole',
    'PackMixInputs',
    'RecordedExpand',
    'RecordedMinIoURandomCrop',
    'SeededDataset',
    'TransplantPatch',
    'UnlabelledVOCDataset',
    'VOCLayoutDataset',
    'Watercolor2kDataset',
    'YOLODataset',
]
