"""Hooks that switch mixing and show it, lead teachers, and make runs resumable."""

from .class_count_hook import ClassCountHook
from .detection_pictures_hook import DetectionPicturesHook
from .divergence_watch_hook import DivergenceWatchHook
from .domain_teacher_hook import DomainTeacherHook
from .iteration_seed_hook import IterationSeedHook
from .mix_preview_hook import MixPreviewHook
from .mix_schedule_hook import MixScheduleHook
from .mix_teacher_hook import MixTeacherHook
from .resume_skip_hook import ResumeSkipHook
from .teacher_preview_hook import TeacherPreviewHook

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
]
