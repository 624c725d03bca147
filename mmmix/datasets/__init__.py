"""Datasets, transforms, samplers, and the generator of the digits data."""

from .cross_domain import Clipart1kDataset, Watercolor2kDataset
from .samplers import DrawIndex, MixSourceSampler
from .seeded_dataset import SeededDataset
from .transforms import (
    CheckedLoadImageFromFile,
    ColorJitter,
    GaussianBlur,
    MixImage,
    NoisePatch,
    PackMixInputs,
)

__all__ = [
    'CheckedLoadImageFromFile',
    'Clipart1kDataset',
    'ColorJitter',
    'DrawIndex',
    'GaussianBlur',
    'MixImage',
    'MixSourceSampler',
    'NoisePatch',
    'PackMixInputs',
    'SeededDataset',
    'Watercolor2kDataset',
]
