"""Overlaps as VOC counts them."""

from __future__ import annotations

import torch
from mmdet.evaluation import bbox_overlaps
from torch import Tensor


def voc_overlaps(first: Tensor, second: Tensor) -> Tensor:
    """IoU of all pairs of boxes, whose last row and column of pixels belong to them.

    A box from 10 to 17 is 8 pixels wide, as in VOC's annotations, its development
    kit and ``VOCMetric``. For small boxes the difference is large: 8 pixels moved by
    2 overlap by 0.6, not by 0.56.

    Args:
        first: ``(n, 4)`` as (x1, y1, x2, y2), on the CPU.
        second: ``(m, 4)``, likewise.

    Returns:
        ``(n, m)`` float32 in [0, 1].
    """
    overlaps = bbox_overlaps(first.numpy(), second.numpy(), use_legacy_coordinate=True)
    return torch.from_numpy(overlaps)
