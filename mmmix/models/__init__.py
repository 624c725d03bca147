"""Mixers of batches, supervisions and mix-aware heads."""

from .batch_augments import MixBatch
from .data_preprocessors import OptionalBranchDataPreprocessor
from .dense_heads import LevelMixSSDHead, MixRPNHead, MixSSDHead, MixYOLOV3Head
from .detectors import (
    AlignMix,
    DomainDiscriminator,
    LevelMixDetector,
    LossMixDetector,
    MixedDomainTeacher,
    MixTeacher,
)
from .roi_heads import MixBBoxHead, MixShared2FCBBoxHead, MixStandardRoIHead
from .supervisions import (
    BoxMix,
    LossMix,
    Supervision,
    Union,
    Visible,
    WeightedUnion,
)

__all__ = [
    'AlignMix',
    'BoxMix',
    'DomainDiscriminator',
    'LevelMixDetector',
    'LevelMixSSDHead',
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
    'Visible',
    'WeightedUnion',
]
