"""Hooks and optimizer wrappers."""

from .hooks import (
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
