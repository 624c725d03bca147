"""From a class activation map to boxes."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

SIGMA = 0.15
"""Threshold as a share of the map's maximum (CutMix suppl., sec. B)."""


def stretched(cam: NDArray[Any], size: tuple[int, int]) -> NDArray[Any]:
    """A map in the image's size, with values from 0 to 1.

    Maps have any sign, so the smallest value becomes 0 before the largest becomes 1,
    as in CAM's code and in the evaluation of Choe et al.

    Args:
        cam: ``(h, w)``.
        size: (height, width) of the image.

    Returns:
        ``(height, width)`` float32; 0 everywhere for a map that is constant.

    Raises:
        ValueError: If the map is not finite.
    """
    cam = np.asarray(cam, dtype=np.float32)
    if not np.isfinite(cam).all():
        raise ValueError('an activation map has values that are not finite')
    cam = cv2.resize(cam, size[::-1], interpolation=cv2.INTER_LINEAR)
    cam = cam - cam.min()
    top = cam.max()
    return cam / top if top > 0 else cam


def component_boxes(
    score_map: NDArray[Any], threshold: float
) -> tuple[NDArray[Any], NDArray[Any]]:
    """The tight boxes of the connected regions above a threshold.

    Args:
        score_map: ``(H, W)`` in [0, 1].
        threshold: Cells with a larger value belong to a region; cells that touch, by a
            side or a corner, to the same one.

    Returns:
        ``(K, 4)`` float64 as (x1, y1, x2, y2) with ends that are exclusive, so that a
        region of one pixel has a box of side 1, and the cells of each, ``(K,)``.
        No region gives the box of the whole map, of no cells.
    """
    mask = (score_map > threshold).astype(np.uint8)
    _, _, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    left, top, width, height, cells = stats[1:].T
    if not len(cells):
        whole = np.array([[0, 0, score_map.shape[1], score_map.shape[0]]])
        return whole.astype(np.float64), np.zeros(1, dtype=np.int64)
    boxes = np.stack([left, top, left + width, top + height], axis=1)
    return boxes.astype(np.float64), cells.astype(np.int64)


def largest_box(score_map: NDArray[Any], threshold: float = SIGMA) -> NDArray[Any]:
    """The tight box of the largest region above a threshold, ``(4,)``.

    CutMix suppl., sec. B, "Estimating bounding box"; of regions of one size the first.

    Args:
        score_map: ``(H, W)`` in [0, 1].
        threshold: σ, a share of the maximum.
    """
    boxes, cells = component_boxes(score_map, threshold)
    return boxes[cells.argmax()]
