"""Targets of anchors or proposals, for all images and parts of a batch at once.

Shape shorthand: K parts, N images, P priors of an image, C classes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from mmdet.structures.bbox import get_box_tensor
from torch import Tensor

from mmmix.mixing.untraced import untraced
from mmmix.structures import (
    BOX_WEIGHTS,
    LOSS_FACTORS,
    REGRESSION_WEIGHTS,
    Annotations,
    Factors,
)

from .padded_boxes import PaddedBoxes

EPS = torch.finfo(torch.float32).eps
"""mmdet adds it to the normaliser of a weighted loss."""


class PriorTargets(NamedTuple):
    """What the priors should predict; nothing is scaled by the factor of an image.

    Attributes:
        priors: ``(P, 4)``, or of each image ``(K, N, P, 4)``.
        owners: ``(K, N, P)`` int64: -1 for priors that are left out, 0 for negatives,
            the 1-based index of a positive's box.
        labels: ``(K, N, P)`` in [0, C]; C is background.
        label_weights: ``(K, N, P)``, 0 for priors that are left out.
        boxes: ``(K, N, P, 4)``: a positive's box, and other priors themselves.
        box_weights: ``(K, N, P)``, 0 where there is no positive.
        factors: ``(K, N, 2)`` float64: (cls, reg) of each image.
    """

    priors: Tensor
    owners: Tensor
    labels: Tensor
    label_weights: Tensor
    boxes: Tensor
    box_weights: Tensor
    factors: Tensor

    @classmethod
    @untraced  # images have any number of boxes
    def of(
        cls,
        priors: Tensor,
        padded: PaddedBoxes,
        owners: Tensor,
        parts: Sequence[Annotations],
        num_classes: int,
        pos_weight: float,
    ) -> PriorTargets:
        """Targets of priors whose owners are known.

        Args:
            priors: ``(P, 4)``, or of each image ``(K N, P, 4)``.
            padded: The boxes of all parts.
            owners: ``(K N, P)``.
            parts: K batches of N images.
            num_classes: C.
            pos_weight: Weight of a positive's label; 0 or less for 1.
        """
        index = (owners - 1).clamp_(min=0)
        positive = owners > 0
        labels = padded.labels(num_classes).gather(1, index)
        weights = (owners >= 0).float()
        if pos_weight > 0:
            weights = torch.where(positive, pos_weight, weights)
        box_weights = positive.float()
        for name, both in ((BOX_WEIGHTS, True), (REGRESSION_WEIGHTS, False)):
            if any(one is not None and name in one for one in padded.instances):
                scale = padded.field(name, 1.0).to(weights).gather(1, index)
                box_weights = box_weights * scale
                weights = torch.where(positive & both, weights * scale, weights)
        own = padded.boxes.gather(1, index[..., None].expand(-1, -1, 4))
        rows = [
            owners,
            labels.where(positive, num_classes),
            weights,
            torch.where(positive[..., None], own, priors),
            box_weights,
        ]
        shape = (len(parts), len(parts[0].metas))
        rows = [row.unflatten(0, shape) for row in rows]
        if priors.dim() == 3:
            priors = priors.unflatten(0, shape)
        return cls(priors, *rows, factors_of(parts, priors))


@untraced
def factors_of(parts: Sequence[Annotations], like: Tensor) -> Tensor:
    """(cls, reg) of each image, ``(K, N, 2)``, on the device of a tensor."""
    ones = Factors(1.0, 1.0)
    rows = [[meta.get(LOSS_FACTORS, ones) for meta in part.metas] for part in parts]
    # How many negatives a fractional n has is rounded, so that λ is kept as drawn.
    dtype = torch.float32 if like.device.type == 'mps' else torch.float64
    return torch.tensor(rows, dtype=dtype).to(like.device, non_blocking=True)


def encode_boxes(head: Any, priors: Tensor, boxes: Tensor) -> Tensor:
    """What a head's box regression should predict.

    Args:
        head: Has ``bbox_coder`` and ``reg_decoded_bbox``.
        priors: ``(P, 4)`` or ``(..., P, 4)``.
        boxes: ``(..., P, 4)``.

    Returns:
        Of the shape of ``boxes``: encoded, or as they are for a head that regresses
        decoded boxes.
    """
    if head.reg_decoded_bbox:
        return boxes
    priors = priors.expand_as(boxes).reshape(-1, 4)
    return head.bbox_coder.encode(priors, boxes.reshape(-1, 4)).view_as(boxes)


def box_loss(
    head: Any,
    deltas: Tensor,
    priors: Tensor,
    boxes: Tensor,
    weights: Tensor,
    total: Tensor,
) -> Tensor:
    """A head's weighted box loss, a scalar, without a look at its weights.

    Args:
        head: Has ``loss_bbox``, ``bbox_coder`` and ``reg_decoded_bbox``.
        deltas: ``(n, 4)``, what it predicts.
        priors: ``(n, 4)``.
        boxes: ``(n, 4)``, what it should find.
        weights: ``(n,)``.
        total: The normaliser.
    """
    if head.reg_decoded_bbox:
        deltas = get_box_tensor(head.bbox_coder.decode(priors, deltas))
    # The offset of a prior without area is no number.
    goal = encode_boxes(head, priors, boxes).masked_fill(weights[:, None] <= 0, 0.0)
    # Given weights, the losses of mmdet look whether there is one above 0.
    loss = head.loss_bbox(deltas, goal, reduction_override='none')
    weighted = loss * (weights[:, None] if loss.dim() == 2 else weights)
    return weighted.sum() / (total + EPS)
