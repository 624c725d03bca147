"""Transforms, and the generator of the digits demo data."""

from .transforms import CheckedLoadImageFromFile, MixImage, PackMixInputs

__all__ = ['CheckedLoadImageFromFile', 'MixImage', 'PackMixInputs']
