"""A region of a pair's canvas that shows the partner (CutMix suppl., alg. A1).

Sizes are (height, width), in pixels. Component 0 is the image itself and is
visible outside the region; component 1 is its partner and is visible inside.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from mmdet.structures.bbox import BaseBoxes, get_box_tensor
from torch import Tensor

from .boxes import Boxes, Size

MIN_SIDE = 4.0
"""Shortest side in pixels that a box may be cut to; less is no object any more."""


class Region(NamedTuple):
    """Rows ``[top, bottom)`` and columns ``[left, right)`` of a canvas."""

    top: int
    left: int
    bottom: int
    right: int

    @property
    def area(self) -> int:
        """Number of its pixels."""
        return (self.bottom - self.top) * (self.right - self.left)


def cut_region(lam: float, centre: tuple[float, float], canvas: Size) -> Region:
    """The region that is pasted, before clipping a share 1 - λ of the canvas.

    Its sides are √(1 - λ) of the canvas's (alg. A1, l. 8-9, whose missing factors
    H and W are in the released code), clipped to the canvas and rounded.

    Args:
        lam: λ in [0, 1] as drawn.
        centre: (y, x) of its middle, in [0, 1] of the canvas.
        canvas: Size of the canvas.
    """
    edges = zip(_relative_edges(lam, centre), canvas)
    low, high = zip(*((round(a * side), round(b * side)) for (a, b), side in edges))
    return Region(*low, *high)


def _relative_edges(
    lam: float, centre: tuple[float, float]
) -> list[tuple[float, float]]:
    """First and last row, and column, of the region, clipped, in [0, 1]."""
    half = math.sqrt(1.0 - lam) / 2
    return [(max(0.0, m - half), min(1.0, m + half)) for m in centre]


def unrounded_share(lam: float, centre: tuple[float, float]) -> float:
    """λ of a region that is clipped to the canvas, but not rounded to pixels.

    The same for canvases of all sizes; the exact λ of each differs from it by less
    than a pixel of each side.

    Args:
        lam: As :func:`cut_region`.
        centre: Likewise.
    """
    rows, columns = _relative_edges(lam, centre)
    return 1.0 - (rows[1] - rows[0]) * (columns[1] - columns[0])


def own_share(region: Region, canvas: Size) -> float:
    """The exact λ: share of the canvas that the region leaves (alg. A1, l. 15)."""
    return 1.0 - region.area / (canvas[0] * canvas[1])


def paste(
    image_a: Tensor, image_b: Tensor, region: Region, out: Tensor | None = None
) -> Tensor:
    """Image a with the region of image b, bit for bit.

    Args:
        image_a: ``(C, H, W)``.
        image_b: The same shape.
        region: Where b is seen.
        out: Where to write the result, of the same shape.
    """
    out = image_a.clone() if out is None else out.copy_(image_a)
    rows, columns = slice(region.top, region.bottom), slice(region.left, region.right)
    out[:, rows, columns] = image_b[:, rows, columns]
    return out


def cut_boxes(boxes: Boxes, region: Region, component: int) -> tuple[Boxes, Tensor]:
    """Cut boxes to what is visible of them.

    A partner's box becomes its part inside the region. A box of the image itself
    loses the strip that the region covers from side to side, and stays as it is
    where something of all its four sides is still to be seen.

    Args:
        boxes: ``(num_boxes, 4)`` as (x1, y1, x2, y2) on the canvas.
        region: Where the partner is seen.
        component: 0 for the image itself, 1 for its partner.

    Returns:
        New boxes of the same kind, the tightest that hold every visible pixel of
        the old ones, and the visible share of each old box, ``(num_boxes,)`` in
        [0, 1]. Of a box with share 0 nothing is left.
    """
    tensor = get_box_tensor(boxes) if isinstance(boxes, BaseBoxes) else boxes
    hole = tensor.new_tensor(
        [region.left, region.top, region.right, region.bottom]
    ).view(2, 2)
    low, high = tensor[:, :2], tensor[:, 2:]
    inner_low = torch.minimum(torch.maximum(low, hole[0]), high)
    inner_high = torch.maximum(torch.minimum(high, hole[1]), inner_low)
    area = (high - low).prod(dim=1)
    # A box of no area has no share; it is visible where its corner is.
    hidden = torch.where(
        area > 0,
        (inner_high - inner_low).prod(dim=1) / area.clamp(min=1e-12),
        ((low >= hole[0]) & (low < hole[1])).all(dim=1).to(area),
    ).clamp(0.0, 1.0)
    if component:
        return _like(boxes, torch.cat([inner_low, inner_high], dim=1)), hidden
    outer = _outside(low, high, hole, region.area > 0)
    return _like(boxes, outer), 1.0 - hidden


def _outside(low: Tensor, high: Tensor, hole: Tensor, has_hole: bool) -> Tensor:
    """The tightest boxes of what is outside of the hole, ``(num_boxes, 4)``.

    The hole takes a side away only if it covers the box across, which is its
    extent along the other axis.
    """
    if not has_hole:
        return torch.cat([low, high], dim=1)
    across = ((hole[0] <= low) & (hole[1] >= high)).flip(1)
    cut_low = across & (hole[0] <= low) & (hole[1] > low)
    cut_high = across & (hole[1] >= high) & (hole[0] < high)
    new_low = torch.where(cut_low, torch.minimum(hole[1], high), low)
    new_high = torch.where(cut_high, torch.maximum(hole[0], low), high)
    return torch.cat([new_low, torch.maximum(new_high, new_low)], dim=1)


def _like(boxes: Boxes, tensor: Tensor) -> Boxes:
    """Coordinates as boxes of the given kind."""
    if not isinstance(boxes, BaseBoxes):
        return tensor
    new = boxes.clone()
    new.tensor = tensor
    return new


def seen_enough(
    boxes: Boxes, visibility: Tensor, least: float, ignored: Tensor | bool = False
) -> Tensor:
    """Which boxes CutMix leaves enough of, ``(num_boxes,)`` bool.

    Args:
        boxes: ``(num_boxes, 4)``, cut.
        visibility: Visible share of each uncut box, ``(num_boxes,)``.
        least: Smallest share that is enough; of a box that was cut, 4 pixels of
            each side must be left, too.
        ignored: Which of them are to ignore, ``(num_boxes,)`` bool, or whether all
            are. Anything that is seen of those is enough, since what is left of one
            that is dropped would be background.
    """
    tensor = get_box_tensor(boxes) if isinstance(boxes, BaseBoxes) else boxes
    sides = (tensor[:, 2:] - tensor[:, :2]).amin(dim=1)
    whole, any_seen = visibility >= 1.0, visibility > 0
    enough = (visibility >= least) & any_seen & (sides >= MIN_SIDE)
    return whole | enough | any_seen & (sides > 0) & ignored
