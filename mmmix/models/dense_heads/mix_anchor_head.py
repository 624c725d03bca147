"""What anchor heads that understand mixed samples have in common."""

from __future__ import annotations

from functools import partial
from typing import Any

import torch
from mmengine.structures import InstanceData
from torch import Tensor

from mmmix.models.supervisions import build_supervision
from mmmix.structures import (
    BOX_WEIGHTS,
    COMPONENT_WEIGHT,
    REGRESSION_WEIGHTS,
    Annotations,
)


class MixAnchorHead:
    """Mixin for subclasses of ``AnchorHead``: a supervision, targets with weights.

    The supervision makes the loss of a batch, of the stock loss or of
    ``loss_by_feat_boxmix``, which the head brings.

    ``component_weight`` of the metainfo scales all label and box weights of an
    image, ``box_weights`` of ``gt_instances`` those of the anchors assigned to
    a box, and ``regression_weights`` their box weights alone. The normaliser,
    which counts samples, stays stock. Without these fields the targets are the
    stock ones.

    Args:
        *args: As the stock head.
        supervision: Config of a supervision, None means ``Union``.
        **kwargs: As the stock head.
    """

    def __init__(
        self, *args: Any, supervision: dict | None = None, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.supervision = build_supervision(supervision)

    def loss_by_feat(
        self,
        cls_scores: list[Tensor],
        bbox_preds: list[Tensor],
        batch_gt_instances: list[InstanceData],
        batch_img_metas: list[dict],
        batch_gt_instances_ignore: list[InstanceData] | None = None,
    ) -> dict[str, list[Tensor]]:
        """Losses of a batch, mixed or not; arguments as the stock head.

        Raises:
            TypeError, ValueError: See :meth:`Supervision.loss`.
        """
        return self.supervision.loss(
            Annotations(batch_gt_instances, batch_img_metas, batch_gt_instances_ignore),
            stock_loss=partial(super().loss_by_feat, cls_scores, bbox_preds),
            boxmix_loss=partial(self.loss_by_feat_boxmix, cls_scores, bbox_preds),
        )

    def _get_targets_single(
        self,
        flat_anchors: Tensor,
        valid_flags: Tensor,
        gt_instances: InstanceData,
        img_meta: dict[str, Any],
        *args: Any,
        **kwargs: Any,
    ) -> tuple:
        """Stock targets of one image, weighted."""
        targets = super()._get_targets_single(
            flat_anchors, valid_flags, gt_instances, img_meta, *args, **kwargs
        )
        labels, label_weights, bbox_targets, bbox_weights, *rest = targets
        if COMPONENT_WEIGHT in img_meta:
            label_weights = label_weights * img_meta[COMPONENT_WEIGHT]
            bbox_weights = bbox_weights * img_meta[COMPONENT_WEIGHT]
        if BOX_WEIGHTS in gt_instances:
            factors = self._anchor_factors(labels, gt_instances[BOX_WEIGHTS], rest[2])
            label_weights = label_weights * factors
            bbox_weights = bbox_weights * factors[:, None]
        if REGRESSION_WEIGHTS in gt_instances:
            factors = self._anchor_factors(
                labels, gt_instances[REGRESSION_WEIGHTS], rest[2]
            )
            bbox_weights = bbox_weights * factors[:, None]
        return (labels, label_weights, bbox_targets, bbox_weights, *rest)

    def _anchor_factors(
        self, labels: Tensor, box_weights: Tensor, sampling_result: Any
    ) -> Tensor:
        """Weight of the box each positive anchor is assigned to, 1 elsewhere.

        ``pos_inds`` count the anchors inside the image only; labels are already
        mapped back to all anchors, in the same order.
        """
        factors = torch.ones_like(labels, dtype=box_weights.dtype)
        positives = ((labels >= 0) & (labels < self.num_classes)).nonzero().squeeze(1)
        order = sampling_result.pos_inds.argsort()
        factors[positives] = box_weights[sampling_result.pos_assigned_gt_inds[order]]
        return factors
