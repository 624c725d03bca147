"""Hooks that switch mixing and show it, lead teachers, and make runs resumable."""

from .channels_last_hook import ChannelsLastHook
from .class_count_hook import ClassCountHook
from .divergence_watch_hook import DivergenceWatchHook
from .mix_schedule_hook import MixScheduleHook
from .pictures.detection_pictures_hook import DetectionPicturesHook
from .pictures.mix_preview_hook import MixPreviewHook
from .pictures.teacher_preview_hook import TeacherPreviewHook
from .report.run_report_hook import RunReportHook
from .resuming.epoch_rest_hook import EpochRestHook
from .resuming.images_per_step_hook import ImagesPerStepHook
from .resuming.iteration_seed_hook import IterationSeedHook
from .resuming.mixers_hook import MixersHook
from .resuming.resume_skip_hook import ResumeSkipHook
from .resuming.resumed_settings_hook import ResumedSettingsHook
from .resuming.stop_hook import StopHook
from .resuming.whole_checkpoint_hook import WholeCheckpointHook
from .shared_results_hook import SharedResultsHook
from .teachers.domain_teacher_hook import DomainTeacherHook
from .teachers.mix_teacher_hook import MixTeacherHook

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
    'ResumedSettingsHook',
    'RunReportHook',
    'SharedResultsHook',
    'StopHook',
    'TeacherPreviewHook',
    'WholeCheckpointHook',
]
