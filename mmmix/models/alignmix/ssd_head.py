"""SSD's head where a plan carries the labels of component 1."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch.nn.functional as F
from mmdet.registry import MODELS
from torch import Tensor

from mmmix.models.dense_heads import MixSSDHead
from mmmix.models.dense_heads.pair_targets import ImageTerms, PairTargets
from mmmix.structures import Annotations, Factors, dominant_component

from .fields import TRANSPORT
from .label_maps import Levels
from .transported_losses import transported_cls_losses


class CarriedTargets(NamedTuple):
    """Targets of component 0 on an image's anchors, and what came to them.

    Attributes:
        labels: ``(A,)`` labels in [0, C]; C is background.
        label_weights: ``(A,)`` label weights.
        boxes: ``(A, 4)`` offsets.
        box_weights: ``(A, 4)`` weights of the offsets.
        carried: ``(A, C + 1)``: labels of component 1, carried through the plan.
    """

    labels: Tensor
    label_weights: Tensor
    boxes: Tensor
    box_weights: Tensor
    carried: Tensor

    def terms(
        self,
        log_probs: Tensor,
        factors: Sequence[Factors],
        neg_pos_ratio: float,
        positives: str,
    ) -> ImageTerms:
        """What the image adds to the loss; arguments as ``PairTargets``."""
        weights = [factor.cls for factor in factors]
        cls = transported_cls_losses(
            log_probs,
            self.labels,
            self.label_weights,
            self.carried.to(log_probs),
            weights[0],
            neg_pos_ratio,
            positives,
            dominant_component(weights),
        )
        matched = self.labels < log_probs.shape[1] - 1
        return ImageTerms(cls, (self.boxes, self.box_weights), int(matched.sum()))


@MODELS.register_module()
class AlignMixSSDHead(MixSSDHead):
    """``MixSSDHead`` of ``AlignMix``, which builds it in that one's place.

    An image with a plan has component 1's labels carried through it, and the offsets
    of component 0, whose matches it counts for them. Labels that travelled are soft,
    so the mined negatives follow their shares instead of a match.

    Args:
        *args: As ``MixSSDHead``.
        mix_positives: As ``MixSSDHead``.
        **kwargs: As ``MixSSDHead``.
    """

    def __init__(
        self, *args: Any, mix_positives: str = 'factored', **kwargs: Any
    ) -> None:
        super().__init__(*args, mix_positives=mix_positives, **kwargs)

    def _pair_targets(
        self, cls_scores: list[Tensor], parts: list[Annotations]
    ) -> tuple[list[list[Tensor]], list[PairTargets | CarriedTargets]]:
        """As ``MixSSDHead``, with carried labels where an image has a plan."""
        anchors, targets = super()._pair_targets(cls_scores, parts)
        levels = Levels.of(
            [score.shape[2:] for score in cls_scores], self.prior_generator
        )
        return anchors, [
            self._carry(pair, levels, meta.get(TRANSPORT))
            for pair, meta in zip(targets, parts[0].metas)
        ]

    def _carry(
        self, pair: PairTargets, levels: Levels, transport: Any
    ) -> PairTargets | CarriedTargets:
        """The targets of an image, carried if it has a plan."""
        if transport is None:
            return pair
        weights = pair.label_weights[1]
        shares = F.one_hot(pair.labels[1], self.cls_out_channels).to(weights)
        carried = levels.carry(transport, shares * weights[:, None])
        return CarriedTargets(*(own for own, _ in pair), carried)
