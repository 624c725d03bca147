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


class JoinedMasks(BitmapMasks):
    """Bitmaps of several components on one frame, which are not copied until asked for.

    The masks of one component, which LossMix takes, are those that were given.

    Args:
        parts: Their masks, all of one size.
    """

    def __init__(self, parts: Sequence[BitmapMasks]) -> None:
        self.height, self.width = parts[0].height, parts[0].width
        self._parts = list(parts)

    @classmethod
    def cat(cls, masks: Sequence[BitmapMasks]) -> BitmapMasks:
        """All of them as plain bitmaps."""
        return BitmapMasks.cat(masks)

    @property
    def masks(self) -> NDArray[Any]:
        """``(num_masks, height, width)``, written when first asked for."""
        if len(self._parts) > 1:
            joined = np.concatenate([part.masks for part in self._parts])
            self._parts = [BitmapMasks(joined, self.height, self.width)]
        return self._parts[0].masks

    def __len__(self) -> int:
        return sum(map(len, self._parts))

    def __getitem__(self, index: Any) -> BitmapMasks:
        """Masks at an index; those of a slice within one component are not copied."""
        if isinstance(index, slice) and index.step in (None, 1):
            start, stop, _ = index.indices(len(self))
            for part in self._parts:
                if 0 <= start <= stop <= len(part):
                    return part[start:stop]
                start, stop = start - len(part), stop - len(part)
        return super().__getitem__(index)


def join_masks(
    parts: Sequence[MaskPart], frame: Size, region: Region | None = None
) -> Masks:
    """Put the masks of the components on one frame, moved as their images are.

    Every mask is written once, or where nothing moves, when they are asked for. A
    padded mask keeps its padding, unless that would leave the frame.

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
    still = all(
        (part.masks.height, part.masks.width) == tuple(frame) and not any(part.offset)
        for part in parts
    )
    if still and region is None:
        own = [part.masks for part in parts]
        return own[0] if len(own) == 1 else JoinedMasks(own)
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
    _clear_outside(target, Region(top, left, bottom, right))


def _hide(masks: NDArray[Any], region: Region, component: int) -> None:
    """Clear in place what is hidden of a component."""
    if component:
        _clear_outside(masks, region)
    else:
        masks[:, region.top : region.bottom, region.left : region.right] = 0


def _clear_outside(masks: NDArray[Any], region: Region) -> None:
    """Clear in place all but a region."""
    top, left, bottom, right = region
    masks[:, :top] = 0
    masks[:, bottom:] = 0
    masks[:, top:bottom, :left] = 0
    masks[:, top:bottom, right:] = 0
