"""Assignment of priors to boxes by their largest IoU, for all images at once.

Shape shorthand: R rows, an image or one of its components each; P priors; at most G
boxes in a row, filled up with boxes of 0, which overlap nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

MAX_CELLS = 2**24
"""Overlaps held at once, unless R * P are more; each takes 20 bytes at most."""

_EPS = 1e-6
_SKEW = 4


class IoURule(NamedTuple):
    """Settings of mmdet's ``MaxIoUAssigner``.

    Attributes:
        positive: Least IoU of a positive prior.
        negative: A prior whose largest IoU is less is a negative.
        low_quality: Least IoU of a box with the priors nearest to it, which are its
            own whatever else they overlap; None to leave them.
        all_nearest: Whether that holds for all priors of the same largest IoU, or for
            the first of them.
        ignore: A prior is left out if more than this share lies in a box to ignore;
            0 or less for never.
        share_of_prior: Whether it is a share of the prior, or of the box.
    """

    positive: float
    negative: float
    low_quality: float | None
    all_nearest: bool
    ignore: float
    share_of_prior: bool


def assign_max_iou(
    priors: Tensor,
    boxes: Tensor,
    counts: Sequence[int],
    rule: IoURule,
    left_out: Tensor | None = None,
) -> Tensor:
    """Assign priors to boxes, as ``MaxIoUAssigner`` does for one image.

    Boxes are taken some at a time, so that no more than ``MAX_CELLS`` overlaps are
    held, or R * P. Where that matters, rows of few boxes go apart from those of many.

    Args:
        priors: ``(P, 4)``, or of each row ``(R, P, 4)``.
        boxes: ``(R, G, 4)``, G >= 1.
        counts: Number of boxes of each row.
        rule: The assigner's settings.
        left_out: ``(R, P)`` bool, priors that are no negatives either.

    Returns:
        ``(R, P)`` int64: -1 for priors that are neither, 0 for negatives, and the
        1-based index of a positive's box.
    """
    (rows, width), size = boxes.shape[:2], priors.shape[-2]
    step = max(1, MAX_CELLS // (rows * size))
    few = [row for row in range(rows) if counts[row] * _SKEW < width]
    if step < width and few:
        return _apart(priors, boxes, counts, rule, left_out, few)
    sizes = torch.tensor(counts).to(boxes.device, non_blocking=True)
    best = nearest = torch.zeros((), device=boxes.device, dtype=torch.int64)
    for start in range(0, width, step):
        overlaps = box_overlaps(boxes[:, start : start + step], priors)
        if left_out is not None:
            overlaps.masked_fill_(left_out[:, None], -1)
        if rule.low_quality is not None:
            good = rule.low_quality, rule.all_nearest
            overlaps = _raised(overlaps, start, sizes, *good)
        value, index = overlaps.max(dim=1)
        if start:
            index = torch.where(value > best, index + start, nearest)
            value = torch.maximum(value, best)
        best, nearest = value, index
    negative = (best >= 0) & (best < rule.negative)
    return torch.where(best >= min(rule.positive, 2), nearest + 1, negative.long() - 1)


def exceeds(
    priors: Tensor, boxes: Tensor, threshold: float, share: str | None = None
) -> Tensor:
    """Which priors overlap some box by more than a threshold, ``(R, P)`` bool.

    Args:
        priors: ``(P, 4)`` or ``(R, P, 4)``.
        boxes: ``(R, G, 4)``.
        threshold: Not negative.
        share: As :func:`box_overlaps`.
    """
    found = torch.zeros((), dtype=torch.bool, device=boxes.device)
    for some in boxes.split(max(1, MAX_CELLS // (len(boxes) * priors.shape[-2])), 1):
        overlaps = box_overlaps(some, priors, share).amax(dim=1)
        found = found | (overlaps > threshold)
    return found


def box_overlaps(boxes: Tensor, priors: Tensor, share: str | None = None) -> Tensor:
    """IoU of all boxes with all priors, bit for bit that of mmdet.

    Args:
        boxes: ``(R, G, 4)``.
        priors: ``(P, 4)`` or ``(R, P, 4)``.
        share: Instead of the IoU the part of a ``'box'`` or ``'prior'`` that lies in
            the other.

    Returns:
        ``(R, G, P)``.
    """
    x1, y1, x2, y2 = boxes[..., None].unbind(dim=-2)
    u1, v1, u2, v2 = priors.unsqueeze(-3).unbind(dim=-1)
    inner = torch.minimum(x2, u2).sub_(torch.maximum(x1, u1)).clamp_(min=0)
    inner.mul_(torch.minimum(y2, v2).sub_(torch.maximum(y1, v1)).clamp_(min=0))
    area, other = (x2 - x1) * (y2 - y1), (u2 - u1) * (v2 - v1)
    if share is not None:
        return inner.div_((area if share == 'box' else other).clamp(min=_EPS))
    return inner.div_((area + other).sub_(inner).clamp_(min=_EPS))


def _raised(
    overlaps: Tensor, start: int, counts: Tensor, least: float, all_nearest: bool
) -> Tensor:
    """Overlaps, above 2 where a prior is nearest to a box, and more for later boxes.

    So such a prior's largest overlap is that with the last of these boxes.

    Args:
        overlaps: ``(R, g, P)``; may be changed.
        start: Index of the first of these boxes.
        counts: ``(R,)``.
        least: Least IoU.
        all_nearest: See :class:`IoURule`.
    """
    if all_nearest:
        largest, first = overlaps.amax(dim=2), None
    else:
        largest, first = overlaps.max(dim=2)
    numbers = torch.arange(start, start + largest.shape[1], device=counts.device)
    good = (numbers < counts[:, None]) & (largest >= least)
    numbers = (numbers + 2).to(largest)
    if first is not None:
        values = torch.where(good, numbers, largest)
        return overlaps.scatter_(2, first[..., None], values[..., None])
    same = overlaps == torch.where(good, largest, 2.0)[..., None]
    return torch.where(same, numbers[:, None], overlaps)


def _apart(
    priors: Tensor,
    boxes: Tensor,
    counts: Sequence[int],
    rule: IoURule,
    left_out: Tensor | None,
    few: Sequence[int],
) -> Tensor:
    """The same in two groups of rows: those of few boxes, and the others."""
    groups = [list(few), [row for row in range(len(counts)) if row not in set(few)]]
    owners = boxes.new_empty(len(boxes), priors.shape[-2], dtype=torch.int64)
    for group in groups:
        some = [counts[row] for row in group]
        owners[group] = assign_max_iou(
            priors if priors.dim() == 2 else priors[group],
            boxes[group, : max(*some, 1)],
            some,
            rule,
            None if left_out is None else left_out[group],
        )
    return owners
