"""Faster R-CNN's second stage where a plan carries component 1's labels."""

from __future__ import annotations

from mmdet.registry import MODELS
from mmengine.structures import InstanceData
from torch import Tensor

from mmmix.models.ignored_boxes import HeedingAssigner
from mmmix.models.roi_heads import MixStandardRoIHead
from mmmix.models.roi_heads.rois_by_image import Maps
from mmmix.models.roi_heads.shared_rois import SharedRoIs, assign_rois, share_rois
from mmmix.models.supervisions import Losses
from mmmix.structures import Annotations

from .fields import TRANSPORT
from .soft_assignment import soft_assignment, transported_shares
from .soft_rois import soft_cls_loss


@MODELS.register_module()
class AlignMixRoIHead(MixStandardRoIHead):
    """``MixStandardRoIHead`` of ``AlignMix``, which builds it in that one's place.

    An image with a plan has component 1's labels carried through it, and the offsets
    of component 0.
    """

    def joint_loss(
        self, x: Maps, rpn_results_list: list[InstanceData], parts: list[Annotations]
    ) -> Losses:
        """As ``MixStandardRoIHead``; image by image where labels travel."""
        if all(meta.get(TRANSPORT) is None for meta in parts[0].metas):
            return super().joint_loss(x, rpn_results_list, parts)
        return self.joint_loss_by_image(x, rpn_results_list, parts)

    def _share_rois(
        self, x: Maps, index: int, proposals: InstanceData, parts: list[Annotations]
    ) -> SharedRoIs:
        """One sample of an image's RoIs; arguments as ``MixStandardRoIHead``."""
        transport = parts[0].metas[index].get(TRANSPORT)
        if transport is None:
            return super()._share_rois(x, index, proposals, parts)
        components = self._components(index, parts)
        assigner = HeedingAssigner(self.bbox_assigner)
        candidates = assign_rois(
            assigner, self.bbox_sampler, proposals.bboxes, components
        )
        other, ignored = components.gt_instances[1], components.ignored[1]
        shares = transported_shares(
            assigner,
            candidates.priors,
            other,
            ignored,
            transport,
            self.bbox_head.num_classes,
        )
        candidates.assigned[1] = soft_assignment(shares, len(other))
        feats = [level[index][None] for level in x]
        shared = share_rois(self.bbox_sampler, candidates, components, feats=feats)
        return shared._replace(shares=shares[shared.indices])

    def _other_loss(
        self,
        outputs: dict[str, Tensor],
        rois: Tensor,
        shared: list[SharedRoIs],
        part: Annotations,
    ) -> Losses:
        """Losses of component 1, by shares if one of the images has a plan."""
        if all(image.shares is None for image in shared):
            return super()._other_loss(outputs, rois, shared, part)
        return soft_cls_loss(
            self.bbox_head, self.train_cfg, outputs['cls_score'], shared, part
        )
