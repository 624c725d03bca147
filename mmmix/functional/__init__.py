"""Pure functions: canvases, blending, cutting, boxes, masks, losses, averages."""

from .blending import blend, common_canvas, place
from .boxes import check_boxes, shift_boxes
from .cutting import (
    Region,
    cut_boxes,
    cut_region,
    own_share,
    paste,
    seen_enough,
    unrounded_share,
)
from .ema import copy_update, ema_update, group_pairs, relative_distance
from .gradient_reversal import reverse_gradient
from .masks import MaskPart, join_masks
from .sinkhorn import transport_plan
from .soft_losses import (
    boxmix_cls_losses,
)

__all__ = [
    'MaskPart',
    'Region',
    'transport_plan',
    'blend',
    'boxmix_cls_losses',
    'check_boxes',
    'common_canvas',
    'copy_update',
    'cut_boxes',
    'cut_region',
    'ema_update',
    'group_pairs',
    'join_masks',
    'own_share',
    'paste',
    'place',
    'relative_distance',
    'reverse_gradient',
    'seen_enough',
    'shift_boxes',
    'unrounded_share',
]
