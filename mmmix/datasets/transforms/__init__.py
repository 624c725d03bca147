"""Transforms: checked loading, strong views, mixing in the dataset, packing."""

from .loading import CheckedLoadImageFromFile
from .mix_image import MixImage
from .packing import PackMixInputs
from .strong_view import ColorJitter, GaussianBlur, NoisePatch

__all__ = [
    'CheckedLoadImageFromFile',
    'ColorJitter',
    'GaussianBlur',
    'MixImage',
    'NoisePatch',
    'PackMixInputs',
]
