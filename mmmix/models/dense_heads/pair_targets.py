"""Targets of two components on the same anchors, and what an image makes of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from torch import Tensor

from mmmix.functional import boxmix_cls_losses
from mmmix.functional.soft_losses import ClsLosses
from mmmix.structures import Factors


class PairTargets(NamedTuple):
    """Targets of two components on an image's anchors.

    Attributes:
        labels: Pair of ``(A,)`` labels in [0, C]; C is background.
        weights: Pair of ``(A,)`` label weights.
        boxes: Pair of (targets, weights), each ``(A, 4)``.
    """

    labels: tuple[Tensor, Tensor]
    weights: tuple[Tensor, Tensor]
    boxes: tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor]]

    @classmethod
    def of(cls, first: Sequence[Tensor], second: Sequence[Tensor]) -> PairTargets:
        """Pair the targets of two components.

        Args:
            first: Labels, label weights, box targets and box weights.
            second: Likewise.
        """
        labels, weights, boxes, box_weights = zip(first, second)
        return cls(labels, weights, tuple(zip(boxes, box_weights)))


class ImageTerms(NamedTuple):
    """What an image adds to the loss.

    Attributes:
        cls: Classification loss, and n for its normaliser.
        boxes: Targets and weights of the offsets, each ``(A, 4)``.
        num_boxes: n for the normaliser of the offsets' loss.
    """

    cls: ClsLosses
    boxes: tuple[Tensor, Tensor]
    num_boxes: float


def image_terms(
    log_probs: Tensor,
    targets: PairTargets,
    factors: Sequence[Factors],
    neg_pos_ratio: float,
    positives: str,
) -> ImageTerms:
    """What an image adds to the loss under BoxMix.

    Args:
        log_probs: ``(A, C + 1)``, float32.
        targets: Of both components.
        factors: Of both components: λ and 1 - λ for the labels, 1 for the component
            that is regressed and 0 for the other one.
        neg_pos_ratio: Mined negatives per positive.
        positives: Rule of the positives.
    """
    regressed = 0 if factors[0].reg else 1
    cls = boxmix_cls_losses(
        log_probs,
        targets.labels,
        targets.weights,
        factors[0].cls,
        neg_pos_ratio,
        positives,
        regressed,
    )
    return ImageTerms(cls, targets.boxes[regressed], cls.num_pos)
