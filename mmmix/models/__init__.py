"""Mixers of batches, supervisions and mix-aware heads."""

from .batch_augments import MixBatch
from .dense_heads import MixRPNHead, MixSSDHead, MixYOLOV3Head
from .detectors import LossMixDetector
from .roi_heads import MixBBoxHead, MixShared2FCBBoxHead, MixStandardRoIHead
from .supervisions import BoxMix, LossMix, Supervision, Union, WeightedUnion

__all__ = [
    'BoxMix',
    'LossMix',
    'LossMixDetector',
    'MixBBoxHead',
    'MixBatch',
    'MixRPNHead',
    'MixSSDHead',
    'MixShared2FCBBoxHead',
    'MixStandardRoIHead',
    'MixYOLOV3Head',
    'Supervision',
    'Union',
    'WeightedUnion',
]
