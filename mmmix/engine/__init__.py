"""Hooks and optimizer wrappers."""

from .hooks import (
    ChannelsLastHook,
    ClassCountHook,
    DetectionPicturesHook,
    DivergenceWatchHook,
    DomainTeacherHook,
    EpochRestHook,
    ImagesPerStepHook,
    IterationSeedHook,
    MixPreviewHook,
    MixScheduleHook,
    MixTeacherHook,
    ResumeSkipHook,
    RunReportHook,
    SharedResultsHook,
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
    'ImagesPerStepHook',
    'IterationSeedHook',
    'MixPreviewHook',
    'MixScheduleHook',
    'MixTeacherHook',
    'ResumeSkipHook',
    'RunReportHook',
    'SharedResultsHook',
    'StopHook',
    'TeacherPreviewHook',
    'WholeCheckpointHook',
    'SkipNonFiniteAmpOptimWrapper',
    'SkipNonFiniteOptimWrapper',
]
