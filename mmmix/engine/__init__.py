"""Hooks and optimizer wrappers."""

from .hooks import (
    ChannelsLastHook,
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
    RunReportHook,
    StopHook,
    TeacherPreviewHook,
    WholeCheckpointHook,
)
from .optimizers import SkipNonFiniteAmpOptimWrapper, SkipNonFiniteOptimWrapper

__all__ = [
    'ChannelsLastHook',
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
    'RunReportHook',
    'StopHook',
    'TeacherPreviewHook',
    'WholeCheckpointHook',
    'SkipNonFiniteAmpOptimWrapper',
    'SkipNonFiniteOptimWrapper',
]
