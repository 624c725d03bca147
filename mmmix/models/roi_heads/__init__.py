"""Mix-aware heads of the second stage."""

from .mix_bbox_head import MixBBoxHead, MixShared2FCBBoxHead
from .mix_standard_roi_head import MixStandardRoIHead

__all__ = ['MixBBoxHead', 'MixShared2FCBBoxHead', 'MixStandardRoIHead']
