"""Boxes that no detector can learn from."""

from __future__ import annotations

import math
from collections.abc import Sequence

FARTHEST = 1e6
"""Largest coordinate where the size of the image is not stated, in pixels."""


def box_fault(
    box: Sequence[float], width: float | None = None, height: float | None = None
) -> str | None:
    """What is wrong with a box, in words; None if nothing is.

    A box may reach out of its image, as many data sets have it, but not by more than
    the image's own size on a side, and not lie outside of it.

    Args:
        box: x1, y1, x2, y2 in pixels, as mmdet has read it.
        width: That of the image, as stated.
        height: That of the image, as stated.
    """
    try:
        x1, y1, x2, y2 = box
        if width and height and 0 <= x1 < x2 <= width and 0 <= y1 < y2 <= height:
            return None
        finite = all(map(math.isfinite, (x1, y1, x2, y2)))
    except OverflowError:
        return f'reaches too far; {_clip(width, height)}'
    except (TypeError, ValueError):
        return f'is {box!r}; write four numbers'
    if not finite:
        return f'has a coordinate that is not finite ({_text(box)}); draw it again'
    if x2 < x1 or y2 < y1:
        return f'is inverted ({_text(box)}); swap its corners'
    if x2 == x1 or y2 == y1:
        return f'has no width or height ({_text(box)}); delete it, or draw it again'
    reach_x, reach_y = width or FARTHEST, height or FARTHEST
    if x1 >= reach_x or y1 >= reach_y or x2 <= 0 or y2 <= 0:
        return (
            f'lies outside of its image ({_text(box)} in {reach_x:g} x {reach_y:g} '
            'pixels); delete it, or correct the size that is stated'
        )
    if x1 < -reach_x or y1 < -reach_y or x2 > 2 * reach_x or y2 > 2 * reach_y:
        return f'reaches too far ({_text(box)}); {_clip(width, height)}'
    return None


def _text(box: Sequence[float]) -> str:
    return '[' + ', '.join(f'{value:.6g}' for value in box) + ']'


def _clip(width: float | None, height: float | None) -> str:
    """The fix for a box that leaves its image."""
    if not width or not height:
        return f'write coordinates below {FARTHEST:g} pixels'
    return f'clip it to the image of {width:g} x {height:g} pixels'
