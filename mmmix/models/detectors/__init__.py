"""Mix-aware detectors."""

from .alignmix import AlignMix
from .domain_discriminator import DomainDiscriminator
from .level_mix_detector import LevelMixDetector
from .lossmix_detector import LossMixDetector
from .mix_teacher import MixTeacher
from .mixed_domain_teacher import MixedDomainTeacher
from .teacher_progress import TeacherProgress

__all__ = [
    'AlignMix',
    'DomainDiscriminator',
    'LevelMixDetector',
    'LossMixDetector',
    'MixTeacher',
    'MixedDomainTeacher',
    'TeacherProgress',
]
