"""Hooks and optimizer wrappers."""

from .hooks import (
    DivergenceWatchHook,
    DomainTeacherHook,
    IterationSeedHook,
    MixPreviewHook,
    MixScheduleHook,
    MixTeacherHook,
    ResumeSkipHook,
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
    'SkipNonFiniteAmpOptimWrapper',
    'SkipNonFiniteOptimWrapper',
]
