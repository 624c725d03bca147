"""AlignMix: features of two images, aligned and then mixed."""

from .aligned_boxmix import AlignedBoxMix
from .alignmix import AlignMix
from .pair_batch import PairBatch
from .roi_head import AlignMixRoIHead
from .rpn_head import AlignMixRPNHead
from .ssd_head import AlignMixSSDHead

__all__ = [
    'AlignMix',
    'AlignMixRPNHead',
    'AlignMixRoIHead',
    'AlignMixSSDHead',
    'AlignedBoxMix',
    'PairBatch',
]
