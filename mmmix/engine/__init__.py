"""Hooks and optimizer wrappers."""

from .hooks import (
    ClassCountHook,
    DetectionPicturesHook,
    DivergenceWatchHook,
    DomainTeacherHook,
    EpochRestHook,
    IterationSeedHook,
    MixPreviewHook,
    MixScheduleHook,
    MixTeacherHook,
    ResumeSkipHook,
    StopHook,
    TeacherPreviewHook,
    WholeCheckpointHook,
)
from .optimizers import SkipNonFiniteAmpOptimWrapper, SkipNonFiniteOptimWrapper

__all__ = [
    'ClassCountHook',
    'DetectionPicturesHook',
    'DivergenceWatchHook',
    'DomainTeacherHook',
    'EpochRestHook',
    'IterationSeedHook',
    'MixPreviewHook',
    'MixScheduleHook',
    'MixTeacherHook',
    'ResumeSkipHook',
    'StopHook',
    'TeacherPreviewHook',
    'WholeCheckpointHook',
    'SkipNonFiniteAmpOptimWrapper',
    'SkipNonFiniteOptimWrapper',
]
