"""RoIs that are assigned and sampled image by image, as mmdet does.

For assigners, samplers, box losses and mask heads that are known to mmdet only.
"""

from __future__ import annotations

import copy
from itertools import accumulate
from typing import Any

import torch
from mmdet.models.roi_heads import StandardRoIHead
from mmdet.structures import DetDataSample
from mmdet.structures.bbox import bbox2roi
from mmengine.structures import InstanceData
from torch import Tensor

from mmmix.models.ignored_boxes import HeedingAssigner
from mmmix.models.merged_assignment import regressed_first
from mmmix.models.supervisions import Losses, image_factors, sum_losses
from mmmix.structures import LOSS_FACTORS, Annotations

from .remembered_rois import Forward, RememberedRoIs, rows_are_independent
from .sample_weights import WeighingSampler
from .shared_rois import ImageComponents, SharedRoIs, assign_rois, share_rois

Maps = tuple[Tensor, ...]


class RoIsByImage:
    """Mixin for subclasses of ``StandardRoIHead``: losses by its own sampler."""

    def parts_loss_by_image(
        self, x: Maps, rpn_results_list: list[InstanceData], parts: list[Annotations]
    ) -> Losses:
        """The sum of the stock loss over parts that have samples of their own.

        Args:
            x: Feature maps, ``(N, C, H, W)`` each.
            rpn_results_list: N sets of proposals.
            parts: K batches of N images.
        """
        forward = self._shared_forward()
        return sum_losses(
            [self._part_loss(forward, x, rpn_results_list, part) for part in parts]
        )

    def joint_loss_by_image(
        self, x: Maps, rpn_results_list: list[InstanceData], parts: list[Annotations]
    ) -> Losses:
        """BoxMix of two components on one sample of RoIs.

        Arguments as ``MixStandardRoIHead.joint_loss``.

        Raises:
            TypeError: If the sampler mines hard samples.
        """
        parts = regressed_first(parts)
        shared = [
            self._share_rois(x, i, proposals, parts)
            for i, proposals in enumerate(rpn_results_list)
        ]
        rois = bbox2roi([image.rois for image in shared])
        outputs = self._bbox_forward(x, rois)
        losses = self._component_loss(outputs, rois, shared, 0)
        others = self._other_loss(outputs, rois, shared, parts[1])
        return losses | {
            name: losses[name] + value
            for name, value in others.items()
            if 'loss' in name
        }

    def _share_rois(
        self, x: Maps, index: int, proposals: InstanceData, parts: list[Annotations]
    ) -> SharedRoIs:
        """One sample of an image's RoIs, as both components see it."""
        components = self._components(index, parts)
        candidates = assign_rois(
            HeedingAssigner(self.bbox_assigner),
            self.bbox_sampler,
            proposals.bboxes,
            components,
        )
        feats = [level[index][None] for level in x]
        return share_rois(self.bbox_sampler, candidates, components, feats=feats)

    @staticmethod
    def _components(index: int, parts: list[Annotations]) -> ImageComponents:
        """An image of all parts."""
        return ImageComponents(
            [part.gt_instances[index] for part in parts],
            [part.ignored[index] for part in parts],
            [part.metas[index][LOSS_FACTORS].cls for part in parts],
        )

    def _other_loss(
        self,
        outputs: dict[str, Tensor],
        rois: Tensor,
        shared: list[SharedRoIs],
        part: Annotations,
    ) -> Losses:
        """Losses of the component that is not regressed."""
        return self._component_loss(outputs, rois, shared, 1)

    def _component_loss(
        self,
        outputs: dict[str, Tensor],
        rois: Tensor,
        shared: list[SharedRoIs],
        component: int,
    ) -> Losses:
        """Losses of one component; box regression is that of component 0 only."""
        starts = accumulate((len(image.rois) for image in shared), initial=0)
        order = torch.cat(
            [image.orders[component] + start for image, start in zip(shared, starts)]
        )
        results = self.bbox_head.loss_and_target(
            cls_score=outputs['cls_score'][order],
            bbox_pred=outputs['bbox_pred'][order] if component == 0 else None,
            rois=rois[order],
            sampling_results=[image.views[component] for image in shared],
            rcnn_train_cfg=self.train_cfg,
        )
        return results['loss_bbox']

    def predicts_rois_apart(self) -> bool:
        """Whether what is predicted of a RoI depends on no other, nor on chance."""
        shared = [self.shared_head] if self.with_shared_head else []
        return rows_are_independent(self.bbox_head, *shared)

    def _shared_forward(self) -> Forward:
        """The forward of this batch's passes, which predicts each RoI once."""
        # A mask head reads RoI features, which are not remembered.
        if self.with_mask or not self.predicts_rois_apart():
            return self._bbox_forward
        return RememberedRoIs(self._bbox_forward)

    def _part_loss(
        self,
        forward: Forward,
        x: Maps,
        rpn_results_list: list[InstanceData],
        part: Annotations,
    ) -> Losses:
        """The stock loss of a part, with the factors of its images and boxes."""
        head = copy.copy(self)
        head._bbox_forward = forward
        head.bbox_sampler = WeighingSampler(self.bbox_sampler, part.metas)
        head.bbox_assigner = HeedingAssigner(self.bbox_assigner)
        losses = StandardRoIHead.loss(
            head,
            x,
            [proposals.new() for proposals in rpn_results_list],
            [_data_sample(*image) for image in zip(*part)],
        )
        factors = image_factors(part)
        if factors is None:
            return losses
        share = sum(factor.cls for factor in factors) / len(factors)
        return {
            name: value if 'loss' in name else value * share
            for name, value in losses.items()
        }


def _data_sample(
    gt_instances: InstanceData, meta: dict[str, Any], ignored: InstanceData | None
) -> DetDataSample:
    """The data sample that the stock head unpacks again."""
    sample = DetDataSample(metainfo=meta, gt_instances=gt_instances)
    if ignored is not None:
        sample.ignored_instances = ignored
    return sample
