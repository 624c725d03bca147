"""What anchor heads that understand mixed samples have in common."""

from __future__ import annotations

from typing import Any

from mmdet.models.dense_heads import AnchorHead
from mmdet.models.task_modules.samplers import PseudoSampler
from mmdet.models.utils import multi_apply
from mmengine.structures import InstanceData
from torch import Tensor

from mmmix.models.batch_assignment import iou_rule, say_slow
from mmmix.models.loss_weights import check_heeded
from mmmix.models.prior_targets import PriorTargets, encode_boxes
from mmmix.models.supervisions import (
    Losses,
    Supervision,
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

    Raises:
        ValueError: If the supervision weighs samples, and a loss does not heed that.
    """

    honours_box_weights = True

    def __init__(
        self, *args: Any, supervision: dict | None = None, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.supervision = build_override(supervision)
        if self.supervision is not None:
            self.check_weighs(self.supervision)

    def check_weighs(self, supervision: Supervision) -> None:
        """Refuse losses that would ignore the weights of their samples.

        Args:
            supervision: What weighs them, if it does.

        Raises:
            ValueError: With the loss, and the way out.
        """
        if supervision.weighs != 'nothing':
            check_heeded(type(self).__name__, self, supervision)

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
                supervision does not fit the head, its losses or the mixer.
        """
        batch = Annotations(
            batch_gt_instances, batch_img_metas, batch_gt_instances_ignore
        )
        supervised = supervise(batch, self.supervision)
        if supervised.supervision is not None:
            self.check_weighs(supervised.supervision)
        if supervised.joint:
            return self.joint_loss(cls_scores, bbox_preds, supervised.parts)
        return self.parts_loss(cls_scores, bbox_preds, supervised.parts)

    def parts_loss(
        self,
        cls_scores: list[Tensor],
        bbox_preds: list[Tensor],
        parts: list[Annotations],
    ) -> Losses:
        """The sum of the stock loss over parts that have samples of their own.

        A head that neither samples nor has a loss of its own over ``AnchorHead``'s
        gets its targets of all images and parts at once, the same to 1e-6.
        """
        if self._targets_at_once():
            targets = self.batch_targets(cls_scores, parts)
            return self._level_losses(cls_scores, bbox_preds, targets)
        stock_loss = super().loss_by_feat
        return sum_losses([stock_loss(cls_scores, bbox_preds, *part) for part in parts])

    def _targets_at_once(self) -> bool:
        """Whether the stock loss is that of ``AnchorHead``, and targets are known."""
        methods = ('loss_by_feat', 'get_targets', '_get_targets_single')
        ours = (MixAnchorHead, WeightedTargets)
        stock = [
            next(c for c in type(self).__mro__ if name in vars(c) and c not in ours)
            for name in methods
        ]
        if any(cls is not AnchorHead for cls in stock):
            return False
        known = (
            type(self.sampler) is PseudoSampler and iou_rule(self.assigner) is not None
        )
        if not known:
            say_slow(self, self.assigner, self.sampler)
        return known

    def _level_losses(
        self,
        cls_scores: list[Tensor],
        bbox_preds: list[Tensor],
        targets: PriorTargets,
    ) -> Losses:
        """Losses of each level, the sum over parts, from the targets of all anchors."""
        counts = [score[0].numel() // self.cls_out_channels for score in cls_scores]
        factors = targets.factors.float()[..., None]
        offsets = encode_boxes(self, targets.priors, targets.boxes)
        # As mmdet: of a box that is its own target some losses are no number.
        offsets = offsets.masked_fill((targets.owners <= 0)[..., None], 0.0)
        weights = (targets.box_weights * factors[..., 1, :])[..., None]
        num_pos = (targets.owners > 0).sum(dim=-1).clamp(min=1).sum(dim=-1)
        rows = (
            targets.labels,
            targets.label_weights * factors[..., 0, :],
            offsets,
            weights.expand_as(offsets),
        )
        levels = list(zip(*(row.split(counts, dim=2) for row in rows)))
        anchors = targets.priors.split(counts)
        return sum_losses(
            [
                dict(
                    zip(
                        ('loss_cls', 'loss_bbox'),
                        multi_apply(
                            self.loss_by_feat_single,
                            cls_scores,
                            bbox_preds,
                            [a.expand(len(cls_scores[0]), -1, -1) for a in anchors],
                            *([level[row][k] for level in levels] for row in range(4)),
                            avg_factor=num_pos[k].float(),
                        ),
                    )
                )
                for k in range(len(num_pos))
            ]
        )

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
            f'{type(self).__name__} has no loss of the joint parts of BoxMix; use '
            "supervision=dict(type='LossMix')"
        )
