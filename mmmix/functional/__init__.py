"""Pure functions: canvases, blending, boxes, ratios, soft losses, averages."""

from .blending import blend, common_canvas, place
from .boxes import check_boxes, shift_boxes, shift_masks
from .counters import counter_rng
from .ema import copy_update, ema_update, group_pairs, relative_distance
from .gradient_reversal import reverse_gradient
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
    'copy_update',
    'counter_rng',
    'ema_update',
    'group_pairs',
    'hard_cross_entropy',
    'place',
    'relative_distance',
    'reverse_gradient',
    'shift_boxes',
    'shift_masks',
]
