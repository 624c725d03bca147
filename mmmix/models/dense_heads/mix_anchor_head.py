"""What anchor heads that understand mixed samples have in common."""

from __future__ import annotations

from typing import Any

from mmengine.structures import InstanceData
from torch import Tensor

from mmmix.models.supervisions import (
    Losses,
    build_override,
    sum_losses,
    supervise,
)
from mmmix.structures import Annotations

from .anchor_targets import BatchTargets
from .weighted_targets import WeightedTargets


class MixAnchorHead(BatchTargets, WeightedTargets):
    """Mixin for subclasses of ``AnchorHead``: a loss of mixed samples.

    The loss is the sum of the stock loss over the parts of the batch's supervision.
    A supervision whose parts are joint needs a ``joint_loss`` of the head.

    Args:
        *args: As the stock head.
        supervision: Config of a supervision that replaces the mixer's; None takes
            that of the mixer.
        **kwargs: As the stock head.
    """

    honours_box_weights = True

    def __init__(
        self, *args: Any, supervision: dict | None = None, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.supervision = build_override(supervision)

    def loss_by_feat(
        self,
        cls_scores: list[Tensor],
        bbox_preds: list[Tensor],
        batch_gt_instances: list[InstanceData],
        batch_img_metas: list[dict],
        batch_gt_instances_ignore: list[InstanceData] | None = None,
    ) -> Losses:
        """Losses of a batch, mixed or not; arguments as the stock head.

        Raises:
            TypeError, ValueError: If the mixing fields are invalid, or the
                supervision does not fit the head or the mixer.
        """
        batch = Annotations(
            batch_gt_instances, batch_img_metas, batch_gt_instances_ignore
        )
        supervised = supervise(batch, self.supervision)
        if supervised.joint:
            return self.joint_loss(cls_scores, bbox_preds, supervised.parts)
        return self.parts_loss(cls_scores, bbox_preds, supervised.parts)

    def parts_loss(
        self,
        cls_scores: list[Tensor],
        bbox_preds: list[Tensor],
        parts: list[Annotations],
    ) -> Losses:
        """The sum of the stock loss over parts that have samples of their own."""
        stock_loss = super().loss_by_feat
        return sum_losses([stock_loss(cls_scores, bbox_preds, *part) for part in parts])

    def joint_loss(
        self,
        cls_scores: list[Tensor],
        bbox_preds: list[Tensor],
        parts: list[Annotations],
    ) -> Losses:
        """One loss of parts that share their samples.

        Raises:
            TypeError: In heads that have none.
        """
        raise TypeError(
            f'BoxMix mixes the targets of anchors and {type(self).__name__} has none '
            "to mix; use supervision=dict(type='LossMix')"
        )
