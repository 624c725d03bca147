"""Mixers of batches, supervisions and mix-aware heads."""

from .alignmix import AlignMix, PairBatch
from .backbones import EfficientNetLite
from .batch_augments import CutMixBatch, MixBatch
from .dense_heads import (
    LevelMixSSDHead,
    MixRetinaHead,
    MixRPNHead,
    MixSSDHead,
    MixYOLOV3Head,
)
from .detectors import LevelMixDetector, LossMixDetector
from .roi_heads import MixBBoxHead, MixShared2FCBBoxHead, MixStandardRoIHead
from .supervisions import (
    BoxMix,
    LossMix,
    Supervision,
    Union,
    Visible,
    WeightedUnion,
)
from .teachers import (
    DomainDiscriminator,
    MixedDomainTeacher,
    MixTeacher,
    OptionalBranchDataPreprocessor,
)

__all__ = [
    'AlignMix',
    'BoxMix',
    'CutMixBatch',
    'DomainDiscriminator',
    'EfficientNetLite',
    'LevelMixDetector',
    'LevelMixSSDHead',
    'LossMix',
    'LossMixDetector',
    'MixBBoxHead',
    'MixBatch',
    'MixRPNHead',
    'MixRetinaHead',
    'MixSSDHead',
    'MixShared2FCBBoxHead',
    'MixStandardRoIHead',
    'MixTeacher',
    'MixYOLOV3Head',
    'MixedDomainTeacher',
    'OptionalBranchDataPreprocessor',
    'PairBatch',
    'Supervision',
    'Union',
    'Visible',
    'WeightedUnion',
]
