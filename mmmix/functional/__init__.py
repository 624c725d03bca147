"""Pure functions: canvases, blending, cutting, boxes, ratios, soft losses, averages."""

from .blending import blend, common_canvas, place
from .boxes import check_boxes, shift_boxes, shift_masks
from .counters import counter_rng
from .cutting import (
    Region,
    cut_boxes,
    cut_masks,
    cut_region,
    own_share,
    paste,
    seen_enough,
)
from .ema import copy_update, ema_update, group_pairs, relative_distance
from .gradient_reversal import reverse_gradient
from .ratios import Beta, Constant, Uniform, build_ratio
from .sinkhorn import assignment
from .soft_losses import (
    boxmix_cls_losses,
    hard_cross_entropy,
    transported_cls_losses,
)
from .transport import Transport, carry_maps

__all__ = [
    'Beta',
    'Constant',
    'Region',
    'Transport',
    'Uniform',
    'assignment',
    'blend',
    'boxmix_cls_losses',
    'build_ratio',
    'carry_maps',
    'check_boxes',
    'common_canvas',
    'copy_update',
    'counter_rng',
    'cut_boxes',
    'cut_masks',
    'cut_region',
    'ema_update',
    'group_pairs',
    'hard_cross_entropy',
    'own_share',
    'paste',
    'place',
    'relative_distance',
    'reverse_gradient',
    'seen_enough',
    'shift_boxes',
    'shift_masks',
    'transported_cls_losses',
]
