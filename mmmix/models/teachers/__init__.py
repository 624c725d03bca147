"""Mean teachers for semi-supervised learning and domain adaptation."""

from .domain_discriminator import DomainDiscriminator
from .mix_teacher import MixTeacher
from .mixed_domain_teacher import MixedDomainTeacher
from .optional_branch import OptionalBranchDataPreprocessor
from .teacher_progress import TeacherProgress

__all__ = [
    'DomainDiscriminator',
    'MixTeacher',
    'MixedDomainTeacher',
    'OptionalBranchDataPreprocessor',
    'TeacherProgress',
]
