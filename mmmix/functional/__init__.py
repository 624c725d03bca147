"""Pure functions: canvases, blending, boxes, ratios, soft losses."""

from .blending import blend, common_canvas, place
from .boxes import check_boxes, shift_boxes, shift_masks
from .counters import counter_rng
from .ratios import Beta, Constant, Uniform, build_ratio
from .soft_losses import boxmix_cls_losses, hard_cross_entropy

__all__ = [
    'Beta',
    'Constant',
    'Uniform',
    'blend',
    'boxmix_cls_losses',
    'build_ratio',
    'check_boxes',
    'common_canvas',
    'counter_rng',
    'hard_cross_entropy',
    'place',
    'shift_boxes',
    'shift_masks',
]
