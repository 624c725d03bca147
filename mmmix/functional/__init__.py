"""Pure functions: canvases, blending, cutting, boxes, soft losses, averages."""

from .blending import blend, common_canvas, place
from .boxes import check_boxes, shift_boxes, shift_masks
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
from .sinkhorn import assignment
from .soft_losses import (
    boxmix_cls_losses,
    hard_cross_entropy,
)

__all__ = [
    'Region',
    'assignment',
    'blend',
    'boxmix_cls_losses',
    'check_boxes',
    'common_canvas',
    'copy_update',
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
]
