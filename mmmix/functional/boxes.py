"""Boxes of a component on the mixed canvas."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from typing import TypeAlias

import torch
from mmdet.structures.bbox import BaseBoxes, get_box_tensor
from torch import Tensor

Size = tuple[int, int]
Boxes: TypeAlias = Tensor | BaseBoxes


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


def move_boxes(boxes: Tensor, places: Sequence[tuple[int, Size, Size]]) -> Tensor:
    """Boxes of many images, each clipped to its own and moved with it, at once.

    The images lie on their canvases as a whole, so that nothing is clipped there.

    Args:
        boxes: ``(num_boxes, 4)`` of all images; those of float64 become float32.
        places: Of each image the number of its boxes, its (height, width), and its
            (y, x) on the canvas.

    Returns:
        New boxes.
    """
    boxes = single_precision(boxes)
    rows = [(w, h, x, y) for count, (h, w), (y, x) in places for _ in range(count)]
    table = torch.tensor(rows, dtype=boxes.dtype).view(len(rows), 2, 1, 2)
    sides, offsets = table.to(boxes.device, non_blocking=True).unbind(dim=1)
    corners = boxes.view(len(rows), 2, 2).clamp(min=0).minimum(sides)
    return corners.add_(offsets).view(len(rows), 4)


def clip_boxes(boxes: Boxes, size: Size) -> Boxes:
    """Boxes without what reaches over the edge of their own image.

    On a mixed canvas that would lie on the partner.

    Args:
        boxes: ``(num_boxes, 4)`` as (x1, y1, x2, y2) in pixels.
        size: (height, width) of the image.

    Returns:
        New boxes of the same kind.
    """
    return shift_boxes(boxes, (0, 0), size)


def single_precision(boxes: Boxes) -> Boxes:
    """Boxes of float64 as float32; some heads take no other.

    Args:
        boxes: ``(num_boxes, 4)`` of any type.
    """
    if boxes.dtype != torch.float64:
        return boxes
    return boxes.to(torch.float32)


def check_boxes(
    boxes: list[Boxes], sizes: list[Size], names: list[str]
) -> list[Tensor | None]:
    """Refuse boxes that are inverted or not finite, and find those that are outside.

    Augmentation may move a valid box out of its image or crop it to a line, of which
    nothing is left then: a box without area has no offset to regress. Boxes that are
    partly outside stay; :func:`shift_boxes` clips them. One check for a whole batch,
    so that a GPU is synchronised once.

    Args:
        boxes: Boxes of each image, ``(num_boxes_i, 4)``.
        sizes: (height, width) of each image.
        names: What to call each image in an error.

    Returns:
        For each image None if all of its boxes stay, else the indices of those of
        which something is inside, ``(num_inside,)`` int64, on the boxes' device.

    Raises:
        ValueError: Naming the first bad box and its image.
    """
    tensors = [get_box_tensor(b) if isinstance(b, BaseBoxes) else b for b in boxes]
    flat = torch.cat(tensors)
    counts = [len(tensor) for tensor in tensors]
    rows = [(w, h) for (h, w), count in zip(sizes, counts) for _ in range(count)]
    limits = torch.tensor(rows, dtype=flat.dtype).view(len(rows), 2)
    limits = limits.to(flat.device, non_blocking=True)
    low, high = flat[:, :2], flat[:, 2:]
    good = ((low <= high) & torch.isfinite(flat).view(-1, 2, 2).all(1)).all(1)
    inside = ((low < limits) & (high > 0) & (low < high)).all(1)
    good, inside = torch.stack([good, inside]).tolist()
    if not all(good):
        _refuse_box(flat, good.index(False), counts, sizes, names)
    if all(inside):
        return [None] * len(boxes)
    ends = list(accumulate(counts))
    parts = [inside[end - count : end] for end, count in zip(ends, counts)]
    return [
        None
        if all(part)
        else torch.tensor([i for i, stays in enumerate(part) if stays])
        .long()
        .to(flat.device)
        for part in parts
    ]


def _refuse_box(
    flat: Tensor, index: int, counts: list[int], sizes: list[Size], names: list[str]
) -> None:
    """Raise for the box of this index among the boxes of all images."""
    image = int((torch.tensor(counts).cumsum(0) <= index).sum())
    raise ValueError(
        f'{names[image]}: box {[round(v, 2) for v in flat[index].tolist()]} is '
        'inverted or not finite; expected (x1, y1, x2, y2) with '
        f'x1 <= x2 and y1 <= y2 on an image of (height, width) {sizes[image]}. '
        'Mend or remove that annotation.'
    )
