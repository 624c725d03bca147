"""Mixers of batches, supervisions and mix-aware heads."""

from .batch_augments import MixBatch
from .data_preprocessors import OptionalBranchDataPreprocessor
from .dense_heads import MixRPNHead, MixSSDHead, MixYOLOV3Head
from .detectors import (
    DomainDiscriminator,
    LossMixDetector,
    MixedDomainTeacher,
    MixTeacher,
)
from .roi_heads import MixBBoxHead, MixShared2FCBBoxHead, MixStandardRoIHead
from .supervisions import BoxMix, LossMix, Supervision, Union, WeightedUnion

__all__ = [
    'BoxMix',
    'DomainDiscriminator',
    'LossMix',
    'LossMixDetector',
    'MixBBoxHead',
    'MixBatch',
    'MixRPNHead',
    'MixSSDHead',
    'MixShared2FCBBoxHead',
    'MixStandardRoIHead',
    'MixTeacher',
    'MixYOLOV3Head',
    'MixedDomainTeacher',
    'OptionalBranchDataPreprocessor',
    'Supervision',
    'Union',
    'WeightedUnion',
]
