"""Hooks and optimizer wrappers."""

from .hooks import (
    ClassCountHook,
    DetectionPicturesHook,
    DivergenceWatchHook,
    DomainTeacherHook,
    IterationSeedHook,
    MixPreviewHook,
    MixScheduleHook,
    MixTeacherHook,
    ResumeSkipHook,
    TeacherPreviewHook,
)
from .optimizers import SkipNonFiniteAmpOptimWrapper, SkipNonFiniteOptimWrapper

__all__ = [
    'ClassCountHook',
    'DetectionPicturesHook',
    'DivergenceWatchHook',
    'DomainTeacherHook',
    'IterationSeedHook',
    'MixPreviewHook',
    'MixScheduleHook',
    'MixTeacherHook',
    'ResumeSkipHook',
    'TeacherPreviewHook',
    'SkipNonFiniteAmpOptimWrapper',
    'SkipNonFiniteOptimWrapper',
]
