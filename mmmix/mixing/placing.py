"""Annotations of a component, moved and cut as its image is."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from mmmix.functional import MaskPart, cut_boxes, join_masks, seen_enough, shift_boxes
from mmmix.functional.boxes import Boxes, clip_boxes, single_precision
from mmmix.functional.masks import Masks

from .pair import Pair
from .settings import MixerSettings


def place_boxes(
    boxes: Boxes,
    pair: Pair,
    component: int,
    settings: MixerSettings,
    ignored: Tensor | bool = False,
) -> tuple[Boxes, Tensor | None, Tensor | None]:
    """Boxes of a component on the canvas.

    Args:
        boxes: ``(num_boxes, 4)`` on their own image.
        pair: The geometry.
        component: 0 for the image itself, 1 for its partner.
        settings: The mixer's.
        ignored: Which boxes are to ignore, ``(num_boxes,)`` bool, or whether all are.

    Returns:
        Boxes on the canvas. Where boxes are clipped, also the visible share of each,
        ``(num_boxes,)``, and whether it stays, bool; else None and None.
    """
    boxes = clip_boxes(single_precision(boxes), pair.sizes[component])
    boxes = shift_boxes(boxes, pair.offsets[component], pair.canvas)
    if pair.region is None or settings.min_visibility is None:
        return boxes, None, None
    boxes, visibility = cut_boxes(boxes, pair.region, component)
    seen = seen_enough(boxes, visibility, settings.min_visibility, ignored)
    return boxes, visibility, seen


def place_masks(
    masks: Sequence[Masks], components: Sequence[int], pair: Pair, clips: bool
) -> Masks:
    """Masks of the components on one frame.

    That is the canvas, or what the masks were padded to where that is larger, such
    as the frame of the whole batch.

    Args:
        masks: Those of each component, without boxes that were dropped.
        components: Their numbers.
        pair: The geometry.
        clips: Whether CutMix cuts them to what is visible.

    Raises:
        TypeError: If they cannot be moved or cut.
    """
    sizes = [(one.height, one.width) for one in masks if hasattr(one, 'height')]
    frame = tuple(map(max, pair.canvas, *sizes)) if sizes else pair.canvas
    parts = [MaskPart(one, pair.offsets[k], k) for one, k in zip(masks, components)]
    return join_masks(parts, frame, pair.region if clips else None)
