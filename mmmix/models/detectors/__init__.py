"""Mix-aware detectors."""

from .domain_discriminator import DomainDiscriminator
from .lossmix_detector import LossMixDetector
from .mix_teacher import MixTeacher
from .mixed_domain_teacher import MixedDomainTeacher
from .teacher_progress import TeacherProgress

__all__ = [
    'DomainDiscriminator',
    'LossMixDetector',
    'MixTeacher',
    'MixedDomainTeacher',
    'TeacherProgress',
]
