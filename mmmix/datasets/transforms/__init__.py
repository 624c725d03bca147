"""Transforms: checked loading, mixing in the dataset, packing what it made."""

from .loading import CheckedLoadImageFromFile
from .mix_image import MixImage
from .packing import PackMixInputs

__all__ = ['CheckedLoadImageFromFile', 'MixImage', 'PackMixInputs']
