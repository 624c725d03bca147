"""Targets of anchors that carry the factors of their image and box."""

from __future__ import annotations

import copy
from typing import Any

from mmengine.structures import InstanceData
from torch import Tensor

from mmmix.models.box_factors import box_factors, weighs_boxes
from mmmix.models.ignored_boxes import HeedingAssigner, filled
from mmmix.structures import LOSS_FACTORS


class WeightedTargets:
    """Mixin for subclasses of ``AnchorHead``: targets with weights.

    ``loss_factors`` of the metainfo scale the label and box weights of an image,
    ``box_weights`` of ``gt_instances`` both weights of the anchors assigned to a box,
    and ``regression_weights`` their box weights alone. The normaliser, which counts
    samples, stays stock. Without these fields the targets are the stock ones, but for
    boxes to ignore in images without objects, which mmdet drops.
    """

    def _get_targets_single(
        self,
        flat_anchors: Tensor,
        valid_flags: Tensor,
        gt_instances: InstanceData,
        img_meta: dict[str, Any],
        gt_instances_ignore: InstanceData | None = None,
        **kwargs: Any,
    ) -> tuple:
        """Stock targets of one image, weighted."""
        head, gt_instances_ignore = self, filled(gt_instances_ignore)
        if gt_instances_ignore is not None and not len(gt_instances):
            head = copy.copy(self)
            head.assigner = HeedingAssigner(self.assigner)
        targets = super(WeightedTargets, head)._get_targets_single(
            flat_anchors,
            valid_flags,
            gt_instances,
            img_meta,
            gt_instances_ignore,
            **kwargs,
        )
        labels, label_weights, bbox_targets, bbox_weights, *rest = targets
        if LOSS_FACTORS in img_meta:
            cls, reg = img_meta[LOSS_FACTORS]
            label_weights = label_weights * cls
            bbox_weights = bbox_weights * reg
        if weighs_boxes(gt_instances):
            factors = self._anchor_factors(labels, box_factors(gt_instances), rest[2])
            label_weights = label_weights * factors[:, 0]
            bbox_weights = bbox_weights * factors[:, 1:]
        return (labels, label_weights, bbox_targets, bbox_weights, *rest)

    def _anchor_factors(
        self, labels: Tensor, by_box: Tensor, sampling_result: Any
    ) -> Tensor:
        """Factors of the box each positive anchor is assigned to, 1 elsewhere.

        ``pos_inds`` count the anchors inside the image only; labels are already
        mapped back to all anchors, in the same order.
        """
        factors = by_box.new_ones(len(labels), 2)
        positives = ((labels >= 0) & (labels < self.num_classes)).nonzero().squeeze(1)
        order = sampling_result.pos_inds.argsort()
        factors[positives] = by_box[sampling_result.pos_assigned_gt_inds[order]]
        return factors
