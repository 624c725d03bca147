"""Boxes and masks of a component on the mixed canvas."""

from __future__ import annotations

import numpy as np
import torch
from mmdet.structures.bbox import BaseBoxes, get_box_tensor
from mmdet.structures.mask import BitmapMasks, PolygonMasks
from torch import Tensor

Size = tuple[int, int]
Boxes = Tensor | BaseBoxes
Masks = BitmapMasks | PolygonMasks


def shift_boxes(boxes: Boxes, offset: Size, canvas: Size) -> Boxes:
    """Move boxes with their image and clip them to the canvas.

    Args:
        boxes: ``(num_boxes, 4)`` as (x1, y1, x2, y2) in pixels.
        offset: (y, x) of the image on the canvas.
        canvas: (height, width) of the canvas.

    Returns:
        New boxes of the same kind.
    """
    y, x = offset
    if isinstance(boxes, BaseBoxes):
        boxes = boxes.clone()
        boxes.translate_((x, y))
        boxes.clip_(canvas)
        return boxes
    shifted = boxes.clone()
    for axis, (start, side) in enumerate(((x, canvas[1]), (y, canvas[0]))):
        shifted[:, axis::2].add_(start).clamp_(0, side)
    return shifted


def shift_masks(masks: Masks, offset: Size, canvas: Size) -> Masks:
    """Move instance masks with their image.

    Args:
        masks: Masks of one image.
        offset: (y, x) of the image on the canvas.
        canvas: (height, width) of the canvas.

    Raises:
        TypeError: If they are neither bitmaps nor polygons.
    """
    y, x = offset
    if isinstance(masks, BitmapMasks):
        height = min(masks.height, canvas[0] - y)
        width = min(masks.width, canvas[1] - x)
        bitmap = np.zeros((len(masks), *canvas), dtype=masks.masks.dtype)
        bitmap[:, y : y + height, x : x + width] = masks.masks[:, :height, :width]
        return BitmapMasks(bitmap, *canvas)
    if isinstance(masks, PolygonMasks):
        moved = masks.translate(canvas, x, 'horizontal')
        return moved.translate(canvas, y, 'vertical')
    raise TypeError(
        'masks must be BitmapMasks or PolygonMasks to be mixed, got '
        f'{type(masks).__name__}; drop them with LoadAnnotations(with_mask=False)'
    )


def check_boxes(boxes: list[Boxes], sizes: list[Size], names: list[str]) -> None:
    """Refuse boxes that are inverted, not finite, or wholly outside.

    One check for a whole batch, so that a GPU is synchronised once. Boxes
    that are partly outside pass; :func:`shift_boxes` clips them.

    Args:
        boxes: Boxes of each image, ``(num_boxes_i, 4)``.
        sizes: (height, width) of each image.
        names: What to call each image in an error.

    Raises:
        ValueError: Naming the first such box and its image.
    """
    tensors = [get_box_tensor(b) if isinstance(b, BaseBoxes) else b for b in boxes]
    flat = torch.cat(tensors)
    counts = torch.tensor([len(tensor) for tensor in tensors])
    limits = torch.tensor([(w, h) for h, w in sizes], dtype=flat.dtype)
    limits = limits.repeat_interleave(counts, dim=0).to(flat.device)
    low, high = flat[:, :2], flat[:, 2:]
    good = (low <= high) & (low < limits) & (high > 0) & torch.isfinite(flat[:, 2:])
    bad = ~good.all(dim=1)
    if not bad.any():
        return
    index = int(bad.nonzero()[0])
    image = int((counts.cumsum(0) <= index).sum())
    raise ValueError(
        f'{names[image]}: box {[round(v, 2) for v in flat[index].tolist()]} is '
        'inverted, not finite, or outside its image; expected (x1, y1, x2, y2) with '
        f'x1 <= x2 and y1 <= y2 on an image of (height, width) {sizes[image]}. '
        'Mend or remove that annotation.'
    )
