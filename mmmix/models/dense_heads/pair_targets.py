"""Targets of two components on the same anchors, and what an image makes of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from torch import Tensor

from mmmix.functional import boxmix_cls_losses
from mmmix.functional.soft_losses import ClsLosses
from mmmix.structures import Factors


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


class PairTargets(NamedTuple):
    """Targets of two components on an image's anchors.

    Attributes:
        labels: Pair of ``(A,)`` labels in [0, C]; C is background.
        label_weights: Pair of ``(A,)`` label weights.
        boxes: Pair of ``(A, 4)`` offsets.
        box_weights: Pair of ``(A, 4)`` weights of the offsets.
    """

    labels: tuple[Tensor, Tensor]
    label_weights: tuple[Tensor, Tensor]
    boxes: tuple[Tensor, Tensor]
    box_weights: tuple[Tensor, Tensor]

    def terms(
        self,
        log_probs: Tensor,
        factors: Sequence[Factors],
        neg_pos_ratio: float,
        positives: str,
    ) -> ImageTerms:
        """What the image adds to the loss under BoxMix.

        Args:
            log_probs: ``(A, C + 1)``, float32.
            factors: Of both components: λ and 1 - λ for the labels, 1 for the
                component that is regressed and 0 for the other one.
            neg_pos_ratio: Mined negatives per positive.
            positives: Rule of the positives.
        """
        regressed = 0 if factors[0].reg else 1
        cls = boxmix_cls_losses(
            log_probs,
            self.labels,
            self.label_weights,
            factors[0].cls,
            neg_pos_ratio,
            positives,
            regressed,
        )
        boxes = self.boxes[regressed], self.box_weights[regressed]
        return ImageTerms(cls, boxes, cls.num_pos)
