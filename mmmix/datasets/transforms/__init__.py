"""Transforms: loading, strong views, mixing, packing, perturbations."""

from .common_corruption import CommonCorruption
from .cutmix_image import CutMixImage
from .image_mixer import ImageMixer
from .loading import CheckedLoadImageFromFile
from .loading_once import LoadImageOnce
from .mix_image import MixImage
from .packing import PackMixInputs
from .perturbations import GaussianNoise, OcclusionHole
from .recorded_geometry import RecordedExpand, RecordedMinIoURandomCrop
from .strong_view import ColorJitter, GaussianBlur, NoisePatch
from .transplant_patch import TransplantPatch

__all__ = [
    'CheckedLoadImageFromFile',
    'ColorJitter',
    'CommonCorruption',
    'CutMixImage',
    'GaussianBlur',
    'GaussianNoise',
    'ImageMixer',
    'LoadImageOnce',
    'MixImage',
    'NoisePatch',
    'OcclusionHole',
    'PackMixInputs',
    'RecordedExpand',
    'RecordedMinIoURandomCrop',
    'TransplantPatch',
]
