"""Hooks and optimizer wrappers."""

from .hooks import (
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
