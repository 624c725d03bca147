"""Mix-aware dense heads."""

from .level_mix_ssd_head import LevelMixSSDHead
from .mix_retina_head import MixRetinaHead
from .mix_rpn_head import MixRPNHead
from .mix_ssd_head import MixSSDHead
from .mix_yolov3_head import MixYOLOV3Head

__all__ = [
    'LevelMixSSDHead',
    'MixRPNHead',
    'MixRetinaHead',
    'MixSSDHead',
    'MixYOLOV3Head',
]
