"""Masks of the components on the frame of the mixed image."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from mmdet.structures.mask import BitmapMasks, PolygonMasks
from numpy.typing import NDArray

from .boxes import Size
from .cutting import Region

Masks: TypeAlias = BitmapMasks | PolygonMasks


class MaskPart(NamedTuple):
    """The masks of one component.

    Attributes:
        masks: Of the size of their image, or padded at the lower right.
        offset: (y, x) of the image on the frame.
        component: 0 for the image itself, 1 for its partner.
    """

    masks: Masks
    offset: Size
    component: int = 0


def join_masks(
    parts: Sequence[MaskPart], frame: Size, region: Region | None = None
) -> Masks:
    """Put the masks of the components on one frame, moved as their images are.

    Every mask is written once. A padded mask keeps its padding, unless that would
    leave the frame.

    Args:
        parts: At least one, all of one kind.
        frame: (height, width) of the result.
        region: Where the partner is pasted, if masks are to be cut to what is
            visible of them.

    Raises:
        TypeError: If they are neither bitmaps nor polygons, or polygons are to be
            cut; a polygon has no holes.
    """
    kinds = {type(part.masks) for part in parts}
    if kinds == {PolygonMasks} and region is None:
        return _join_polygons(parts, frame)
    if kinds != {BitmapMasks}:
        raise TypeError(_wrong_kinds(kinds))
    only = parts[0].masks
    still = (only.height, only.width) == tuple(frame) and parts[0].offset == (0, 0)
    if len(parts) == 1 and still and region is None:
        return only
    total = sum(len(part.masks) for part in parts)
    dtype = np.result_type(*(part.masks.masks for part in parts))
    joined, start = np.empty((total, *frame), dtype=dtype), 0
    for masks, offset, component in parts:
        target = joined[start : start + len(masks)]
        _write(masks.masks, offset, target)
        if region is not None:
            _hide(target, region, component)
        start += len(masks)
    return BitmapMasks(joined, *frame)


def _wrong_kinds(kinds: set[type]) -> str:
    """What to do about masks that cannot be joined."""
    names = ' and '.join(sorted(kind.__name__ for kind in kinds))
    if kinds == {PolygonMasks}:
        return (
            f'CutMix cuts masks to what is visible and needs BitmapMasks, got {names}; '
            'set poly2mask=True in LoadAnnotations, or take a supervision that keeps '
            "all boxes, such as dict(type='LossMix')"
        )
    return (
        'masks must be BitmapMasks or PolygonMasks, of one kind in all images, to be '
        f'mixed, got {names}; drop them with LoadAnnotations(with_mask=False)'
    )


def _join_polygons(parts: Sequence[MaskPart], frame: Size) -> PolygonMasks:
    """Polygons, moved and clipped to the frame."""
    moved = [
        masks.translate(frame, x, 'horizontal').translate(frame, y, 'vertical')
        for masks, (y, x), _ in parts
    ]
    return PolygonMasks([mask for masks in moved for mask in masks.masks], *frame)


def _write(masks: NDArray[Any], offset: Size, target: NDArray[Any]) -> None:
    """Write masks at an offset of a target that was not initialised."""
    (top, left), (rows, columns) = offset, target.shape[1:]
    bottom = min(top + masks.shape[1], rows)
    right = min(left + masks.shape[2], columns)
    target[:, top:bottom, left:right] = masks[:, : bottom - top, : right - left]
    target[:, :top] = 0
    target[:, bottom:] = 0
    target[:, top:bottom, :left] = 0
    target[:, top:bottom, right:] = 0


def _hide(masks: NDArray[Any], region: Region, component: int) -> None:
    """Clear in place what is hidden of a component."""
    top, left, bottom, right = region
    if not component:
        masks[:, top:bottom, left:right] = 0
        return
    masks[:, :top] = 0
    masks[:, bottom:] = 0
    masks[:, top:bottom, :left] = 0
    masks[:, top:bottom, right:] = 0
