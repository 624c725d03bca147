"""How well estimated boxes fit the annotated ones, at every threshold."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .cam_boxes import component_boxes

DELTAS = (0.3, 0.5, 0.7)
"""The IoUs that MaxBoxAccV2 averages over."""


def box_ious(boxes: NDArray[Any], truths: NDArray[Any]) -> NDArray[Any]:
    """IoU of each box with each annotated one, ``(K, G)``.

    Args:
        boxes: ``(K, 4)`` as (x1, y1, x2, y2).
        truths: ``(G, 4)``.
    """
    low = np.maximum(boxes[:, None, :2], truths[None, :, :2])
    high = np.minimum(boxes[:, None, 2:], truths[None, :, 2:])
    shared = np.clip(high - low, 0, None).prod(axis=2)
    areas = [
        np.clip(b[:, 2:] - b[:, :2], 0, None).prod(axis=1) for b in (boxes, truths)
    ]
    union = areas[0][:, None] + areas[1][None] - shared
    return shared / np.maximum(union, 1e-12)


def overlaps_by_threshold(
    score_map: NDArray[Any], truths: NDArray[Any], thresholds: Sequence[float]
) -> NDArray[Any]:
    """The best IoU of an image's estimate with its boxes, at each threshold.

    Args:
        score_map: ``(H, W)`` in [0, 1].
        truths: ``(G, 4)``, its annotated boxes, at least one.
        thresholds: T values in [0, 1).

    Returns:
        ``(2, T)``: of the largest region's box (MaxBoxAcc), and of the box of any
        region (MaxBoxAccV2).
    """
    best = np.zeros((2, len(thresholds)))
    for index, threshold in enumerate(thresholds):
        boxes, cells = component_boxes(score_map, threshold)
        ious = box_ious(boxes, truths).max(axis=1)
        best[:, index] = ious[cells.argmax()], ious.max()
    return best


def max_box_acc(overlaps: NDArray[Any], delta: float = 0.5) -> tuple[float, int]:
    """The best share of images with an IoU of at least δ, over one threshold for all.

    "Evaluating Weakly Supervised Object Localization Methods Right" (CVPR 2020), eq. 2.

    Args:
        overlaps: ``(N, T)``, IoU of each image at each threshold.
        delta: δ.

    Returns:
        The share, and the index of its threshold.
    """
    shares = (overlaps >= delta).mean(axis=0)
    return float(shares.max()), int(shares.argmax())
