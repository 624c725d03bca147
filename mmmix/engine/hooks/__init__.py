"""Hooks that switch mixing and show it, lead teachers, and make runs resumable."""

from .channels_last_hook import ChannelsLastHook
from .class_count_hook import ClassCountHook
from .detection_pictures_hook import DetectionPicturesHook
from .divergence_watch_hook import DivergenceWatchHook
from .domain_teacher_hook import DomainTeacherHook
from .epoch_rest_hook import EpochRestHook
from .images_per_step_hook import ImagesPerStepHook
from .iteration_seed_hook import IterationSeedHook
from .mix_preview_hook import MixPreviewHook
from .mix_schedule_hook import MixScheduleHook
from .mix_teacher_hook import MixTeacherHook
from .mixers_hook import MixersHook
from .resume_skip_hook import ResumeSkipHook
from .run_report_hook import RunReportHook
from .shared_results_hook import SharedResultsHook
from .stop_hook import StopHook
from .teacher_preview_hook import TeacherPreviewHook
from .whole_checkpoint_hook import WholeCheckpointHook

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
    'MixersHook',
    'ResumeSkipHook',
    'RunReportHook',
    'SharedResultsHook',
    'StopHook',
    'TeacherPreviewHook',
    'WholeCheckpointHook',
]
